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

/// An event that its function has failed on three times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The function.
    pub function: String,
    /// The event.
    pub event: Value,
    /// What the function failed with last.
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
                return self.give_up(function, &payload, error);
            }
            pause(self.delay).await;
        }
    }

    fn give_up(&self, function: &str, payload: &[u8], error: Value) {
        let event = serde_json::from_slice(payload).unwrap_or_default();
        let letter = DeadLetter { function: function.to_owned(), event, error };
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
