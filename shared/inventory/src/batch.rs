use s3inv_model::{BinId, Classes, Dates, Object};

/// The most rows that are read between two calls of a [`Sink`].
pub const MAX_BATCH: usize = 1024;

/// One counted row. 24 bytes: a batch of them stays in the first-level cache.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) key: Key,
    pub(crate) bin: BinId,
    pub(crate) size: u64,
    /// [`UNDATED`], or milliseconds since 1970.
    pub(crate) modified: u64,
}

const _: () = assert!(size_of::<Counted>() == 24);

/// No date: a year that dates can't have.
pub(crate) const UNDATED: u64 = u64::MAX;

/// Where a row's key lies.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// A `u32`, without its alignment.
    offset: [u8; 4],
    /// At most [`MAX_KEY`](s3inv_model::prefix::MAX_KEY), so that the top bit is free for [`DECODED`].
    len: u16,
}

/// Marks a key that lies in the side buffer.
const DECODED: u16 = 1 << 15;

impl Key {
    /// A slice of the input, of at most [`MAX_KEY`](s3inv_model::prefix::MAX_KEY) bytes.
    #[inline]
    pub(crate) fn raw(offset: usize, len: usize) -> Self {
        Self { offset: (offset as u32).to_ne_bytes(), len: len as u16 }
    }

    /// A slice of the side buffer, as short.
    #[inline]
    pub(crate) fn side(offset: usize, len: usize) -> Self {
        Self { offset: (offset as u32).to_ne_bytes(), len: len as u16 | DECODED }
    }
}

/// Counted rows in the order of the file. Their keys are slices of the file's own bytes where
/// nothing had to be decoded.
pub struct Batch<'a> {
    rows: &'a [Counted],
    raw: &'a [u8],
    side: &'a [u8],
    classes: &'a Classes,
    end: u64,
    is_last: bool,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        rows: &'a [Counted],
        (raw, side): (&'a [u8], &'a [u8]),
        classes: &'a Classes,
        (end, is_last): (u64, bool),
    ) -> Self {
        Self { rows, raw, side, classes, end, is_last }
    }

    /// Rows of the file up to the end of this batch, excluded ones included: where to go on behind it,
    /// with [`Rows::after`](crate::Rows::after).
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Whether the file has no rows behind this batch.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// The classes met so far, which the classes of the rows' bins are places in.
    #[must_use]
    pub fn classes(&self) -> &'a Classes {
        self.classes
    }

    /// Number of counted rows, at most [`MAX_BATCH`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether all rows read were excluded, or passed over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Object<'a>> + '_ {
        self.rows.iter().map(|row| self.object(row))
    }

    /// The row at `at`, as [`Batch::iter`] gives it.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<Object<'a>> {
        self.rows.get(at).map(|row| self.object(row))
    }

    #[inline]
    fn object(&self, row: &Counted) -> Object<'a> {
        let dates = if row.modified == UNDATED { Dates::NONE } else { Dates::at(row.modified) };
        Object { key: self.key(row.key), bin: row.bin, size: row.size, dates }
    }

    #[inline]
    fn key(&self, Key { offset, len }: Key) -> &'a [u8] {
        let from = if len & DECODED == 0 { self.raw } else { self.side };
        let start = u32::from_ne_bytes(offset) as usize;
        from.get(start..start + usize::from(len & !DECODED)).unwrap_or_default()
    }
}

/// Where rows go.
pub trait Sink {
    /// Why it stops the reader.
    type Error;

    /// Takes the rows. Called at least every [`MAX_BATCH`] rows read, with an empty batch where all
    /// of them were excluded or passed over, so that this is the place to look for cancellation.
    fn batch(&mut self, batch: &Batch<'_>) -> Result<(), Self::Error>;
}

impl<E, F: FnMut(&Batch<'_>) -> Result<(), E>> Sink for F {
    type Error = E;

    fn batch(&mut self, batch: &Batch<'_>) -> Result<(), E> {
        self(batch)
    }
}
