//! What the state machine and the functions say to each other. States carry keys, not data.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{ErrorType, Input, StepError};

/// The version of payloads: 1. Another one is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version;

const VERSION: u64 = 1;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            VERSION => Ok(Self),
            other => Err(D::Error::custom(format!("version {other}, but this program knows {VERSION}"))),
        }
    }
}

/// The name of an execution: it is part of keys, so it is what Step Functions allows in a name of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Execution(String);

impl Execution {
    /// The longest name that Step Functions allows, in characters.
    pub const LONGEST: usize = 80;

    /// Checks a name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let good = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        let legal = (1..=Self::LONGEST).contains(&name.len()) && name.bytes().all(good);
        legal.then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Execution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).ok_or_else(|| {
            D::Error::custom(format!(
                "{name:?} is no name of an execution: up to 80 of A-Z, a-z, 0-9, - and _"
            ))
        })
    }
}

/// A stage of the work, whose tasks are done side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Chunks of data files become runs.
    Ingest,
    /// Runs become fewer runs, or segments of the index, in rounds from 1 on.
    Merge(u32),
}

impl Stage {
    /// The merge that comes next.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Ingest => Self::Merge(1),
            Self::Merge(round) => Self::Merge(round.saturating_add(1)),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        if name == "ingest" {
            return Some(Self::Ingest);
        }
        let round = name.strip_prefix("merge-")?.parse().ok().map(Self::Merge)?;
        (round.to_string() == name).then_some(round)
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ingest => f.write_str("ingest"),
            Self::Merge(round) => write!(f, "merge-{round}"),
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name)
            .ok_or_else(|| D::Error::custom(format!("{name:?} is no stage: ingest, merge-1, merge-2 …")))
    }
}

/// What the plan function is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum PlanRequest {
    /// Read the manifest, and divide the work.
    Plan {
        /// The version of this document.
        version: Version,
        /// The execution.
        execution: Execution,
        /// Its input.
        input: Input,
    },
    /// Divide the merge of what a stage wrote.
    PlanMerge {
        /// The version of this document.
        version: Version,
        /// The execution.
        execution: Execution,
        /// The stage that has ended.
        stage: Stage,
    },
}

/// What the plan function answers: the tasks of the next stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The stage.
    pub stage: Stage,
    /// The bucket of the list of tasks.
    pub bucket: String,
    /// Its key.
    pub items: String,
    /// How many functions may work at once.
    pub concurrency: u32,
    /// Whether the index is ready to be published after it.
    pub last: bool,
}

/// A task of a stage: what a function that ingests or merges is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRequest {
    /// The version of this document.
    pub version: Version,
    /// The execution.
    pub execution: Execution,
    /// The stage.
    pub stage: Stage,
    /// The task's number.
    pub task: u32,
    /// Where its description begins, among those of all tasks of the stage, in bytes.
    pub offset: u64,
    /// How long that is, in bytes.
    pub length: u64,
}

/// What a step answers when there is more to do: call it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// How often it has saved its work, or how much it has done.
    pub checkpoint: u32,
}

/// What the publish function is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// The version of this document.
    pub version: Version,
    /// The execution.
    pub execution: Execution,
    /// The last stage.
    pub stage: Stage,
}

/// An index that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Where the index is.
    pub index: String,
    /// How long it is, in bytes.
    pub bytes: u64,
    /// Whether it is the newest of its configuration.
    pub latest: bool,
    /// Requests to S3 that workers and publish made again, those of work that did not count left out.
    pub retries: u64,
    /// Those of them that S3 asked for, since it was busy.
    pub retries_throttled: u64,
}

/// What the publish function answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PublishAnswer {
    /// There is more to do.
    Checkpoint(Checkpoint),
    /// The index is there.
    Published(Published),
}

/// What the cleanup function is asked by the state machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum CleanupRequest {
    /// Remove all scratch: the index is published.
    Finish {
        /// The version of this document.
        version: Version,
        /// The execution.
        execution: Execution,
    },
    /// Remove all scratch: the execution has ended otherwise than it should.
    Sweep {
        /// The version of this document.
        version: Version,
        /// The execution.
        execution: Execution,
    },
    /// Keep the error of a task, if it is the first: a Map says only that one failed.
    Report {
        /// The version of this document.
        version: Version,
        /// The execution.
        execution: Execution,
        /// What failed.
        error: Failed,
    },
    /// Remove all scratch, and say what went wrong first.
    Fail {
        /// The version of this document.
        version: Version,
        /// The execution.
        execution: Execution,
        /// What failed.
        error: Failed,
    },
}

