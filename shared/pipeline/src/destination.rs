//! Where the index goes: an object that appears whole, or not at all.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use s3inv_cancel::Cancellation;
use s3inv_store::{Only, Store, StoreError, Upload};
use tokio::runtime::Handle;

use crate::Cause;

/// What is handed to the upload at once.
const CHUNK: usize = 1 << 20;
/// How long a stalled store may keep a build from ending when its upload is to be removed.
const ABORT_WITHIN: Duration = Duration::from_millis(400);

/// An object being written, as a [`std::io::Write`] for a thread that may block.
pub struct Destination {
    /// There until it is completed or aborted.
    upload: Option<Box<dyn Upload>>,
    buffer: Vec<u8>,
    written: u64,
    runtime: Handle,
    cancellation: Cancellation,
    /// What went wrong, told apart from what `io::Error` can say.
    failed: Option<Cause>,
}

impl Destination {
    /// Starts to write, by a runtime that somebody drives. Dropped without more, it leaves nothing. It blocks,
    /// and so does writing: not to be done within an async task.
    pub fn create(
        store: &dyn Store,
        key: &str,
        runtime: &Handle,
        cancellation: &Cancellation,
    ) -> Result<Self, Cause> {
        let upload = runtime.block_on(cancellation.guard(store.create(key)))??;
        Ok(Self {
            upload: Some(upload),
            buffer: Vec::with_capacity(CHUNK),
            written: 0,
            runtime: runtime.clone(),
            cancellation: cancellation.clone(),
            failed: None,
        })
    }

    /// Makes the object appear; its length in bytes.
    pub fn publish(mut self) -> Result<u64, Cause> {
        self.send()?;
        if let Some(upload) = self.upload.take() {
            // Dropped where it stands when it has to stop: it may have appeared then, and is whole.
            self.runtime.block_on(self.cancellation.guard(upload.complete(Only::Always)))??;
        }
        Ok(self.written)
    }

    /// What was wrong with writing, once.
    pub fn failure(&mut self) -> Option<Cause> {
        self.failed.take()
    }

    fn send(&mut self) -> Result<(), Cause> {
        let bytes = Bytes::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK)));
        self.written += bytes.len() as u64;
        let Some(upload) = &mut self.upload else { return Ok(()) };
        let sent: Result<(), StoreError> =
            self.runtime.block_on(self.cancellation.guard(upload.write(bytes)))?;
        Ok(sent?)
    }
}

/// Removes what was written, unless it was completed.
impl Drop for Destination {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            self.runtime.block_on(abort(&self.cancellation, upload));
        }
    }
}

/// Removes what an upload has written, as far as the store answers in time.
pub(crate) async fn abort(cancellation: &Cancellation, upload: Box<dyn Upload>) {
    match cancellation.grace(ABORT_WITHIN).guard(upload.abort()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %error, "unfinished upload could not be removed"),
        Err(_) => tracing::warn!("unfinished upload could not be removed in time"),
    }
}

impl io::Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK
            && let Err(cause) = self.send()
        {
            let text = cause.to_string();
            self.failed = Some(cause);
            return Err(io::Error::other(text));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
