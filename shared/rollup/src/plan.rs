//! How work is divided: data files into chunks, runs into rounds and into ranges side by side.

use s3inv_index_format::{Entry, FormatError, ReadAt, Reader, is_partition_start};
use s3inv_model::prefix;

use crate::KeyRange;

/// Chunks are not cut smaller for the sake of concurrency: a function takes a second or two to begin.
const SMALLEST_CHUNK: u64 = 32 << 20;
/// Nor left larger, if there are enough functions: it is a minute's work.
const LARGEST_CHUNK: u64 = 1 << 30;
/// A Map has so many children at once at most, and gathers an answer of each.
const MOST_CHUNKS: u64 = 10_000;
/// Each range opens all runs, and becomes a part of an upload, of which there are 10,000 at most.
const MOST_RANGES: u64 = 2000;

/// Runs that a merge opens at once where nobody says it: with 2 GiB, each has a window of 4 MiB.
pub const FAN_IN: usize = 256;
/// Rows of runs for one of the ranges that are merged side by side, where nobody says it: some ten seconds
/// of work.
pub const RANGE_ROWS: u64 = 8_000_000;

/// Into how many chunks data files of so many bytes in all are divided, for so many functions at once.
#[must_use]
pub fn chunks(bytes: u64, functions: u32) -> u64 {
    let chunk = (bytes / u64::from(functions.max(1))).clamp(SMALLEST_CHUNK, LARGEST_CHUNK);
    chunks_of(bytes, chunk)
}

/// Into how many chunks of so many bytes, or more where they would be too many.
#[must_use]
pub fn chunks_of(bytes: u64, chunk: u64) -> u64 {
    bytes.div_ceil(chunk.max(1)).min(MOST_CHUNKS)
}

/// Into how many ranges runs of so many rows in all are divided, where a merge is to take `each` of them.
#[must_use]
pub fn ranges(rows: u64, each: u64) -> u64 {
    rows.div_ceil(each.max(1)).clamp(1, MOST_RANGES)
}

/// The groups to merge, each to one run, before `runs` runs can be merged by one that opens at most
/// `fan_in`: as few rows as possible are written again. Empty when there are no more than `fan_in`.
///
/// Runs that stand in no group stay as they are. Further rounds may be needed after this one.
#[must_use]
pub fn first_round(runs: usize, fan_in: usize) -> Vec<std::ops::Range<usize>> {
    let fan_in = fan_in.max(2);
    let mut too_many = runs.saturating_sub(fan_in);
    let mut from = 0;
    let mut groups = Vec::new();
    while too_many > 0 && runs - from >= 2 {
        let len = (too_many + 1).min(fan_in).min(runs - from);
        groups.push(from..from + len);
        too_many -= len - 1;
        from += len;
    }
    groups
}

/// The same for so many functions at once, where time counts more than the rows that are written again:
/// more groups, of fewer runs each.
#[must_use]
pub fn spread_round(runs: usize, fan_in: usize, functions: usize) -> Vec<std::ops::Range<usize>> {
    let fan_in = fan_in.max(2);
    let too_many = runs.saturating_sub(fan_in);
    let fits = |len: &usize| {
        let groups = too_many.div_ceil(len - 1);
        groups <= functions.max(1) && groups * len <= runs
    };
    // Where none is enough, there will be another round, and all take part in this one.
    match (2..=fan_in).find(fits) {
        Some(len) => first_groups(too_many, len),
        None => first_round(runs, fan_in),
    }
}

/// Groups of so many runs, from the first run on, until there are so many fewer.
fn first_groups(mut fewer: usize, most: usize) -> Vec<std::ops::Range<usize>> {
    let (mut from, mut groups) = (0, Vec::new());
    while fewer > 0 {
        let len = (fewer + 1).min(most);
        groups.push(from..from + len);
        fewer -= len - 1;
        from += len;
    }
    groups
}

