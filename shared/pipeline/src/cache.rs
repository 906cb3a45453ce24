//! What was read of an object in a store, so that it isn't asked for twice, and in how few requests the rest is.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use lru::LruCache;

/// The bytes that a cache keeps: some hundred pages, or thousands of buckets.
pub(crate) const KEPT: usize = 24 << 20;
/// What lies between two ranges is fetched with them, up to so many bytes: they come sooner than an answer
/// begins.
const GAP: u64 = 64 << 10;
/// Ranges are fetched together up to so many bytes: more come faster by several requests.
const TOGETHER: u64 = 1 << 20;

/// Pieces of an object, each as it was read: those that were used last, up to so many bytes. Threads share it.
pub(crate) struct Cache {
    pieces: Mutex<Pieces>,
    most: usize,
}

struct Pieces {
    by_offset: LruCache<u64, Bytes>,
    bytes: usize,
}

impl Cache {
    pub(crate) fn new(most: usize) -> Self {
        Self { pieces: Mutex::new(Pieces { by_offset: LruCache::unbounded(), bytes: 0 }), most }
    }

    /// The bytes of a range that was read from its beginning on.
    pub(crate) fn get(&self, range: &Range<u64>) -> Option<Bytes> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = pieces.by_offset.get(&range.start)?;
        let len = (range.end - range.start) as usize;
        (len <= piece.len()).then(|| piece.slice(..len))
    }

    /// Keeps a piece, unless it would leave no room for others.
    pub(crate) fn put(&self, offset: u64, piece: Bytes) {
        if piece.len() > self.most {
            return;
        }
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.bytes += piece.len();
        if let Some(before) = pieces.by_offset.put(offset, piece) {
            pieces.bytes -= before.len();
        }
        while pieces.bytes > self.most
            && let Some((_, oldest)) = pieces.by_offset.pop_lru()
        {
            pieces.bytes -= oldest.len();
        }
    }

    /// Those of some ranges that are not here, ascending, each once.
    pub(crate) fn missing(&self, ranges: &[Range<u64>]) -> Vec<Range<u64>> {
        let is_missing = |range: &&Range<u64>| range.start < range.end && self.get(range).is_none();
        let mut missing: Vec<_> = ranges.iter().filter(is_missing).cloned().collect();
        missing.sort_unstable_by_key(|range| (range.start, range.end));
        missing.dedup();
        missing
    }
}

/// Puts ascending ranges together that are near each other: each group is one request.
pub(crate) fn together(ranges: &[Range<u64>]) -> Vec<&[Range<u64>]> {
    let mut groups = Vec::new();
    let mut rest = ranges;
    while let Some(first) = rest.first() {
        let mut end = first.end;
        let follows = |range: &&Range<u64>| {
            let near = range.start <= end.saturating_add(GAP);
            let wanted = near && range.end.max(end) - first.start <= TOGETHER;
            end = end.max(range.end);
            wanted
        };
        let more = rest.iter().skip(1).take_while(follows).count();
        let (group, behind) = rest.split_at(1 + more);
        groups.push(group);
        rest = behind;
    }
    groups
}

/// All of a group.
pub(crate) fn hull(group: &[Range<u64>]) -> Range<u64> {
    let start = group.first().map_or(0, |range| range.start);
    start..group.iter().map(|range| range.end).max().unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece(len: usize, byte: u8) -> Bytes {
        vec![byte; len].into()
    }

    #[test]
    fn what_was_used_last_is_kept() {
        let cache = Cache::new(100);
        cache.put(0, piece(40, 1));
        cache.put(40, piece(40, 2));
        assert_eq!(cache.get(&(0..40)), Some(piece(40, 1)));
        cache.put(80, piece(40, 3));
        assert_eq!(cache.get(&(40..80)), None, "it was used before the first one was");
        assert_eq!(cache.get(&(0..10)), Some(piece(10, 1)));
        assert_eq!(cache.get(&(0..41)), None);
        cache.put(0, piece(60, 4));
        assert_eq!(cache.get(&(0..60)), Some(piece(60, 4)), "the same place anew counts once");
        assert_eq!(cache.get(&(80..120)), Some(piece(40, 3)));
        cache.put(200, piece(101, 5));
        assert_eq!(cache.get(&(200..301)), None, "it is more than all");
        assert_eq!(cache.pieces.lock().unwrap().bytes, 100);
    }

    #[test]
    fn only_what_is_missing_is_asked_for() {
        let cache = Cache::new(1000);
        cache.put(10, piece(10, 0));
        assert_eq!(cache.missing(&[30..40, 10..20, 0..5, 7..7, 30..40]), [0..5, 30..40]);
    }

    #[test]
    fn neighbours_are_one_request() {
        let far = GAP + 1;
        let ranges = [0..10, 10..20, 20 + GAP..30 + GAP, 30 + GAP + far..40 + GAP + far];
        assert_eq!(together(&ranges), [&ranges[..3], &ranges[3..]]);
        let large = [0..TOGETHER, TOGETHER..TOGETHER + 1];
        assert_eq!(together(&large), [&large[..1], &large[1..]]);
    }

    proptest! {
        #[test]
        fn groups_hold_all_ranges_in_their_order(
            starts in prop::collection::vec((0u64..4 << 20, 1u64..300 << 10), 0..40),
        ) {
            let ranges: Vec<_> = starts.iter().map(|&(start, len)| start..start + len).collect();
            let ranges = Cache::new(0).missing(&ranges);
            let groups = together(&ranges);
            prop_assert_eq!(&groups.concat(), &ranges);
            for group in groups {
                let Range { start, end } = hull(group);
                prop_assert!(group.iter().all(|range| start <= range.start && range.end <= end));
                prop_assert!(group.len() == 1 || end - start <= TOGETHER);
                let mut end = start;
                for range in group {
                    prop_assert!(range.start <= end + GAP);
                    end = end.max(range.end);
                }
            }
        }
    }
}
