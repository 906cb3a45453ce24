//! The ingest step: a chunk of data files becomes sorted runs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use s3inv_cancel::Phase;
use s3inv_index_format::Info;
use s3inv_rollup::RunSink;
use s3inv_store::Store;
use tokio::task::block_in_place;

use super::payload::{Checkpoint, TaskRequest};
use super::record::{ListedFile, PlanRecord, StoredFile};
use super::task::{Attempt, Part, next_part};
use super::work::{Work, drive};
use super::{Invocation, Stage, StepError};
use crate::destination::Destination;
use crate::ingest::{Failure, Position, Worker};
use crate::plan::Input;
use crate::{Cause, Progress, memory};

/// Reads a chunk, or as much of it as there is time for. Nothing is returned when it is done.
pub fn ingest(invocation: &Invocation, request: &TaskRequest) -> Result<Option<Checkpoint>, StepError> {
    if request.stage != Stage::Ingest {
        return Err(StepError::bad_input(format!("payload: {} is no stage to ingest in", request.stage)));
    }
    drive(invocation, &request.execution, Phase::Ingest, async |work| {
        let plan = work.plan().await?;
        let files = files(work, &plan, request).await?;
        next_part(work, request, async |attempt, start| {
            block_in_place(|| part(attempt, &plan, &files, &start.unwrap_or_default()))
        })
        .await
    })
}

fn part(
    attempt: &Attempt<'_>,
    plan: &PlanRecord,
    files: &[Input],
    start: &Position,
) -> Result<Part<Position>, Cause> {
    let work = attempt.work;
    let invocation = work.invocation;
    let (layout, reading) = (plan.layout()?, plan.reading()?);
    let progress = Progress::default();
    let worker = Worker {
        runtime: &invocation.runtime,
        cancellation: &work.cancellation,
        progress: &progress,
        memory: memory::ingest(invocation.memory, 1, reading.binning.measures()),
        max_depth: plan.max_depth,
        verify_md5: plan.verify_md5,
        layout: &layout,
        reading: &reading,
        pause: &|bytes| invocation.pause.is_due(bytes),
    };
    let failure = Failure::default();
    let runs = Runs { attempt, stored: Vec::new(), failure: failure.clone() };
    let ingested = worker.chunk(files, start, runs);
    let ingested = ingested.map_err(|cause| failure.take().unwrap_or(cause))?;
    tracing::info!(
        files = files.len(),
        rows = ingested.counts.rows,
        runs = ingested.sink.stored.len(),
        done = ingested.next.is_none(),
        "chunk read"
    );
    let retries = files.first().map(|file| file.store.retries()).unwrap_or_default();
    Ok(Part { files: ingested.sink.stored, counts: ingested.counts, retries, next: ingested.next })
}

/// The chunk's data files.
async fn files(work: &Work<'_>, plan: &PlanRecord, request: &TaskRequest) -> Result<Vec<Input>, Cause> {
    let listed: Vec<ListedFile> = work.description(request).await?;
    let bucket = work.wait(work.invocation.buckets.anywhere(&plan.bucket)).await?;
    let store: Arc<dyn Store> = bucket;
    let place = |ListedFile { key, size, md5 }: ListedFile| {
        let md5 =
            u128::from_str_radix(&md5, 16).map_err(|_| Cause::Bug(format!("a plan with the MD5 {md5:?}")))?;
        Ok(Input { store: Arc::clone(&store), key, size, md5: md5.to_be_bytes() })
    };
    listed.into_iter().map(place).collect()
}

/// Keeps the runs of an attempt.
struct Runs<'a> {
    attempt: &'a Attempt<'a>,
    stored: Vec<StoredFile>,
    /// Why a run could not be written: an `io::Error` can't say it.
    failure: Failure,
}

/// A run on its way to S3.
struct Run {
    key: String,
    out: Destination,
    failure: Failure,
    /// When it was begun, on the clock of the pause.
    began: Duration,
}

impl io::Write for Run {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        if let Some(cause) = self.out.failure() {
            return Err(self.failure.set(cause));
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl RunSink for Runs<'_> {
    type Out = Run;

    fn create(&mut self) -> io::Result<Run> {
        let (key, out) = self.attempt.create().map_err(|cause| self.failure.set(cause))?;
        let began = self.attempt.work.invocation.pause.now();
        Ok(Run { key, out, failure: self.failure.clone(), began })
    }

    fn done(&mut self, Run { key, out, began, .. }: Run, info: Info) -> io::Result<()> {
        let stored = self.attempt.complete((key, out), &info).map_err(|cause| self.failure.set(cause))?;
        let pause = &self.attempt.work.invocation.pause;
        // A run is shorter than what it was in memory: that is taken to be as long.
        pause.saving.measured(stored.bytes, pause.now().saturating_sub(began));
        self.stored.push(stored);
        Ok(())
    }
}
