//! The last two phases: segments are joined beside the destination, and what was joined is published.

use s3inv_index_format::{Info, Joiner, Origin};
use s3inv_model::RowCounts;

use crate::Cause;
use crate::build::Context;
use crate::destination::Destination;
use crate::scratch::Stored;

/// Joins the segments, in their order, to an index that is not yet to be seen.
pub(crate) fn join(
    context: &Context,
    segments: &[Stored],
    counts: &RowCounts,
    origin: Origin,
    mut out: Destination,
) -> Result<(Destination, Info), Cause> {
    check_sums(segments, counts)?;
    match join_to(&mut out, context, segments, origin) {
        Ok(info) => Ok((out, info)),
        Err(cause) => Err(out.abort().unwrap_or(cause)),
    }
}

fn join_to(
    out: &mut Destination,
    context: &Context,
    segments: &[Stored],
    origin: Origin,
) -> Result<Info, Cause> {
    let mut joiner = Joiner::new(out)?;
    for segment in segments {
        joiner.append(&segment.open()?, || Ok::<(), Cause>(context.cancellation.check()?))?;
    }
    let (_, info) = joiner.finish(context.max_depth.map(|depth| depth as u64), origin)?;
    Ok(info)
}

/// Rows read = objects of the root + rows excluded (I2), and none of them is missing (I3).
fn check_sums(segments: &[Stored], counts: &RowCounts) -> Result<(), Cause> {
    let merged =
        segments.iter().try_fold(RowCounts::default(), |sum, segment| sum.plus(&segment.info.counts));
    let root = segments.first().map(|segment| segment.open()?.get(b"")).transpose()?.flatten();
    let objects = root.map(|cells| cells.iter().map(|cell| cell.objects).sum::<u64>());
    if merged.as_ref() == Some(counts) && objects.is_some() && objects == counts.counted() {
        return Ok(());
    }
    Err(Cause::Bug(format!("{counts:?} were read, but {merged:?} merged to {objects:?} objects")))
}
