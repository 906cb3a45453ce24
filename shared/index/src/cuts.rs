//! Where pages end. The rule looks at content alone, so that the pages of an index do not depend on
//! workers, partitions or restarts, and the indexes of two days share most of their pages.

use s3inv_model::Cell;
use xxhash_rust::xxh3::xxh3_64;

/// How large the pages of a layout get, as it measures them.
pub(crate) struct Limits {
    /// A page may end before a key once it is as large.
    least: usize,
    /// A page ends when it is.
    most: usize,
}

/// Pages of runs: the bytes of their streams.
pub(crate) const PLAIN: Limits = Limits { least: 32 << 10, most: 64 << 10 };
/// Packed pages, by [`size_of_group`] and [`size_of_row`], which do not ask how well they can be packed: some
/// 50 KB, as they are stored.
pub(crate) const PACKED: Limits = Limits { least: 128 << 10, most: 256 << 10 };

/// Keys before which a page of the least size ends: one in 1,024.
const PAGE_BITS: u64 = (1 << 10) - 1;
/// Keys before which every page ends: one in 16,384. They are page keys too.
const PARTITION_BITS: u64 = (1 << 14) - 1;

/// Whether a page always starts at this prefix, so that work may be divided before it.
#[must_use]
pub fn is_partition_start(prefix: &[u8]) -> bool {
    xxh3_64(prefix) & PARTITION_BITS == 0
}

impl Limits {
    /// Whether a page of this size ends before `next`.
    pub(crate) fn end_before(&self, size: usize, next: &[u8]) -> bool {
        if size >= self.most {
            return true;
        }
        let hash = xxh3_64(next);
        hash & PARTITION_BITS == 0 || (size >= self.least && hash & PAGE_BITS == 0)
    }
}

/// What the first row of a parent adds to the size of a packed page.
pub(crate) fn size_of_group(parent: &[u8]) -> usize {
    parent.len() / 4
}

/// What a row adds to the size of a packed page.
pub(crate) fn size_of_row(name: &[u8], cells: &[Cell]) -> usize {
    8 + name.len() + 8 * cells.len()
}

/// Rows after which a lot ends with its page, so that the memory for its table has a limit.
const MAX_LOT: u64 = 32 << 10;

/// Whether a lot of so many rows ends before `next`, which begins a page.
pub(crate) fn lot_ends_before(rows: u64, next: &[u8]) -> bool {
    rows >= MAX_LOT || is_partition_start(next)
}
