use s3inv_model::{ColumnId, Columns};

/// The most rows that are read between two calls of a [`Sink`].
pub const MAX_BATCH: usize = 1024;

/// One counted row. 16 bytes: a batch of them stays in the first-level cache.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    offset: u32,
    /// At most [`MAX_KEY`](s3inv_model::prefix::MAX_KEY), so that the top bit is free for [`DECODED`].
    len: u16,
    column: ColumnId,
    size: u64,
}

/// Marks a key that lies in the side buffer.
const DECODED: u16 = 1 << 15;

impl Row {
    /// A row whose key is a slice of the input.
    pub(crate) fn raw(offset: usize, len: usize, column: ColumnId, size: u64) -> Self {
        Self { offset: offset as u32, len: len as u16, column, size }
    }

    /// A row whose key is in the side buffer.
    pub(crate) fn decoded(offset: usize, len: usize, column: ColumnId, size: u64) -> Self {
        Self { offset: offset as u32, len: len as u16 | DECODED, column, size }
    }
}

/// Counted rows in the order of the file. Their keys are slices of the file's own bytes where
/// nothing had to be decoded.
pub struct Batch<'a> {
    rows: &'a [Row],
    raw: &'a [u8],
    side: &'a [u8],
    columns: &'a Columns,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(rows: &'a [Row], raw: &'a [u8], side: &'a [u8], columns: &'a Columns) -> Self {
        Self { rows, raw, side, columns }
    }

    /// The columns met so far, which the rows' columns are places in.
    #[must_use]
    pub fn columns(&self) -> &'a Columns {
        self.columns
    }

    /// Number of counted rows, at most [`MAX_BATCH`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether all rows read were excluded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows' keys (raw, 1 to 1,024 bytes), columns, and sizes in bytes.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a [u8], ColumnId, u64)> + '_ {
        self.rows.iter().map(|row| (self.key(row), row.column, row.size))
    }

    /// The row at `at`, as [`Batch::iter`] gives it.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<(&'a [u8], ColumnId, u64)> {
        self.rows.get(at).map(|row| (self.key(row), row.column, row.size))
    }

    #[inline]
    fn key(&self, row: &Row) -> &'a [u8] {
        let from = if row.len & DECODED == 0 { self.raw } else { self.side };
        let start = row.offset as usize;
        from.get(start..start + usize::from(row.len & !DECODED)).unwrap_or_default()
    }
}

/// Where rows go.
pub trait Sink {
    /// Why it stops the reader.
    type Error;

    /// Takes the rows. Called at least every [`MAX_BATCH`] rows read, with an empty batch where all
    /// of them were excluded, so that this is the place to look for cancellation.
    fn batch(&mut self, batch: &Batch<'_>) -> Result<(), Self::Error>;
}

impl<E, F: FnMut(&Batch<'_>) -> Result<(), E>> Sink for F {
    type Error = E;

    fn batch(&mut self, batch: &Batch<'_>) -> Result<(), E> {
        self(batch)
    }
}
