//! An execution's scratch as a step sees it: documents, the tombstone, and who looks for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use s3inv_cancel::{Cancellation, Stop};
use s3inv_store::{Bucket, Only, StoreError, StoreErrorKind, put};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

use super::record::PlanRecord;
use super::scratch::Keys;
use super::{Execution, Invocation, TaskRequest};
use crate::Cause;

/// How often a step at work looks for the tombstone.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How long a store may take to end what was cut off.
const SETTLE_WITHIN: Duration = Duration::from_millis(400);
/// Documents longer than this are not believed.
const LONGEST: u64 = 256 << 20;

/// A step at work. Dropped, it has stopped looking.
pub(super) struct Work<'a> {
    pub(super) invocation: &'a Invocation,
    pub(super) bucket: Arc<dyn Bucket>,
    pub(super) keys: Keys,
    /// Ends the step, also when the tombstone is found.
    pub(super) cancellation: Cancellation,
    /// When the caller's own time is over, on the clock of the cancellation.
    limit: Option<Duration>,
    /// The keys that it wrote, or may have.
    written: Mutex<Vec<String>>,
    looking: Option<JoinHandle<()>>,
}

impl<'a> Work<'a> {
    /// Begins, unless the execution has ended already.
    pub(super) fn begin(invocation: &'a Invocation, execution: &Execution) -> Result<Self, Cause> {
        let bucket = invocation.buckets.open(&invocation.scratch.bucket)?;
        let keys = Keys::new(&invocation.scratch, execution);
        let cancellation = invocation.cancellation.child();
        let looking =
            invocation.runtime.spawn(look_out(Arc::clone(&bucket), keys.tombstone(), cancellation.clone()));
        let work = Self {
            invocation,
            bucket,
            keys,
            cancellation,
            limit: None,
            written: Mutex::default(),
            looking: Some(looking),
        };
        match work.is_over() {
            Ok(false) => Ok(work),
            Ok(true) => Err(Cause::ScratchGone),
            Err(cause) => Err(work.explain(cause)),
        }
    }

    /// Begins, and reads the plan.
    pub(super) fn with_plan(
        invocation: &'a Invocation,
        execution: &Execution,
    ) -> Result<(Self, PlanRecord), Cause> {
        let mut work = Self::begin(invocation, execution)?;
        let plan: Option<PlanRecord> = work.find(&work.keys.plan()).map_err(|cause| work.explain(cause))?;
        // A tombstone outlives the scratch, but a lifecycle rule may have removed both.
        let plan = plan.ok_or(Cause::ScratchGone)?;
        work.until(plan.deadline_ms);
        Ok((work, plan))
    }

    /// Has it end when the caller wants it to, in milliseconds since 1970.
    pub(super) fn until(&mut self, deadline_ms: Option<u64>) {
        let Some(deadline) = deadline_ms else { return };
        let left = Duration::from_millis(deadline.saturating_sub(self.invocation.now_ms));
        self.limit = Some(self.cancellation.now().saturating_add(left));
        self.cancellation = self.cancellation.with_timeout(left);
    }

    /// Ends the step: nothing of it runs on, and if the execution is over, nothing stays of what it wrote.
    pub(super) fn end<T>(mut self, done: Result<T, Cause>) -> Result<T, Cause> {
        let done = done.map_err(|cause| self.explain(cause)).map_err(|cause| self.undo(cause));
        self.stop_looking();
        settle(self.invocation, &*self.bucket);
        done
    }

    /// After the tombstone there is no other cause: what else went wrong followed from it.
    fn undo(&self, cause: Cause) -> Cause {
        let over = self.invocation.wait(exists(&*self.bucket, &self.keys.tombstone()));
        if !matches!(over, Ok(true)) {
            return cause;
        }
        self.remove(&std::mem::take(&mut *self.written()));
        Stop::Cancelled.into()
    }

    /// Removes objects, as far as that can be: the rest is cleanup's. That the execution is over doesn't
    /// keep it from that.
    pub(super) fn remove(&self, keys: &[String]) {
        if !keys.is_empty()
            && let Err(cause) = self.invocation.wait(self.bucket.delete(keys))
        {
            tracing::warn!(error = %cause, "not removed: cleanup will");
        }
    }

    /// Says that it is going to write an object.
    pub(super) fn writes(&self, key: &str) {
        self.written().push(key.to_owned());
    }

