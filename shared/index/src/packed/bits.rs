//! Bits, one after the other, from the lowest bit of each byte on.

/// Writes bits; the last byte is filled up with zeros.
#[derive(Default)]
pub(super) struct BitWriter {
    /// What does not fill a word yet.
    word: u64,
    filled: u32,
}

impl BitWriter {
    /// Appends the lowest `count` bits of `value`: at most 61.
    #[inline]
    pub(super) fn put(&mut self, out: &mut Vec<u8>, value: u64, count: u32) {
        let value = value & ((1 << count) - 1);
        self.word |= value << self.filled;
        self.filled += count;
        if self.filled >= 64 {
            out.extend_from_slice(&self.word.to_le_bytes());
            self.filled -= 64;
            // What did not fit; nothing, where all of it did.
            self.word = value.checked_shr(count - self.filled).unwrap_or_default();
        }
    }

    /// Appends what is left.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let bytes = self.word.to_le_bytes();
        out.extend_from_slice(bytes.get(..self.filled.div_ceil(8) as usize).unwrap_or_default());
        *self = Self::default();
    }
}

/// Reads bits.
pub(super) struct BitReader<'r> {
    bytes: &'r [u8],
    at: usize,
}

impl<'r> BitReader<'r> {
    pub(super) fn new(bytes: &'r [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next bits: at most 61.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> Option<u64> {
        match count {
            0 => Some(0),
            1..=56 => self.take_some(count),
            _ => self.take_many(count),
        }
    }

    #[cold]
    fn take_many(&mut self, count: u32) -> Option<u64> {
        Some(self.take_some(32)? | self.take_some(count - 32)? << 32)
    }

    #[inline]
    fn take_some(&mut self, count: u32) -> Option<u64> {
        let word = self.word(self.at / 8) >> (self.at % 8);
        self.at += count as usize;
        (self.at <= 8 * self.bytes.len()).then_some(word & ((1 << count) - 1))
    }

    /// Eight bytes, zeros where there are none.
    #[inline]
    fn word(&self, at: usize) -> u64 {
        let rest = self.bytes.get(at..).unwrap_or_default();
        rest.first_chunk().map_or_else(|| last_word(rest), |word| u64::from_le_bytes(*word))
    }

    /// Whether there are no bits left but zeros that fill the last byte.
    pub(super) fn is_used_up(&self) -> bool {
        self.at.div_ceil(8) == self.bytes.len() && self.word(self.at / 8) >> (self.at % 8) == 0
    }
}

#[cold]
fn last_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back() {
        let values: Vec<(u64, u32)> =
            (0..5000u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15), (n * 7 % 62) as u32)).collect();
        let (mut writer, mut out) = (BitWriter::default(), Vec::new());
        for &(value, count) in &values {
            writer.put(&mut out, value, count);
        }
        writer.finish(&mut out);
        assert_eq!(out.len(), values.iter().map(|value| value.1 as usize).sum::<usize>().div_ceil(8));
        let mut reader = BitReader::new(&out);
        for (value, count) in values {
            assert_eq!(reader.take(count), Some(value & ((1 << count) - 1)), "{count} bits");
        }
        assert!(reader.is_used_up());
        assert_eq!(reader.take(8), None);
    }

    #[test]
    fn what_is_left_tells() {
        let used = |bytes: &[u8], count| {
            let mut reader = BitReader::new(bytes);
            reader.take(count).map(|_| reader.is_used_up())
        };
        assert_eq!(used(&[], 0), Some(true));
        assert_eq!(used(&[], 1), None);
        assert_eq!(used(&[0], 0), Some(false));
        assert_eq!(used(&[1], 1), Some(true));
        assert_eq!(used(&[3], 1), Some(false));
        assert_eq!(used(&[1, 0], 1), Some(false));
        assert_eq!(used(&[0xff; 8], 61), Some(false));
    }
}
