//! The publish step: segments are joined by copies inside S3, and the index appears at once.

use s3inv_cancel::Phase;
use s3inv_index_format::{FileKind, Joiner, PAGES_AT, TRAILER};
use s3inv_model::RowCounts;
use s3inv_store::{Bucket, Only, StoreError, StoreErrorKind, Upload};
use tokio::task::block_in_place;

use super::latest::advance;
use super::payload::{PublishRequest, Published};
use super::plan_merge::gather;
use super::record::{PlanRecord, StageRecord, StoredFile};
use super::remote::Opened;
use super::work::{Work, drive, etag, settle};
use super::{Invocation, StepError};
use crate::Cause;
use crate::destination::abort;
use crate::finalize::check_sums;

/// Directories are all that is read of segments.
const WINDOW: usize = 1 << 20;

/// Publishes the index.
pub fn publish(invocation: &Invocation, request: &PublishRequest) -> Result<Published, StepError> {
    drive(invocation, &request.execution, Phase::Publish, async |work| {
        let plan = work.plan().await?;
        publish_index(work, &plan, request).await
    })
}

async fn publish_index(
    work: &Work<'_>,
    plan: &PlanRecord,
    request: &PublishRequest,
) -> Result<Published, Cause> {
    let stage: StageRecord = work.get(&work.keys.stage(request.stage)).await?;
    if !stage.last {
        return Err(Cause::Payload(format!("payload: {} wrote no segments", request.stage)));
    }
    let (segments, merged) = gather(work, request.stage, stage.tasks).await?;
    let joined = block_in_place(|| Joined::new(work, plan, &segments, &stage.counts, &merged))?;
    let output = work.invocation.buckets.open(&plan.output.bucket)?;
    let written = write(work, &*output, plan, &joined).await;
    settle(work.invocation, &*output).await;
    written?;
    let latest = work.wait(advance(&*output, &plan.output.folder, &plan.output.snapshot)).await?;
    let index = output.uri(&plan.output.index());
    tracing::info!(index, bytes = joined.bytes, latest, "index published");
    Ok(Published { index, bytes: joined.bytes, latest })
}

/// An index as the ranges of segments that it is made of, with what comes before and behind them.
struct Joined {
    head: Vec<u8>,
    /// URIs of segments, and which of their bytes.
    pages: Vec<(String, std::ops::Range<u64>)>,
    tail: Vec<u8>,
    bytes: u64,
}

impl Joined {
    fn new(
        work: &Work<'_>,
        plan: &PlanRecord,
        segments: &[StoredFile],
        counts: &RowCounts,
        merged: &RowCounts,
    ) -> Result<Self, Cause> {
        let opened = Opened::new(work, segments, FileKind::Segment, WINDOW)?;
        opened.explain(check_sums(opened.readers.first(), counts, Some(merged)))?;
        let mut joiner = Joiner::new(Vec::new())?;
        for segment in &opened.readers {
            let appended = joiner.append_elsewhere(segment, || Ok::<(), Cause>(work.cancellation.check()?));
            opened.explain(appended)?;
        }
        let max_depth = plan.max_depth.map(|depth| depth as u64);
        let (mut head, _) = joiner.finish(max_depth, plan.unknown.clone(), plan.origin.clone())?;
        let tail = head.split_off(PAGES_AT as usize);
        let uris = segments.iter().map(|segment| work.bucket.uri(&segment.key));
        let pages: Vec<_> = uris.zip(opened.readers.iter().map(s3inv_index_format::Reader::pages)).collect();
        let copied: u64 = pages.iter().map(|(_, range)| range.end - range.start).sum();
        let bytes = head.len() as u64 + copied + tail.len() as u64;
        Ok(Self { head, pages, tail, bytes })
    }

    /// The end of the file, which has checksums of all of it.
    fn trailer(&self) -> &[u8] {
        self.tail.get(self.tail.len().saturating_sub(TRAILER)..).unwrap_or_default()
    }
}

/// Makes the index appear: create, look, copy, look, complete. Cleanup writes the tombstone, and then
/// aborts all uploads at the index's key: so either this sees the tombstone, or its upload is gone.
async fn write(
    work: &Work<'_>,
    output: &dyn Bucket,
    plan: &PlanRecord,
    joined: &Joined,
) -> Result<(), Cause> {
    let key = plan.output.index();
    let replaced = if plan.replace { work.wait(etag(output, &key)).await? } else { None };
    let upload = work.wait(output.begin(&key)).await?;
    match copy(work, upload, joined, replaced.as_deref()).await {
        Err(Cause::Store(error)) if error.kind() == StoreErrorKind::UploadGone => {
            work.look().await?;
            match same_index(work, output, &key, joined).await {
                // The old one. Somebody else's cleanup has aborted the upload: it starts over.
                Err(Cause::AlreadyPublished(_)) if plan.replace => {
                    Err(error_to_retry(output, &key, "its upload was aborted"))
                }
                other => other,
            }
        }
        Err(Cause::Store(error)) if error.kind() == StoreErrorKind::Precondition => {
            same_index(work, output, &key, joined).await
        }
        other => other,
    }
}

async fn copy(
    work: &Work<'_>,
    mut upload: Box<dyn Upload>,
    joined: &Joined,
    replaced: Option<&str>,
) -> Result<(), Cause> {
    match write_all(work, &mut *upload, joined).await {
        Ok(()) => {
            let only = replaced.map_or(Only::IfAbsent, Only::IfMatch);
            work.wait(upload.complete(only)).await
        }
        Err(cause) => {
            abort(&work.cancellation, upload).await;
            Err(cause)
        }
    }
}

async fn write_all(work: &Work<'_>, upload: &mut dyn Upload, joined: &Joined) -> Result<(), Cause> {
    work.look().await?;
    work.wait(upload.write(joined.head.clone().into())).await?;
    for (from, range) in &joined.pages {
        work.wait(upload.copy(from, range.clone(), None)).await?;
    }
    work.wait(upload.write(joined.tail.clone().into())).await?;
    work.look().await
}

/// What is there is this index, or another one.
async fn same_index(work: &Work<'_>, output: &dyn Bucket, key: &str, joined: &Joined) -> Result<(), Cause> {
    let (trailer, meta) = match work.wait(output.read_tail(key, TRAILER as u64)).await {
        Ok(read) => read,
        // Somebody has removed it: publishing starts over.
        Err(Cause::Store(error)) if error.kind() == StoreErrorKind::NotFound => {
            return Err(error_to_retry(output, key, "it was removed while it was published"));
        }
        Err(cause) => return Err(cause),
    };
    if trailer == joined.trailer() && meta.size == joined.bytes {
        return Ok(());
    }
    Err(Cause::AlreadyPublished(output.uri(key)))
}

fn error_to_retry(output: &dyn Bucket, key: &str, text: &str) -> Cause {
    StoreError::new(&output.uri(key), StoreErrorKind::Retryable, text).into()
}
