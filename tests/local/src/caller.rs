use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A process of a function, as those see it whom it talks to.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) function: String,
    process: AtomicU32,
    invocation: Mutex<(String, Arc<Value>)>,
    requests: AtomicU64,
}

impl Caller {
    pub(crate) fn new(function: &str) -> Self {
        Self {
            function: function.to_owned(),
            process: AtomicU32::new(0),
            invocation: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.load(Ordering::Relaxed)
    }

    /// It has started, or (zero) ended.
    pub(crate) fn set_process(&self, process: u32) {
        self.process.store(process, Ordering::Relaxed);
    }

    /// The invocation that it works on, or has last worked on.
    pub(crate) fn request_id(&self) -> String {
        self.invocation.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// The event of that invocation; null where it is no JSON.
    pub(crate) fn event(&self) -> Arc<Value> {
        Arc::clone(&self.invocation.lock().unwrap_or_else(PoisonError::into_inner).1)
    }

    pub(crate) fn begin(&self, request_id: &str, payload: &[u8]) {
        let event = Arc::new(serde_json::from_slice(payload).unwrap_or_default());
        *self.invocation.lock().unwrap_or_else(PoisonError::into_inner) = (request_id.to_owned(), event);
        self.requests.store(0, Ordering::Relaxed);
    }

    /// Counts a request of this invocation: the first is 1.
    pub(crate) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&self) {
        let process = self.process();
        if process != 0 {
            // It may have ended in this moment.
            let _ = kill(Pid::from_raw(process.cast_signed()), Signal::SIGKILL);
        }
    }
}
