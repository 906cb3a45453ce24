//! What an execution is asked to do.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

use s3inv_inventory::OnBadRow;
use s3inv_model::Measures;
use s3inv_rollup::{FAN_IN, RANGE_ROWS};
use s3inv_store::Location;
use serde::{Deserialize, Serialize};

use super::delivery::index_name;
use super::{Delivery, StepError};

/// The input of an execution of the state machine, and of a manual start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The version of this document.
    #[serde(default)]
    pub version: super::payload::Version,
    /// The inventory's manifest.json, in S3.
    pub manifest: String,
    /// Where indexes go: a bucket, or a folder in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// How to build.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
}

/// How to build. What isn't said is as the deployment says, or as it is best.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// `all`, `none`, or a list as `cost,age`, beside objects, bytes and classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measures: Option<String>,
    /// Prefixes deeper than this are counted in their ancestor at this depth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<usize>,
    /// `fail` or `skip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_bad_row: Option<OnBadRow>,
    /// Whether the MD5 of ORC and Parquet files is compared too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_md5: Option<bool>,
    /// Whether the index has tables in which a prefix is found at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup: Option<bool>,
    /// How many functions work at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<NonZeroU32>,
    /// Compressed bytes of data files that one ingest function takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_bytes: Option<NonZeroU64>,
    /// Runs that one merge function opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan_in: Option<NonZeroU32>,
    /// Rows of runs that one merge function takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_rows: Option<NonZeroU64>,
    /// Whether an index that is there is built again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<bool>,
    /// How long it may take, as `1h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// When it has to end, as `2025-05-13T06:00:00Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
}

/// Functions at once, where nobody says it.
const CONCURRENCY: u32 = 100;

impl Options {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, and what they don't say as others say it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            measures: self.measures.or(other.measures),
            max_depth: self.max_depth.or(other.max_depth),
            on_bad_row: self.on_bad_row.or(other.on_bad_row),
            verify_md5: self.verify_md5.or(other.verify_md5),
            lookup: self.lookup.or(other.lookup),
            concurrency: self.concurrency.or(other.concurrency),
            chunk_bytes: self.chunk_bytes.or(other.chunk_bytes),
            fan_in: self.fan_in.or(other.fan_in),
            partition_rows: self.partition_rows.or(other.partition_rows),
            replace: self.replace.or(other.replace),
            timeout: self.timeout.or(other.timeout),
            deadline: self.deadline.or(other.deadline),
        }
    }

    /// What to measure.
    pub fn measures(&self) -> Result<Measures, StepError> {
        let parsed = self.measures.as_deref().unwrap_or("all").parse();
        parsed.map_err(|error| StepError::bad_input(format!("options.measures: {error}")))
    }

    pub(super) fn on_bad_row(&self) -> OnBadRow {
        self.on_bad_row.unwrap_or_default()
    }

    pub(super) fn concurrency(&self) -> u32 {
        self.concurrency.map_or(CONCURRENCY, NonZeroU32::get)
    }

    pub(super) fn fan_in(&self) -> usize {
        self.fan_in.map_or(FAN_IN, |runs| runs.get() as usize).max(2)
    }

    pub(super) fn partition_rows(&self) -> u64 {
        self.partition_rows.map_or(RANGE_ROWS, NonZeroU64::get)
    }

    /// Whether an index that is there is built again.
    #[must_use]
    pub fn replaces(&self) -> bool {
        self.replace.unwrap_or(false)
    }

    /// When it has to end, in milliseconds since 1970, if it begins now.
    pub fn deadline_ms(&self, now_ms: u64) -> Result<Option<u64>, StepError> {
        let timeout = self.timeout.as_deref().map(|text| Ok(now_ms.saturating_add(milliseconds(text)?)));
        let deadline = self.deadline.as_deref().map(moment);
        let all = [timeout, deadline].into_iter().flatten().collect::<Result<Vec<_>, StepError>>()?;
        Ok(all.into_iter().min())
    }
}

fn milliseconds(text: &str) -> Result<u64, StepError> {
    let parsed =
        text.parse::<jiff::SignedDuration>().ok().and_then(|time| u64::try_from(time.as_millis()).ok());
    parsed.ok_or_else(|| {
        StepError::bad_input(format!("options.timeout: {text:?} is no duration such as 30m or 1h"))
    })
}

