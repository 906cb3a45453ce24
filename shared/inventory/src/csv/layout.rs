use std::collections::BTreeSet;

/// Where a CSV inventory's columns are, from the manifest's `fileSchema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvLayout {
    pub(super) fields: usize,
    pub(super) key: usize,
    pub(super) size: usize,
    pub(super) class: usize,
    pub(super) tier: Option<usize>,
    pub(super) latest: Option<usize>,
    pub(super) marker: Option<usize>,
}

/// Why a schema can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A column without which there is nothing to count.
    #[error("fileSchema has no column {0}: add {0} to the inventory configuration's optional fields")]
    Missing(&'static str),
    /// S3 writes each object's key: this is no inventory's schema.
    #[error("fileSchema has no column Key: is it the schema of a CSV inventory?")]
    NoKey,
    /// Two columns of one name.
    #[error("fileSchema has the column {0:?} twice")]
    Twice(String),
}

impl CsvLayout {
    /// Reads a schema: names with commas between, as in `Bucket, Key, Size, StorageClass`. Names are
    /// compared without regard to case; unknown ones are skipped.
    pub fn parse(file_schema: &str) -> Result<Self, LayoutError> {
        let names: Vec<String> =
            file_schema.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            return Err(LayoutError::Twice(crate::error::excerpt(twice.as_bytes())));
        }
        let find = |name: &str| names.iter().position(|n| n.eq_ignore_ascii_case(name));
        Ok(Self {
            fields: names.len(),
            key: find("Key").ok_or(LayoutError::NoKey)?,
            size: find("Size").ok_or(LayoutError::Missing("Size"))?,
            class: find("StorageClass").ok_or(LayoutError::Missing("StorageClass"))?,
            tier: find("IntelligentTieringAccessTier"),
            latest: find("IsLatest"),
            marker: find("IsDeleteMarker"),
        })
    }
}
