use std::fs;
use std::path::{Path, PathBuf};

use libdeflater::{CompressionLvl, Compressor};
use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::{Row, parquet};

const CONFIGURATION: &str = "inventories/my-bucket/daily";
const SCHEMA: &str = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IntelligentTieringAccessTier";
const VERSIONS_SCHEMA: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, \
     ETag, StorageClass, IntelligentTieringAccessTier";

/// A file of a delivery.
#[derive(Clone)]
pub struct DataFile {
    /// Its key in the destination bucket.
    pub key: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// One delivery of an inventory, with keys, sizes and checksums as S3 gives them.
pub struct Delivery {
    /// The manifest; whoever changes it decides what is wrong with it.
    pub manifest: Value,
    /// Whether manifest.checksum is delivered.
    pub checksum: bool,
    /// What the manifest lists.
    pub files: Vec<DataFile>,
}

/// A delivery on this machine, as after `aws s3 sync`.
pub struct Delivered {
    /// Where its manifest.json is.
    pub manifest: PathBuf,
    /// Where its data files are, in the manifest's order.
    pub files: Vec<PathBuf>,
}

impl Delivery {
    /// A delivery of these data files; `format` and `schema` as the manifest has them.
    pub fn new(format: &str, schema: &str, files: Vec<Vec<u8>>) -> Self {
        let end = if format == "CSV" { "csv.gz" } else { "parquet" };
        let place = |(nth, bytes): (usize, Vec<u8>)| DataFile {
            key: format!("{CONFIGURATION}/data/{nth:08x}-5b2c-4d1e-9f3a-000000000000.{end}"),
            bytes,
        };
        let files: Vec<DataFile> = files.into_iter().enumerate().map(place).collect();
        let manifest = json!({
            "sourceBucket": "my-bucket",
            "destinationBucket": "arn:aws:s3:::reports",
            "version": "2016-11-30",
            "creationTimestamp": "1747098000000",
            "fileFormat": format,
            "fileSchema": schema,
            "files": files.iter().map(listed).collect::<Vec<_>>(),
        });
        Self { manifest, checksum: true, files }
    }

    /// Rows as CSV, in this many files.
    pub fn csv(rows: &[Row], files: usize) -> Self {
        Self::new("CSV", SCHEMA, shares(rows, files, |rows| csv_gz(rows, false)))
    }

    /// Rows of all versions as CSV, in this many files.
    pub fn csv_versions(rows: &[Row], files: usize) -> Self {
        Self::new("CSV", VERSIONS_SCHEMA, shares(rows, files, |rows| csv_gz(rows, true)))
    }

    /// Rows as Parquet, in this many files.
    pub fn parquet(rows: &[Row], files: usize, versions: bool) -> Self {
        Self::parquet_files(shares(rows, files, |rows| parquet(rows, versions)))
    }

    /// Parquet files that somebody wrote.
    pub fn parquet_files(files: Vec<Vec<u8>>) -> Self {
        Self::new("Parquet", "message s3.inventory {  required binary bucket (STRING);  }", files)
    }

    /// The same in another bucket.
    #[must_use]
    pub fn to_bucket(mut self, destination: &str) -> Self {
        self.manifest["destinationBucket"] = destination.into();
        self
    }

    /// The manifest's key in the destination bucket.
    pub fn manifest_key(&self) -> String {
        format!("{CONFIGURATION}/2025-05-13T01-00Z/manifest.json")
    }

    /// All objects of the delivery, by key, in the order that S3 writes them.
    pub fn objects(&self) -> Vec<(String, Vec<u8>)> {
        let manifest = serde_json::to_vec_pretty(&self.manifest).unwrap();
        let checksum = format!("{}\n", md5_hex(&manifest)).into_bytes();
        let mut objects: Vec<_> =
            self.files.iter().map(|file| (file.key.clone(), file.bytes.clone())).collect();
        objects.push((self.manifest_key(), manifest));
        if self.checksum {
            objects.push((self.manifest_key().replace(".json", ".checksum"), checksum));
        }
        objects
    }

    /// Writes it below a folder.
    pub fn write(&self, root: &Path) -> Delivered {
        for (key, bytes) in self.objects() {
            let path = root.join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let files = self.files.iter().map(|file| root.join(&file.key)).collect();
        Delivered { manifest: root.join(self.manifest_key()), files }
    }
}

fn listed(file: &DataFile) -> Value {
    json!({ "key": file.key, "size": file.bytes.len(), "MD5checksum": md5_hex(&file.bytes) })
}

fn shares(rows: &[Row], files: usize, write: impl Fn(&[Row]) -> Vec<u8>) -> Vec<Vec<u8>> {
    rows.chunks(rows.len().div_ceil(files).max(1)).map(write).collect()
}

/// An MD5 as 32 hex digits.
pub fn md5_hex(bytes: &[u8]) -> String {
    format!("{:032x}", u128::from_be_bytes(Md5::digest(bytes).into()))
}

/// Gzip, quickly.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::new(1).unwrap());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let len = compressor.gzip_compress(bytes, &mut out).unwrap();
    out.truncate(len);
    out
}

/// Rows as a data file, with the columns of all versions or without.
pub fn csv_gz(rows: &[Row], versions: bool) -> Vec<u8> {
    gzip(&csv_text(rows.iter().cloned(), versions))
}

/// Rows as CSV: no header, every field quoted, keys form-encoded.
pub fn csv_text(rows: impl IntoIterator<Item = Row>, versions: bool) -> Vec<u8> {
    let mut text = Vec::new();
    for row in rows {
        text.extend_from_slice(b"\"my-bucket\",\"");
        form_encode(&row.key, &mut text);
        if versions {
            text.extend_from_slice(format!("\",\"null\",\"{}\",\"{}", row.latest, row.marker).as_bytes());
        }
        let rest = if row.marker {
            "\",\"\",\"2024-05-06T22:37:48.000Z\",\"\",\"\",\"\"\n".to_owned()
        } else {
            let Row { size, class, tier, .. } = row;
            format!("\",\"{size}\",\"2024-05-06T22:37:48.000Z\",\"d41d8cd9\",\"{class}\",\"{tier}\"\n")
        };
        text.extend_from_slice(rest.as_bytes());
    }
    text
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
