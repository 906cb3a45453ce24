//! What an inventory says of an object besides its key: made up from hashes, since no list of real
//! paths comes with it, with the mix and the entropy of real reports.

use std::io::Write;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::inventory::{form_encode, push_row};

/// The columns of each row.
pub(super) const SCHEMA: &str = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, \
    ReplicationStatus, EncryptionStatus, IntelligentTieringAccessTier";

/// The largest size: objects of 100 MB and more are rare enough to leave out.
const MAX_SIZE: f64 = 1e8;

/// From here on, clients upload in parts.
const MULTIPART_SIZE: u64 = 16 << 20;

/// Writes rows; keeps its buffers between them.
pub(super) struct Rows<'a> {
    bucket: &'a str,
    key: Vec<u8>,
    size: Vec<u8>,
    date: Vec<u8>,
    etag: Vec<u8>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(bucket: &'a str) -> Self {
        Self { bucket, key: Vec::new(), size: Vec::new(), date: Vec::new(), etag: Vec::new() }
    }

    /// Appends the object's row to `csv`.
    pub(super) fn push(&mut self, key: &[u8], csv: &mut Vec<u8>) {
        let hash = xxh3_128(key);
        let size = size(hash as u64);
        let parts = if size < MULTIPART_SIZE { 0 } else { size / (8 << 20) + 1 };
        let (class, tier) = class((hash >> 64) as u64);
        form_encode(key, &mut self.key);
        set(&mut self.size, format_args!("{size}"));
        set_date(&mut self.date, key, hash as u64);
        set_etag(&mut self.etag, hash, parts);
        let multipart: &[u8] = if parts == 0 { b"false" } else { b"true" };
        let bucket = self.bucket.as_bytes();
        let class = (class.as_bytes(), tier.as_bytes());
        push_row(
            csv,
            &[
                bucket, &self.key, &self.size, &self.date, &self.etag, class.0, multipart, b"", b"SSE-S3",
                class.1,
            ],
        );
    }
}

fn set(field: &mut Vec<u8>, text: std::fmt::Arguments) {
    field.clear();
    // Writing to a vector can't fail.
    let _ = field.write_fmt(text);
}

#[allow(clippy::cast_sign_loss, reason = "a power of a positive number is positive")]
/// Bytes: near log-normal, a median of some 10 KB, one in 64 empty.
fn size(hash: u64) -> u64 {
    if hash.is_multiple_of(64) {
        return 0;
    }
    let uniform = |shift: u32| ((hash >> shift) & 0xffff) as f64 / 65535.0;
    let bell = (uniform(6) + uniform(22) + uniform(38)) / 3.0;
    MAX_SIZE.powf(bell) as u64
}

/// Storage class and access tier, out of a hundred objects.
fn class(hash: u64) -> (&'static str, &'static str) {
    match hash % 100 {
        0..80 => ("STANDARD", ""),
        80..88 => ("STANDARD_IA", ""),
        88..92 => ("INTELLIGENT_TIERING", "FREQUENT"),
        92..94 => ("INTELLIGENT_TIERING", "INFREQUENT"),
        94..95 => ("INTELLIGENT_TIERING", "ARCHIVE_INSTANT_ACCESS"),
        95..98 => ("GLACIER_IR", ""),
        98..99 => ("GLACIER", ""),
        _ => ("DEEP_ARCHIVE", ""),
    }
}

/// The objects of a directory were written within the same hour.
fn set_date(date: &mut Vec<u8>, key: &[u8], hash: u64) {
    let end = key.iter().rposition(|&byte| byte == b'/').unwrap_or_default();
    let hour = xxh3_64(key.get(..end).unwrap_or_default());
    let year = 2019 + hour % 7;
    let (month, day) = (1 + (hour >> 8) % 12, 1 + (hour >> 16) % 28);
    let (minute, second) = ((hash >> 8) % 60, (hash >> 16) % 60);
    let hour = (hour >> 24) % 24;
    set(date, format_args!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z"));
}

fn set_etag(etag: &mut Vec<u8>, hash: u128, parts: u64) {
    // The lower half set the size and the date: the tag must not be guessable from them.
    let tag = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    set(etag, format_args!("{tag:032x}"));
    if parts > 0 {
        let _ = write!(etag, "-{parts}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_every_column() {
        let mut csv = Vec::new();
        Rows::new("bucket").push(b"a b/c=d", &mut csv);
        let row = String::from_utf8(csv).unwrap();
        let fields: Vec<&str> = row.trim_end().split(',').collect();
        assert_eq!(fields.len(), SCHEMA.split(", ").count());
        assert_eq!(fields[..2], ["\"bucket\"", "\"a+b/c%3Dd\""]);
        assert_eq!(fields[3].len(), 26);
        assert!(fields[4].len() >= 34);
    }

    #[test]
    fn sizes_and_classes_have_the_mix() {
        let hashes = || (0..10_000u32).map(|n| xxh3_64(&n.to_le_bytes()));
        let standard = hashes().filter(|&hash| class(hash).0 == "STANDARD").count();
        assert!((7_800..8_200).contains(&standard), "{standard}");
        let mut sizes: Vec<u64> = hashes().map(size).collect();
        sizes.sort_unstable();
        assert_eq!(sizes[0], 0);
        assert!((5_000..20_000).contains(&sizes[5_000]), "{}", sizes[5_000]);
        assert!(sizes[9_999] <= 100_000_000 && sizes[9_999] > 10_000_000, "{}", sizes[9_999]);
    }
}
