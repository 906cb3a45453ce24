//! Numbers of a fixed width in bits, the highest bit first, without gaps.

use super::error::Result;
use super::stream::Stream;

/// The width in bits that a code of five bits stands for.
pub(super) fn width_of(code: u8) -> u32 {
    match code & 31 {
        24 => 26,
        25 => 28,
        26 => 30,
        27 => 32,
        28 => 40,
        29 => 48,
        30 => 56,
        31 => 64,
        code => u32::from(code) + 1,
    }
}

/// The smallest width that a code stands for and that has room for `bits`, 1 to 64.
pub(super) fn closest_width(bits: u32) -> u32 {
    (0..32).map(width_of).find(|&width| width >= bits).unwrap_or(64)
}

/// Takes as many numbers of `width` bits, 1 to 64, from the stream as `to` has places, at most a run's,
/// each through `map`.
#[inline]
pub(super) fn unpack(
    stream: &mut Stream<'_>,
    width: u32,
    to: &mut [i64],
    mut map: impl FnMut(u64) -> i64,
) -> Result<()> {
    let packed = stream.slice((to.len() * width as usize).div_ceil(8))?;
    let mut bit = 0;
    for to in to {
        let from = packed.get(bit / 8..).unwrap_or_default();
        let word = from.first_chunk().copied().unwrap_or_else(|| last_word(from));
        // Widths above 56 are all whole bytes: the number ends within the word.
        *to = map(u64::from_be_bytes(word) << (bit % 8) >> (64 - width));
        bit += width as usize;
    }
    Ok(())
}

/// The last bytes, fewer than eight, and zeros.
fn last_word(bytes: &[u8]) -> [u8; 8] {
    let mut word = [0; 8];
    word.iter_mut().zip(bytes).for_each(|(to, &byte)| *to = byte);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths() {
        assert_eq!((width_of(0), width_of(23), width_of(24), width_of(31)), (1, 24, 26, 64));
        assert_eq!([1, 24, 25, 27, 33, 41, 57, 64].map(closest_width), [1, 24, 26, 28, 40, 48, 64, 64]);
    }
}
