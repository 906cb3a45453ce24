//! The ingest phase: each worker reads the data files of its chunk into sorted runs.

mod fetch;
mod file;
mod parts;
mod position;
mod ranges;

pub(crate) use position::Position;
pub(crate) use ranges::{Failure, Ranges};

use std::sync::Arc;

use s3inv_cancel::Cancellation;
use s3inv_inventory::{Batch, Reading};
use s3inv_model::{Classes, RowCounts};
use s3inv_rollup::{Rollup, RunSink};
use tokio::runtime::Handle;

use crate::build::{Context, side_by_side};
use crate::memory::IngestMemory;
use crate::plan::{Input, Layout, Plan};
use crate::scratch::{Runs, Stored};
use crate::{Cause, Progress};
use position::{Halt, Place};

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
            pause: &|_| false,
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
    /// Asked behind each batch, before each file and while one is fetched, with how many bytes are in memory
    /// that would have to be saved: if so, they are, and the rest is left.
    pub(crate) pause: &'a dyn Fn(usize) -> bool,
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
    /// Reads a chunk from `start` on into runs. Before it pauses, it has got further than `start`.
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
        };
        let next = self.files(files, start, &mut totals)?;
        let Totals { classes, counts, rollup } = totals;
        let sink = rollup.finish::<Cause>(&classes, &counts, &|| Ok(self.cancellation.check()?))?;
        Ok(Ingested { sink, counts, next })
    }

    /// Counts a batch of rows. Cancellation is looked for here: at least every 1,024 rows.
    fn count<S: RunSink>(
        &self,
        batch: &Batch<'_>,
        place: &Place<'_>,
        rollup: &mut Rollup<S>,
    ) -> Result<(), Halt> {
        let check = || Ok::<(), Cause>(self.cancellation.check()?);
        check()?;
        self.progress.add_rows(batch.len() as u64);
        rollup.add(batch.iter(), batch.classes(), &check)?;
        // A file that has been read is not read again up to its end: there is a pause before the next.
        if batch.is_last() { Ok(()) } else { self.go_on(place, batch.end(), rollup.held()) }
    }

    /// Whether there is time to go on behind row `row` of a file, with so many bytes in memory.
    fn go_on(&self, place: &Place<'_>, row: u64, held: usize) -> Result<(), Halt> {
        if !(self.pause)(held) {
            return Ok(());
        }
        if row > place.known() || !place.is_first {
            return Err(Halt::Paused(row));
        }
        match place.known() {
            // Nothing has been read yet: what a pause could save is yet to come.
            0 => Ok(()),
            row => Err(Cause::TooSlow { uri: place.file.uri(), row }.into()),
        }
    }
}

/// What a chunk has come to so far.
struct Totals<S> {
    classes: Classes,
    counts: RowCounts,
    rollup: Rollup<S>,
}

#[cfg(test)]
mod tests;
