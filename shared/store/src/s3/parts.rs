//! In which parts S3 gets an object: 10,000 at most, of 5 MiB to 5 GiB, the last one any smaller.

use std::ops::Range;

/// The first written parts' size, in bytes.
const PART: usize = 8 << 20;

/// After so many parts their size doubles: 10,000 of them hold 8 TiB, and no index is larger
/// than 5 TiB.
const PARTS_OF_A_SIZE: usize = 1000;

/// The least of a part that is not the last, in bytes.
const LEAST: u64 = 5 << 20;

/// The most of a part, in bytes.
const MOST: u64 = 5 << 30;

/// The least that is copied, in bytes: S3 copies a range only "if the source object is greater than
/// 5 MB", its reference says (`UploadPartCopy`, `CopySourceRange`), whichever MB that is.
const LEAST_COPIED: u64 = LEAST + 1;

/// The most that one of the first requests copies, in bytes: several at once are faster than one.
const COPIED: u64 = 512 << 20;

/// The size in bytes of the part that is written after `parts` others.
pub(super) fn part_size(parts: usize) -> usize {
    PART << (parts / PARTS_OF_A_SIZE).min(9)
}

/// The least that the part after `parts` others may have, so that 10,000 hold 5 TiB whatever is
/// written and copied. Half of [`MOST`] at most: what is more than that is halved.
fn least(parts: usize) -> u64 {
    match parts {
        ..PARTS_OF_A_SIZE => LEAST,
        _ => (part_size(parts) as u64).min(MOST / 2),
    }
}

/// How a range of another object becomes the next bytes of an upload.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// To be read, and written like any bytes.
    pub(super) read: Range<u64>,
    /// What follows: to be copied, each range as a part, after the buffer has become one.
    pub(super) copy: Vec<Range<u64>>,
}

impl Plan {
    /// For an upload of `parts` parts and `buffered` bytes that are in none yet.
    ///
    /// Reads only what makes a part of the buffer; or everything, where too little is left then for
    /// a part of its own.
    pub(super) fn of(range: Range<u64>, parts: usize, buffered: usize) -> Self {
        let (fill, parts) = match buffered as u64 {
            0 => (0, parts),
            buffered => (least(parts).saturating_sub(buffered), parts + 1),
        };
        let mut at = range.start.saturating_add(fill);
        if range.end.saturating_sub(at) < least(parts).max(LEAST_COPIED) {
            return Self { read: range, copy: Vec::new() };
        }
        let (read, mut copy) = (range.start..at, Vec::new());
        while at < range.end {
            let piece = piece(range.end - at, parts + copy.len());
            copy.push(at..at + piece);
            at += piece;
        }
        Self { read, copy }
    }
}

/// How much of the `left` bytes the part after `parts` others copies.
///
/// Halves are at least twice the least of their part: enough even where it doubles at the next.
fn piece(left: u64, parts: usize) -> u64 {
    let most = (least(parts) * 4).clamp(COPIED, MOST);
    if left <= most { left } else { most.min(left / 2) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn parts_suffice_for_the_largest_object() {
        let written: u64 = (0..10_000).map(|parts| part_size(parts) as u64).sum();
        let least: u64 = (0..10_000).map(least).sum();
        assert!(written > 5 << 40 && least > 5 << 40);
        assert!((0..10_000).all(|parts| (LEAST..=MOST).contains(&(part_size(parts) as u64))));
        assert!(Plan::of(0..5 << 40, 0, 0).copy.len() <= 10_000);
    }

    #[test]
    fn as_little_is_read_as_can_be() {
        for (len, buffered, read, copies) in [
            (5 * MIB, 0, 5 * MIB, 0),
            (5 * MIB + 1, 0, 0, 1),
            (512 * MIB, 0, 0, 1),
            (512 * MIB + 1, 0, 0, 2),
            (10 * MIB - 1, 1, 10 * MIB - 1, 0),
            (10 * MIB, 1, 5 * MIB - 1, 1),
            (10 * MIB, 1 << 20, 4 * MIB, 1),
            (6 * MIB, 6 << 20, 0, 1),
            (0, 0, 0, 0),
        ] {
            let plan = Plan::of(7..7 + len, 0, buffered);
            assert_eq!((plan.read.end - 7, plan.copy.len()), (read, copies), "{len} after {buffered}");
        }
    }

    /// An upload, as [`super::super::upload`] makes it, of sizes only.
    #[derive(Default)]
    struct Model {
        parts: Vec<u64>,
        buffered: u64,
    }

    impl Model {
        fn write(&mut self, mut len: u64) {
            while len > 0 {
                let taken = len.min(part_size(self.parts.len()) as u64 - self.buffered);
                (self.buffered, len) = (self.buffered + taken, len - taken);
                if self.buffered == part_size(self.parts.len()) as u64 {
                    self.flush();
                }
            }
        }

        fn flush(&mut self) {
            self.parts.push(std::mem::take(&mut self.buffered));
        }

        /// Copies `len` bytes, and says how many were read.
        fn copy(&mut self, len: u64) -> u64 {
            let plan = Plan::of(100..100 + len, self.parts.len(), self.buffered as usize);
            let read = plan.read.end - plan.read.start;
            let mut at = 100 + read;
            assert_eq!(plan.read.start, 100);
            self.write(read);
            if !plan.copy.is_empty() && self.buffered > 0 {
                self.flush();
            }
            for range in plan.copy {
                assert!(range.start == at && range.end > at, "in order, and without gaps");
                self.parts.push(range.end - range.start);
                at = range.end;
            }
            assert_eq!(at, 100 + len);
            read
        }
    }

    fn sizes() -> impl Strategy<Value = u64> {
        let near = |size: u64| size - 2..size + 3;
        prop_oneof![
            0..20 * MIB,
            near(5 * MIB),
            near(10 * MIB),
            near(512 * MIB),
            near(5 << 30),
            0..1_u64 << 40
        ]
    }

    proptest! {
        #[test]
        fn parts_are_such_as_s3_takes(
            before in 0_usize..9_900,
            work in prop::collection::vec((any::<bool>(), sizes()), 1..20),
        ) {
            let mut model = Model { parts: vec![LEAST; before], buffered: 0 };
            let mut bytes = before as u64 * LEAST;
            for (copy, size) in work {
                let (parts, buffered) = (model.parts.len(), model.buffered);
                if copy {
                    let read = model.copy(size);
                    let fill = if buffered == 0 { 0 } else { least(parts).saturating_sub(buffered) };
                    prop_assert!(read == fill || read == size && size < fill + least(parts + 1) + 1);
                } else {
                    model.write(size.min(64 * MIB));
                }
                bytes += if copy { size } else { size.min(64 * MIB) };
                for (number, part) in model.parts.iter().enumerate().skip(before) {
                    prop_assert!((least(number)..=MOST).contains(part), "part {number} has {part}");
                }
            }
            prop_assert_eq!(model.parts.iter().sum::<u64>() + model.buffered, bytes);
        }
    }
}
