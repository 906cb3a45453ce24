use wide::u8x16;

use crate::error::{RowError, excerpt};
use crate::fields::Field;

/// How much of a key is looked at and copied at once.
const BLOCK: usize = 16;

/// Decodes a part of a form-encoded key (`+` is a space, `%XX` a byte) to the end of `into`. An error names
/// the key.
pub(super) fn decode(part: &[u8], key: &[u8], into: &mut Vec<u8>) -> Result<(), RowError> {
    let mut rest = part;
    while !rest.is_empty() {
        let (block, len) = first_block(rest);
        let bytes = u8x16::new(block);
        let marks = bytes.simd_eq(u8x16::splat(b'%')) | bytes.simd_eq(u8x16::splat(b'+'));
        let plain = (marks.to_bitmask().trailing_zeros() as usize).min(len);
        // All of it, for its length is known to the compiler; what is too much is taken back.
        into.extend_from_slice(&block);
        into.truncate(into.len() - BLOCK + plain);
        rest = match *rest.get(plain..).unwrap_or_default() {
            ref behind if plain == len => behind,
            [b'+', ref behind @ ..] => {
                into.push(b' ');
                behind
            }
            [_, high, low, ref behind @ ..] => {
                into.push(byte(high, low).ok_or_else(|| RowError::Escape(excerpt(key)))?);
                behind
            }
            _ => return Err(RowError::Escape(excerpt(key))),
        };
    }
    Ok(())
}

/// The first bytes of a text, and how many they are.
#[inline]
fn first_block(text: &[u8]) -> ([u8; BLOCK], usize) {
    text.first_chunk().map_or_else(
        || {
            let mut block = [0; BLOCK];
            block.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
            (block, text.len())
        },
        |block| (*block, BLOCK),
    )
}

#[inline]
fn byte(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (HEX.get(usize::from(high))?, HEX.get(usize::from(low))?);
    (high | low < 16).then_some(high << 4 | low)
}

/// What hexadecimal digits are worth; of others, more than any.
const HEX: [u8; 256] = {
    let mut worth = [u8::MAX; 256];
    let mut digit = 0;
    while digit < 16 {
        worth[b"0123456789abcdef"[digit] as usize] = digit as u8;
        worth[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    worth
};

/// A size in bytes, of a text that isn't empty.
#[inline]
pub(super) fn size(text: &[u8]) -> Result<u64, RowError> {
    let mut sum = 0_u64;
    for &digit in text {
        let digit = digit.wrapping_sub(b'0');
        let more = sum.checked_mul(10).and_then(|sum| sum.checked_add(u64::from(digit)));
        match more {
            Some(more) if digit <= 9 => sum = more,
            _ => return Err(RowError::Size(excerpt(text))),
        }
    }
    Ok(sum)
}

/// `true` or `false`, in any case.
#[inline]
pub(super) fn flag(field: Field, text: &[u8]) -> Result<bool, RowError> {
    match text {
        b"true" => Ok(true),
        b"false" => Ok(false),
        _ if text.eq_ignore_ascii_case(b"true") => Ok(true),
        _ if text.eq_ignore_ascii_case(b"false") => Ok(false),
        _ => Err(RowError::Flag { field, text: excerpt(text) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(key: &[u8]) -> Result<Vec<u8>, RowError> {
        let mut out = Vec::new();
        decode(key, key, &mut out).map(|()| out)
    }

    #[test]
    fn keys_are_form_decoded() {
        assert_eq!(decoded(b"a+b%2Bc%2bd/%ff%00").unwrap(), b"a b+c+d/\xff\x00");
        assert_eq!(decoded(b"dt%3D2024").unwrap(), b"dt=2024");
        assert_eq!(decoded(b"").unwrap(), b"");
        for bad in [&b"%"[..], b"a%2", b"a%", b"%zz", b"%+1", b"%2", b"%%41"] {
            assert_eq!(decoded(bad), Err(RowError::Escape(String::from_utf8_lossy(bad).into())));
        }
    }

    #[test]
    fn sizes_are_whole_numbers() {
        assert_eq!(size(b"0"), Ok(0));
        assert_eq!(size(b"007"), Ok(7));
        assert_eq!(size(b"18446744073709551615"), Ok(u64::MAX));
        for bad in
            [&b"12x"[..], b"-1", b"+1", b" 1", b"1.0", b"18446744073709551616", b"99999999999999999999"]
        {
            assert_eq!(size(bad), Err(RowError::Size(String::from_utf8_lossy(bad).into())));
        }
    }

    #[test]
    fn flags_are_true_or_false() {
        assert_eq!(flag(Field::IsLatest, b"TRUE"), Ok(true));
        assert_eq!(flag(Field::IsLatest, b"False"), Ok(false));
        assert_eq!(
            flag(Field::IsLatest, b"").unwrap_err().to_string(),
            "IsLatest \"\" is neither true nor false"
        );
    }
}
