//! The plan of a merge: what a stage committed is gathered, and divided among the tasks of the next.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use s3inv_cancel::Phase;
use s3inv_index_format::FileKind;
use s3inv_model::RowCounts;
use s3inv_rollup::{partitions, ranges, spread_round};
use s3inv_store::Retries;
use tokio::task::block_in_place;

use super::document::{checked, find};
use super::payload::{Execution, Planned, Stage};
use super::plan::{count_of, write_tasks};
use super::record::{Commit, MergeTask, PlanRecord, Prefix, StageRecord, StoredFile};
use super::remote::Opened;
use super::scratch::committed;
use super::work::{Work, drive};
use super::{Invocation, StepError, Version};
use crate::Cause;

/// Records that are read at once.
const READ_AT_ONCE: usize = 64;
/// Directories are read front to back: each of them is short. All of them are open at once.
const DIRECTORY_WINDOWS: std::ops::RangeInclusive<usize> = 16 << 10..=256 << 10;

pub(super) fn plan_merge(
    invocation: &Invocation,
    execution: &Execution,
    ended: Stage,
) -> Result<Planned, StepError> {
    drive(invocation, execution, Phase::Merge, async |work| {
        let plan = work.plan().await?;
        next_stage(work, &plan, execution, ended).await
    })
}

async fn next_stage(
    work: &Work<'_>,
    plan: &PlanRecord,
    execution: &Execution,
    ended: Stage,
) -> Result<Planned, Cause> {
    let Committed { files: runs, counts, retries } = runs_after(work, plan, ended).await?;
    let groups = spread_round(runs.len(), plan.fan_in, plan.concurrency as usize);
    let merged = groups.last().map_or(runs.len(), |group| group.end);
    let tasks = if groups.is_empty() {
        block_in_place(|| segments(work, &runs, plan))?
    } else {
        let whole = |group: &std::ops::Range<usize>| MergeTask {
            first: group.start,
            end: group.end,
            from: None,
            until: None,
        };
        groups.iter().map(whole).collect()
    };
    let (stage, last) = (ended.next(), groups.is_empty());
    let count = count_of(&tasks)?;
    tracing::info!(next = %stage, runs = runs.len(), tasks = count, last, "merge planned");
    let record = StageRecord { version: Version, tasks: count, last, runs, merged, counts, retries };
    // Any attempt writes the same: the records that it follows from are there, and stay as they are.
    work.put(&work.keys.stage(stage), checked(&record)?).await?;
    let items = write_tasks(work, execution, stage, &tasks).await?;
    let bucket = work.invocation.scratch.bucket.clone();
    Ok(Planned { stage, bucket, items, concurrency: plan.concurrency, last })
}

/// All runs that there are after a stage, and the rows that they are of.
async fn runs_after(work: &Work<'_>, plan: &PlanRecord, ended: Stage) -> Result<Committed, Cause> {
    if ended == Stage::Ingest {
        return gather(work, ended, plan.chunks).await;
    }
    let before: StageRecord = work.get(&work.keys.stage(ended)).await?;
    if before.last {
        return Err(Cause::Payload(format!(
            "payload: nothing is merged after {ended}, which wrote the segments"
        )));
    }
    let Committed { files: mut runs, retries, .. } = gather(work, ended, before.tasks).await?;
    runs.extend(before.runs.get(before.merged..).unwrap_or_default().iter().cloned());
    if runs.len() >= before.runs.len() {
        // Every checkpoint makes a run more: with too little time, rounds would never end.
        return Err(Cause::OutOfTime);
    }
    let retries = [before.retries, retries].into_iter().sum();
    Ok(Committed { files: runs, counts: before.counts, retries })
}

