use serde::Deserialize;

use super::data::{DataSet, Format, Order};
use super::goal::Goal;
use super::{Bench, rates};
use crate::failure::Failure;
use crate::table::Table;

/// What one merge took.
#[derive(Debug, Deserialize)]
struct Merge {
    fan_in: usize,
    writes: String,
    /// Of all runs.
    rows: u64,
    seconds: f64,
}

impl Merge {
    /// Millions of rows a second.
    fn rate(&self) -> f64 {
        self.rows as f64 / self.seconds / 1e6
    }
}

/// Merges of different fan-in that write the same.
struct Merges {
    set: DataSet,
    writes: &'static str,
    by_fan_in: Vec<Merge>,
}

impl Merges {
    fn rate(&self, fan_in: usize) -> f64 {
        self.by_fan_in.iter().find(|merge| merge.fan_in == fan_in).map_or(f64::NAN, Merge::rate)
    }

    fn shown(&self, fan_in: usize) -> String {
        format!("{:.2}", self.rate(fan_in))
    }
}

fn table() -> Table<Merges> {
    Table::new(vec![
        ("data", |merges| merges.set.to_string()),
        ("writes", |merges| merges.writes.to_owned()),
        ("2", |merges| merges.shown(2)),
        ("5", |merges| merges.shown(5)),
        ("20", |merges| merges.shown(20)),
        ("100", |merges| merges.shown(100)),
        ("300", |merges| merges.shown(300)),
        ("1,000", |merges| merges.shown(1000)),
        ("target at 20: ≥ 5", |merges| Goal::AtLeast(5.0).judge(merges.rate(20))),
        ("target of 1,000 ÷ 20: ≥ 0.5", |merges| {
            Goal::AtLeast(0.5).judge(merges.rate(1000) / merges.rate(20))
        }),
    ])
}

/// Only of what is shuffled: runs of sorted rows have next to nothing in common.
pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let mut table = table();
    for set in bench.sets(Format::Csv).filter(|set| set.order == Order::Shuffled) {
        eprintln!("{set}: merging …");
        let inventory = bench.delivery(set)?;
        let mut all: Vec<Merge> = rates::measured(&bench.workspace, "merge", inventory.folder(), bench.runs)?;
        for writes in ["run", "index"] {
            let by_fan_in = all.extract_if(.., |merge| merge.writes == writes).collect();
            table.push(&Merges { set, writes, by_fan_in });
        }
    }
    Ok(format!("Million input rows a second, by the number of runs that are merged.\n\n{table}"))
}

#[cfg(test)]
mod tests {
    use super::super::data::Kind;
    use super::*;

    #[test]
    fn fan_ins_are_columns() {
        let merge = |(fan_in, seconds)| Merge { fan_in, writes: "run".to_owned(), rows: 2_000_000, seconds };
        let merges = [(2, 0.2), (5, 0.25), (20, 0.4), (100, 0.5), (300, 0.8), (1000, 1.0)].map(merge);
        let set =
            DataSet { kind: Kind::Single, order: Order::Shuffled, rows: 2_000_000, format: Format::Csv };
        let mut table = table();
        table.push(&Merges { set, writes: "run", by_fan_in: merges.into() });
        let expected = "| single-2000000-shuffled | run | 10.00 | 8.00 | 5.00 | 4.00 | 2.50 | 2.00 | 5.00, reached | 0.40, missed |";
        assert_eq!(table.to_string().lines().last(), Some(expected));
    }
}
