//! Dates as CSV inventories write them.

use jiff::Timestamp;

use crate::error::{RowError, excerpt};

/// How AWS writes all of them; digits are 0 here.
const TEMPLATE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

/// Reads a date and time of 1970 or later, with its offset: milliseconds since 1970 UTC.
#[inline]
pub(super) fn date(text: &[u8]) -> Result<u64, RowError> {
    match text.as_array().and_then(plain) {
        Some(ms) => Ok(ms),
        None => other(text).ok_or_else(|| RowError::Date(excerpt(text))),
    }
}

/// Any other form that jiff takes: those of RFC 3339, and some of RFC 9557 and ISO 8601 besides.
#[cold]
fn other(text: &[u8]) -> Option<u64> {
    let timestamp: Timestamp = std::str::from_utf8(text).ok()?.parse().ok()?;
    let since = timestamp.duration_since(Timestamp::UNIX_EPOCH);
    if since.is_negative() { None } else { u64::try_from(since.as_millis()).ok() }
}

/// Reads the form that AWS writes; `None` if it is another one, or no date.
#[inline]
fn plain(text: &[u8; 24]) -> Option<u64> {
    let [day, time, second] = digits(text)?;
    let last = u64::from(second.to_le_bytes()[6]);
    let [century, _, year, _, _, month, ..] = pairs(day);
    let [day, _, _, hour, _, _, minute, _] = pairs(time);
    let [_, second, _, _, hundredths, ..] = pairs(second);
    let year = century * 100 + year;
    let good = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !good || hour > 23 || minute > 59 || second > 59 || (day > 28 && day > days_in(year, month)) {
        return None;
    }
    let seconds = ((days_before(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1000 + hundredths * 10 + last)
}

/// The digits' values, at their places in words of eight bytes, and zeros between them; `None` if
/// other than digits stand where the template has `0`, or if anything else is not as there.
#[inline]
fn digits(text: &[u8; 24]) -> Option<[u64; 3]> {
    let (mut words, mut wrong) = ([0; 3], 0);
    let pairs = text.as_chunks::<8>().0.iter().zip(TEMPLATE.as_chunks::<8>().0);
    for (word, (text, template)) in words.iter_mut().zip(pairs) {
        *word = u64::from_le_bytes(*text) ^ u64::from_le_bytes(*template);
        // What takes a byte beyond 127: of digits all above 9, of others all above 0. Bytes that
        // begin there, and would carry into their neighbours, are wrong by themselves.
        let beyond = u64::from_le_bytes(template.map(|byte| if byte == b'0' { 0x76 } else { 0x7f }));
        wrong |= (*word | word.wrapping_add(beyond)) & 0x8080_8080_8080_8080;
    }
    (wrong == 0).then_some(words)
}

/// For each byte, the number that it and its neighbour are as two digits.
#[inline]
fn pairs(digits: u64) -> [u64; 8] {
    (digits * 10 + (digits >> 8)).to_le_bytes().map(u64::from)
}

#[inline]
fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[inline]
fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to a day, by years that begin in March: February's length then doesn't matter.
#[inline]
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    // 719,468 days are between 0000-03-01 and 1970-01-01.
    year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_forms_are_read() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2024-05-06T22:37:48.000Z", 1_715_035_068_000),
            ("2024-05-06T22:37:48Z", 1_715_035_068_000),
            ("2024-05-06T22:37:48.123456Z", 1_715_035_068_123),
            ("2024-05-07T00:37:48.5+02:00", 1_715_035_068_500),
            ("2024-05-06t22:37:48.000z", 1_715_035_068_000),
            ("2016-12-31T23:59:60.000Z", 1_483_228_799_000),
            ("9999-12-30T21:59:59.999Z", 253_402_207_199_999),
        ] {
            assert_eq!(date(text.as_bytes()), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "soon",
            "1969-12-31T23:59:59.999Z",
            "1969-12-31T23:59:59.9999Z",
            "2023-02-29T00:00:00.000Z",
            "2100-02-29T00:00:00.000Z",
            "2024-13-01T00:00:00.000Z",
            "2024-00-01T00:00:00.000Z",
            "2024-01-00T00:00:00.000Z",
            "2024-04-31T00:00:00.000Z",
            "2024-01-01T24:00:00.000Z",
            "2024-01-01T00:60:00.000Z",
            "2024-01-01T00:00:00.000",
            "2024-01-01",
            "-2024-01-01T00:00:00.00Z",
            "+002024-01-01T00:00:00Zx",
        ] {
            assert_eq!(date(text.as_bytes()), Err(RowError::Date(text.to_owned())), "{text}");
        }
        assert_eq!(date(&[0xff; 24]), Err(RowError::Date("\u{fffd}".repeat(24))));
    }

    proptest! {
        #[test]
        fn the_plain_form_is_read_as_jiff_reads_it(ms in 0..253_402_207_200_000_i64) {
            let text = format!("{:.3}", Timestamp::from_millisecond(ms).unwrap());
            prop_assert_eq!(plain(text.as_bytes().as_array().unwrap()), Some(ms as u64));
            prop_assert_eq!(other(text.as_bytes()), Some(ms as u64));
        }

        #[test]
        fn both_ways_agree_on_any_bytes(ms in 0..253_402_207_200_000_i64, at in 0..24_usize, to in any::<u8>(), near in any::<bool>()) {
            let mut text = format!("{:.3}", Timestamp::from_millisecond(ms).unwrap()).into_bytes();
            text[at] = if near { b"0123456789/:-.TZ "[usize::from(to) % 17] } else { to };
            if let Some(ms) = plain(text.as_array().unwrap()) {
                prop_assert_eq!(other(&text), Some(ms));
            }
        }
    }
}