    fn written(&self) -> MutexGuard<'_, Vec<String>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop_looking(&mut self) {
        if let Some(looking) = self.looking.take() {
            looking.abort();
            // It ends at its next await, which is where it waits.
            let _ = self.invocation.runtime.block_on(looking);
        }
    }

    /// Tells the end of the caller's time from that of the invocation.
    fn explain(&self, cause: Cause) -> Cause {
        let callers = self.limit.is_some_and(|limit| self.cancellation.now() >= limit);
        match cause {
            Cause::Stop(Stop::DeadlineExceeded) if !callers => Cause::OutOfTime,
            other => other,
        }
    }

    /// Drives requests, until the step has to end.
    pub(super) fn wait<T, E>(&self, request: impl Future<Output = Result<T, E>>) -> Result<T, Cause>
    where
        Cause: From<E>,
    {
        Ok(self.invocation.runtime.block_on(self.cancellation.guard(request))??)
    }

    /// Whether the tombstone is there.
    fn is_over(&self) -> Result<bool, Cause> {
        self.wait(exists(&*self.bucket, &self.keys.tombstone()))
    }

    /// Looks for the tombstone, as after each object that was completed: whoever removes the scratch
    /// after the tombstone has seen the object, or this sees the tombstone.
    pub(super) fn look(&self) -> Result<(), Cause> {
        if self.is_over()? { Err(Stop::Cancelled.into()) } else { Ok(()) }
    }

    /// A document.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, Cause> {
        let found = self.find(key)?;
        // A document that steps before this one wrote, and only cleanup removes.
        found.ok_or_else(|| Cause::Bug(format!("{} is missing", self.bucket.uri(key))))
    }

    /// A document that may not be there.
    pub(super) fn find<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Cause> {
        self.wait(find(&*self.bucket, key))
    }

    /// What a task is to do.
    pub(super) fn description<T: DeserializeOwned>(&self, request: &TaskRequest) -> Result<T, Cause> {
        let key = self.keys.tasks(request.stage);
        let end = request.offset.saturating_add(request.length.min(LONGEST));
        let bytes = self.wait(self.bucket.read(&key, request.offset..end, None))?;
        let parsed = serde_json::from_slice(&bytes);
        parsed.map_err(|error| Cause::Document { uri: self.bucket.uri(&key), error })
    }

    /// Writes a document, unless there is one; whether there was none.
    pub(super) fn put_new(&self, key: &str, document: &impl Serialize) -> Result<bool, Cause> {
        self.writes(key);
        match self.wait(put(&*self.bucket, key, json(document)?, Only::IfAbsent)) {
            Ok(()) => Ok(true),
            Err(Cause::Store(error)) if error.kind() == StoreErrorKind::Precondition => Ok(false),
            Err(cause) => Err(cause),
        }
    }

    /// Writes what is the same whoever writes it.
    pub(super) fn put(&self, key: &str, bytes: impl Into<Bytes> + Send) -> Result<(), Cause> {
        self.writes(key);
        self.wait(put(&*self.bucket, key, bytes, Only::Always))
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.stop_looking();
    }
}

/// Waits until nothing runs any more of what was cut off, as far as the store answers in time.
pub(super) fn settle(invocation: &Invocation, bucket: &dyn Bucket) {
    let settled = async { tokio::time::timeout(SETTLE_WITHIN, bucket.settle()).await };
    if invocation.runtime.block_on(settled).is_err() {
        tracing::warn!("storage did not answer in time: an unfinished upload may be left to cleanup");
    }
}

/// Looks for the tombstone until it is there, or work has ended.
async fn look_out(bucket: Arc<dyn Bucket>, tombstone: String, cancellation: Cancellation) {
    loop {
        cancellation.with_timeout(LOOK_EVERY).stopped().await;
        if cancellation.check().is_err() {
            return;
        }
        match exists(&*bucket, &tombstone).await {
            Ok(false) => {}
            Ok(true) => return cancellation.cancel(),
            // The next look, or the one after the next object, will tell.
            Err(error) => tracing::debug!(error = %error, "tombstone not looked for"),
        }
    }
}

/// The `ETag` of an object, if it is there.
pub(super) async fn etag(bucket: &dyn Bucket, key: &str) -> Result<Option<String>, StoreError> {
    match bucket.head(key).await {
        Ok(meta) => Ok(Some(meta.etag)),
        Err(error) if error.kind() == StoreErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn exists(bucket: &dyn Bucket, key: &str) -> Result<bool, StoreError> {
    Ok(etag(bucket, key).await?.is_some())
}

/// A document, if it is there.
pub(super) async fn find<T: DeserializeOwned>(bucket: &dyn Bucket, key: &str) -> Result<Option<T>, Cause> {
    let bytes = match bucket.read_tail(key, LONGEST).await {
        Ok((bytes, _)) => bytes,
        Err(error) if error.kind() == StoreErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let parsed = serde_json::from_slice(&bytes);
    parsed.map(Some).map_err(|error| Cause::Document { uri: bucket.uri(key), error })
}

/// A document's bytes.
pub(super) fn json(document: &impl Serialize) -> Result<Bytes, Cause> {
    let bytes = serde_json::to_vec(document).map_err(std::io::Error::from)?;
    Ok(bytes.into())
}
