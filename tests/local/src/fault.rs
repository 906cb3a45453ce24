use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// What befalls one invocation of a function.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Nothing: for one that is to be left out.
    Pass,
    /// It is refused, as when too many run: `TooManyRequestsException`.
    Throttle,
    /// The process is killed as soon as it has the event.
    KillAtStart,
    /// The process is killed in the middle, if it still works then.
    KillAfter(Duration),
    /// The function does its work; the caller sees a `ServiceException`.
    DropAnswer,
    /// It runs twice, one after the other; the caller sees what the second says.
    Twice,
    /// It runs twice at the same time; the caller sees what the first says, even if the other one
    /// hasn't ended.
    TwiceAtOnce,
    /// The function is told a deadline which is this far away; it is killed at its timeout.
    Deadline(Duration),
    /// Its timeout is this one: the deadline that it is told, and when it is killed.
    Timeout(Duration),
    /// It doesn't run; the caller sees this answer of the function's.
    Answer(Value),
    /// It doesn't run; the caller sees this error of the function's.
    Fail {
        /// `ErrorEquals` matches it.
        error_type: String,
        /// What it says.
        message: String,
    },
}

type Matches = Box<dyn Fn(&Value) -> bool + Send>;

/// The faults that wait for a function's invocations; each befalls one.
#[derive(Default)]
pub(crate) struct Faults(Mutex<VecDeque<(Matches, Fault)>>);

impl Faults {
    pub(crate) fn push(&self, matches: impl Fn(&Value) -> bool + Send + 'static, fault: Fault) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back((Box::new(matches), fault));
    }

    /// Takes the first that is meant for this event.
    pub(crate) fn take(&self, payload: &[u8]) -> Fault {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return Fault::Pass;
        }
        let event = serde_json::from_slice(payload).unwrap_or_default();
        let found = waiting.iter().position(|(matches, _)| matches(&event));
        found.and_then(|position| waiting.remove(position)).map_or(Fault::Pass, |(_, fault)| fault)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
