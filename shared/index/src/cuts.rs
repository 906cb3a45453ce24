//! Where pages end. The rule looks at content alone, so that the pages of an index do not depend on
//! workers, partitions or restarts, and the indexes of two days share most of their pages.

use xxhash_rust::xxh3::xxh3_64;

/// A page may end before a key once it has this many bytes, uncompressed.
const MIN_PAGE: usize = 32 << 10;
/// A page ends when it has this many.
const MAX_PAGE: usize = 64 << 10;
/// Keys before which a page of [`MIN_PAGE`] ends: one in 1,024.
const PAGE_BITS: u64 = (1 << 10) - 1;
/// Keys before which every page ends: one in 16,384. They are page keys too.
const PARTITION_BITS: u64 = (1 << 14) - 1;

/// Whether a page always starts at this prefix, so that work may be divided before it.
#[must_use]
pub fn is_partition_start(prefix: &[u8]) -> bool {
    xxh3_64(prefix) & PARTITION_BITS == 0
}

/// Whether a page of `raw` bytes ends before `next`.
pub(crate) fn ends_before(raw: usize, next: &[u8]) -> bool {
    if raw >= MAX_PAGE {
        return true;
    }
    let hash = xxh3_64(next);
    hash & PARTITION_BITS == 0 || (raw >= MIN_PAGE && hash & PAGE_BITS == 0)
}

/// Rows after which a lot ends with its page, so that the memory for its table has a limit.
const MAX_LOT: u64 = 32 << 10;

/// Whether a lot of so many rows ends before `next`, which begins a page.
pub(crate) fn lot_ends_before(rows: u64, next: &[u8]) -> bool {
    rows >= MAX_LOT || is_partition_start(next)
}
