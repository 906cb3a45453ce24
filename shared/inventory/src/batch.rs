use s3inv_model::prefix::own_directory;
use s3inv_model::{BinId, Classes, Dates, Object};

use crate::row::{KeyPlace, Origin};

/// The most rows that are read between two calls of a [`Sink`].
pub const MAX_BATCH: usize = 1024;

/// One counted row. 24 bytes: a batch of them stays in the first-level cache.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    key: Key,
    size: u64,
    /// Milliseconds since 1970, or [`UNDATED`], above the bin.
    dated_bin: u64,
}

const _: () = assert!(size_of::<Counted>() == 24);

/// No date: a year that dates can't have.
pub(crate) const UNDATED: u64 = u64::MAX >> BinId::BITS;

impl Counted {
    /// `modified` is in milliseconds since 1970, or [`UNDATED`].
    #[inline]
    pub(crate) fn new(key: Key, bin: BinId, size: u64, modified: u64) -> Self {
        Self { key, size, dated_bin: modified << BinId::BITS | u64::from(bin) }
    }

    #[inline]
    fn bin(&self) -> BinId {
        self.dated_bin as BinId
    }

    #[inline]
    fn dates(&self) -> Dates {
        let modified = self.dated_bin >> BinId::BITS;
        if modified == UNDATED { Dates::NONE } else { Dates::at(modified) }
    }
}

/// Where a row's key lies. Lengths are at most [`MAX_KEY`](s3inv_model::prefix::MAX_KEY), so that their top
/// bits are free.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    offset: u32,
    /// Or [`DECODED`].
    len: u16,
    /// The length of its directory, or [`BESIDE`].
    directory: u16,
}

/// Marks a key that lies in the side buffer.
const DECODED: u16 = 1 << 15;
/// Marks a key of the directory of the row before, in the same batch.
const BESIDE: u16 = 1 << 15;

impl Key {
    /// A slice of the input, or of the side buffer.
    #[inline]
    pub(crate) fn new(offset: usize, len: usize, place: &KeyPlace) -> Self {
        let decoded = if matches!(place.origin, Origin::Side) { DECODED } else { 0 };
        let beside = if place.beside { BESIDE } else { 0 };
        Self { offset: offset as u32, len: len as u16 | decoded, directory: place.directory as u16 | beside }
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
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Object<'a>> + Clone + '_ {
        let mut before = &[][..];
        self.rows.iter().map(move |row| {
            let object = self.object(row, before);
            before = object.directory;
            object
        })
    }

    /// The row at `at`, as [`Batch::iter`] gives it.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<Object<'a>> {
        let object = self.rows.get(at).map(|row| self.object(row, &[]))?;
        Some(Object { directory: own_directory(object.key), ..object })
    }

    /// The object of a row; `before` is the directory of the one before.
    #[inline]
    fn object(&self, row: &Counted, before: &'a [u8]) -> Object<'a> {
        let Key { offset, len, directory } = row.key;
        let from = if len & DECODED == 0 { self.raw } else { self.side };
        let start = offset as usize;
        let key = from.get(start..start + usize::from(len & !DECODED)).unwrap_or_default();
        let directory = match directory & BESIDE {
            0 => key.get(..usize::from(directory)).unwrap_or_default(),
            _ => before,
        };
        Object { key, directory, bin: row.bin(), size: row.size, dates: row.dates() }
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