/// Divides the order of prefixes into at most `parts` ranges of about as many rows each.
///
/// Ranges begin only where a page begins in any case, so the pages do not depend on `parts`.
pub fn partitions<R: ReadAt>(runs: &[&Reader<R>], parts: usize) -> Result<Vec<KeyRange>, FormatError> {
    let mut stretches = Vec::new();
    for run in runs {
        stretches_of(run, &mut stretches)?;
    }
    stretches.sort_by(|a, b| prefix::compare(&a.first, &b.first));
    let total: u64 = stretches.iter().map(|stretch| stretch.rows).sum();
    let mut ranges = vec![KeyRange::default()];
    let mut before = 0u64;
    for stretch in &stretches {
        let due = u128::from(before) * parts as u128 >= ranges.len() as u128 * u128::from(total);
        if ranges.len() < parts && due && is_partition_start(&stretch.first) {
            cut(&mut ranges, &stretch.first);
        }
        before += stretch.rows;
    }
    Ok(ranges)
}

/// Rows of a run from where a range may begin to before the next such place. Pages would be some twenty
/// times as many, more than memory has where runs have billions of rows.
struct Stretch {
    first: Vec<u8>,
    rows: u64,
}

fn stretches_of<R: ReadAt>(run: &Reader<R>, stretches: &mut Vec<Stretch>) -> Result<(), FormatError> {
    let others = stretches.len();
    for page in run.page_starts() {
        let Entry { first, rows, .. } = page?;
        match stretches.get_mut(others..).and_then(<[Stretch]>::last_mut) {
            Some(stretch) if !is_partition_start(&first) => stretch.rows += rows,
            _ => stretches.push(Stretch { first, rows }),
        }
    }
    Ok(())
}

/// Cuts the last range in two at `at`, unless one part would be empty.
fn cut(ranges: &mut Vec<KeyRange>, at: &[u8]) {
    let Some(last) = ranges.last_mut() else { return };
    if last.from.as_deref().unwrap_or_default() != at {
        last.until = Some(at.to_vec());
        ranges.push(KeyRange { from: Some(at.to_vec()), until: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_rounds_end_as_soon_with_more_at_once() {
        for fan_in in 2..9 {
            for runs in 0..200 {
                for functions in [1, 3, 10, 1000] {
                    let groups = spread_round(runs, fan_in, functions);
                    let few = first_round(runs, fan_in);
                    assert!(groups.iter().all(|group| (2..=fan_in).contains(&group.len())), "{groups:?}");
                    assert!(groups.windows(2).all(|pair| pair[0].end == pair[1].start));
                    assert!(groups.last().is_none_or(|last| last.end <= runs));
                    let fewer = |groups: &[std::ops::Range<usize>]| {
                        groups.iter().map(|group| group.len() - 1).sum::<usize>()
                    };
                    assert_eq!(fewer(&groups), fewer(&few), "{runs} runs, {fan_in} at once");
                    assert!(groups.len() >= few.len() && (groups.len() <= functions || groups == few));
                }
            }
        }
        let lens = |groups: Vec<std::ops::Range<usize>>| (groups.len(), groups[0].len());
        assert_eq!(lens(first_round(1000, 256)), (3, 256));
        assert_eq!(lens(spread_round(1000, 256, 1000)), (248, 4));
        assert_eq!(lens(spread_round(1000, 256, 100)), (93, 9));
    }

    #[test]
    fn rounds_end_within_the_fan_in() {
        for fan_in in 2..9 {
            for start in 0..200 {
                let mut runs = start;
                let mut rounds = 0;
                while runs > fan_in {
                    let groups = first_round(runs, fan_in);
                    assert!(groups.iter().all(|g| (2..=fan_in).contains(&g.len())), "{groups:?}");
                    assert!(groups.windows(2).all(|w| w[0].end == w[1].start));
                    assert!(groups.last().unwrap().end <= runs);
                    runs -= groups.iter().map(|g| g.len() - 1).sum::<usize>();
                    rounds += 1;
                }
                assert!(rounds < 9, "{start} runs take {rounds} rounds at a fan-in of {fan_in}");
                assert!(first_round(runs, fan_in).is_empty());
            }
        }
    }
}
