//! What a file says about itself, as JSON: it grows without breaking readers, and people can read it.

use s3inv_model::{Measures, RowCounts, Schema};
use serde::{Deserialize, Serialize};

use crate::Compression;

/// What a file of this format is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// What one worker rolled up: every prefix with its ancestors, sums of its rows only.
    Run,
    /// All sums of a range of prefixes.
    Segment,
    /// All sums of all prefixes.
    Index,
}

impl FileKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Segment => "segment",
            Self::Index => "index",
        }
    }
}

/// The inventory that an index was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The bucket that was listed.
    pub source_bucket: String,
    /// When the inventory was taken: milliseconds since 1970, UTC.
    pub snapshot_ms: u64,
    /// The MD5 of its manifest.json, as hex digits.
    pub manifest_md5: String,
    /// Its data files.
    pub data_files: u64,
}

/// What a file says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// What the file is.
    pub kind: FileKind,
    /// How its pages are compressed.
    pub compression: Compression,
    /// Its measures, and its storage classes, sorted.
    #[serde(flatten)]
    pub schema: Schema,
    /// What was asked for, but can't be known: the inventory doesn't have the fields.
    #[serde(default)]
    pub unknown: Measures,
    /// Its rows.
    pub prefixes: u64,
    /// The depth of its deepest prefix.
    pub depth: u64,
    /// The depth that prefixes were cut at, if they were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_depth: Option<u64>,
    /// The rows of the inventory that were read for it.
    #[serde(flatten)]
    pub counts: RowCounts,
    /// What an index was made from; runs and segments don't say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<Origin>,
}
