//! Moments, told by how they differ from another one.

use crate::varint;

/// The last moment that a file can hold, in milliseconds: the end of the year 9999, the last that
/// RFC 3339 can tell.
pub(crate) const MAX_DATE: u64 = 253_402_300_799_999;

/// Appends how one moment differs from another: by whole seconds, as S3 tells moments, or by
/// milliseconds. Neither is after [`MAX_DATE`].
pub(crate) fn put_change(out: &mut Vec<u8>, from: u64, to: u64) {
    let earlier = u64::from(to < from);
    let change = from.abs_diff(to);
    if change.is_multiple_of(1000) {
        varint::put(out, (change / 1000) << 2 | earlier);
    } else {
        varint::put(out, change << 2 | 2 | earlier);
    }
}

/// The moment that differs from another so; `None` if there is none.
#[inline]
pub(crate) fn take_change(bytes: &mut &[u8], from: u64) -> Option<u64> {
    let code = varint::take(bytes)?;
    let unit = if code & 2 == 0 { 1000 } else { 1 };
    let change = (code >> 2).checked_mul(unit)?;
    let to = if code & 1 == 0 { from.checked_add(change) } else { from.checked_sub(change) };
    to.filter(|&to| to <= MAX_DATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_by_seconds_or_milliseconds() {
        for (from, to, len) in [
            (0, 0, 1),
            (5, 5, 1),
            (0, 15_000, 1),
            (15_000, 0, 1),
            (1, 16, 1),
            (16, 1, 1),
            (0, 31_000, 1),
            (0, 32_000, 2),
            (0, 1_700_000_000_000, 5),
            (0, 1_700_000_000_001, 7),
            (MAX_DATE, 0, 8),
            (0, MAX_DATE, 8),
        ] {
            let mut bytes = Vec::new();
            put_change(&mut bytes, from, to);
            assert_eq!(bytes.len(), len, "{from} to {to}");
            let mut rest = bytes.as_slice();
            assert_eq!(take_change(&mut rest, from), Some(to));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn there_is_no_moment_before_1970_or_after_9999() {
        let change = |code: u64, from: u64| {
            let mut bytes = Vec::new();
            varint::put(&mut bytes, code);
            take_change(&mut bytes.as_slice(), from)
        };
        assert_eq!(change(10 << 2 | 1, 10_000), Some(0));
        assert_eq!(change(10 << 2 | 1, 9_999), None);
        assert_eq!(change(9 << 2 | 3, 9), Some(0));
        assert_eq!(change(9 << 2 | 3, 8), None);
        assert_eq!(change(5 << 2 | 2, MAX_DATE - 5), Some(MAX_DATE));
        assert_eq!(change(5 << 2 | 2, MAX_DATE - 4), None);
        for code in [u64::MAX, u64::MAX - 1, u64::MAX - 2, u64::MAX - 3] {
            assert_eq!(change(code, MAX_DATE), None);
        }
    }
}
