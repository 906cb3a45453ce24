//! What a step can fail with: a closed list, which the state machine's Retry and Catch name.

use s3inv_cancel::Phase;
use s3inv_model::ErrorKind;

use crate::{BuildError, Cause};

/// What the state machine, or whoever reads its history, should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// It may succeed when it is tried again: storage throttles or breaks off.
    Retryable,
    /// The manifest, a data file, the payload or the configuration is wrong: correct it.
    BadInput,
    /// Another index of this inventory is there: nothing to do, or start with `replace`.
    AlreadyPublished,
    /// The execution has ended: nobody waits for this.
    Cancelled,
    /// A redrive after cleanup: start a new execution.
    ScratchGone,
    /// The caller's own time limit is over.
    DeadlineExceeded,
    /// The invocation's time ended before anything new could be saved. Storage may have been slow once, so it
    /// is tried again as what was killed is; if that doesn't help, give it more time or memory.
    CheckpointNeeded,
    /// A defect of this program: report it.
    Bug,
}

impl ErrorType {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Retryable,
        Self::BadInput,
        Self::AlreadyPublished,
        Self::Cancelled,
        Self::ScratchGone,
        Self::DeadlineExceeded,
        Self::CheckpointNeeded,
        Self::Bug,
    ];

    /// The name that `ErrorEquals` matches.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Retryable => "Retryable",
            Self::BadInput => "BadInput",
            Self::AlreadyPublished => "AlreadyPublished",
            Self::Cancelled => "Cancelled",
            Self::ScratchGone => "ScratchGone",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::CheckpointNeeded => "CheckpointNeeded",
            Self::Bug => "Bug",
        }
    }

    /// Whether the state machine is to try again for as long as storage may fail.
    #[must_use]
    pub fn is_retried(self) -> bool {
        self == Self::Retryable
    }
}

/// Why a step ended without a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// What to do about it.
    pub error_type: ErrorType,
    /// What happened, in one line, wrapped with its phase.
    pub message: String,
}

impl StepError {
    /// An error of a type.
    #[must_use]
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> Self {
        Self { error_type, message: message.into() }
    }

    /// A payload, setting or name that can't be used.
    #[must_use]
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(ErrorType::BadInput, message)
    }

    /// What storage says, outside of any phase.
    #[must_use]
    pub fn of_store(error: &s3inv_store::StoreError) -> Self {
        let error_type = match error.error_kind() {
            ErrorKind::BadInput => ErrorType::BadInput,
            _ => ErrorType::Retryable,
        };
        Self::new(error_type, error.to_string())
    }

    /// A cause, outside of any phase.
    pub(super) fn of_cause(cause: &Cause) -> Self {
        Self::new(error_type(cause), cause.to_string())
    }

    /// A cause, wrapped with the phase it ended.
    pub(super) fn in_phase(phase: Phase, cause: Cause) -> Self {
        let error_type = error_type(&cause);
        if cause.is_stop() {
            tracing::warn!("{}", phase.cancelled());
        }
        Self::new(error_type, BuildError { phase, cause }.to_string())
    }
}

fn error_type(cause: &Cause) -> ErrorType {
    match cause {
        Cause::ScratchGone => ErrorType::ScratchGone,
        Cause::AlreadyPublished(_) | Cause::Overtaken(_) => ErrorType::AlreadyPublished,
        Cause::OutOfTime | Cause::TooSlow { .. } => ErrorType::CheckpointNeeded,
        other => match other.kind() {
            ErrorKind::BadInput => ErrorType::BadInput,
            ErrorKind::Storage => ErrorType::Retryable,
            ErrorKind::Cancelled => ErrorType::Cancelled,
            ErrorKind::DeadlineExceeded => ErrorType::DeadlineExceeded,
            ErrorKind::Bug => ErrorType::Bug,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The names in the `ErrorEquals` of each rule, wherever in the state machine, and how often each rule has
    /// a task tried again: a Catch, never.
    fn rules(value: &Value, found: &mut Vec<(BTreeSet<String>, u64)>) {
        if let Some(list) = value.get("ErrorEquals").and_then(Value::as_array) {
            let names = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            found.push((names, value["MaxAttempts"].as_u64().unwrap_or(0)));
        }
        match value {
            Value::Array(values) => values.iter().for_each(|value| rules(value, found)),
            Value::Object(values) => values.values().for_each(|value| rules(value, found)),
            _ => {}
        }
    }

    /// `Retryable` has rules of its own, with more attempts than anything else of ours. `CheckpointNeeded` stands
    /// wherever a function that was killed does. No rule names any other error of ours.
    #[test]
    fn the_state_machine_retries_what_is_to_be_retried() {
        let machine = include_str!("../../../../infra/build.asl.json");
        let mut found = Vec::new();
        rules(&serde_json::from_str(machine).unwrap(), &mut found);
        for error in ErrorType::ALL {
            let with =
                |name: &str| found.iter().filter(|(names, _)| names.contains(name)).collect::<Vec<_>>();
            let attempts: BTreeSet<_> = with(error.name()).iter().map(|(_, attempts)| *attempts).collect();
            let expected = match error {
                error if error.is_retried() => BTreeSet::from([8]),
                ErrorType::CheckpointNeeded => {
                    assert_eq!(with(error.name()), with("Sandbox.Timedout"));
                    BTreeSet::from([2])
                }
                _ => BTreeSet::new(),
            };
            assert_eq!(attempts, expected, "{}", error.name());
        }
        let all = found.iter().any(|(names, _)| names.contains("States.ALL"));
        assert!(all, "every other error ends the execution, by its name");
    }

    #[test]
    fn the_documentation_names_every_error() {
        let docs = include_str!("../../../../docs/deploy.md");
        let rows = docs.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let named: BTreeSet<_> = rows.map(|(name, _)| name).collect();
        for error in ErrorType::ALL {
            assert!(named.contains(error.name()), "{}", error.name());
        }
    }
}
