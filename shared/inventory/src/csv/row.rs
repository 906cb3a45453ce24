//! Rows as the texts of their fields.

use super::careful::CarefulRow;
use super::date::date;
use super::layout::CsvLayout;
use super::values::{decode, flag, size};
use crate::error::RowError;
use crate::fields::Field;
use crate::row::{KeyPlace, Origin, Row};

/// The texts of a row's fields, empty where the layout has no such field.
trait Texts {
    fn layout(&self) -> &CsvLayout;
    /// The key, as it is written, and where it lies in the window if it does.
    fn written_key(&self) -> (&[u8], Option<usize>);
    fn field(&self, field: Field) -> &[u8];

    #[inline]
    fn flag(&self, field: Field, otherwise: bool) -> Result<bool, RowError> {
        self.layout().at(field).map_or(Ok(otherwise), |_| flag(field, self.field(field)))
    }
}

impl<T: Texts> Row for T {
    #[inline]
    fn latest(&self) -> Result<bool, RowError> {
        self.flag(Field::IsLatest, true)
    }

    #[inline]
    fn marker(&self) -> Result<bool, RowError> {
        self.flag(Field::IsDeleteMarker, false)
    }

    #[inline]
    fn key(&self, side: &mut Vec<u8>) -> Result<KeyPlace, RowError> {
        let (key, place) = self.written_key();
        match place {
            Some(place) if memchr::memchr2(b'%', b'+', key).is_none() => {
                Ok(KeyPlace::of(key, Origin::Raw(place, key.len())))
            }
            _ => {
                let start = side.len();
                decode(key, key, side)?;
                Ok(KeyPlace::of(side.get(start..).unwrap_or_default(), Origin::Side))
            }
        }
    }

    #[inline]
    fn size(&self) -> Result<Option<u64>, RowError> {
        told(self.field(Field::Size), size)
    }

    #[inline]
    fn class(&self) -> &[u8] {
        self.field(Field::StorageClass)
    }

    #[inline]
    fn tier(&self) -> &[u8] {
        self.field(Field::IntelligentTieringAccessTier)
    }

    #[inline]
    fn modified(&self) -> Result<Option<u64>, RowError> {
        told(self.field(Field::LastModifiedDate), date)
    }
}

/// What a text says; `None` if it is empty.
#[inline]
pub(super) fn told(
    text: &[u8],
    parse: impl FnOnce(&[u8]) -> Result<u64, RowError>,
) -> Result<Option<u64>, RowError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// A row that is written as AWS does.
pub(super) struct Plain<'w> {
    pub(super) layout: &'w CsvLayout,
    pub(super) window: &'w [u8],
    /// Where it begins there.
    pub(super) at: usize,
    /// Where the quotes of its fields are from there on, in pairs.
    pub(super) quotes: &'w [u32],
}

impl Plain<'_> {
    #[inline]
    fn place(&self, column: usize) -> (usize, usize) {
        let fields = self.quotes.as_chunks::<2>().0;
        let place = |&[open, close]: &[u32; 2]| (self.at + open as usize + 1, self.at + close as usize);
        fields.get(column).map_or((0, 0), place)
    }

    #[inline]
    fn text(&self, column: usize) -> &[u8] {
        let (start, end) = self.place(column);
        self.window.get(start..end).unwrap_or_default()
    }
}

impl Texts for Plain<'_> {
    #[inline]
    fn layout(&self) -> &CsvLayout {
        self.layout
    }

    #[inline]
    fn written_key(&self) -> (&[u8], Option<usize>) {
        (self.text(self.layout.key), Some(self.place(self.layout.key).0))
    }

    #[inline]
    fn field(&self, field: Field) -> &[u8] {
        self.layout.at(field).map(|column| self.text(column)).unwrap_or_default()
    }
}

/// A row that had to be taken apart.
pub(super) struct Careful<'w> {
    pub(super) layout: &'w CsvLayout,
    pub(super) row: &'w CarefulRow,
}

impl Texts for Careful<'_> {
    fn layout(&self) -> &CsvLayout {
        self.layout
    }

    fn written_key(&self) -> (&[u8], Option<usize>) {
        (self.row.key(), None)
    }

    fn field(&self, field: Field) -> &[u8] {
        self.row.field(field)
    }
}
