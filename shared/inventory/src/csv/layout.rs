use std::collections::BTreeSet;

use crate::fields::{Field, Fields};

/// Where a CSV inventory's columns are, from the manifest's `fileSchema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvLayout {
    /// How many there are, the unknown ones included.
    pub(super) columns: usize,
    pub(super) key: usize,
    /// The last column that differs from row to row.
    pub(super) varying: usize,
    at: [Option<usize>; Field::ALL.len()],
}

/// Why a schema can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
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
        let key = find("Key").ok_or(LayoutError::NoKey)?;
        let varying = ["VersionId", "Size", "LastModifiedDate", "ETag"].into_iter().filter_map(find);
        Ok(Self {
            columns: names.len(),
            key,
            varying: varying.fold(key, usize::max),
            at: Field::ALL.map(|field| find(field.name())),
        })
    }

    /// The fields that the inventory has.
    #[must_use]
    pub fn fields(&self) -> Fields {
        Field::ALL.into_iter().filter(|&field| self.at(field).is_some()).collect()
    }

    #[inline]
    pub(super) fn at(&self, field: Field) -> Option<usize> {
        self.at.get(field as usize).copied().flatten()
    }
}
