//! The ingest phase: each worker reads the data files of its chunk into sorted runs.

mod fetch;
mod file;
mod parts;
mod ranges;

use std::sync::Arc;

use s3inv_cancel::Cancellation;
use s3inv_inventory::Batch;
use s3inv_model::{Columns, RowCounts};
use s3inv_rollup::Rollup;

use crate::Cause;
use crate::build::{Context, side_by_side};
use crate::plan::{Input, Plan, Reading};
use crate::scratch::{Runs, Stored};

/// What one worker made of its chunk.
pub(crate) struct Chunk {
    pub(crate) runs: Vec<Stored>,
    pub(crate) counts: RowCounts,
}

/// Reads all data files.
pub(crate) fn ingest(context: &Context, plan: &Plan) -> Result<Vec<Chunk>, Cause> {
    let memory = crate::memory::ingest(context.memory, plan.chunks.len());
    tracing::debug!(?memory, chunks = plan.chunks.len(), "ingest phase");
    side_by_side(context, plan.chunks.len(), plan.chunks.len(), |at, cancellation| {
        let files = plan.chunks.get(at).map(Vec::as_slice).unwrap_or_default();
        Worker { context, cancellation, memory, reading: &plan.reading }.chunk(files)
    })
}

/// A computing thread with its memory.
struct Worker<'a> {
    context: &'a Context,
    cancellation: &'a Cancellation,
    memory: crate::memory::IngestMemory,
    reading: &'a Reading,
}

impl Worker<'_> {
    fn chunk(&self, files: &[Input]) -> Result<Chunk, Cause> {
        let runs = Runs { scratch: Arc::clone(&self.context.scratch), stored: Vec::new() };
        let mut totals = Totals {
            columns: Columns::default(),
            counts: RowCounts::default(),
            rollup: Rollup::new(self.memory.table, self.context.max_depth, runs),
        };
        match self.reading {
            Reading::Csv(layout) => self.csv_files(files, layout, &mut totals)?,
            Reading::Parquet => self.parquet_files(files, &mut totals)?,
        }
        let Totals { columns, counts, rollup } = totals;
        let runs = rollup
            .finish::<Cause>(&columns, &counts, &|| Ok(self.cancellation.check()?))
            .map_err(|cause| cause.in_scratch(self.context.scratch.path()))?;
        Ok(Chunk { runs: runs.stored, counts })
    }

    /// Counts a batch of rows. Cancellation is looked for here: at least every 1,024 rows.
    fn count(&self, batch: &Batch<'_>, rollup: &mut Rollup<Runs>) -> Result<(), Cause> {
        let check = || Ok::<(), Cause>(self.cancellation.check()?);
        check()?;
        rollup.add(batch.iter(), batch.columns(), &check)?;
        self.context.progress.add_rows(batch.len() as u64);
        Ok(())
    }
}

/// What a chunk has come to so far.
struct Totals {
    columns: Columns,
    counts: RowCounts,
    rollup: Rollup<Runs>,
}