/// Ranges of all prefixes.
fn segments(work: &Work<'_>, runs: &[StoredFile], plan: &PlanRecord) -> Result<Vec<MergeTask>, Cause> {
    let rows: u64 = runs.iter().map(|run| run.prefixes).fold(0, u64::saturating_add);
    let parts = ranges(rows, plan.partition_rows) as usize;
    let window = work.invocation.memory / 4 / runs.len().max(1);
    let window = window.clamp(*DIRECTORY_WINDOWS.start(), *DIRECTORY_WINDOWS.end());
    let opened = Opened::new(work, runs, FileKind::Run, |_| window)?;
    let readers: Vec<_> = opened.readers.iter().collect();
    let ranges = opened.explain(partitions(&readers, parts).map_err(Cause::from))?;
    let task = |range: s3inv_rollup::KeyRange| MergeTask {
        first: 0,
        end: runs.len(),
        from: range.from.map(Prefix),
        until: range.until.map(Prefix),
    };
    Ok(ranges.into_iter().map(task).collect())
}

/// What all tasks of a stage committed.
pub(super) struct Committed {
    pub(super) files: Vec<StoredFile>,
    pub(super) counts: RowCounts,
    pub(super) retries: Retries,
}

/// What all tasks of a stage committed, in their order, once it is certain that all have (I3).
pub(super) async fn gather(work: &Work<'_>, stage: Stage, tasks: u32) -> Result<Committed, Cause> {
    let places = committed_parts(work, stage).await?;
    for task in 0..tasks {
        let parts = places.get(&task).map_or(0, Vec::len);
        let whole = places.get(&task).is_some_and(|parts| parts.iter().copied().eq(0..parts.len() as u32));
        if !whole {
            return Err(Cause::Bug(format!(
                "task {task} of {stage} has not committed: it has {parts} records"
            )));
        }
    }
    let keys = places.iter().flat_map(|(&task, parts)| parts.iter().map(move |&part| (task, part)));
    let keys: Vec<_> = keys.map(|(task, part)| (task, work.keys.commit(stage, task, part))).collect();
    let bucket = &*work.bucket;
    let read = stream::iter(keys).map(|(task, key)| async move {
        let commit: Option<Commit<serde_json::Value>> = find(bucket, &key).await?;
        let commit = commit.ok_or_else(|| Cause::Bug(format!("{} has gone", bucket.uri(&key))))?;
        Ok::<_, Cause>((task, commit))
    });
    let commits: Vec<_> = work.wait(read.buffered(READ_AT_ONCE).try_collect()).await?;
    add_up(stage, commits)
}

fn add_up(stage: Stage, commits: Vec<(u32, Commit<serde_json::Value>)>) -> Result<Committed, Cause> {
    let (mut files, mut counts) = (Vec::new(), RowCounts::default());
    let retries = commits.iter().map(|(_, commit)| commit.retries).sum();
    let mut commits = commits.into_iter().peekable();
    while let Some((task, commit)) = commits.next() {
        let is_last = commits.peek().is_none_or(|(next, _)| *next != task);
        if is_last != commit.next.is_none() {
            return Err(Cause::Bug(format!("task {task} of {stage} has not committed all of its parts")));
        }
        let sum = counts.plus(&commit.counts);
        counts = sum.ok_or_else(|| s3inv_index_format::FormatError::Overflow("rows read".to_owned()))?;
        files.extend(commit.files);
    }
    Ok(Committed { files, counts, retries })
}

/// The parts of each task that have a record.
async fn committed_parts(work: &Work<'_>, stage: Stage) -> Result<BTreeMap<u32, Vec<u32>>, Cause> {
    let prefix = work.keys.commits(stage);
    let mut places: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut next = None;
    loop {
        let page = work.wait(work.bucket.list(&prefix, next.as_deref(), false)).await?;
        for object in page.objects {
            let place = object.key.strip_prefix(&prefix).and_then(committed);
            let (task, part) = place.ok_or_else(|| Cause::Bug(format!("{} is no record", object.key)))?;
            places.entry(task).or_default().push(part);
        }
        next = page.next;
        if next.is_none() {
            return Ok(places);
        }
    }
}
