//! A task, done in parts: an attempt writes files, and one record with all that they are.

use std::sync::{Mutex, PoisonError};

use s3inv_index_format::Info;
use s3inv_model::RowCounts;
use s3inv_store::Retries;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::payload::{Checkpoint, TaskRequest};
use super::record::{Commit, StoredFile};
use super::work::Work;
use super::{Stage, Version};
use crate::Cause;
use crate::destination::Destination;

/// A task makes so many checkpoints at most: more of them mean that it gets nowhere.
pub(super) const MOST_PARTS: u32 = 9999;

/// What an attempt did of a task.
pub(super) struct Part<P> {
    pub(super) files: Vec<StoredFile>,
    pub(super) counts: RowCounts,
    /// Requests for the inventory that were made again.
    pub(super) retries: Retries,
    /// Where the next part begins; nothing, where the task is done.
    pub(super) next: Option<P>,
}

/// Does the next part of a task, from where the last record of it ends, and commits it.
pub(super) async fn next_part<P: Serialize + DeserializeOwned>(
    work: &Work<'_>,
    request: &TaskRequest,
    do_it: impl AsyncFnOnce(&Attempt<'_>, Option<P>) -> Result<Part<P>, Cause>,
) -> Result<Option<Checkpoint>, Cause> {
    let (part, start) = match last_record::<P>(work, request).await? {
        (_, Some(Commit { next: None, .. })) => return Ok(None),
        (part, last) => (part, last.and_then(|commit| commit.next)),
    };
    let attempt = Attempt { work, stage: request.stage, task: request.task, written: Mutex::default() };
    match do_it(&attempt, start).await {
        Ok(done) => attempt.commit(part, done).await,
        // What goes wrong before the record leaves nothing. From then on, the record may be there,
        // whatever the answer was, and what it lists has to stay.
        Err(cause) => {
            attempt.discard().await;
            Err(cause)
        }
    }
}

/// How many records a task has, and the last of them.
async fn last_record<P: DeserializeOwned>(
    work: &Work<'_>,
    request: &TaskRequest,
) -> Result<(u32, Option<Commit<P>>), Cause> {
    let mut last = None;
    for part in 0..MOST_PARTS {
        let key = work.keys.commit(request.stage, request.task, part);
        match work.find::<Commit<P>>(&key).await? {
            Some(commit) if commit.next.is_none() => return Ok((part + 1, Some(commit))),
            Some(commit) => last = Some(commit),
            None => return Ok((part, last)),
        }
    }
    Err(Cause::OutOfTime)
}

/// One try at a part: what it writes has names that no other try has.
pub(super) struct Attempt<'a> {
    pub(super) work: &'a Work<'a>,
    stage: Stage,
    task: u32,
    written: Mutex<Vec<String>>,
}

impl Attempt<'_> {
    fn written(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of its next file, which it says that it is going to write.
    pub(super) fn name(&self) -> String {
        let mut written = self.written();
        let key = self.work.keys.data(self.stage, self.task, &self.work.invocation.attempt, written.len());
        written.push(key.clone());
        self.work.writes(&key);
        key
    }

    /// Starts a file. It blocks.
    pub(super) fn create(&self) -> Result<(String, Destination), Cause> {
        let Work { invocation, bucket, cancellation, .. } = self.work;
        let key = self.name();
        let out = Destination::create(&**bucket, &key, &invocation.runtime, cancellation)?;
        Ok((key, out))
    }

    /// Completes a file. It blocks.
    pub(super) fn complete(
        &self,
        (key, out): (String, Destination),
        info: &Info,
    ) -> Result<StoredFile, Cause> {
        let bytes = out.publish()?;
        self.work.invocation.runtime.block_on(self.work.look())?;
        Ok(StoredFile { key, bytes, prefixes: info.prefixes })
    }

    /// Makes the part count, unless another attempt has done so before.
    async fn commit<P: Serialize + DeserializeOwned>(
        &self,
        part: u32,
        done: Part<P>,
    ) -> Result<Option<Checkpoint>, Cause> {
        let Part { files, counts, retries, next } = done;
        let retries = [retries, self.work.bucket.retries()].into_iter().sum();
        let attempt = self.work.invocation.attempt.clone();
        let mine = Commit { version: Version, attempt, files, counts, retries, next };
        let key = self.work.keys.commit(self.stage, self.task, part);
        let is_done = if self.work.put_new(&key, &mine).await? {
            mine.next.is_none()
        } else {
            let there: Commit<P> = self.work.get(&key).await?;
            if there.attempt != mine.attempt {
                tracing::info!(
                    part,
                    "another attempt has committed this part: what this one wrote is removed"
                );
                self.discard().await;
            }
            there.next.is_none()
        };
        self.work.look().await?;
        Ok((!is_done).then_some(Checkpoint { checkpoint: part + 1 }))
    }

    /// Removes what was written.
    async fn discard(&self) {
        let written = std::mem::take(&mut *self.written());
        self.work.remove(&written).await;
    }
}
