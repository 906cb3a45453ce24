//! The ingest phase: each worker reads the data files of its chunk into sorted runs.

mod fetch;
mod file;
mod parts;
mod ranges;

pub(crate) use ranges::{Failure, Ranges};

use std::sync::Arc;

use s3inv_cancel::{Cancellation, Stop};
use s3inv_inventory::{Batch, Reading};
use s3inv_model::{Classes, RowCounts};
use s3inv_rollup::{Rollup, RunSink};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::build::{Context, side_by_side};
use crate::memory::IngestMemory;
use crate::plan::{Input, Layout, Plan};
use crate::scratch::{Runs, Stored};
use crate::{Cause, Progress};

/// What one worker made of its chunk.
pub(crate) struct Chunk {
    pub(crate) runs: Vec<Stored>,
    pub(crate) counts: RowCounts,
}

/// Reads all data files.
pub(crate) fn ingest(context: &Context, plan: &Plan) -> Result<Vec<Chunk>, Cause> {
    let Plan { inventory, chunks } = plan;
    let memory = crate::memory::ingest(context.memory, chunks.len(), inventory.reading.binning.measures());
    tracing::debug!(?memory, chunks = chunks.len(), "ingest phase");
    side_by_side(&context.cancellation, chunks.len(), chunks.len(), |at, cancellation| {
        let worker = Worker {
            runtime: &context.runtime,
            cancellation,
            progress: &context.progress,
            memory,
            max_depth: context.max_depth,
            verify_md5: context.verify_md5,
            layout: &inventory.layout,
            reading: &inventory.reading,
            pause: &|| false,
        };
        let runs = Runs { scratch: Arc::clone(&context.scratch), stored: Vec::new() };
        let files = chunks.get(at).map(Vec::as_slice).unwrap_or_default();
        let ingested = worker.chunk(files, &Position::default(), runs);
        let ingested = ingested.map_err(|cause| cause.in_scratch(context.scratch.path()))?;
        Ok(Chunk { runs: ingested.sink.stored, counts: ingested.counts })
    })
}

/// A computing thread with its memory.
pub(crate) struct Worker<'a> {
    pub(crate) runtime: &'a Handle,
    pub(crate) cancellation: &'a Cancellation,
    pub(crate) progress: &'a Progress,
    pub(crate) memory: IngestMemory,
    pub(crate) max_depth: Option<usize>,
    pub(crate) verify_md5: bool,
    pub(crate) layout: &'a Layout,
    pub(crate) reading: &'a Reading,
    /// Asked after each batch: if so, what has been read is written, and the rest is left.
    pub(crate) pause: &'a dyn Fn() -> bool,
}

/// How far a chunk has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The file, by its place in the chunk.
    pub(crate) file: usize,
    /// Rows of it that have been counted.
    pub(crate) rows: u64,
    /// What they were counted as.
    pub(crate) counts: RowCounts,
}

/// What a worker read.
pub(crate) struct Ingested<S> {
    /// Where the runs went.
    pub(crate) sink: S,
    /// What was read this time.
    pub(crate) counts: RowCounts,
    /// Where to go on, if there is more.
    pub(crate) next: Option<Position>,
}

impl Worker<'_> {
    /// Reads a chunk from `start` on into runs. Before it pauses, it has read at least one batch of rows.
    pub(crate) fn chunk<S: RunSink>(
        &self,
        files: &[Input],
        start: &Position,
        sink: S,
    ) -> Result<Ingested<S>, Cause> {
        let measures = self.reading.binning.measures().clone();
        let mut totals = Totals {
            classes: self.reading.classes(),
            counts: RowCounts::default(),
            rollup: Rollup::new(self.memory.table, self.max_depth, measures, sink),
            before: start.rows,
            paused: None,
        };
        let next = self.files(files, start, &mut totals)?;
        let Totals { classes, counts, rollup, .. } = totals;
        let counts = counts.minus(&start.counts).ok_or_else(|| {
            Cause::Bug("a chunk that was read on has fewer rows than were read before".to_owned())
        })?;
        let sink = rollup.finish::<Cause>(&classes, &counts, &|| Ok(self.cancellation.check()?))?;
        Ok(Ingested { sink, counts, next })
    }

    /// Counts a batch of rows. Cancellation is looked for here: at least every 1,024 rows.
    fn count<S: RunSink>(&self, batch: &Batch<'_>, counting: &mut Counting<'_, S>) -> Result<(), Cause> {
        let check = || Ok::<(), Cause>(self.cancellation.check()?);
        check()?;
        self.progress.add_rows(batch.len() as u64);
        // Counted before, when this chunk was read up to here.
        if batch.end() <= *counting.before {
            return Ok(());
        }
        counting.rollup.add(batch.iter(), batch.classes(), &check)?;
        if (self.pause)() {
            *counting.paused = Some(batch.end());
            return Err(Stop::DeadlineExceeded.into());
        }
        Ok(())
    }
}

/// What a chunk has come to so far.
struct Totals<S> {
    classes: Classes,
    counts: RowCounts,
    rollup: Rollup<S>,
    /// Rows of the file being read that have been counted before.
    before: u64,
    /// The row of it that was to be the last.
    paused: Option<u64>,
}

/// The part of [`Totals`] that counts batches.
struct Counting<'t, S> {
    rollup: &'t mut Rollup<S>,
    before: &'t u64,
    paused: &'t mut Option<u64>,
}
