use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::storage_request::StorageRequest;
use crate::time::pause;

/// What befalls a request to storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageFault {
    /// Nothing.
    #[default]
    Pass,
    /// It waits so long; then the hook is asked again.
    Later(Duration),
    /// Storage refuses with this status: 503 is `SlowDown`, 500 `InternalError`, 403 `AccessDenied`.
    Status(u16),
    /// The connection is cut off; storage hasn't seen the request.
    Reset,
    /// Storage does what it is asked; the connection is cut off before the answer.
    ResetAfter,
    /// No answer comes until the client gives up; storage hasn't seen the request.
    Stall,
    /// The process that made it is killed; storage hasn't seen the request.
    KillCaller,
    /// Storage does what it is asked; the process that made it is killed before the answer.
    KillCallerAfter,
}

/// How many requests there were, by function and operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageCounts(BTreeMap<(Option<String>, &'static str, String), u64>);

impl StorageCounts {
    /// All.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Those of a function.
    #[must_use]
    pub fn of_function(&self, name: &str) -> u64 {
        self.sum(|(function, _, _)| function.as_deref() == Some(name))
    }

    /// Those of an HTTP method, of all functions; `GET` is objects and listings.
    #[must_use]
    pub fn of_method(&self, method: &str) -> u64 {
        self.sum(|(function, _, sent)| function.is_some() && sent == method)
    }

    /// Those of an operation, of a function or (nothing) of the clients that are none.
    #[must_use]
    pub fn of(&self, name: Option<&str>, operation: &str) -> u64 {
        self.sum(|(function, done, _)| function.as_deref() == name && *done == operation)
    }

    /// Function, operation and number of requests of each.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &'static str, u64)> {
        self.0.iter().map(|((function, operation, _), count)| (function.as_deref(), *operation, *count))
    }

    fn sum(&self, fits: impl Fn(&(Option<String>, &'static str, String)) -> bool) -> u64 {
        self.0.iter().filter(|(by, _)| fits(by)).map(|(_, count)| count).sum()
    }
}

type Hook = Arc<dyn Fn(&StorageRequest) -> StorageFault + Send + Sync>;

/// What the front knows of storage.
#[derive(Default)]
pub(crate) struct Storage {
    hook: Mutex<Option<Hook>>,
    counts: Mutex<StorageCounts>,
}

impl Storage {
    pub(crate) fn set_hook(&self, hook: Option<Hook>) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    /// Counts a request, and waits until it is decided what befalls it.
    pub(crate) async fn befalls(&self, request: &StorageRequest) -> StorageFault {
        self.count(request);
        loop {
            match self.decide(request) {
                StorageFault::Later(time) => pause(time).await,
                fault => return fault,
            }
        }
    }

    fn count(&self, request: &StorageRequest) {
        let by = (request.function.clone(), request.operation, request.method.clone());
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).0.entry(by).or_default() += 1;
    }

    fn decide(&self, request: &StorageRequest) -> StorageFault {
        // Not under the lock: a hook may take its time, or set another one.
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hook.map_or(StorageFault::Pass, |hook| hook(request))
    }

    pub(crate) fn counts(&self) -> StorageCounts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
