//! The last two phases: segments are joined beside the destination, and what was joined is published.

use s3inv_index_format::{Info, Joiner, ReadAt, Reader};
use s3inv_model::RowCounts;

use crate::Cause;
use crate::build::Context;
use crate::destination::Destination;
use crate::plan::Plan;
use crate::scratch::Stored;

/// Joins the segments, in their order, to an index that is not yet to be seen.
pub(crate) fn join(
    context: &Context,
    plan: &Plan,
    segments: &[Stored],
    counts: &RowCounts,
    mut out: Destination,
) -> Result<(Destination, Info), Cause> {
    let merged =
        segments.iter().try_fold(RowCounts::default(), |sum, segment| sum.plus(&segment.info.counts));
    let first = segments.first().map(Stored::open).transpose()?;
    check_sums(first.as_ref(), counts, merged.as_ref())?;
    match join_to(&mut out, context, plan, segments) {
        Ok(info) => Ok((out, info)),
        Err(cause) => Err(out.failure().unwrap_or(cause)),
    }
}

fn join_to(
    out: &mut Destination,
    context: &Context,
    plan: &Plan,
    segments: &[Stored],
) -> Result<Info, Cause> {
    let mut joiner = Joiner::new(out)?;
    for segment in segments {
        joiner.append(&segment.open()?, || Ok::<(), Cause>(context.cancellation.check()?))?;
    }
    let max_depth = context.max_depth.map(|depth| depth as u64);
    let (_, info) =
        joiner.finish(max_depth, plan.inventory.unknown.clone(), plan.inventory.origin.clone())?;
    Ok(info)
}

/// Rows read = rows merged = objects of the root + rows excluded (I2), and none of them is missing (I3).
/// `first` is the segment with the root.
pub(crate) fn check_sums<R: ReadAt>(
    first: Option<&Reader<R>>,
    counts: &RowCounts,
    merged: Option<&RowCounts>,
) -> Result<(), Cause> {
    let root = first.map(|first| first.stats(b"")).transpose()?.flatten();
    let objects = root.map(|root| root.current.objects);
    if merged == Some(counts) && objects.is_some() && objects == counts.current() {
        return Ok(());
    }
    Err(Cause::Bug(format!("{counts:?} were read, but {merged:?} merged to {objects:?} objects")))
}
