//! The documents in an execution's scratch.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3inv_index_format::Origin;
use s3inv_inventory::{Field, Fields, Format, OnBadRow, Reading};
use s3inv_model::{Binning, Measures, RowCounts};
use s3inv_store::{Retries, Suspended};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::delivery::index_name;
use super::{Failed, Version};
use crate::Cause;
use crate::plan::{Inventory, Layout};

/// What is to be built: written once, by the first attempt at planning.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PlanRecord {
    pub(super) version: Version,
    /// The manifest's URI.
    pub(super) manifest: String,
    /// Where the data files are.
    pub(super) bucket: String,
    /// `CSV`, `ORC` or `Parquet`.
    format: String,
    /// The manifest's `fileSchema`.
    schema: Option<String>,
    /// The optional fields that the inventory has.
    fields: Vec<String>,
    pub(super) measures: Measures,
    pub(super) unknown: Measures,
    on_bad_row: OnBadRow,
    pub(super) verify_md5: bool,
    /// Whether segments have tables to look prefixes up in. Plans that were made before there were any don't
    /// say it.
    #[serde(default)]
    pub(super) lookup: bool,
    pub(super) max_depth: Option<usize>,
    pub(super) origin: Origin,
    pub(super) output: Target,
    pub(super) concurrency: u32,
    pub(super) fan_in: usize,
    pub(super) partition_rows: u64,
    pub(super) replace: bool,
    /// When the caller wants it to end, in milliseconds since 1970.
    pub(super) deadline_ms: Option<u64>,
    /// Chunks of data files.
    pub(super) chunks: u32,
}

/// Where the index goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) bucket: String,
    /// The folder's key, with its `/`.
    pub(super) folder: String,
    /// The snapshot: the index's name without `.s3inv`.
    pub(super) snapshot: String,
}

impl Target {
    /// The index's key.
    pub(super) fn index(&self) -> String {
        format!("{}{}", self.folder, index_name(&self.snapshot))
    }
}

impl PlanRecord {
    /// Of an inventory that was read for a request; the rest is the request's.
    pub(super) fn new(
        inventory: &Inventory,
        request: &super::Request,
        deadline_ms: Option<u64>,
        chunks: u32,
    ) -> Self {
        let options = &request.options;
        Self {
            version: Version,
            manifest: request.delivery.manifest(),
            bucket: inventory.bucket.clone(),
            format: inventory.format.name().to_owned(),
            schema: inventory.schema.clone(),
            fields: inventory.reading.fields.iter().map(|field| field.name().to_owned()).collect(),
            measures: inventory.reading.binning.measures().clone(),
            unknown: inventory.unknown.clone(),
            on_bad_row: options.on_bad_row(),
            verify_md5: options.verify_md5.unwrap_or(false),
            lookup: options.lookup.unwrap_or(false),
            max_depth: options.max_depth,
            origin: inventory.origin.clone(),
            output: Target {
                bucket: request.output.bucket.clone(),
                folder: request.delivery.index_folder(&request.output.key),
                snapshot: request.delivery.snapshot.clone(),
            },
            concurrency: options.concurrency(),
            fan_in: options.fan_in(),
            partition_rows: options.partition_rows(),
            replace: options.replaces(),
            deadline_ms,
            chunks,
        }
    }

    /// What data files look like.
    pub(super) fn layout(&self) -> Result<Layout, Cause> {
        let format = Format::named(&self.format)
            .ok_or_else(|| Cause::Bug(format!("a plan for the format {:?}", self.format)))?;
        Layout::new(format, self.schema.as_deref(), &self.manifest)
    }

    /// How they are read.
    pub(super) fn reading(&self) -> Result<Reading, Cause> {
        let field = |name: &String| {
            let field = Field::ALL.into_iter().find(|field| field.name() == name);
            field.ok_or_else(|| Cause::Bug(format!("a plan with the field {name:?}")))
        };
        let fields = self.fields.iter().map(field).collect::<Result<Fields, Cause>>()?;
        let binning = Binning::new(&self.measures, self.origin.snapshot_ms);
        Ok(Reading { binning, fields, on_bad_row: self.on_bad_row })
    }
}

/// A data file, as a chunk lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListedFile {
    pub(super) key: String,
    pub(super) size: u64,
    /// The MD5 as a number.
    pub(super) md5: String,
}

/// What all tasks of a merge stage share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StageRecord {
    pub(super) version: Version,
    /// How many there are.
    pub(super) tasks: u32,
    /// Whether they write segments, and not runs.
    pub(super) last: bool,
    /// All runs there are, each by its key.
    pub(super) runs: Vec<StoredFile>,
    /// How many of them, from the first on, are merged in this stage.
    pub(super) merged: usize,
    /// The rows that were read for them.
    pub(super) counts: RowCounts,
    /// Requests that were made again for them.
    pub(super) retries: Retries,
}

/// A run or a segment in the scratch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredFile {
    pub(super) key: String,
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// Its rows.
    pub(super) prefixes: u64,
}

/// A task of a merge stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MergeTask {
    /// Its runs: from this place among the stage's …
    pub(super) first: usize,
    /// … to before this one.
    pub(super) end: usize,
    /// The range of prefixes, open where it isn't said.
    pub(super) from: Option<Prefix>,
    pub(super) until: Option<Prefix>,
}

/// A prefix, which need not be text: base64 in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix(pub(super) Vec<u8>);

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// What a part of a task comes to: it counts from the moment on when this is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit<P> {
    pub(super) version: Version,
    /// Which attempt did it.
    pub(super) attempt: String,
    /// The files that it wrote.
    pub(super) files: Vec<StoredFile>,
    /// The rows that it read of the inventory.
    pub(super) counts: RowCounts,
    /// Requests that it made again.
    pub(super) retries: Retries,
    /// Where the next part begins; nothing, where the task is done.
    pub(super) next: Option<P>,
}

/// How far publishing was when an invocation left it to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Publishing {
    pub(super) version: Version,
    /// Which attempt did it.
    pub(super) attempt: String,
    /// The upload, and what has been stored of it.
    pub(super) upload: Suspended,
}

/// What a tombstone says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tombstone {
    pub(super) version: Version,
    /// Where the index goes, for who sweeps again: an upload may still begin there.
    pub(super) output: Option<Target>,
    /// What went wrong first.
    pub(super) failure: Option<Failed>,
}
