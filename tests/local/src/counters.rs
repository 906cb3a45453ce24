use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What has been counted of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Invocations that a process was handed: duplicates count, refused ones don't.
    pub invocations: u64,
    /// Processes that were started for them.
    pub cold_starts: u64,
    /// Invocations that were refused because too many ran, or by a fault.
    pub throttles: u64,
    /// Invocations that ended with an error of any kind.
    pub errors: u64,
    /// Processes killed at the timeout.
    pub timeouts: u64,
    /// Processes killed above their memory.
    pub memory_kills: u64,
    /// Invocations that run now.
    pub running: usize,
    /// The most that ran at the same time.
    pub highest_concurrency: usize,
    /// The longest time from a process's start to its first `next`.
    pub slowest_start: Duration,
    /// The most memory of a process, bytes.
    pub peak_memory: u64,
}

/// The counters of a function that runs.
#[derive(Default)]
pub(crate) struct Counting(Mutex<Counters>);

impl Counting {
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn get(&self) -> Counters {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
