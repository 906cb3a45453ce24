//! The two layouts that pages have: runs are made to be read fast, what is kept to be small. How pages are
//! compressed tells which it is.

use s3inv_model::{Cell, Dates};

use crate::Compression;
use crate::entry::Entry;
use crate::packed::{PackedBuilder, PackedRows};
use crate::page::{PageBuilder, PageRows, Shape};

/// The most bytes that a page has, decompressed. The rule by which packed pages end counts a quarter of a
/// parent's bytes, and more than that of all else, so that they end at 1 MiB, and a row more: the largest row
/// has all 10,754 bins of 64 classes, and takes less than 250,000 bytes.
pub const MAX_PAGE_RAW: usize = 2 << 20;
/// The most that it has as it is stored: neither compression makes what is small much larger than it was.
pub(crate) const MAX_STORED: u64 = MAX_PAGE_RAW as u64 / 8 * 9;

/// A page that is complete.
pub(crate) struct Finished<'a> {
    pub(crate) raw: &'a [u8],
    /// Where its parts end that are compressed each for itself.
    pub(crate) ends: &'a [usize],
    /// What the directory says of it, but for what depends on compression.
    pub(crate) entry: Entry,
}

/// Gathers rows into a page.
pub(crate) enum Builder {
    Plain(Box<PageBuilder>),
    Packed(Box<PackedBuilder>),
}

impl Builder {
    pub(crate) fn new(compression: Compression, shape: Shape) -> Self {
        match compression {
            Compression::Lz4 => Self::Plain(Box::new(PageBuilder::new(shape))),
            Compression::Zstd => Self::Packed(Box::new(PackedBuilder::new(shape))),
        }
    }

    /// Whether the page ends before `next`.
    pub(crate) fn ends_before(&self, next: &[u8]) -> bool {
        match self {
            Self::Plain(page) => page.ends_before(next),
            Self::Packed(page) => page.ends_before(next),
        }
    }

    /// Adds a row, whose key has so many bytes in common with the one before it, be that in this page or not;
    /// `None` if its sums over all bins do not fit 64 bits.
    pub(crate) fn push(&mut self, key: &[u8], shared: usize, cells: &[Cell], dates: Dates) -> Option<()> {
        match self {
            Self::Plain(page) => page.push(key, shared, cells, dates),
            Self::Packed(page) => page.push(key, cells, dates),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Plain(page) => page.is_empty(),
            Self::Packed(page) => page.is_empty(),
        }
    }

    /// The page; the builder is empty afterwards. `None` would be a bug.
    pub(crate) fn finish(&mut self) -> Option<Finished<'_>> {
        match self {
            Self::Plain(page) => Some(page.finish()),
            Self::Packed(page) => page.finish(),
        }
    }
}

/// Reads the rows of a page, one after the other. A clone goes on from the same row.
#[derive(Clone)]
pub(crate) enum Rows {
    Plain(PageRows),
    Packed(PackedRows),
}

impl Rows {
    pub(crate) fn new(compression: Compression, shape: Shape) -> Self {
        match compression {
            Compression::Lz4 => Self::Plain(PageRows::new(shape)),
            Compression::Zstd => Self::Packed(PackedRows::new(shape)),
        }
    }

    /// The buffer that the next page is decompressed into, before [`Rows::start`].
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Plain(rows) => rows.buffer(),
            Self::Packed(rows) => rows.buffer(),
        }
    }

    /// Goes before the first row of the page in the buffer.
    pub(crate) fn start(&mut self, rows: u64) -> Option<()> {
        match self {
            Self::Plain(page) => page.start(rows),
            Self::Packed(page) => page.start(rows),
        }
    }

    /// Goes to the next row: `Some(false)` behind the last one, `None` if it makes no sense.
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<bool> {
        match self {
            Self::Plain(rows) => rows.advance(),
            Self::Packed(rows) => rows.advance(),
        }
    }

    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Self::Plain(rows) => rows.key(),
            Self::Packed(rows) => rows.key(),
        }
    }

    #[inline]
    pub(crate) fn cells(&self) -> &[Cell] {
        match self {
            Self::Plain(rows) => rows.cells(),
            Self::Packed(rows) => rows.cells(),
        }
    }

    #[inline]
    pub(crate) fn dates(&self) -> Dates {
        match self {
            Self::Plain(rows) => rows.dates(),
            Self::Packed(rows) => rows.dates(),
        }
    }
}
