//! Unsigned LEB128, at most ten bytes.

/// Appends `value`.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a value off the front of `bytes`; `None` if it ends early or does not fit 64 bits.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(u64::from(first));
    }
    take_long(bytes)
}

/// Where eight bytes can be read, the seven bits of each are moved together at once.
fn take_long(bytes: &mut &[u8]) -> Option<u64> {
    let Some(word) = bytes.first_chunk() else { return take_slowly(bytes) };
    let word = u64::from_le_bytes(*word);
    let ends = !word & 0x8080_8080_8080_8080;
    if ends == 0 {
        return take_slowly(bytes);
    }
    // Of the first byte that ends a value, this is the last bit.
    let end = ends.trailing_zeros();
    *bytes = bytes.get(end as usize / 8 + 1..)?;
    let sevens = word & (u64::MAX >> (63 - end)) & 0x7f7f_7f7f_7f7f_7f7f;
    let fourteens = sevens & 0x007f_007f_007f_007f | (sevens & 0x7f00_7f00_7f00_7f00) >> 1;
    let halves = fourteens & 0x0000_3fff_0000_3fff | (fourteens & 0x3fff_0000_3fff_0000) >> 2;
    Some(halves & 0x0fff_ffff | (halves >> 32) << 28)
}

fn take_slowly(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(10) {
        let low = u64::from(byte & 0x7f);
        if at == 9 && low > 1 {
            return None;
        }
        value |= low << (7 * at);
        if byte < 0x80 {
            *bytes = bytes.get(at + 1..)?;
            return Some(value);
        }
    }
    None
}

/// Reads a value that is used as a length or a count.
#[inline]
pub(crate) fn take_usize(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(take(bytes)?).ok()
}

/// Takes `len` bytes off the front.
pub(crate) fn take_bytes<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

/// Takes eight bytes off the front, little-endian.
pub(crate) fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let (taken, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_refuses_what_is_too_long() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            let mut rest = bytes.as_slice();
            assert_eq!(take(&mut rest), Some(value));
            assert!(rest.is_empty());
            assert_eq!(take(&mut &bytes[..bytes.len() - 1]), None);
        }
        for bits in 0..=64 {
            for value in [u64::MAX, 0x5a3c_9687_e1d2_b4f0].map(|ones| ones.checked_shr(bits).unwrap_or(0)) {
                let mut bytes = Vec::new();
                put(&mut bytes, value);
                let len = bytes.len();
                // What follows is not looked at, though it is read.
                bytes.extend([0xff; 8]);
                let mut rest = bytes.as_slice();
                assert_eq!((take(&mut rest), rest.len()), (Some(value), 8), "{len} bytes");
                assert_eq!(take_slowly(&mut bytes.as_slice()), Some(value));
            }
        }
        let mut padded = [0x83, 0x80, 0, 9, 9, 9, 9, 9].as_slice();
        assert_eq!((take(&mut padded), padded.len()), (Some(3), 5));
        assert_eq!(take(&mut [0xff; 11].as_slice()), None);
        assert_eq!(take(&mut [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2].as_slice()), None);
    }
}
