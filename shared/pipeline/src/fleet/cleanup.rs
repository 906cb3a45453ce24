//! The cleanup step: tombstone first, then all that an execution has left is removed.

use std::collections::BTreeSet;
use std::sync::Arc;

use s3inv_store::{Bucket, Only, StoreError, StoreErrorKind, put};

use super::payload::{Execution, Failed};
use super::record::{PlanRecord, Tombstone};
use super::scratch::Keys;
use super::work::{etag, find, json};
use super::{CleanupRequest, ErrorType, Invocation, Place, StepError};
use crate::Cause;

/// Does what the state machine asks; what went wrong first, where something did.
pub fn cleanup(invocation: &Invocation, request: &CleanupRequest) -> Result<Option<Failed>, StepError> {
    match request {
        CleanupRequest::Finish { execution, .. } | CleanupRequest::Sweep { execution, .. } => {
            sweep(invocation, execution, None).map(|_| None)
        }
        CleanupRequest::Report { execution, error, .. } => {
            report(invocation, execution, error).map(|()| None)
        }
        CleanupRequest::Fail { execution, error, .. } => {
            sweep(invocation, execution, Some(&error.clone().plain()))
        }
    }
}

/// Ends an execution: writes its tombstone, aborts its uploads and removes its objects. What went wrong
/// first is returned, if anything did. It can be done again, and goes on where it was cut off.
fn sweep(
    invocation: &Invocation,
    execution: &Execution,
    failure: Option<&Failed>,
) -> Result<Option<Failed>, StepError> {
    let sweep = Sweep::new(invocation, execution).map_err(|cause| failed(execution, &cause))?;
    sweep.all(failure).map_err(|cause| failed(execution, &cause))
}

/// Keeps the error of a task, if it is the first.
fn report(invocation: &Invocation, execution: &Execution, error: &Failed) -> Result<(), StepError> {
    let reported = Sweep::new(invocation, execution).and_then(|sweep| sweep.report(error));
    reported.map_err(|cause| failed(execution, &cause))
}

fn failed(execution: &Execution, cause: &Cause) -> StepError {
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

struct Sweep<'a> {
    invocation: &'a Invocation,
    bucket: Arc<dyn Bucket>,
    keys: Keys,
}

impl<'a> Sweep<'a> {
    fn new(invocation: &'a Invocation, execution: &Execution) -> Result<Self, Cause> {
        let bucket = invocation.buckets.open(&invocation.scratch.bucket)?;
        Ok(Self { invocation, bucket, keys: Keys::new(&invocation.scratch, execution) })
    }

    fn all(&self, failure: Option<&Failed>) -> Result<Option<Failed>, Cause> {
        let tombstone = self.bury(failure)?;
        self.abort_uploads(&*self.bucket, self.keys.prefix(), |_| true)?;
        self.delete()?;
        // Last: where this is not allowed, at least the scratch is gone.
        if let Some(output) = &tombstone.output {
            let (bucket, index) = (self.invocation.buckets.open(&output.bucket)?, output.index());
            self.abort_uploads(&*bucket, &index, |key| key == index)?;
        }
        Ok(tombstone.failure)
    }

    /// Writes the tombstone, with what is known now and will be gone then. What one says that is there
    /// already, stays.
    fn bury(&self, failure: Option<&Failed>) -> Result<Tombstone, Cause> {
        let key = self.keys.tombstone();
        for _ in 0..TRIES {
            let etag = self.invocation.wait(etag(&*self.bucket, &key))?;
            let there: Option<Tombstone> = self.invocation.wait(find(&*self.bucket, &key))?;
            let tombstone = self.tombstone(there.clone().unwrap_or_default(), failure)?;
            if there.as_ref() == Some(&tombstone) {
                return Ok(tombstone);
            }
            let only = etag.as_deref().map_or(Only::IfAbsent, Only::IfMatch);
            match self.invocation.wait(put(&*self.bucket, &key, json(&tombstone)?, only)) {
                Err(Cause::Store(error)) if error.kind() == StoreErrorKind::Precondition => {}
                other => return other.map(|()| tombstone),
            }
        }
        let text = "others write it all the time";
        Err(StoreError::new(&self.bucket.uri(&key), StoreErrorKind::Retryable, text).into())
    }

