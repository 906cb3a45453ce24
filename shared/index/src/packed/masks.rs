//! Which bins each set has: bits, eight to a byte, over bins, over bytes of such bits that are not all zero,
//! and so on, up to one byte for each set.

/// Bits of a byte, as a shift.
const BYTE: usize = 3;
/// Levels at most: 8⁵ bins are more than there are.
const LEVELS: usize = 5;

/// The levels for so many bins.
fn depth(bins: usize) -> usize {
    (0..LEVELS).find(|&depth| 1 << (BYTE * depth) >= bins).unwrap_or(LEVELS).max(usize::from(bins > 0))
}

/// Writes masks.
#[derive(Default)]
pub(super) struct MaskWriter {
    levels: [Vec<u8>; LEVELS],
    depth: usize,
}

impl MaskWriter {
    /// Starts a page with so many bins.
    pub(super) fn start(&mut self, bins: usize) {
        self.depth = depth(bins);
    }

    /// Appends a set of these bins, which ascend.
    pub(super) fn put(&mut self, places: &[u16]) {
        for (above, level) in self.levels.iter_mut().take(self.depth).rev().enumerate().rev() {
            let mut last = None;
            if above + 1 == self.depth {
                level.push(0);
                last = Some(0);
            }
            for &place in places {
                let bit = usize::from(place) >> (BYTE * above);
                if last != Some(bit >> BYTE) {
                    level.push(0);
                    last = Some(bit >> BYTE);
                }
                if let Some(byte) = level.last_mut() {
                    *byte |= 1 << (bit % 8);
                }
            }
        }
    }

    /// Moves all levels, from the one of a byte a set on, into `stream`.
    pub(super) fn finish(&mut self, stream: &mut Vec<u8>) {
        self.levels.iter_mut().for_each(|level| stream.append(level));
    }
}

/// Reads masks.
pub(super) struct MaskReader<'r> {
    levels: [&'r [u8]; LEVELS],
    depth: usize,
    bins: usize,
}

impl<'r> MaskReader<'r> {
    /// Reads the masks of so many sets, which are all of `stream`.
    pub(super) fn new(mut stream: &'r [u8], sets: usize, bins: usize) -> Option<Self> {
        let (mut levels, depth, mut len) = ([&[][..]; LEVELS], depth(bins), sets);
        for level in levels.iter_mut().take(depth) {
            (*level, stream) = stream.split_at_checked(len)?;
            len = level.iter().map(|byte| byte.count_ones() as usize).sum();
        }
        stream.is_empty().then_some(Self { levels, depth, bins })
    }

    /// Calls `each` with the places of the next set's bins, which ascend.
    pub(super) fn set(&mut self, each: &mut impl FnMut(usize) -> Option<()>) -> Option<()> {
        if self.depth == 0 { Some(()) } else { self.below(0, 0, each) }
    }

    fn below(&mut self, level: usize, of: usize, each: &mut impl FnMut(usize) -> Option<()>) -> Option<()> {
        let bytes = self.levels.get_mut(level)?;
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let mut left = u32::from(byte);
        while left != 0 {
            let place = of << BYTE | left.trailing_zeros() as usize;
            if level + 1 < self.depth {
                self.below(level + 1, place, each)?;
            } else {
                (place < self.bins).then(|| each(place))??;
            }
            left &= left - 1;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_have_as_many_levels_as_they_need() {
        for (bins, levels) in [(0, 0), (1, 1), (8, 1), (9, 2), (64, 2), (65, 3), (4096, 4), (10_754, 5)] {
            assert_eq!(depth(bins), levels, "{bins}");
        }
    }

    #[test]
    fn masks_come_back() {
        for bins in [1u16, 7, 8, 9, 64, 65, 700, 10_754] {
            let rows: Vec<Vec<u16>> = (1..40)
                .map(|n| (0..bins).filter(|bin| (u32::from(*bin) * 7 + n) % n == 0).collect())
                .collect();
            let (mut writer, mut stream) = (MaskWriter::default(), Vec::new());
            writer.start(bins.into());
            for row in &rows {
                writer.put(row);
            }
            writer.put(&[]);
            writer.finish(&mut stream);
            let mut reader = MaskReader::new(&stream, 40, bins.into()).unwrap();
            for row in rows.iter().chain([&vec![]]) {
                let mut places = Vec::new();
                reader
                    .set(&mut |place| {
                        places.push(place as u16);
                        Some(())
                    })
                    .unwrap();
                assert_eq!(&places, row);
            }
            assert!(MaskReader::new(&stream[..stream.len() - 1], 40, bins.into()).is_none());
            assert!(MaskReader::new(&[&stream[..], &[0]].concat(), 40, bins.into()).is_none());
        }
    }

    #[test]
    fn bins_that_are_not_there_are_refused() {
        let read = |stream: &[u8], bins| MaskReader::new(stream, 1, bins)?.set(&mut |_| Some(()));
        assert_eq!(read(&[0x7f], 7), Some(()));
        assert_eq!(read(&[0x80], 7), None);
        assert_eq!(read(&[2, 1], 9), Some(()));
        assert_eq!(read(&[2, 2], 9), None);
        assert_eq!(read(&[4, 1], 9), None);
        assert_eq!(read(&[], 0), Some(()));
    }
}
