//! An execution's scratch as a step sees it: documents, the tombstone, and who looks for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use s3inv_cancel::{Cancellation, Phase, Stop};
use s3inv_store::{Bucket, Only, StoreError, StoreErrorKind, put};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::document::{self, LONGEST, checked, find};
use super::record::PlanRecord;
use super::scratch::Keys;
use super::{Execution, Invocation, StepError, TaskRequest};
use crate::Cause;

/// How often a step at work looks for the tombstone.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How long a store may take to end what was cut off.
const SETTLE_WITHIN: Duration = Duration::from_millis(400);

/// An execution's scratch, as one invocation of a step works in it.
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
}

/// Drives a step to its end. Meanwhile somebody looks for the tombstone; nothing runs on afterwards.
pub(super) fn drive<'a, T>(
    invocation: &'a Invocation,
    execution: &Execution,
    phase: Phase,
    step: impl AsyncFnOnce(&mut Work<'a>) -> Result<T, Cause>,
) -> Result<T, StepError> {
    let driven = || {
        let work = Work::new(invocation, execution)?;
        let bucket = Arc::clone(&work.bucket);
        let looking = LookingOut::start(&work);
        let done = invocation.runtime.block_on(work.whole(step));
        drop(looking);
        invocation.runtime.block_on(settle(invocation, &*bucket));
        let retries = bucket.retries();
        if retries.made > 0 {
            tracing::info!(retries = retries.made, throttled = retries.throttled, "scratch was slow");
        }
        done
    };
    driven().map_err(|cause| StepError::in_phase(phase, cause))
}

impl<'a> Work<'a> {
    /// Of an execution that may have ended: nothing is asked yet.
    pub(super) fn new(invocation: &'a Invocation, execution: &Execution) -> Result<Self, Cause> {
        Ok(Self {
            invocation,
            bucket: invocation.buckets.open(&invocation.scratch.bucket)?,
            keys: Keys::new(&invocation.scratch, execution),
            cancellation: invocation.cancellation.child(),
            limit: None,
            written: Mutex::default(),
        })
    }

    /// Does a step, unless the execution has ended already. If it ends meanwhile, nothing stays of what the
    /// step wrote.
    pub(super) async fn whole<T>(
        mut self,
        step: impl AsyncFnOnce(&mut Self) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let done = match self.is_over().await {
            Ok(false) => step(&mut self).await,
            Ok(true) => return Err(Cause::ScratchGone),
            Err(cause) => Err(cause),
        };
        match done {
            Ok(done) => Ok(done),
            Err(cause) => Err(self.undo(self.explain(cause)).await),
        }
    }

    /// What is to be built.
    pub(super) async fn plan(&mut self) -> Result<PlanRecord, Cause> {
        let plan: Option<PlanRecord> = self.find(&self.keys.plan()).await?;
        // A tombstone outlives the scratch, but a lifecycle rule may have removed both.
        let plan = plan.ok_or(Cause::ScratchGone)?;
        self.until(plan.deadline_ms);
        Ok(plan)
    }

    /// Has it end when the caller wants it to, in milliseconds since 1970.
    pub(super) fn until(&mut self, deadline_ms: Option<u64>) {
        let Some(deadline) = deadline_ms else { return };
        let left = Duration::from_millis(deadline.saturating_sub(self.invocation.now_ms));
        self.limit = Some(self.cancellation.now().saturating_add(left));
        self.cancellation = self.cancellation.with_timeout(left);
    }

    /// After the tombstone there is no other cause: what else went wrong followed from it.
    async fn undo(&self, cause: Cause) -> Cause {
        let over = self.invocation.wait(exists(&*self.bucket, &self.keys.tombstone())).await;
        if !matches!(over, Ok(true)) {
            return cause;
        }
        let written = std::mem::take(&mut *self.written());
        self.remove(&written).await;
        Stop::Cancelled.into()
    }

