use serde::Deserialize;

use super::Target;

/// Which events are handed to what.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What the events are handed to.
    pub target: Target,
    /// What makes the events.
    pub source: Source,
    /// Whether events are sent.
    #[serde(default = "on")]
    pub on: bool,
}

fn on() -> bool {
    true
}

/// What makes events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// An object was written.
    Objects {
        /// Its bucket.
        bucket: String,
        /// What its key begins with.
        #[serde(default)]
        prefix: String,
        /// What its key ends with.
        #[serde(default)]
        suffix: String,
        /// What the event looks like.
        shape: Shape,
    },
    /// The status of an execution has changed.
    Executions {
        /// The ARN of the state machine.
        state_machine: String,
        /// The statuses of which there are events: `ABORTED`, `TIMED_OUT` …
        statuses: Vec<String>,
    },
}

/// What an event about an object looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// `EventBridge`'s "Object Created": the key as it is.
    EventBridge,
    /// S3's own notification: the key form-encoded.
    Notification,
}

impl Rule {
    /// One that tells a function about objects.
    #[must_use]
    pub fn objects(name: &str, function: &str, shape: Shape, bucket: &str, suffix: &str) -> Self {
        let (bucket, suffix) = (bucket.to_owned(), suffix.to_owned());
        let source = Source::Objects { bucket, prefix: String::new(), suffix, shape };
        Self { name: name.to_owned(), target: Target::function(function), source, on: true }
    }

    /// One about a state machine's executions.
    #[must_use]
    pub fn executions(name: &str, target: Target, state_machine: &str, statuses: &[&str]) -> Self {
        let statuses = statuses.iter().map(|&status| status.to_owned()).collect();
        let source = Source::Executions { state_machine: state_machine.to_owned(), statuses };
        Self { name: name.to_owned(), target, source, on: true }
    }
}

impl Source {
    pub(super) fn wants_object(&self, of: &str, key: &str) -> bool {
        match self {
            Self::Objects { bucket, prefix, suffix, .. } => {
                bucket == of && key.starts_with(prefix) && key.ends_with(suffix)
            }
            Self::Executions { .. } => false,
        }
    }

    pub(super) fn wants_status(&self, of: &str, status: &str) -> bool {
        match self {
            Self::Executions { state_machine, statuses } => {
                state_machine == of && statuses.iter().any(|wanted| wanted == status)
            }
            Self::Objects { .. } => false,
        }
    }

    pub(super) fn state_machine(&self) -> Option<&str> {
        match self {
            Self::Executions { state_machine, .. } => Some(state_machine),
            Self::Objects { .. } => None,
        }
    }
}
