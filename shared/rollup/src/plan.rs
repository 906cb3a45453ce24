//! How runs are merged: in which rounds, and in which ranges side by side.

use s3inv_index_format::{Entry, FormatError, ReadAt, Reader, is_partition_start};
use s3inv_model::prefix;

use crate::KeyRange;

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

/// Divides the order of prefixes into at most `parts` ranges of about as many rows each.
///
/// Ranges begin only where a page begins in any case, so the pages do not depend on `parts`.
pub fn partitions<R: ReadAt>(runs: &[&Reader<R>], parts: usize) -> Result<Vec<KeyRange>, FormatError> {
    let mut pages: Vec<Entry> = Vec::new();
    for run in runs {
        for page in run.page_starts() {
            pages.push(page?);
        }
    }
    pages.sort_by(|a, b| prefix::compare(&a.first, &b.first));
    let total: u64 = pages.iter().map(|page| page.rows).sum();
    let mut ranges = vec![KeyRange::default()];
    let mut before = 0u64;
    for page in &pages {
        let due = u128::from(before) * parts as u128 >= ranges.len() as u128 * u128::from(total);
        if ranges.len() < parts && due && is_partition_start(&page.first) {
            cut(&mut ranges, &page.first);
        }
        before += page.rows;
    }
    Ok(ranges)
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
