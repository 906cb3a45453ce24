use std::io::Write as _;

use libdeflater::{CompressionLvl, Compressor};

use crate::row::MODIFIED;
use crate::{Column, Row};

/// Rows as a data file.
pub fn csv_gz(rows: &[Row], columns: &[Column]) -> Vec<u8> {
    gzip(&csv_text(rows.iter().cloned(), columns))
}

/// Rows as CSV: no header, every field quoted, keys form-encoded.
pub fn csv_text(rows: impl IntoIterator<Item = Row>, columns: &[Column]) -> Vec<u8> {
    let mut text = Vec::new();
    // Of millions of rows, most have the date of the row before.
    let mut date = (MODIFIED, moment(MODIFIED));
    for row in rows {
        if row.modified != date.0 {
            date = (row.modified, moment(row.modified));
        }
        for (nth, column) in columns.iter().enumerate() {
            text.extend_from_slice(if nth == 0 { b"\"" } else { b"\",\"" });
            write_field(&row, *column, &date.1, &mut text).unwrap();
        }
        text.extend_from_slice(b"\"\n");
    }
    text
}

/// Writes what stands between a field's quotes.
fn write_field(row: &Row, column: Column, date: &str, text: &mut Vec<u8>) -> std::io::Result<()> {
    match column {
        _ if row.lacks(column) => {}
        Column::Key => form_encode(&row.key, text),
        Column::LastModifiedDate => text.extend_from_slice(date.as_bytes()),
        Column::Bucket => text.extend_from_slice(b"my-bucket"),
        Column::VersionId => text.extend_from_slice(b"null"),
        Column::IsLatest => write!(text, "{}", row.latest)?,
        Column::IsDeleteMarker => write!(text, "{}", row.marker)?,
        Column::New => text.extend_from_slice(b"|0> + |1>"),
        Column::Size => write!(text, "{}", row.size)?,
        Column::ETag => text.extend_from_slice(b"d41d8cd9"),
        Column::StorageClass => text.extend_from_slice(row.class.as_bytes()),
        Column::Tier => text.extend_from_slice(row.tier.as_bytes()),
    }
    Ok(())
}

/// A date as S3 writes it: `2024-05-06T22:37:48.000Z`.
fn moment(ms: u64) -> String {
    let (days, ms) = (ms / crate::row::DAY, ms % crate::row::DAY);
    let (year, day) = split_off(1970, days, |year| if is_leap(year) { 366 } else { 365 });
    let days_in = |month| match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let (month, day) = split_off(1, day, days_in);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", day + 1, ms % 1000)
}

/// Counts units from `first` on, each so long: the unit that a day falls into, and the days before it there.
fn split_off(first: u64, days: u64, len: impl Fn(u64) -> u64) -> (u64, u64) {
    let (mut unit, mut left) = (first, days);
    while left >= len(unit) {
        left -= len(unit);
        unit += 1;
    }
    (unit, left)
}

fn is_leap(year: u64) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

/// Appends a key as S3 writes it in CSV: `+` is a space, `/` stays.
fn form_encode(key: &[u8], out: &mut Vec<u8>) {
    for &byte in key {
        match byte {
            b' ' => out.push(b'+'),
            b'/' | b'.' | b'-' | b'_' | b'*' => out.push(byte),
            _ if byte.is_ascii_alphanumeric() => out.push(byte),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}

/// Gzip, quickly.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::new(1).unwrap());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let len = compressor.gzip_compress(bytes, &mut out).unwrap();
    out.truncate(len);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_s3_writes_them() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (crate::row::MODIFIED, "2024-05-06T22:37:48.000Z"),
            (crate::row::SNAPSHOT + 12, "2025-05-13T01:00:00.012Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(moment(ms), text);
        }
    }
}
