use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use s3inv_cancel::Cancellation;
use s3inv_inventory::OnBadRow;
use s3inv_model::{Measures, RowCounts};
use s3inv_store::{Location, Retries, SdkConfig, StoreError};

use crate::Progress;

/// The least memory that a build works in, in bytes.
pub const MIN_MEMORY: usize = 16 << 20;

/// What to build, and within which limits.
pub struct BuildOptions {
    /// The inventory's manifest.json.
    pub manifest: Location,
    /// Where the index goes. What is there is replaced, in one step, when the index is whole.
    pub out: Location,
    /// Computing threads; fewer are started where a small budget is not enough for their buffers.
    pub workers: NonZeroUsize,
    /// Prefixes deeper than this are counted in their ancestor at this depth.
    pub max_depth: Option<usize>,
    /// Bytes of memory to use, at least [`MIN_MEMORY`]. The process needs up to 64 MiB more.
    pub memory: usize,
    /// What is measured of each prefix, as far as the inventory has the fields for it; cost only with bytes
    /// and classes.
    pub measures: Measures,
    /// What happens at a row that can't be read.
    pub on_bad_row: OnBadRow,
    /// Where runs are kept until they are merged: some 6 to 20 bytes for each prefix.
    pub temp_dir: PathBuf,
    /// Whether the MD5 of ORC and Parquet files is compared too, for which they are read twice.
    pub verify_md5: bool,
    /// Whether the index has tables in which a prefix is found at once: some 15 to 80 bytes for each.
    pub lookup: bool,
    /// How S3 is reached; without it, as every AWS tool does.
    pub sdk_config: Option<SdkConfig>,
    /// Token, timeout and deadline.
    pub cancellation: Cancellation,
    /// Where to look while it works.
    pub progress: Arc<Progress>,
}

impl BuildOptions {
    /// Reads `manifest` and writes `out`, each `s3://bucket/key`, `file:///path` or a path, with one
    /// worker and 1 GiB.
    pub fn new(manifest: &str, out: &str) -> Result<Self, StoreError> {
        Ok(Self {
            manifest: Location::parse(manifest)?,
            out: Location::parse(out)?,
            workers: NonZeroUsize::MIN,
            max_depth: None,
            memory: 1 << 30,
            measures: Measures::all(),
            on_bad_row: OnBadRow::Fail,
            temp_dir: std::env::temp_dir(),
            verify_md5: false,
            lookup: false,
            sdk_config: None,
            cancellation: Cancellation::never(),
            progress: Arc::default(),
        })
    }
}

/// What was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildReport {
    /// Where the index is.
    pub index: String,
    /// Parts that the data files were divided into.
    pub chunks: usize,
    /// Rows read and excluded.
    pub counts: RowCounts,
    /// What was measured.
    pub measures: Measures,
    /// What was to be measured, but can't be: the inventory lacks the fields.
    pub unknown: Measures,
    /// Prefixes of the index, the root included.
    pub prefixes: u64,
    /// The depth of the deepest.
    pub depth: u64,
    /// Sorted runs that were written, those of merge rounds not counted.
    pub runs: usize,
    /// Merge rounds, the one that writes the index included.
    pub rounds: usize,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// Requests to storage that were made again.
    pub retries: Retries,
    /// How long it took.
    pub duration: Duration,
}
