use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use s3inv_cancel::CancellationToken;
use serde_json::Value;

use crate::host::{Host, Refusal};
use crate::time::pause;

/// How often an event is handed over before it is given up.
const ATTEMPTS: u32 = 3;

/// An event that its function has failed on three times, or that could not start an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The function's name, or the state machine's ARN.
    pub target: String,
    /// The event.
    pub event: Value,
    /// What was wrong last.
    pub error: Value,
}

/// Invokes functions without waiting for them.
pub(crate) struct Asynchronous {
    host: Arc<Host>,
    delay: Duration,
    pending: AtomicUsize,
    dead_letters: Mutex<Vec<DeadLetter>>,
    closing: CancellationToken,
}

impl Asynchronous {
    pub(crate) fn new(host: Arc<Host>, delay: Duration, closing: CancellationToken) -> Self {
        Self { host, delay, pending: AtomicUsize::new(0), dead_letters: Mutex::default(), closing }
    }

    pub(crate) fn invoke(self: &Arc<Self>, function: &str, payload: Bytes) {
        let (this, function) = (Arc::clone(self), function.to_owned());
        let sending = self.sending();
        self.host.tasks.spawn(async move {
            let _sending = sending;
            tokio::select! {
                () = this.closing.cancelled() => {}
                () = this.deliver(&function, payload) => {}
            }
        });
    }

    /// Counts an event as on its way, until it is dropped.
    pub(crate) fn sending(self: &Arc<Self>) -> Sending {
        self.pending.fetch_add(1, Ordering::SeqCst);
        Sending(Arc::clone(self))
    }

    /// How many events are on their way.
    pub(crate) fn pending(&self) -> usize {
        self.pending.load(Ordering::SeqCst)
    }

    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.dead_letters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn deliver(&self, function: &str, payload: Bytes) {
        let mut failed = 0;
        loop {
            let error = match self.host.invoke(function, payload.clone()).await {
                Ok(invoked) if !invoked.is_error => return,
                Ok(invoked) => {
                    failed += 1;
                    invoked.json()
                }
                // Waits its turn for hours, on Lambda.
                Err(Refusal::Throttled | Refusal::Service) => Value::Null,
                Err(Refusal::NotFound) => {
                    failed = ATTEMPTS;
                    "no such function".into()
                }
            };
            if failed >= ATTEMPTS {
                let event = serde_json::from_slice(&payload).unwrap_or_default();
                return self.give_up(function, event, error);
            }
            pause(self.delay).await;
        }
    }

    pub(crate) fn give_up(&self, target: &str, event: Value, error: Value) {
        let letter = DeadLetter { target: target.to_owned(), event, error };
        self.dead_letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
    }
}

/// An event on its way.
pub(crate) struct Sending(Arc<Asynchronous>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::SeqCst);
    }
}
