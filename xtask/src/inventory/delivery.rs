use std::fs;
use std::path::{Path, PathBuf};

use libdeflater::{CompressionLvl, Compressor};
use serde::{Deserialize, Serialize};

use super::md5::md5_hex;
use crate::failure::{Advise, CHECK_DISK, Failure};

/// One data file as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataFile {
    /// Its place below the folder of the delivery.
    pub(crate) key: String,
    /// Bytes, compressed.
    pub(crate) size: u64,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

#[cfg(test)]
impl DataFile {
    /// Whether these are the bytes that the manifest tells of.
    pub(crate) fn is_of(&self, gzip: &[u8]) -> bool {
        (gzip.len() as u64, md5_hex(gzip)) == (self.size, self.md5.clone())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    source_bucket: String,
    destination_bucket: String,
    version: String,
    /// Milliseconds since 1970: S3 writes them as a string.
    creation_timestamp: String,
    file_format: String,
    file_schema: String,
    files: Vec<DataFile>,
}

/// A folder that takes the place of the destination bucket: `manifest.json`, `manifest.checksum`,
/// `data/`.
pub(crate) struct Delivery {
    folder: PathBuf,
}

impl Delivery {
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder.join("manifest.json")
    }

    /// Whether it is there in full: the checksum is written last.
    pub(crate) fn is_complete(&self) -> bool {
        self.folder.join("manifest.checksum").is_file()
    }

    /// Where its manifest is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a listed file is.
    pub(crate) fn path_of(&self, file: &DataFile) -> PathBuf {
        self.folder.join(&file.key)
    }

    /// The files that the manifest lists.
    pub(crate) fn files(&self) -> Result<Vec<DataFile>, Failure> {
        let path = self.manifest();
        let text = fs::read(&path).advise(path.display(), CHECK_DISK)?;
        let manifest: Manifest =
            serde_json::from_slice(&text).advise(path.display(), "remove its folder, it is made again")?;
        Ok(manifest.files)
    }

    /// Compresses and writes `data/NAME.csv.gz`.
    pub(crate) fn write_data(&self, name: &str, csv: &[u8], level: i32) -> Result<DataFile, Failure> {
        let gzip = compress(csv, level)?;
        let key = format!("data/{name}.csv.gz");
        write(&self.folder.join(&key), &gzip)?;
        Ok(DataFile { key, size: gzip.len() as u64, md5: md5_hex(&gzip) })
    }

    /// Writes the manifest, then its checksum.
    pub(crate) fn finish(
        &self,
        bucket: &str,
        schema: &str,
        created_ms: u64,
        files: Vec<DataFile>,
    ) -> Result<(), Failure> {
        let manifest = Manifest {
            source_bucket: bucket.to_owned(),
            destination_bucket: format!("arn:aws:s3:::{bucket}-inventory"),
            version: "2016-11-30".to_owned(),
            creation_timestamp: created_ms.to_string(),
            file_format: "CSV".to_owned(),
            file_schema: schema.to_owned(),
            files,
        };
        let text = serde_json::to_vec_pretty(&manifest).advise("manifest.json", "report it")?;
        write(&self.manifest(), &text)?;
        write(&self.folder.join("manifest.checksum"), format!("{}\n", md5_hex(&text)).as_bytes())
    }
}

fn compress(csv: &[u8], level: i32) -> Result<Vec<u8>, Failure> {
    let level = CompressionLvl::new(level)
        .map_err(|_| Failure::new(format_args!("gzip level {level}"), "use one of 1 to 12"))?;
    let mut compressor = Compressor::new(level);
    let mut gzip = vec![0; compressor.gzip_compress_bound(csv.len())];
    let length = compressor.gzip_compress(csv, &mut gzip).advise("gzip", "report it")?;
    gzip.truncate(length);
    Ok(gzip)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).advise(folder.display(), CHECK_DISK)?;
    }
    fs::write(path, bytes).advise(path.display(), CHECK_DISK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_checks_out() {
        let folder = tempfile::tempdir().unwrap();
        let delivery = Delivery::new(folder.path());
        let file = delivery.write_data("part", b"\"b\",\"k\"\n", 12).unwrap();
        assert!(!delivery.is_complete());
        delivery.finish("b", "Bucket, Key", 1_700_000_000_000, vec![file.clone()]).unwrap();
        assert!(delivery.is_complete());
        assert_eq!(delivery.files().unwrap(), std::slice::from_ref(&file));

        let gzip = fs::read(delivery.path_of(&file)).unwrap();
        assert!(file.is_of(&gzip));
        assert!(!file.is_of(b""));
        let manifest = fs::read(delivery.manifest()).unwrap();
        let checksum = fs::read_to_string(folder.path().join("manifest.checksum")).unwrap();
        assert_eq!(checksum, format!("{}\n", md5_hex(&manifest)));
        assert_eq!(checksum.len(), 33);
        let json: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(json["creationTimestamp"], "1700000000000");
        assert_eq!(json["files"][0]["MD5checksum"].as_str().unwrap().len(), 32);
    }
}
