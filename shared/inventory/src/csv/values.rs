use memchr::memchr2;

use crate::error::{RowError, excerpt};
use crate::fields::Field;

/// Decodes a form-encoded key (`+` is a space, `%XX` a byte) to the end of `into`.
pub(super) fn decode(key: &[u8], into: &mut Vec<u8>) -> Result<(), RowError> {
    let mut rest = key;
    while let Some(at) = memchr2(b'%', b'+', rest) {
        let (plain, special) = rest.split_at(at);
        into.extend_from_slice(plain);
        rest = match *special {
            [b'+', ref rest @ ..] => {
                into.push(b' ');
                rest
            }
            [_, high, low, ref rest @ ..] => {
                into.push(byte(high, low).ok_or_else(|| RowError::Escape(excerpt(key)))?);
                rest
            }
            _ => return Err(RowError::Escape(excerpt(key))),
        };
    }
    into.extend_from_slice(rest);
    Ok(())
}

#[inline]
fn byte(high: u8, low: u8) -> Option<u8> {
    Some(hex(high)? << 4 | hex(low)?)
}

#[inline]
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

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
        decode(key, &mut out).map(|()| out)
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
