use s3inv_model::prefix::MAX_KEY;
use s3inv_model::{Columns, Excluded, RowCounts};

use crate::batch::{Batch, MAX_BATCH, Row, Sink};
use crate::classes::Classes;
use crate::error::{InputError, ReadError, RowError};

/// Where a row's key lies.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    /// In the input: offset and length.
    Raw(usize, usize),
    /// In the side buffer, from the offset to its end.
    Side(usize),
}

/// A row's other fields. Keys come apart: they may have to be decoded first.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) key: Key,
    pub(crate) class: &'a [u8],
    pub(crate) tier: &'a [u8],
    pub(crate) size: u64,
}

/// Makes batches of rows, whatever the format they come from, and counts them.
pub(crate) struct Assembler<'a, S> {
    columns: &'a mut Columns,
    counts: &'a mut RowCounts,
    sink: &'a mut S,
    classes: Classes,
    rows: Vec<Row>,
    /// Decoded keys of this batch.
    pub(crate) side: Vec<u8>,
    /// Rows of the file so far: the number of the row that is being read.
    pub(crate) row: u64,
    /// Rows read since the last batch.
    pending: usize,
}

impl<'a, S: Sink> Assembler<'a, S> {
    pub(crate) fn new(columns: &'a mut Columns, counts: &'a mut RowCounts, sink: &'a mut S) -> Self {
        let rows = Vec::with_capacity(MAX_BATCH);
        let classes = Classes::default();
        Self { columns, counts, sink, classes, rows, side: Vec::new(), row: 0, pending: 0 }
    }

    /// Begins the next row.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.row += 1;
        self.pending += 1;
    }

    /// Counts the row as excluded.
    pub(crate) fn exclude(&mut self, reason: Excluded) {
        self.counts.exclude(reason);
    }

    /// Adds the row to the batch.
    #[inline]
    pub(crate) fn count(&mut self, fields: Fields<'_>) -> Result<(), RowError> {
        let (offset, len) = match fields.key {
            Key::Raw(offset, len) => (offset, len),
            Key::Side(offset) => (offset, self.side.len().saturating_sub(offset)),
        };
        if !(1..=MAX_KEY).contains(&len) {
            return Err(RowError::KeyLength(len));
        }
        let column = self.classes.column(self.columns, fields.class, fields.tier)?;
        self.rows.push(match fields.key {
            Key::Raw(..) => Row::raw(offset, len, column, fields.size),
            Key::Side(_) => Row::decoded(offset, len, column, fields.size),
        });
        Ok(())
    }

    /// Hands the batch over if it is full. `raw` is what raw keys' offsets count from.
    #[inline]
    pub(crate) fn end(&mut self, raw: &[u8]) -> Result<(), ReadError<S::Error>> {
        if self.pending < MAX_BATCH { Ok(()) } else { self.flush(raw) }
    }

    /// Hands over what there is.
    pub(crate) fn flush(&mut self, raw: &[u8]) -> Result<(), ReadError<S::Error>> {
        if self.pending == 0 {
            return Ok(());
        }
        self.counts.rows += self.pending as u64;
        self.pending = 0;
        let handed = self.sink.batch(&Batch::new(&self.rows, raw, &self.side, self.columns));
        self.rows.clear();
        self.side.clear();
        handed.map_err(ReadError::Sink)
    }

    /// The cause, of the row that is being read.
    pub(crate) fn at_row(&self, cause: RowError) -> InputError {
        cause.at(self.row)
    }
}
