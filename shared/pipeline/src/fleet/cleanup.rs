//! The cleanup step: tombstone first, then all that an execution has left is removed.

use s3inv_store::{Bucket, Only, put};

use super::payload::{Execution, Failed};
use super::record::{PlanRecord, Tombstone};
use super::scratch::Keys;
use super::work::{find, json};
use super::{CleanupRequest, ErrorType, Invocation, StepError};
use crate::Cause;

/// Does what the state machine asks; what went wrong first, where something did.
pub fn cleanup(invocation: &Invocation, request: &CleanupRequest) -> Result<Option<Failed>, StepError> {
    match request {
        CleanupRequest::Finish { execution, .. } => sweep(invocation, execution, None).map(|_| None),
        CleanupRequest::Report { execution, error, .. } => {
            report(invocation, execution, error).map(|()| None)
        }
        CleanupRequest::Fail { execution, error, .. } => {
            let first = sweep(invocation, execution, Some(error.clone().plain()))?;
            Ok(first)
        }
    }
}

/// Ends an execution: writes its tombstone, aborts its uploads and removes its objects. What went wrong
/// first is returned, if anything did. It can be done again, and goes on where it was cut off.
fn sweep(
    invocation: &Invocation,
    execution: &Execution,
    failure: Option<Failed>,
) -> Result<Option<Failed>, StepError> {
    let sweep = Sweep::new(invocation, execution).map_err(|cause| failed(execution, &cause))?;
    sweep.all(failure).map_err(|cause| failed(execution, &cause))
}

/// Keeps the error of a task, if it is the first.
fn report(invocation: &Invocation, execution: &Execution, error: &Failed) -> Result<(), StepError> {
    let reported = Sweep::new(invocation, execution).and_then(|sweep| {
        let error = json(&error.clone().plain())?;
        match sweep.wait(put(&*sweep.bucket, &sweep.keys.failure(), error, Only::IfAbsent)) {
            Err(Cause::Store(error)) if error.kind() == s3inv_store::StoreErrorKind::Precondition => Ok(()),
            other => other,
        }
    });
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

struct Sweep<'a> {
    invocation: &'a Invocation,
    bucket: std::sync::Arc<dyn Bucket>,
    keys: Keys,
}

impl<'a> Sweep<'a> {
    fn new(invocation: &'a Invocation, execution: &Execution) -> Result<Self, Cause> {
        let bucket = invocation.buckets.open(&invocation.scratch.bucket)?;
        Ok(Self { invocation, bucket, keys: Keys::new(&invocation.scratch, execution) })
    }

    fn wait<T, E>(&self, request: impl Future<Output = Result<T, E>>) -> Result<T, Cause>
    where
        Cause: From<E>,
    {
        Ok(self.invocation.runtime.block_on(self.invocation.cancellation.guard(request))??)
    }

    fn all(&self, failure: Option<Failed>) -> Result<Option<Failed>, Cause> {
        let tombstone = self.tombstone(failure)?;
        self.wait(put(&*self.bucket, &self.keys.tombstone(), json(&tombstone)?, Only::Always))?;
        self.abort_uploads(&*self.bucket, self.keys.prefix(), |_| true)?;
        if let Some(output) = &tombstone.output {
            let (bucket, index) = (self.invocation.buckets.open(&output.bucket)?, output.index());
            self.abort_uploads(&*bucket, &index, |key| key == index)?;
        }
        self.delete()?;
        Ok(tombstone.failure)
    }

    /// The tombstone that is there already, or one with what is known now and will be gone then.
    fn tombstone(&self, failure: Option<Failed>) -> Result<Tombstone, Cause> {
        let there: Option<Tombstone> = self.wait(find(&*self.bucket, &self.keys.tombstone()))?;
        let there = there.unwrap_or_default();
        let plan: Option<PlanRecord> = self.wait(find(&*self.bucket, &self.keys.plan()))?;
        let reported: Option<Failed> = self.wait(find(&*self.bucket, &self.keys.failure()))?;
        Ok(Tombstone {
            output: there.output.or(plan.map(|plan| plan.output)),
            failure: there.failure.or(reported).or(failure),
            ..there
        })
    }

    fn abort_uploads(
        &self,
        bucket: &dyn Bucket,
        prefix: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Cause> {
        for (key, id) in self.wait(bucket.uploads(prefix))? {
            if wanted(&key) {
                self.wait(bucket.abort_upload(&key, &id))?;
            }
        }
        Ok(())
    }

    /// Removes objects page by page, until a listing has none but the tombstone.
    fn delete(&self) -> Result<(), Cause> {
        let mut next: Option<String> = None;
        let (mut removed, mut found) = (0, false);
        loop {
            let page = self.wait(self.bucket.list(self.keys.prefix(), next.as_deref(), false))?;
            let keys = page.objects.into_iter().map(|object| object.key);
            let keys: Vec<_> = keys.filter(|key| *key != self.keys.tombstone()).collect();
            found |= !keys.is_empty();
            removed += keys.len();
            self.wait(self.bucket.delete(&keys))?;
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
