//! The merge phase: rounds until few enough runs are left, then segments side by side.

use std::fs::File;

use s3inv_index_format::{Form, FormatError, Reader};
use s3inv_model::Schema;
use s3inv_rollup::{Interrupt, KeyRange, first_round, merge, partitions};

use crate::build::{Context, side_by_side};
use crate::scratch::Stored;
use crate::{Cause, memory};

/// Ranges for each worker: some take longer than others.
const RANGES: usize = 4;

/// The segments of the index, in their order, and how many rounds it took.
pub(crate) fn merge_all(context: &Context, mut runs: Vec<Stored>) -> Result<(Vec<Stored>, usize), Cause> {
    let memory = memory::merge(context.memory, context.workers, context.lookup);
    let mut rounds = 1;
    loop {
        let groups = first_round(runs.len(), memory.fan_in);
        tracing::debug!(runs = runs.len(), groups = groups.len(), fan_in = memory.fan_in, "merge round");
        if groups.is_empty() {
            break;
        }
        let rest = runs.split_off(groups.last().map_or(0, |group| group.end));
        // The runs that were merged are removed here.
        runs = round(context, &groups, &runs)?;
        runs.extend(rest);
        rounds += 1;
    }
    Ok((segments(context, &runs)?, rounds))
}

/// Merges each group to one run.
fn round(
    context: &Context,
    groups: &[std::ops::Range<usize>],
    runs: &[Stored],
) -> Result<Vec<Stored>, Cause> {
    context.progress.expect_merge(rows(runs));
    let form = Form::RUN;
    side_by_side(&context.cancellation, groups.len(), context.workers, |at, cancellation| {
        let group = groups.get(at).cloned().and_then(|group| runs.get(group)).unwrap_or_default();
        let readers = open(group)?;
        let readers: Vec<_> = readers.iter().collect();
        let schema = schema_of(&readers)?;
        merge_one(context, cancellation, &readers, &KeyRange::default(), &schema, form)
    })
}

fn segments(context: &Context, runs: &[Stored]) -> Result<Vec<Stored>, Cause> {
    context.progress.expect_merge(rows(runs));
    let readers = open(runs)?;
    let readers: Vec<_> = readers.iter().collect();
    let schema = schema_of(&readers)?;
    let ranges = partitions(&readers, context.workers * RANGES)?;
    let form = Form::segment(context.lookup);
    side_by_side(&context.cancellation, ranges.len(), context.workers, |at, cancellation| {
        let range = ranges.get(at).cloned().unwrap_or_default();
        merge_one(context, cancellation, &readers, &range, &schema, form)
    })
}

fn merge_one(
    context: &Context,
    cancellation: &s3inv_cancel::Cancellation,
    readers: &[&Reader<File>],
    range: &KeyRange,
    schema: &Schema,
    form: Form,
) -> Result<Stored, Cause> {
    let out = context.scratch.file().map_err(FormatError::from)?;
    let between = || {
        context.progress.add_merged(1000);
        Ok::<(), Cause>(cancellation.check()?)
    };
    between()?;
    let interrupt = Interrupt { between: &between, pause: &|| false };
    let merged = merge(readers, range, schema, form, out, &interrupt)?;
    Ok(Stored::new(merged.out, merged.info))
}

fn open(runs: &[Stored]) -> Result<Vec<Reader<File>>, FormatError> {
    runs.iter().map(Stored::open).collect()
}

fn rows(runs: &[Stored]) -> u64 {
    runs.iter().map(|run| run.info.prefixes).sum()
}

fn schema_of(readers: &[&Reader<File>]) -> Result<Schema, Cause> {
    Ok(Schema::union(readers.iter().map(|reader| &reader.info().schema))?)
}
