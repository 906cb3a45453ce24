//! `manifest.json`: which data files make one inventory, and how they are to be read.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::excerpt;

mod format;

pub use format::Format;

/// One data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its key in the destination bucket.
    pub key: String,
    /// Its length, in bytes.
    pub size: u64,
    /// The MD5 of its bytes.
    pub md5: [u8; 16],
}

/// What a manifest says. Fields that are not used here are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The bucket that was listed.
    pub source_bucket: String,
    /// The bucket that the data files are in: a name, also where the manifest has an ARN.
    pub destination_bucket: String,
    /// When the inventory was begun, in milliseconds since 1970 UTC.
    pub snapshot_ms: u64,
    /// How to read the data files.
    pub format: Format,
    /// The columns: by position for CSV, where it is there if there are files; for people only in ORC
    /// and Parquet.
    pub file_schema: Option<String>,
    /// The data files, in the manifest's order; no key occurs twice.
    pub files: Vec<DataFile>,
}

/// Why a manifest can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// No JSON, or damaged.
    #[error("manifest isn't JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// A field is missing or says something impossible.
    #[error("manifest: {field} {problem}")]
    Field {
        /// Where, as in `files[3].size`.
        field: String,
        /// What is wrong there.
        problem: String,
    },
    /// The manifest's bytes are not those that its checksum is of.
    #[error("manifest's MD5 is {got}, but manifest.checksum says {expected}")]
    Checksum {
        /// Of the bytes.
        got: String,
        /// As in `manifest.checksum`.
        expected: String,
    },
    /// No checksum at all.
    #[error("manifest.checksum says {0:?}: not 32 hexadecimal digits")]
    NoChecksum(String),
}

impl Manifest {
    /// Reads a manifest's JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let (json, list) = apart(bytes)?;
        let root = Fields { of: String::new(), json: &json };
        let files = files(&root, list)?;
        let format = format::find(&root, &files)?;
        let file_schema = if format == Format::Csv && !files.is_empty() {
            Some(root.text("fileSchema")?)
        } else {
            root.optional("fileSchema")?
        };
        Ok(Self {
            source_bucket: bucket(&root, "sourceBucket")?,
            destination_bucket: bucket(&root, "destinationBucket")?,
            snapshot_ms: root.whole("creationTimestamp")?,
            format,
            file_schema: file_schema.map(str::to_owned),
            files,
        })
    }
}

/// The key of a manifest's checksum: `….checksum` for `….json`.
#[must_use]
pub fn checksum_name(manifest_key: &str) -> String {
    format!("{}.checksum", manifest_key.strip_suffix(".json").unwrap_or(manifest_key))
}

/// Compares a manifest with the content of its `manifest.checksum`: an MD5 in hexadecimal, in any
/// case, with blanks and a newline around it or not.
pub fn verify_checksum(manifest: &[u8], checksum: &[u8]) -> Result<(), ManifestError> {
    let text = checksum.trim_ascii();
    let expected = md5_of(text).ok_or_else(|| ManifestError::NoChecksum(excerpt(text)))?;
    let got: [u8; 16] = Md5::digest(manifest).into();
    if got == expected {
        return Ok(());
    }
    Err(ManifestError::Checksum { got: hex(got), expected: hex(expected) })
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

fn md5_of(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let sum = u128::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()?;
    Some(sum.to_be_bytes())
}

/// The fields of a JSON object, and where that is in the manifest.
struct Fields<'a> {
    of: String,
    json: &'a Value,
}

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Result<&'a Value, ManifestError> {
        match self.json.get(name) {
            Some(Value::Null) | None => Err(self.wrong(name, "is missing")),
            Some(value) => Ok(value),
        }
    }

    fn wrong(&self, name: &str, problem: impl Into<String>) -> ManifestError {
        ManifestError::Field { field: format!("{}{name}", self.of), problem: problem.into() }
    }

    fn text(&self, name: &str) -> Result<&'a str, ManifestError> {
        match self.get(name)?.as_str() {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(self.wrong(name, "is empty")),
            None => Err(self.wrong(name, "isn't a text")),
        }
    }

    /// A text that may be missing, null or empty.
    fn optional(&self, name: &str) -> Result<Option<&'a str>, ManifestError> {
        match self.json.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) if value.as_str() == Some("") => Ok(None),
            Some(_) => self.text(name).map(Some),
        }
    }

    /// A whole number: AWS writes some as numbers, some as texts.
    fn whole(&self, name: &str) -> Result<u64, ManifestError> {
        let value = self.get(name)?;
        let whole = match value.as_str() {
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            Some(_) => None,
            None => value.as_u64(),
        };
        whole.ok_or_else(|| self.wrong(name, format!("{} isn't a whole number", shown(value))))
    }
}