fn moment(text: &str) -> Result<u64, StepError> {
    let parsed = text.parse::<jiff::Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
    parsed.ok_or_else(|| {
        StepError::bad_input(format!("options.deadline: {text:?} is no moment such as 2025-05-13T06:00:00Z"))
    })
}

/// An input with all that a deployment adds to it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to build from.
    pub delivery: Delivery,
    /// Where indexes go: a bucket, and a key that is empty or ends in `/`.
    pub output: Place,
    /// How.
    pub options: Options,
}

/// A bucket, or a folder of it: the key is empty or ends in `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The folder's key.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl Place {
    /// Whether another place lies in it.
    fn holds(&self, other: &Self) -> bool {
        self.bucket == other.bucket && other.key.starts_with(&self.key)
    }

    /// Reads `s3://bucket/folder/`; the last `/` may be missing.
    pub fn parse(text: &str) -> Result<Self, StepError> {
        let location = Location::parse(text).map_err(|error| StepError::bad_input(error.to_string()))?;
        let no_place = || {
            StepError::bad_input(format!("{text}: not a bucket, or a folder in it, as s3://bucket/folder/"))
        };
        let (bucket, key) = location.as_s3().ok_or_else(no_place)?;
        // What people take for a way up is a name to S3, and would end elsewhere than they mean.
        if key.split('/').any(|part| matches!(part, "." | "..")) || key.starts_with('/') || key.contains("//")
        {
            return Err(no_place());
        }
        let key = if key.is_empty() || key.ends_with('/') { key.to_owned() } else { format!("{key}/") };
        Ok(Self { bucket: bucket.to_owned(), key })
    }
}

/// Refuses places where one thing would be taken for another, or removed with it.
fn check_places(delivery: &Delivery, output: &Place, scratch: &Place) -> Result<(), StepError> {
    let index = Place { bucket: output.bucket.clone(), key: delivery.index_folder(&output.key) };
    for (name, place) in [("output", &index), ("scratch", scratch)] {
        if delivery.holds(&place.bucket, &place.key) {
            let text = format!("{name} {place} lies among the files of the inventory: use another place");
            return Err(StepError::bad_input(text));
        }
    }
    if index.holds(scratch) || scratch.holds(&index) {
        let text = format!("output {index} and scratch {scratch} lie inside of each other: use places apart");
        return Err(StepError::bad_input(text));
    }
    Ok(())
}

impl Request {
    /// Checks an input. `output` and `options` are the deployment's, `scratch` is its scratch.
    pub fn new(
        input: &Input,
        output: Option<&str>,
        options: &Options,
        scratch: &Place,
    ) -> Result<Self, StepError> {
        let bad = |error: s3inv_store::StoreError| StepError::bad_input(error.to_string());
        let manifest = Location::parse(&input.manifest).map_err(bad)?;
        let delivery = Delivery::of_manifest(&manifest).map_err(bad)?;
        let output = input.output.as_deref().or(output);
        let output = Place::parse(output.ok_or_else(|| StepError::bad_input("input: output is missing"))?)?;
        check_places(&delivery, &output, scratch)?;
        let mut options = input.options.clone().or(options.clone());
        // To say no is to say nothing: executions are named after what they are to do.
        options.replace = options.replace.filter(|replaces| *replaces);
        options.lookup = options.lookup.filter(|lookup| *lookup);
        options.measures()?;
        options.deadline_ms(0)?;
        Ok(Self { delivery, output, options })
    }

    /// The key of the index, in the output's bucket.
    #[must_use]
    pub fn index_key(&self) -> String {
        format!("{}{}", self.delivery.index_folder(&self.output.key), index_name(&self.delivery.snapshot))
    }

    /// The input that says all of this by itself: the same for all inputs that mean the same.
    #[must_use]
    pub fn canonical(&self) -> Input {
        Input {
            version: super::payload::Version,
            manifest: self.delivery.manifest(),
            output: Some(self.output.to_string()),
            options: self.options.clone(),
        }
    }
}
