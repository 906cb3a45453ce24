//! Rows of columnar formats, and the one way that they are read.

use s3inv_model::prefix::MAX_KEY;

use crate::batch::Sink;
use crate::error::{ReadError, RowError};
use crate::fields::Field;
use crate::row::{KeyPlace, Origin, Row};
use crate::rows::Rows;

/// Some rows in columns, as ORC and Parquet have them. A column that isn't needed is `None`; a cell
/// that is null, or beyond the end of its column, is `None`.
#[derive(Default)]
pub(crate) struct ColumnBatch {
    /// How many rows there are.
    pub(crate) rows: usize,
    pub(crate) key: Texts,
    pub(crate) size: Option<Vec<Option<i64>>>,
    pub(crate) class: Option<Texts>,
    pub(crate) tier: Option<Texts>,
    /// In milliseconds since 1970.
    pub(crate) modified: Option<Vec<Option<i64>>>,
    pub(crate) latest: Option<Vec<Option<bool>>>,
    pub(crate) marker: Option<Vec<Option<bool>>>,
}

/// A column of texts. Several cells may share one place in `bytes`.
#[derive(Default)]
pub(crate) struct Texts {
    /// Start in `bytes`, and true length: of what is longer than any key, `bytes` has only the start.
    pub(crate) cells: Vec<Option<(u32, usize)>>,
    /// Less than 4 GiB.
    pub(crate) bytes: Vec<u8>,
}

impl Texts {
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
        self.bytes.clear();
    }

    /// Adds a text, and a cell that is it.
    #[inline]
    pub(crate) fn push(&mut self, text: &[u8]) {
        let cell = (self.bytes.len() as u32, text.len());
        self.bytes.extend_from_slice(text.get(..=MAX_KEY).unwrap_or(text));
        self.cells.push(Some(cell));
    }

    /// Adds a cell that is the same as the last one.
    #[inline]
    pub(crate) fn repeat(&mut self) {
        self.cells.push(self.cells.last().copied().flatten());
    }

    /// Adds a null.
    #[inline]
    pub(crate) fn push_null(&mut self) {
        self.cells.push(None);
    }

    /// A cell: of longer texts than any key, only the start.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> Option<&[u8]> {
        let (start, len) = self.cells.get(row).copied().flatten()?;
        let start = start as usize;
        self.bytes.get(start..start + len.min(MAX_KEY + 1))
    }
}

impl ColumnBatch {
    /// Adds all rows, of a file that has `end` rows, and hands them over.
    pub(crate) fn add_to<S: Sink>(
        &self,
        rows: &mut Rows<'_, S>,
        end: Option<u64>,
    ) -> Result<(), ReadError<S::Error>> {
        if rows.row().checked_add(self.rows as u64) == end {
            rows.ends();
        }
        for row in 0..self.rows {
            rows.take(&At { batch: self, row })?;
            rows.end(&self.key.bytes)?;
        }
        rows.flush(&self.key.bytes)
    }
}

/// One row of a batch.
struct At<'b> {
    batch: &'b ColumnBatch,
    row: usize,
}

impl At<'_> {
    #[inline]
    fn cell<T: Copy>(&self, column: Option<&Vec<Option<T>>>) -> Option<T> {
        column.and_then(|cells| cells.get(self.row).copied().flatten())
    }

    #[inline]
    fn flag(
        &self,
        field: Field,
        column: Option<&Vec<Option<bool>>>,
        otherwise: bool,
    ) -> Result<bool, RowError> {
        match column {
            Some(_) => self.cell(column).ok_or(RowError::Missing(field)),
            None => Ok(otherwise),
        }
    }
}

impl Row for At<'_> {
    #[inline]
    fn latest(&self) -> Result<bool, RowError> {
        self.flag(Field::IsLatest, self.batch.latest.as_ref(), true)
    }

    #[inline]
    fn marker(&self) -> Result<bool, RowError> {
        self.flag(Field::IsDeleteMarker, self.batch.marker.as_ref(), false)
    }

    #[inline]
    fn key(&self, _: &mut Vec<u8>) -> Result<KeyPlace, RowError> {
        let (start, len) = self.cell(Some(&self.batch.key.cells)).unwrap_or_default();
        let text = self.batch.key.text(self.row).unwrap_or_default();
        Ok(KeyPlace::of(text, Origin::Raw(start as usize, len)))
    }

    #[inline]
    fn size(&self) -> Result<Option<u64>, RowError> {
        let size = self.cell(self.batch.size.as_ref());
        size.map(|size| u64::try_from(size).map_err(|_| RowError::NegativeSize(size))).transpose()
    }

    #[inline]
    fn class(&self) -> &[u8] {
        self.batch.class.as_ref().and_then(|texts| texts.text(self.row)).unwrap_or_default()
    }

    #[inline]
    fn tier(&self) -> &[u8] {
        self.batch.tier.as_ref().and_then(|texts| texts.text(self.row)).unwrap_or_default()
    }

    #[inline]
    fn modified(&self) -> Result<Option<u64>, RowError> {
        let modified = self.cell(self.batch.modified.as_ref());
        modified.map(|ms| u64::try_from(ms).map_err(|_| RowError::NegativeDate(ms))).transpose()
    }
}
