//! The ingest step: a chunk of data files becomes sorted runs.

use std::io;
use std::sync::Arc;

use s3inv_cancel::Phase;
use s3inv_index_format::Info;
use s3inv_rollup::RunSink;
use s3inv_store::Store;

use super::payload::{Checkpoint, TaskRequest};
use super::record::{ListedFile, PlanRecord, StoredFile};
use super::task::{Attempt, Part, next_part};
use super::work::Work;
use super::{Invocation, Stage, StepError};
use crate::destination::Destination;
use crate::ingest::{Failure, Position, Worker};
use crate::plan::Input;
use crate::{Cause, Progress, memory};

/// Reads a chunk, or as much of it as there is time for. Nothing is returned when it is done.
pub fn ingest(invocation: &Invocation, request: &TaskRequest) -> Result<Option<Checkpoint>, StepError> {
    let failed = |cause| StepError::in_phase(Phase::Ingest, cause);
    if request.stage != Stage::Ingest {
        return Err(StepError::bad_input(format!("payload: {} is no stage to ingest in", request.stage)));
    }
    let (work, plan) = Work::with_plan(invocation, &request.execution).map_err(failed)?;
    let done = chunk(&work, &plan, request);
    work.end(done).map_err(failed)
}

fn chunk(work: &Work<'_>, plan: &PlanRecord, request: &TaskRequest) -> Result<Option<Checkpoint>, Cause> {
    let invocation = work.invocation;
    let files = files(work, plan, request)?;
    let (layout, reading) = (plan.layout()?, plan.reading()?);
    let progress = Progress::default();
    next_part(work, request, |attempt, start: Option<Position>| {
        let worker = Worker {
            runtime: &invocation.runtime,
            cancellation: &work.cancellation,
            progress: &progress,
            memory: memory::ingest(invocation.memory, 1, reading.binning.measures()),
            max_depth: plan.max_depth,
            verify_md5: plan.verify_md5,
            layout: &layout,
            reading: &reading,
            pause: &|_| invocation.pause.check().is_err(),
        };
        let failure = Failure::default();
        let runs = Runs { attempt, stored: Vec::new(), failure: failure.clone() };
        let ingested = worker.chunk(&files, &start.unwrap_or_default(), runs);
        let ingested = ingested.map_err(|cause| failure.take().unwrap_or(cause))?;
        tracing::info!(
            files = files.len(),
            rows = ingested.counts.rows,
            runs = ingested.sink.stored.len(),
            done = ingested.next.is_none(),
            "chunk read"
        );
        Ok(Part { files: ingested.sink.stored, counts: ingested.counts, next: ingested.next })
    })
}

/// The chunk's data files.
fn files(work: &Work<'_>, plan: &PlanRecord, request: &TaskRequest) -> Result<Vec<Input>, Cause> {
    let listed: Vec<ListedFile> = work.description(request)?;
    let bucket = work.wait(work.invocation.buckets.anywhere(&plan.bucket))?;
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
        Ok(Run { key, out, failure: self.failure.clone() })
    }

    fn done(&mut self, Run { key, out, .. }: Run, info: Info) -> io::Result<()> {
        let stored = self.attempt.complete((key, out), &info).map_err(|cause| self.failure.set(cause))?;
        self.stored.push(stored);
        Ok(())
    }
}
