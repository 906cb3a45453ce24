//! The cleanup step: tombstone first, then all that an execution has left is removed.

use std::collections::BTreeSet;
use std::sync::Arc;

use s3inv_cancel::Stop;
use s3inv_store::{Bucket, Only, StoreError, StoreErrorKind, put};

use super::document::{checked, find};
use super::pause::Stretches;
use super::payload::{Checkpoint, CleanupAnswer, Execution, Failed};
use super::record::{PlanRecord, Target, Tombstone};
use super::scratch::Keys;
use super::work::etag;
use super::{CleanupRequest, ErrorType, Invocation, Place, StepError};
use crate::Cause;

/// Does what the state machine asks, or as much of it as there is time for.
pub fn cleanup(invocation: &Invocation, request: &CleanupRequest) -> Result<CleanupAnswer, StepError> {
    match request {
        CleanupRequest::Finish { execution, .. } | CleanupRequest::Sweep { execution, .. } => {
            end(invocation, execution)
                .map(|more| more.map_or(CleanupAnswer::Done(None), CleanupAnswer::Checkpoint))
        }
        CleanupRequest::Report { execution, error, .. } => {
            report(invocation, execution, error).map(|()| CleanupAnswer::Done(None))
        }
        CleanupRequest::Fail { execution, error, .. } => {
            sweep(invocation, execution, Some(&error.clone().plain()))
        }
    }
}

/// Ends an execution: writes its tombstone, aborts its uploads and removes its objects. It can be done
/// again, and goes on where it was cut off: a checkpoint says that there is more to remove.
pub fn end(invocation: &Invocation, execution: &Execution) -> Result<Option<Checkpoint>, StepError> {
    Ok(match sweep(invocation, execution, None)? {
        CleanupAnswer::Checkpoint(checkpoint) => Some(checkpoint),
        CleanupAnswer::Done(_) => None,
    })
}

fn sweep(
    invocation: &Invocation,
    execution: &Execution,
    failure: Option<&Failed>,
) -> Result<CleanupAnswer, StepError> {
    let sweep = Sweep::new(invocation, execution).map_err(|cause| failed(execution, &cause))?;
    invocation.runtime.block_on(sweep.all(failure)).map_err(|cause| failed(execution, &cause))
}

/// Keeps the error of a task, if it is the first.
fn report(invocation: &Invocation, execution: &Execution, error: &Failed) -> Result<(), StepError> {
    let reported =
        Sweep::new(invocation, execution).and_then(|sweep| invocation.runtime.block_on(sweep.report(error)));
    reported.map_err(|cause| failed(execution, &cause))
}

pub(super) fn failed(execution: &Execution, cause: &Cause) -> StepError {
    let error_type = match cause.kind() {
        s3inv_model::ErrorKind::BadInput => ErrorType::BadInput,
        s3inv_model::ErrorKind::Bug => ErrorType::Bug,
        // What was removed stays removed: it goes on from there.
        _ => ErrorType::Retryable,
    };
    StepError::new(error_type, format!("cleanup of {}: {cause}", execution.as_str()))
}

/// Sweeps of one execution that meet: each try loses to one of them.
const TRIES: usize = 20;