    /// Removes objects, as far as that can be: the rest is cleanup's. That the execution is over doesn't
    /// keep it from that.
    pub(super) async fn remove(&self, keys: &[String]) {
        if !keys.is_empty()
            && let Err(cause) = self.invocation.wait(self.bucket.delete(keys)).await
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

    /// Tells the end of the caller's time from that of the invocation.
    fn explain(&self, cause: Cause) -> Cause {
        let callers = self.limit.is_some_and(|limit| self.cancellation.now() >= limit);
        match cause {
            Cause::Stop(Stop::DeadlineExceeded) if !callers => Cause::OutOfTime,
            other => other,
        }
    }

    /// Waits for a request, until the step has to end.
    pub(super) async fn wait<T, E>(&self, request: impl Future<Output = Result<T, E>>) -> Result<T, Cause>
    where
        Cause: From<E>,
    {
        Ok(self.cancellation.guard(request).await??)
    }

    /// Whether the tombstone is there.
    async fn is_over(&self) -> Result<bool, Cause> {
        self.wait(exists(&*self.bucket, &self.keys.tombstone())).await
    }

    /// Looks for the tombstone, as after each object that was completed: whoever removes the scratch
    /// after the tombstone has seen the object, or this sees the tombstone.
    pub(super) async fn look(&self) -> Result<(), Cause> {
        if self.is_over().await? { Err(Stop::Cancelled.into()) } else { Ok(()) }
    }

    /// A document.
    pub(super) async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, Cause> {
        let found = self.find(key).await?;
        // A document that steps before this one wrote, and only cleanup removes.
        found.ok_or_else(|| Cause::Bug(format!("{} is missing", self.bucket.uri(key))))
    }

    /// A document that may not be there.
    pub(super) async fn find<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Cause> {
        self.wait(find(&*self.bucket, key)).await
    }

    /// What a task is to do.
    pub(super) async fn description<T: DeserializeOwned>(&self, request: &TaskRequest) -> Result<T, Cause> {
        let key = self.keys.tasks(request.stage);
        let end = request.offset.saturating_add(request.length.min(LONGEST));
        let bytes = self.wait(self.bucket.read(&key, request.offset..end, None)).await?;
        document::parse(&self.bucket.uri(&key), &bytes)
    }

    /// Writes a document, unless there is one; whether there was none.
    pub(super) async fn put_new(&self, key: &str, document: &impl Serialize) -> Result<bool, Cause> {
        self.writes(key);
        match self.wait(put(&*self.bucket, key, checked(document)?, Only::IfAbsent)).await {
            Ok(()) => Ok(true),
            Err(Cause::Store(error)) if error.kind() == StoreErrorKind::Precondition => Ok(false),
            Err(cause) => Err(cause),
        }
    }

    /// Writes what is the same whoever writes it.
    pub(super) async fn put(&self, key: &str, bytes: impl Into<Bytes> + Send) -> Result<(), Cause> {
        self.writes(key);
        self.wait(put(&*self.bucket, key, bytes, Only::Always)).await
    }
}

/// Somebody who looks for the tombstone while a step works. Dropped, he has ended.
struct LookingOut<'a> {
    runtime: &'a Handle,
    task: Option<JoinHandle<()>>,
}

impl<'a> LookingOut<'a> {
    fn start(work: &Work<'a>) -> Self {
        let runtime = &work.invocation.runtime;
        let (bucket, tombstone) = (Arc::clone(&work.bucket), work.keys.tombstone());
        let task = runtime.spawn(look_out(bucket, tombstone, work.cancellation.clone()));
        Self { runtime, task: Some(task) }
    }
}

impl Drop for LookingOut<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            // It ends at its next await, which is where it waits.
            let _ = self.runtime.block_on(task);
        }
    }
}

/// Waits until nothing runs any more of what was cut off, as far as the store answers in time.
pub(super) async fn settle(invocation: &Invocation, bucket: &dyn Bucket) {
    let grace = invocation.cancellation.grace(SETTLE_WITHIN);
    if grace.guard(bucket.settle()).await.is_err() {
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
