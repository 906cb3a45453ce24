//! The publish step: segments are joined by copies inside S3, and the index appears at once.

use std::sync::Arc;

use s3inv_cancel::Phase;
use s3inv_index_format::TRAILER;
use s3inv_store::{Bucket, Only, Retries, StoreError, StoreErrorKind, Suspended, Upload};
use tokio::task::block_in_place;

use super::joined::{Joined, Piece, Segments};
use super::latest::advance;
use super::pause::Stretches;
use super::payload::{Checkpoint, PublishAnswer, PublishRequest, Published};
use super::plan_merge::{Committed, gather};
use super::record::{PlanRecord, Publishing, StageRecord};
use super::task::MOST_PARTS;
use super::work::{Work, drive, etag, settle};
use super::{Invocation, StepError, Version};
use crate::Cause;
use crate::destination::abort;

/// Publishes the index, or as much of it as there is time for.
pub fn publish(invocation: &Invocation, request: &PublishRequest) -> Result<PublishAnswer, StepError> {
    drive(invocation, &request.execution, Phase::Publish, async |work| {
        publish_index(work, request, |work, plan, segments| {
            block_in_place(|| Joined::of_segments(work, plan, segments))
        })
        .await
    })
}

/// Publishes what `join` makes of the segments.
pub(super) async fn publish_index(
    work: &mut Work<'_>,
    request: &PublishRequest,
    join: impl FnOnce(&Work<'_>, &PlanRecord, &Segments) -> Result<Joined, Cause>,
) -> Result<PublishAnswer, Cause> {
    let plan = work.plan().await?;
    let stage: StageRecord = work.get(&work.keys.stage(request.stage)).await?;
    if !stage.last {
        return Err(Cause::Payload(format!("payload: {} wrote no segments", request.stage)));
    }
    let Committed { files, counts: merged, retries } = gather(work, request.stage, stage.tasks).await?;
    let joined = join(work, &plan, &Segments { files, read: stage.counts, merged })?;
    let retries = [stage.retries, retries].into_iter().sum();
    publish_joined(work, &plan, &joined, retries).await
}

/// Publishes what is joined, and moves `latest.json` to it.
async fn publish_joined(
    work: &Work<'_>,
    plan: &PlanRecord,
    joined: &Joined,
    before: Retries,
) -> Result<PublishAnswer, Cause> {
    let output = work.invocation.buckets.open(&plan.output.bucket)?;
    let publisher = Publisher { work, plan, joined, key: plan.output.index(), output };
    let written = publisher.write().await;
    settle(work.invocation, &*publisher.output).await;
    if let Some(checkpoint) = written? {
        return Ok(PublishAnswer::Checkpoint(checkpoint));
    }
    let output = &*publisher.output;
    let latest = work.wait(advance(output, &plan.output.folder, &plan.output.snapshot)).await?;
    let index = output.uri(&publisher.key);
    let Retries { made: retries, throttled: retries_throttled } =
        [before, work.bucket.retries(), output.retries()].into_iter().sum();
    tracing::info!(index, bytes = joined.bytes, latest, retries, retries_throttled, "index published");
    let bytes = joined.bytes;
    Ok(PublishAnswer::Published(Published { index, bytes, latest, retries, retries_throttled }))
}

/// Makes the index appear: create, look, copy, look, complete. Cleanup writes the tombstone, and then
/// aborts all uploads at the index's key: so either this sees the tombstone, or its upload is gone.
struct Publisher<'a> {
    work: &'a Work<'a>,
    plan: &'a PlanRecord,
    joined: &'a Joined,
    key: String,
    output: Arc<dyn Bucket>,
}

/// An upload that is worked at.
struct Open {
    upload: Box<dyn Upload>,
    /// How much of it was stored when this began.
    stored: u64,
    /// Whether a record names it: then others may go on with it.
    recorded: bool,
}

/// How far an upload came.
enum Came {
    /// The index is there.
    Through,
    /// To where time was over: somebody has to go on.
    To(Checkpoint),
    /// To nothing: it was aborted by somebody else's cleanup.
    Undone,
}