pub(super) struct Sweep<'a> {
    invocation: &'a Invocation,
    bucket: Arc<dyn Bucket>,
    keys: Keys,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(invocation: &'a Invocation, execution: &Execution) -> Result<Self, Cause> {
        let bucket = invocation.buckets.open(&invocation.scratch.bucket)?;
        Ok(Self { invocation, bucket, keys: Keys::new(&invocation.scratch, execution) })
    }

    pub(super) async fn all(&self, failure: Option<&Failed>) -> Result<CleanupAnswer, Cause> {
        let tombstone = self.bury(failure).await?;
        // First: from now on, the index can't appear any more.
        let fenced = match &tombstone.output {
            Some(output) => self.fence(output).await,
            None => Ok(()),
        };
        self.abort_uploads(&*self.bucket, self.keys.prefix(), |_| true).await?;
        if let Some(checkpoint) = self.delete().await? {
            return Ok(CleanupAnswer::Checkpoint(checkpoint));
        }
        // Where it is not allowed, that is told when at least the scratch is gone.
        fenced?;
        Ok(CleanupAnswer::Done(tombstone.failure))
    }

    /// Writes the tombstone, with what is known now and will be gone then. What one says that is there
    /// already, stays.
    async fn bury(&self, failure: Option<&Failed>) -> Result<Tombstone, Cause> {
        let key = self.keys.tombstone();
        for _ in 0..TRIES {
            let etag = self.invocation.wait(etag(&*self.bucket, &key)).await?;
            let there: Option<Tombstone> = self.invocation.wait(find(&*self.bucket, &key)).await?;
            let tombstone = self.tombstone(there.clone().unwrap_or_default(), failure).await?;
            if there.as_ref() == Some(&tombstone) {
                return Ok(tombstone);
            }
            let only = etag.as_deref().map_or(Only::IfAbsent, Only::IfMatch);
            match self.invocation.wait(put(&*self.bucket, &key, checked(&tombstone)?, only)).await {
                Err(Cause::Store(error)) if error.kind() == StoreErrorKind::Precondition => {}
                other => return other.map(|()| tombstone),
            }
        }
        let text = "others write it all the time";
        Err(StoreError::new(&self.bucket.uri(&key), StoreErrorKind::Retryable, text).into())
    }

    async fn tombstone(&self, there: Tombstone, failure: Option<&Failed>) -> Result<Tombstone, Cause> {
        let plan: Option<PlanRecord> = self.invocation.wait(find(&*self.bucket, &self.keys.plan())).await?;
        let reported: Option<Failed> =
            self.invocation.wait(find(&*self.bucket, &self.keys.failure())).await?;
        Ok(Tombstone {
            output: there.output.or(plan.map(|plan| plan.output)),
            failure: there.failure.or(reported).or_else(|| failure.cloned()),
            ..there
        })
    }

    async fn report(&self, error: &Failed) -> Result<(), Cause> {
        let (key, error) = (self.keys.failure(), checked(&error.clone().plain())?);
        match self.invocation.wait(put(&*self.bucket, &key, error, Only::IfAbsent)).await {
            Err(Cause::Store(error)) if error.kind() == StoreErrorKind::Precondition => return Ok(()),
            other => other?,
        }
        // As every writer does: who sweeps has seen it, or the tombstone is there.
        if self.invocation.wait(etag(&*self.bucket, &self.keys.tombstone())).await?.is_some() {
            self.invocation.wait(self.bucket.delete(&[key])).await?;
        }
        Ok(())
    }

    /// Aborts the uploads of who publishes, of this execution or another: the other one starts over.
    async fn fence(&self, output: &Target) -> Result<(), Cause> {
        let (bucket, index) = (self.invocation.buckets.open(&output.bucket)?, output.index());
        self.abort_uploads(&*bucket, &index, |key| key == index).await
    }

    async fn abort_uploads(
        &self,
        bucket: &dyn Bucket,
        prefix: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Cause> {
        for (key, id) in self.invocation.wait(bucket.uploads(prefix)).await? {
            if wanted(&key) {
                self.invocation.wait(bucket.abort_upload(&key, &id)).await?;
            }
        }
        Ok(())
    }

    /// Removes objects page by page, until a listing has none but the tombstone, or time is over.
    async fn delete(&self) -> Result<Option<Checkpoint>, Cause> {
        let stretches = Stretches::begin(&self.invocation.pause);
        let mut next: Option<String> = None;
        let (mut removed, mut found) = (0u32, false);
        loop {
            if removed > 0 && stretches.is_due(0) {
                return Ok(Some(Checkpoint { checkpoint: removed }));
            }
            let page = self.bucket.list(self.keys.prefix(), next.as_deref(), false);
            let page = self.invocation.wait(page).await?;
            let keys = page.objects.into_iter().map(|object| object.key);
            let keys: Vec<_> = keys.filter(|key| *key != self.keys.tombstone()).collect();
            found |= !keys.is_empty();
            removed = removed.saturating_add(keys.len() as u32);
            self.invocation.wait(self.bucket.delete(&keys)).await?;
            next = page.next;
            if next.is_none() && !std::mem::take(&mut found) {
                tracing::info!(removed, "scratch removed");
                return Ok(None);
            }
        }
    }
}

/// Shows each execution of which more is left than a tombstone, whether it runs or not, as soon as it is
/// found: where many tombstones lie, listing takes its time. Whether there was time to look at all of them.
pub fn leftovers(invocation: &Invocation, show: impl FnMut(Execution)) -> Result<bool, StepError> {
    let looked = look_around(invocation, show);
    looked.map_err(|cause| {
        // No caller has set a limit: this one is the invocation's.
        let is_late = matches!(cause, Cause::Stop(Stop::DeadlineExceeded));
        StepError::of_cause(if is_late { &Cause::OutOfTime } else { &cause })
    })
}

fn look_around(invocation: &Invocation, mut show: impl FnMut(Execution)) -> Result<bool, Cause> {
    let (scratch, pause) = (&invocation.scratch, &invocation.pause);
    let bucket = invocation.buckets.open(&scratch.bucket)?;
    let mut shown = BTreeSet::new();
    let mut show_once = |name: &str| {
        if let Some(execution) = Execution::new(name).filter(|_| shown.insert(name.to_owned())) {
            show(execution);
        }
    };
    for (key, _) in wait(invocation, bucket.uploads(&scratch.key))? {
        if pause.is_over() {
            return Ok(false);
        }
        execution_of(&key, scratch).into_iter().for_each(&mut show_once);
    }
    let mut next = None;
    loop {
        let page = wait(invocation, bucket.list(&scratch.key, next.as_deref(), true))?;
        for folder in &page.folders {
            if pause.is_over() {
                return Ok(false);
            }
            if wait(invocation, is_left(&*bucket, folder))? {
                execution_of(folder, scratch).into_iter().for_each(&mut show_once);
            }
        }
        next = page.next;
        if next.is_none() {
            return Ok(true);
        }
    }
}

/// Whether there is more in an execution's scratch than its tombstone.
async fn is_left(bucket: &dyn Bucket, folder: &str) -> Result<bool, StoreError> {
    // The tombstone comes before all else: where there are two objects, one is another.
    let inside = bucket.list(folder, None, false).await?;
    Ok(inside.objects.iter().any(|object| object.key != format!("{folder}CANCELLED")))
}

/// Waits for a request, and blocks.
fn wait<T, E>(invocation: &Invocation, request: impl Future<Output = Result<T, E>>) -> Result<T, Cause>
where
    Cause: From<E>,
{
    invocation.runtime.block_on(invocation.wait(request))
}

/// The execution whose scratch a key lies in.
fn execution_of<'k>(key: &'k str, scratch: &Place) -> Option<&'k str> {
    key.strip_prefix(&scratch.key)?.split_once('/').map(|(name, _)| name)
}