/// A value as errors quote it: its shape alone where it is a list or an object.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "[…]".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        Value::String(text) => format!("{:?}", excerpt(text.as_bytes())),
        plain => plain.to_string(),
    }
}

/// A bucket's name, from itself or from an ARN of any partition: `arn:aws-cn:s3:::name`.
fn bucket(root: &Fields<'_>, name: &str) -> Result<String, ManifestError> {
    let text = root.text(name)?;
    let bucket = match text.split(':').collect::<Vec<_>>().as_slice() {
        [plain] => Some(*plain),
        ["arn", partition, "s3", "", "", bucket] if partition.starts_with("aws") => Some(*bucket),
        _ => None,
    };
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    match bucket {
        Some(bucket) if !bucket.is_empty() && bucket.bytes().all(good) => Ok(bucket.to_owned()),
        _ => Err(root.wrong(name, format!("{:?} is neither a bucket nor its ARN", excerpt(text.as_bytes())))),
    }
}

/// The fields, and apart from them the text of `files`: of a million files, values would take a gigabyte.
fn apart(bytes: &[u8]) -> Result<(Value, Option<&RawValue>), ManifestError> {
    let whole: &RawValue = serde_json::from_slice(bytes)?;
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(whole.get()).unwrap_or_default();
    let list = fields.remove("files").filter(|list| list.get() != "null");
    let value = |(name, raw): (String, &RawValue)| Ok((name, serde_json::from_str(raw.get())?));
    let fields = fields.into_iter().map(value).collect::<Result<_, serde_json::Error>>()?;
    Ok((Value::Object(fields), list))
}

fn files(root: &Fields<'_>, list: Option<&RawValue>) -> Result<Vec<DataFile>, ManifestError> {
    let list = list.ok_or_else(|| root.wrong("files", "is missing"))?;
    let list: Vec<&RawValue> =
        serde_json::from_str(list.get()).map_err(|_| root.wrong("files", "isn't a list"))?;
    let read = |(nth, raw): (usize, &RawValue)| file(&of_file(nth, &serde_json::from_str(raw.get())?));
    let files = list.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    match twice(&files) {
        Some((nth, key)) => {
            let problem = format!("{:?} is in the list twice", excerpt(key.as_bytes()));
            Err(of_file(nth, &Value::Null).wrong("key", problem))
        }
        None => Ok(files),
    }
}

/// The first file whose key another one before it has.
fn twice(files: &[DataFile]) -> Option<(usize, &str)> {
    let mut sorted: Vec<_> = files.iter().enumerate().map(|(nth, file)| (file.key.as_str(), nth)).collect();
    sorted.sort_unstable();
    let pairs = sorted.array_windows().filter(|[before, file]| before.0 == file.0);
    pairs.map(|[_, (key, nth)]| (*nth, *key)).min()
}

fn of_file(nth: usize, json: &Value) -> Fields<'_> {
    Fields { of: format!("files[{nth}]."), json }
}

fn file(fields: &Fields<'_>) -> Result<DataFile, ManifestError> {
    let key = fields.text("key")?;
    let checksum = fields.text("MD5checksum")?;
    let md5 = md5_of(checksum.as_bytes()).ok_or_else(|| {
        let shown = excerpt(checksum.as_bytes());
        fields.wrong("MD5checksum", format!("{shown:?} isn't 32 hexadecimal digits"))
    })?;
    Ok(DataFile { key: key.to_owned(), size: fields.whole("size")?, md5 })
}

#[cfg(test)]
mod tests;