impl Publisher<'_> {
    /// Nothing is returned when the index is there.
    async fn write(&self) -> Result<Option<Checkpoint>, Cause> {
        let (part, last) = self.last_record().await?;
        let mut suspended = last.map(|record| record.upload);
        loop {
            let again = suspended.is_some();
            match self.go_on(part, suspended.take()).await? {
                Came::Through => return Ok(None),
                Came::To(checkpoint) => return Ok(Some(checkpoint)),
                Came::Undone if again => tracing::warn!("the upload has gone: publishing starts over"),
                Came::Undone => {
                    let text = "its upload was aborted by somebody else";
                    return Err(StoreError::new(&self.uri(), StoreErrorKind::Retryable, text).into());
                }
            }
        }
    }

    fn uri(&self) -> String {
        self.output.uri(&self.key)
    }

    /// How many records there are, and the last of them.
    async fn last_record(&self) -> Result<(u32, Option<Publishing>), Cause> {
        let mut last = None;
        for part in 0..MOST_PARTS {
            match self.work.find::<Publishing>(&self.work.keys.publishing(part)).await? {
                Some(record) => last = Some(record),
                None => return Ok((part, last)),
            }
        }
        Err(Cause::OutOfTime)
    }

    async fn go_on(&self, part: u32, suspended: Option<Suspended>) -> Result<Came, Cause> {
        let replaced =
            if self.plan.replace { self.work.wait(etag(&*self.output, &self.key)).await? } else { None };
        let mut open = self.open(suspended).await?;
        let came = match self.copy(&mut open).await {
            Ok(true) => {
                let only = replaced.as_deref().map_or(Only::IfAbsent, Only::IfMatch);
                self.work.wait(open.upload.complete(only)).await.map(|()| Came::Through)
            }
            Ok(false) => return self.save(part, open).await.map(Came::To),
            Err(cause) => {
                self.leave(open, &cause).await;
                Err(cause)
            }
        };
        match came {
            Err(Cause::Store(error)) => self.explain(error).await,
            other => other,
        }
    }

    async fn open(&self, suspended: Option<Suspended>) -> Result<Open, Cause> {
        let Some(suspended) = suspended else {
            let upload = self.work.wait(self.output.begin(&self.key)).await?;
            return Ok(Open { upload, stored: 0, recorded: false });
        };
        let stored = suspended.bytes;
        Ok(Open { upload: self.output.resume(&self.key, suspended), stored, recorded: true })
    }

    /// Writes what is missing; whether there was time for all of it.
    async fn copy(&self, open: &mut Open) -> Result<bool, Cause> {
        let work = self.work;
        work.look().await?;
        let stretches = Stretches::begin(&work.invocation.pause);
        for (nth, piece) in self.joined.behind(open.stored).enumerate() {
            if nth > 0 && stretches.is_due(0) {
                return Ok(false);
            }
            match piece {
                Piece::Bytes(bytes) => work.wait(open.upload.write(bytes)).await?,
                Piece::Range(from, range) => work.wait(open.upload.copy(&from, range, None)).await?,
            }
        }
        work.look().await?;
        Ok(true)
    }

    /// Says how far it is, for the next invocation.
    async fn save(&self, part: u32, open: Open) -> Result<Checkpoint, Cause> {
        let Open { upload, stored, recorded } = open;
        let upload = self.work.wait(upload.suspend()).await?;
        if upload.bytes <= stored {
            self.drop_upload(upload, recorded).await;
            return Err(Cause::OutOfTime);
        }
        let attempt = self.work.invocation.attempt.clone();
        let mine = Publishing { version: Version, attempt, upload };
        let key = self.work.keys.publishing(part);
        if !self.work.put_new(&key, &mine).await? {
            let there: Publishing = self.work.get(&key).await?;
            if there.attempt != mine.attempt {
                self.drop_upload(mine.upload, recorded).await;
            }
        }
        self.work.look().await?;
        Ok(Checkpoint { checkpoint: part + 1 })
    }

    /// What can't be gone on with: it is aborted, unless others know of it.
    async fn drop_upload(&self, suspended: Suspended, recorded: bool) {
        if !recorded {
            abort(&self.work.cancellation, self.output.resume(&self.key, suspended)).await;
        }
    }

    /// What went wrong may pass: what is recorded is left for the next try, but not when the execution has
    /// ended.
    async fn leave(&self, open: Open, cause: &Cause) {
        if open.recorded && !cause.is_stop() {
            let _ = open.upload.suspend().await;
        } else {
            abort(&self.work.cancellation, open.upload).await;
        }
    }

    /// What an error of the upload means, by what is there now.
    async fn explain(&self, error: StoreError) -> Result<Came, Cause> {
        let gone = match error.kind() {
            StoreErrorKind::UploadGone => true,
            StoreErrorKind::Precondition => false,
            _ => return Err(error.into()),
        };
        if gone {
            self.work.look().await?;
        }
        let (trailer, meta) = match self.work.wait(self.output.read_tail(&self.key, TRAILER as u64)).await {
            Err(Cause::Store(error)) if error.kind() == StoreErrorKind::NotFound => return Ok(Came::Undone),
            read => read?,
        };
        if trailer == self.joined.trailer && meta.size == self.joined.bytes {
            return Ok(Came::Through);
        }
        match (self.plan.replace, gone) {
            (false, _) => Err(Cause::AlreadyPublished(self.uri())),
            // One that is to be replaced is there all the time.
            (true, true) => Ok(Came::Undone),
            (true, false) => Err(Cause::Overtaken(self.uri())),
        }
    }
}