    fn tombstone(&self, there: Tombstone, failure: Option<&Failed>) -> Result<Tombstone, Cause> {
        let plan: Option<PlanRecord> = self.invocation.wait(find(&*self.bucket, &self.keys.plan()))?;
        let reported: Option<Failed> = self.invocation.wait(find(&*self.bucket, &self.keys.failure()))?;
        Ok(Tombstone {
            output: there.output.or(plan.map(|plan| plan.output)),
            failure: there.failure.or(reported).or_else(|| failure.cloned()),
            ..there
        })
    }

    fn report(&self, error: &Failed) -> Result<(), Cause> {
        let (key, error) = (self.keys.failure(), json(&error.clone().plain())?);
        match self.invocation.wait(put(&*self.bucket, &key, error, Only::IfAbsent)) {
            Err(Cause::Store(error)) if error.kind() == StoreErrorKind::Precondition => return Ok(()),
            other => other?,
        }
        // As every writer does: who sweeps has seen it, or the tombstone is there.
        if self.invocation.wait(etag(&*self.bucket, &self.keys.tombstone()))?.is_some() {
            self.invocation.wait(self.bucket.delete(&[key]))?;
        }
        Ok(())
    }

    fn abort_uploads(
        &self,
        bucket: &dyn Bucket,
        prefix: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Cause> {
        for (key, id) in self.invocation.wait(bucket.uploads(prefix))? {
            if wanted(&key) {
                self.invocation.wait(bucket.abort_upload(&key, &id))?;
            }
        }
        Ok(())
    }

    /// Removes objects page by page, until a listing has none but the tombstone.
    fn delete(&self) -> Result<(), Cause> {
        let mut next: Option<String> = None;
        let (mut removed, mut found) = (0, false);
        loop {
            let page = self.invocation.wait(self.bucket.list(self.keys.prefix(), next.as_deref(), false))?;
            let keys = page.objects.into_iter().map(|object| object.key);
            let keys: Vec<_> = keys.filter(|key| *key != self.keys.tombstone()).collect();
            found |= !keys.is_empty();
            removed += keys.len();
            self.invocation.wait(self.bucket.delete(&keys))?;
            next = page.next;
            if next.is_none() && !std::mem::take(&mut found) {
                tracing::info!(removed, "scratch removed");
                return Ok(());
            }
        }
    }
}

/// Ends an execution that Step Functions has ended.
pub fn end(invocation: &Invocation, execution: &Execution) -> Result<(), StepError> {
    sweep(invocation, execution, None).map(|_| ())
}

/// The executions of which more is left than a tombstone, whether they run or not.
pub fn leftovers(invocation: &Invocation) -> Result<Vec<Execution>, StepError> {
    let found = invocation
        .buckets
        .open(&invocation.scratch.bucket)
        .map_err(Cause::from)
        .and_then(|bucket| invocation.wait(left_in(&*bucket, &invocation.scratch)));
    found.map_err(|cause| StepError::of_cause(&cause))
}

async fn left_in(bucket: &dyn Bucket, scratch: &Place) -> Result<Vec<Execution>, StoreError> {
    let mut left = BTreeSet::new();
    for (key, _) in bucket.uploads(&scratch.key).await? {
        left.extend(execution_of(&key, scratch).map(str::to_owned));
    }
    let mut next = None;
    loop {
        let page = bucket.list(&scratch.key, next.as_deref(), true).await?;
        for folder in &page.folders {
            let Some(name) = execution_of(folder, scratch) else { continue };
            // The tombstone comes before all else: where there are two objects, one is another.
            let inside = bucket.list(folder, None, false).await?;
            if inside.objects.iter().any(|object| object.key != format!("{folder}CANCELLED")) {
                left.insert(name.to_owned());
            }
        }
        next = page.next;
        if next.is_none() {
            return Ok(left.iter().filter_map(|name| Execution::new(name)).collect());
        }
    }
}

/// The execution whose scratch a key lies in.
fn execution_of<'k>(key: &'k str, scratch: &Place) -> Option<&'k str> {
    key.strip_prefix(&scratch.key)?.split_once('/').map(|(name, _)| name)
}
