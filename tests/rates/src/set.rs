use std::path::Path;

use s3inv_instructions::{Setting, few};
use s3inv_inventory::csv::CsvLayout;
use s3inv_inventory::{Format, Manifest};

use crate::Done;

/// Memory of a rollup, in bytes: the most that a build gives a worker.
const TABLE: usize = 1 << 30;

/// An inventory, with its data files in memory.
pub(crate) struct Set {
    pub(crate) files: Vec<File>,
    /// Measures objects, bytes, classes and cost.
    pub(crate) setting: Setting,
}

/// A data file.
pub(crate) struct File {
    pub(crate) gz: Vec<u8>,
    /// Bytes when it is decompressed.
    pub(crate) length: usize,
}

impl Set {
    /// Reads the inventory in a folder.
    pub(crate) fn open(folder: &Path) -> Done<Self> {
        let manifest = Manifest::parse(&read(&folder.join("manifest.json"))?)?;
        let Some(schema) = manifest.file_schema.filter(|_| manifest.format == Format::Csv) else {
            return Err(format!("{}: no inventory in CSV: give one", folder.display()).into());
        };
        let files = manifest.files.iter().map(|file| File::open(&folder.join(&file.key)));
        let setting = Setting::of(CsvLayout::parse(&schema)?, &few(), manifest.snapshot_ms, TABLE);
        Ok(Self { files: files.collect::<Done<_>>()?, setting })
    }

    /// Bytes of the longest file when it is decompressed.
    pub(crate) fn longest(&self) -> usize {
        self.files.iter().map(|file| file.length).max().unwrap_or_default()
    }
}

impl File {
    fn open(path: &Path) -> Done<Self> {
        let gz = read(path)?;
        // What the last four bytes of a gzip member say: these files have one of less than 4 GiB.
        let length = gz.last_chunk().ok_or_else(|| format!("{}: no gzip", path.display()))?;
        let length = u32::from_le_bytes(*length) as usize;
        Ok(Self { gz, length })
    }
}

fn read(path: &Path) -> Done<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

#[cfg(test)]
impl Set {
    /// Of two files, shuffled.
    pub(crate) fn made() -> Self {
        use s3inv_instructions::{Order, csv_file, gzipped};
        let files = [Order::Shuffled; 2].map(csv_file);
        let files = files.iter().map(|text| File { gz: gzipped(text), length: text.len() });
        Self { files: files.collect(), setting: Setting::new(false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("manifest.json");
        let json = r#"{"sourceBucket":"b","destinationBucket":"d","version":"1","creationTimestamp":"5",
            "fileFormat":"CSV","fileSchema":"Bucket, Key, Size",
            "files":[{"key":"a.csv.gz","size":8,"MD5checksum":"00000000000000000000000000000000"}]}"#;
        std::fs::write(&manifest, json).unwrap();
        assert!(Set::open(folder.path()).err().unwrap().to_string().contains("a.csv.gz"));
        std::fs::write(folder.path().join("a.csv.gz"), [0, 0, 0, 0, 1, 2, 0, 0]).unwrap();
        assert_eq!(Set::open(folder.path()).unwrap().longest(), 513);
        std::fs::write(&manifest, json.replace("CSV", "ORC").replace(".csv.gz", ".orc")).unwrap();
        assert!(Set::open(folder.path()).err().unwrap().to_string().contains("no inventory in CSV"));
    }
}
