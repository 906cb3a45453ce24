use std::fs;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::row::SNAPSHOT;
use crate::{CURRENT, Column, Row, VERSIONS, csv_gz, parquet};

const CONFIGURATION: &str = "inventories/my-bucket/daily";

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
    /// The folder of the inventory configuration.
    pub folder: String,
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
        let end = if format == "CSV" { "csv.gz".to_owned() } else { format.to_ascii_lowercase() };
        let place = |(nth, bytes): (usize, Vec<u8>)| DataFile {
            key: format!("{CONFIGURATION}/data/{nth:08x}-5b2c-4d1e-9f3a-000000000000.{end}"),
            bytes,
        };
        let folder = CONFIGURATION.to_owned();
        let mut delivery = Self { manifest: Value::Null, checksum: true, files: Vec::new(), folder };
        delivery.manifest = json!({
            "sourceBucket": "my-bucket",
            "destinationBucket": "arn:aws:s3:::reports",
            "version": "2016-11-30",
            "creationTimestamp": SNAPSHOT.to_string(),
            "fileFormat": format,
            "fileSchema": schema,
        });
        delivery.with_files(files.into_iter().enumerate().map(place).collect())
    }

    /// The same with other data files, listed as they are.
    #[must_use]
    pub fn with_files(mut self, files: Vec<DataFile>) -> Self {
        self.manifest["files"] = files.iter().map(listed).collect();
        Self { files, ..self }
    }

    /// The same with data files whose keys end otherwise.
    #[must_use]
    pub fn ending(self, from: &str, to: &str) -> Self {
        let renamed = |file: &DataFile| DataFile {
            key: format!("{}{to}", file.key.strip_suffix(from).expect(from)),
            ..file.clone()
        };
        let files = self.files.iter().map(renamed).collect();
        self.with_files(files)
    }

    /// The same of another inventory configuration of the bucket.
    #[must_use]
    pub fn configuration(self, name: &str) -> Self {
        let folder = format!("inventories/my-bucket/{name}");
        let moved =
            |file: &DataFile| DataFile { key: file.key.replacen(&self.folder, &folder, 1), ..file.clone() };
        let files = self.files.iter().map(moved).collect();
        Self { folder, ..self.with_files(files) }
    }

    /// Rows as CSV, in this many files.
    pub fn csv(rows: &[Row], files: usize) -> Self {
        Self::csv_of(rows, files, CURRENT)
    }

    /// Rows of all versions as CSV, in this many files.
    pub fn csv_versions(rows: &[Row], files: usize) -> Self {
        Self::csv_of(rows, files, VERSIONS)
    }

    /// Rows as CSV with these columns, in this many files.
    pub fn csv_of(rows: &[Row], files: usize, columns: &[Column]) -> Self {
        Self::csv_files(columns, shares(rows, files, |rows| csv_gz(rows, columns)))
    }

    /// CSV files with these columns.
    pub fn csv_files(columns: &[Column], files: Vec<Vec<u8>>) -> Self {
        let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
        Self::new("CSV", &names.join(", "), files)
    }

    /// Rows as Parquet with these columns, in this many files.
    pub fn parquet(rows: &[Row], files: usize, columns: &[Column]) -> Self {
        Self::parquet_files(shares(rows, files, |rows| parquet(rows, columns)))
    }

    /// Parquet files that somebody wrote.
    pub fn parquet_files(files: Vec<Vec<u8>>) -> Self {
        Self::new("Parquet", "message s3.inventory {  required binary bucket (STRING);  }", files)
    }

    /// ORC files that somebody wrote.
    pub fn orc_files(files: Vec<Vec<u8>>) -> Self {
        Self::new("ORC", "struct<bucket:string,key:string>", files)
    }

    /// The same in another bucket.
    #[must_use]
    pub fn to_bucket(mut self, destination: &str) -> Self {
        self.manifest["destinationBucket"] = destination.into();
        self
    }

    /// The manifest's key in the destination bucket.
    pub fn manifest_key(&self) -> String {
        format!("{}/2025-05-13T01-00Z/manifest.json", self.folder)
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