/// What the cleanup function answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum CleanupAnswer {
    /// There is more to remove.
    Checkpoint(Checkpoint),
    /// All is removed; what went wrong first, where that was asked and something did.
    Done(Option<Failed>),
}

/// An error as the state machine hands it over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Failed {
    /// Its name.
    pub error: String,
    /// What is said of it; of a function, JSON with its message.
    #[serde(default)]
    pub cause: String,
}

impl Failed {
    /// With the function's own message as its cause, in one line.
    #[must_use]
    pub fn plain(self) -> Self {
        let parsed = serde_json::from_str::<Value>(&self.cause).ok();
        let message = parsed.as_ref().and_then(|cause| cause.get("errorMessage")?.as_str());
        let cause = message.unwrap_or(&self.cause);
        let cause = cause.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { error: self.error, cause }
    }
}

/// Reads a payload; what is wrong with it is said with its place in it.
pub fn parse<T: for<'de> Deserialize<'de>>(payload: &Value) -> Result<T, StepError> {
    T::deserialize(payload).map_err(|error| StepError::new(ErrorType::BadInput, format!("payload: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an example, and writes it again.
    fn again<T: Serialize + for<'de> Deserialize<'de>>(example: &str) {
        let json: Value = serde_json::from_str(example).unwrap();
        let read: T = parse(&json).unwrap();
        let mut written = serde_json::to_value(read).unwrap();
        // What may be missing is written all the same.
        if let Some(input) = written.get_mut("input").and_then(Value::as_object_mut) {
            input.remove("version");
        }
        assert_eq!(written, json);
    }

    #[test]
    fn examples_are_as_they_are_read_and_written() {
        again::<PlanRequest>(include_str!("../../../../events/plan.json"));
        again::<PlanRequest>(include_str!("../../../../events/plan-merge.json"));
        again::<TaskRequest>(include_str!("../../../../events/ingest.json"));
        again::<TaskRequest>(include_str!("../../../../events/merge.json"));
        again::<PublishRequest>(include_str!("../../../../events/publish.json"));
        for example in [
            include_str!("../../../../events/cleanup.json"),
            include_str!("../../../../events/cleanup-sweep.json"),
            include_str!("../../../../events/cleanup-report.json"),
            include_str!("../../../../events/cleanup-fail.json"),
        ] {
            again::<CleanupRequest>(example);
        }
        again::<Input>(include_str!("../../../../events/execution.json"));
    }

    #[test]
    fn what_is_wrong_with_a_payload_is_named() {
        let example: Value = serde_json::from_str(include_str!("../../../../events/ingest.json")).unwrap();
        let wrong = |name: &str, value: Value| {
            let mut payload = example.clone();
            payload[name] = value;
            let error = parse::<TaskRequest>(&payload).unwrap_err();
            assert_eq!(error.error_type, ErrorType::BadInput);
            error.message
        };
        assert_eq!(wrong("version", 2.into()), "payload: version 2, but this program knows 1");
        assert_eq!(wrong("version", Value::Null), "payload: invalid type: null, expected u64");
        assert_eq!(
            wrong("stage", "merge".into()),
            "payload: \"merge\" is no stage: ingest, merge-1, merge-2 …"
        );
        assert_eq!(
            wrong("stage", "merge-01".into()),
            "payload: \"merge-01\" is no stage: ingest, merge-1, merge-2 …"
        );
        assert!(
            wrong("execution", "../x".into()).starts_with("payload: \"../x\" is no name of an execution")
        );
        assert!(wrong("execution", "x".repeat(81).into()).contains("is no name of an execution"));
        assert!(wrong("taks", 1.into()).starts_with("payload: unknown field `taks`"));
        assert!(wrong("task", (-1).into()).starts_with("payload: invalid value: integer `-1`"));
        assert!(
            parse::<TaskRequest>(&Value::Null)
                .unwrap_err()
                .message
                .starts_with("payload: invalid type: null")
        );
        assert!(
            parse::<PlanRequest>(&example).unwrap_err().message.starts_with("payload: missing field `step`")
        );
    }

    #[test]
    fn an_error_of_a_function_is_told_in_its_own_words() {
        let plain = |cause: &str| Failed { error: "E".to_owned(), cause: cause.to_owned() }.plain().cause;
        assert_eq!(plain(r#"{"errorType":"E","errorMessage":"it is\nso"}"#), "it is so");
        assert_eq!(plain("no JSON"), "no JSON");
        assert_eq!(plain("{\"other\":1}"), "{\"other\":1}");
    }
}
