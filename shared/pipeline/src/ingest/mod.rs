//! The ingest phase: each worker reads the data files of its chunk into sorted runs.

mod fetch;
mod file;
mod parts;
mod ranges;

pub(crate) use ranges::Ranges;

use std::sync::Arc;

use s3inv_cancel::Cancellation;
use s3inv_inventory::Batch;
use s3inv_inventory::Reading;
use s3inv_model::{Classes, RowCounts};
use s3inv_rollup::Rollup;

use crate::Cause;
use crate::build::{Context, side_by_side};
use crate::plan::{Input, Layout, Plan};
use crate::scratch::{Runs, Stored};

/// What one worker made of its chunk.
pub(crate) struct Chunk {
    pub(crate) runs: Vec<Stored>,
    pub(crate) counts: RowCounts,
}

/// Reads all data files.
pub(crate) fn ingest(context: &Context, plan: &Plan) -> Result<Vec<Chunk>, Cause> {
    let memory = crate::memory::ingest(context.memory, plan.chunks.len(), plan.reading.binning.measures());
    tracing::debug!(?memory, chunks = plan.chunks.len(), "ingest phase");
    side_by_side(context, plan.chunks.len(), plan.chunks.len(), |at, cancellation| {
        let files = plan.chunks.get(at).map(Vec::as_slice).unwrap_or_default();
        Worker { context, cancellation, memory, layout: &plan.layout, reading: &plan.reading }.chunk(files)
    })
}

/// A computing thread with its memory.
struct Worker<'a> {
    context: &'a Context,
    cancellation: &'a Cancellation,
    memory: crate::memory::IngestMemory,
    layout: &'a Layout,
    reading: &'a Reading,
}

impl Worker<'_> {
    fn chunk(&self, files: &[Input]) -> Result<Chunk, Cause> {
        let runs = Runs { scratch: Arc::clone(&self.context.scratch), stored: Vec::new() };
        let mut totals = Totals {
            classes: self.reading.classes(),
            counts: RowCounts::default(),
            rollup: Rollup::new(
                self.memory.table,
                self.context.max_depth,
                self.reading.binning.measures().clone(),
                runs,
            ),
        };
        match self.layout {
            Layout::Csv(layout) => self.csv_files(files, layout, &mut totals)?,
            Layout::Columns(format) => self.column_files(files, *format, &mut totals)?,
        }
        let Totals { classes, counts, rollup } = totals;
        let runs = rollup
            .finish::<Cause>(&classes, &counts, &|| Ok(self.cancellation.check()?))
            .map_err(|cause| cause.in_scratch(self.context.scratch.path()))?;
        Ok(Chunk { runs: runs.stored, counts })
    }

    /// Counts a batch of rows. Cancellation is looked for here: at least every 1,024 rows.
    fn count(&self, batch: &Batch<'_>, rollup: &mut Rollup<Runs>) -> Result<(), Cause> {
        let check = || Ok::<(), Cause>(self.cancellation.check()?);
        check()?;
        rollup.add(batch.iter(), batch.classes(), &check)?;
        self.context.progress.add_rows(batch.len() as u64);
        Ok(())
    }
}

/// What a chunk has come to so far.
struct Totals {
    classes: Classes,
    counts: RowCounts,
    rollup: Rollup<Runs>,
}
