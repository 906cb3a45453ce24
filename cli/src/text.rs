//! Numbers and names for people.

use std::time::Duration;

use jiff::Timestamp;
use s3inv_model::{Measure, Measures};

/// A name as a terminal may see it: characters are escaped that control it, or the order of others.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| c.is_control() || BIDIRECTIONAL.contains(&c);
    if !text.contains(steers) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if steers(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Marks, embeddings, overrides and isolates: they make a name look like another one.
const BIDIRECTIONAL: [char; 12] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// A prefix as a terminal may see it: control characters are escaped, and bytes that are no text.
pub(crate) fn name(prefix: &[u8]) -> String {
    let shown = |chunk: std::str::Utf8Chunk<'_>| {
        let invalid = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        printable(chunk.valid()) + &invalid.collect::<String>()
    };
    prefix.utf8_chunks().map(shown).collect()
}

/// 1234567 as `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in binary units.
pub(crate) fn bytes(n: u64) -> String {
    bytesize::ByteSize::b(n).display().iec().to_string()
}

/// A moment in RFC 3339, of milliseconds since 1970; they are shown where they are not 0.
pub(crate) fn moment(ms: u64) -> String {
    match i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
        Some(moment) if ms.is_multiple_of(1000) => moment.to_string(),
        Some(moment) => format!("{moment:.3}"),
        None => format!("{ms} ms after 1970"),
    }
}

/// The day of a moment, UTC.
pub(crate) fn day(ms: u64) -> String {
    let moment = moment(ms);
    moment.split_once('T').map_or(moment.as_str(), |(day, _)| day).to_owned()
}

/// The label of a band for people, which says where it begins: `30d-90d` of `<90d`.
pub(crate) fn band(labels: &[(&str, u64)], at: usize) -> String {
    let limit = |at: usize| labels.get(at).and_then(|(label, _)| label.strip_prefix('<'));
    match (at.checked_sub(1).and_then(limit), limit(at)) {
        (Some(from), Some(to)) => format!("{from}-{to}"),
        _ => labels.get(at).map_or_else(String::new, |(label, _)| (*label).to_owned()),
    }
}

/// Names of measures, or `none`.
pub(crate) fn measures(measures: &Measures) -> String {
    let names: Vec<_> = measures.iter().map(Measure::name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A duration to a tenth of a second below a minute, to a second above.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use s3inv_model::{AGE_BANDS, SIZE_BANDS};

    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(duration(Duration::from_millis(1250)), "1.2 s");
        assert_eq!(duration(Duration::from_secs(3725)), "1 h 2 min");
    }

    #[test]
    fn bands_for_people() {
        let shown = |labels: &[(&str, u64)]| (0..labels.len()).map(|at| band(labels, at)).collect::<Vec<_>>();
        assert_eq!(shown(&AGE_BANDS), ["<30d", "30d-90d", "90d-180d", "180d-365d", "365d-730d", ">=730d"]);
        assert_eq!(shown(&SIZE_BANDS)[..3], ["0", "<1KiB", "1KiB-128KiB"]);
        assert_eq!(shown(&SIZE_BANDS)[7..], ["1GiB-5GiB", ">=5GiB"]);
    }

    #[test]
    fn moments_for_people() {
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(1_715_035_068_000), "2024-05-06T22:37:48Z");
        assert_eq!(moment(1_715_035_068_120), "2024-05-06T22:37:48.120Z");
        assert_eq!(moment(u64::MAX), "18446744073709551615 ms after 1970");
    }

    #[test]
    fn a_name_can_not_steer_a_terminal() {
        assert_eq!(printable("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(printable("naïve 目录/"), "naïve 目录/");
        assert_eq!(printable("x\u{202e}gnp.exe\t"), "x\\u{202e}gnp.exe\\t");
        assert_eq!(name("naïve/\n".as_bytes()), "naïve/\\n");
        assert_eq!(name(b"a\xff\xfe/"), "a\\xff\\xfe/");
    }
}
