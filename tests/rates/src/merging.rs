use s3inv_index_format::{Form, FormatError};
use s3inv_model::Schema;
use s3inv_rollup::{Interrupt, KeyRange, merge};
use serde::Serialize;

use crate::Done;
use crate::clock::Fastest;
use crate::runs::{Lines, Run};
use crate::set::Set;

/// Runs that are merged at once.
const FAN_INS: [usize; 6] = [2, 5, 20, 100, 300, 1000];
/// Rows of all runs together, however many those are.
const ROWS: usize = 2_000_000;
/// What a merge writes: runs in rounds, and segments of the index at last.
const FORMS: [(&str, Form); 2] = [("run", Form::RUN), ("index", Form::segment(false))];

/// What one merge took.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    fan_in: usize,
    writes: &'static str,
    /// Of all runs.
    rows: u64,
    seconds: f64,
}

/// Runs, and what merging them took.
struct Merge {
    runs: Vec<Run>,
    schema: Schema,
    /// By form.
    fastest: [Fastest; FORMS.len()],
}

/// All merges take turns, so that what disturbs one disturbs all.
pub(crate) fn measure(set: &Set, rounds: u32) -> Done<Vec<Line>> {
    let mut merges = merges(&Lines::of(set)?)?;
    let mut out = Vec::new();
    for _ in 0..rounds.max(1) {
        merges.iter_mut().try_for_each(|merge| merge.once(&mut out))?;
    }
    Ok(merges.iter().flat_map(Merge::lines).collect())
}

fn merges(lines: &Lines<'_>) -> Done<Vec<Merge>> {
    FAN_INS.iter().map(|&fan_in| Merge::new(lines.runs(fan_in, ROWS / fan_in)?)).collect()
}

impl Merge {
    fn new(runs: Vec<Run>) -> Done<Self> {
        let schema = Schema::union(runs.iter().map(|run| &run.info().schema))?;
        Ok(Self { runs, schema, fastest: Default::default() })
    }

    fn once(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let runs: Vec<&Run> = self.runs.iter().collect();
        let interrupt = Interrupt { between: &|| Ok::<(), FormatError>(()), pause: &|| false };
        for ((_, form), fastest) in FORMS.into_iter().zip(&mut self.fastest) {
            out.clear();
            fastest.note(0, || {
                merge(&runs, &KeyRange::default(), &self.schema, form, &mut *out, &interrupt).map(drop)
            })?;
        }
        Ok(())
    }

    fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let rows = self.runs.iter().map(|run| run.info().prefixes).sum();
        let line = move |((writes, _), fastest): ((&'static str, Form), &Fastest)| Line {
            fan_in: self.runs.len(),
            writes,
            rows,
            seconds: fastest.seconds(),
        };
        FORMS.into_iter().zip(&self.fastest).map(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_merge_is_told() {
        let set = Set::made();
        let mut merge = Merge::new(Lines::of(&set).unwrap().runs(3, 100).unwrap()).unwrap();
        merge.once(&mut Vec::new()).unwrap();
        let rows: u64 = merge.runs.iter().map(|run| run.info().prefixes).sum();
        let told: Vec<_> = merge.lines().map(|line| (line.fan_in, line.writes, line.rows)).collect();
        assert_eq!(told, [(3, "run", rows), (3, "index", rows)]);
        assert!(merge.lines().all(|line| line.seconds > 0.0));
    }
}
