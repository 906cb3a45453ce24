//! The merge step: a group of runs becomes one, or a range of all runs a segment of the index.

use s3inv_cancel::Phase;
use s3inv_index_format::{FileKind, Form};
use s3inv_model::Schema;
use s3inv_rollup::{Interrupt, KeyRange};
use s3inv_store::Retries;
use tokio::task::block_in_place;

use super::pause::Stretches;
use super::payload::{Checkpoint, TaskRequest};
use super::record::{MergeTask, Prefix, StageRecord, StoredFile};
use super::remote::{LARGEST_WINDOW, Opened};
use super::task::{Attempt, Part, next_part};
use super::work::drive;
use super::{Invocation, Stage, StepError};
use crate::Cause;
use crate::memory::TABLE;

/// A smaller window would have a merge wait for S3 most of its time.
const SMALLEST_WINDOW: usize = 128 << 10;
/// What a run that is open takes besides its window, and what the page does that is written.
const BESIDE: usize = 192 << 10;

/// What is merged and not sent yet, at most: a part of an upload.
const UNSENT: usize = 8 << 20;

/// Merges, or as much of it as there is time for. Nothing is returned when it is done.
pub fn merge(invocation: &Invocation, request: &TaskRequest) -> Result<Option<Checkpoint>, StepError> {
    if request.stage == Stage::Ingest {
        return Err(StepError::bad_input("payload: ingest is no stage to merge in"));
    }
    drive(invocation, &request.execution, Phase::Merge, async |work| {
        let lookup = work.plan().await?.lookup;
        let stage: StageRecord = work.get(&work.keys.stage(request.stage)).await?;
        let task: MergeTask = work.description(request).await?;
        next_part(work, request, async |attempt, start| {
            block_in_place(|| part(attempt, &stage, &task, start, stage.last && lookup))
        })
        .await
    })
}

fn part(
    attempt: &Attempt<'_>,
    stage: &StageRecord,
    task: &MergeTask,
    start: Option<Prefix>,
    lookup: bool,
) -> Result<Part<Prefix>, Cause> {
    let work = attempt.work;
    let runs = stage.runs.get(task.first..task.end).unwrap_or_default();
    let table = if lookup { TABLE } else { 0 };
    let window = window(work.invocation.memory.saturating_sub(table), runs.len())?;
    // A range takes about as much of each run: what is fetched beyond that is fetched for nothing.
    let tasks = if stage.last { u64::from(stage.tasks).max(1) } else { 1 };
    let useful = |run: &StoredFile| usize::try_from(2 * run.bytes / tasks).unwrap_or(usize::MAX);
    let opened = Opened::new(work, runs, FileKind::Run, |run| useful(run).clamp(SMALLEST_WINDOW, window))?;
    let readers: Vec<_> = opened.readers.iter().collect();
    let schema = Schema::union(readers.iter().map(|reader| &reader.info().schema))?;
    let range = KeyRange {
        from: start.or_else(|| task.from.clone()).map(|Prefix(from)| from),
        until: task.until.clone().map(|Prefix(until)| until),
    };
    let form = if stage.last { Form::segment(lookup) } else { Form::RUN };
    let stretches = Stretches::begin(&work.invocation.pause);
    let interrupt = Interrupt {
        between: &|| Ok::<(), Cause>(work.cancellation.check()?),
        pause: &|| stretches.is_due(UNSENT),
    };
    let (key, mut out) = attempt.create()?;
    let merged = s3inv_rollup::merge(&readers, &range, &schema, form, &mut out, &interrupt)
        .map(|merged| (merged.info, merged.next));
    let merged = merged.map_err(|cause| out.failure().unwrap_or(cause));
    let (info, next) = opened.explain(merged)?;
    let stored = attempt.complete((key, out), &info)?;
    tracing::info!(runs = runs.len(), prefixes = info.prefixes, done = next.is_none(), "range merged");
    let retries = Retries::default();
    Ok(Part { files: vec![stored], counts: info.counts, retries, next: next.map(Prefix) })
}

/// How much of each run is read at once.
fn window(memory: usize, runs: usize) -> Result<usize, Cause> {
    let window = (memory / runs.max(1)).saturating_sub(BESIDE).min(LARGEST_WINDOW);
    if window >= SMALLEST_WINDOW {
        return Ok(window);
    }
    let need = runs * (SMALLEST_WINDOW + BESIDE);
    Err(Cause::Payload(format!(
        "{runs} runs need {need} bytes of memory, but there are {memory}: give the function more, or lower options.fan_in"
    )))
}
