use super::data::{DataSet, Format};
use super::goal::Goal;
use super::ours::{Build, Ours, Settings};
use super::{Bench, turns};
use crate::failure::Failure;
use crate::table::Table;

/// Seconds of a build with one worker, and with two.
struct Pair {
    set: DataSet,
    one: f64,
    two: f64,
}

fn table() -> Table<Pair> {
    Table::new(vec![
        ("data", |pair| pair.set.to_string()),
        ("one worker, s", |pair| format!("{:.2}", pair.one)),
        ("two workers, s", |pair| format!("{:.2}", pair.two)),
        ("target of one ÷ two: ≥ 1.85", |pair| Goal::AtLeast(1.85).judge(pair.one / pair.two)),
    ])
}

pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let ours = Ours::ready(&bench.workspace, &bench.data)?;
    let mut table = table();
    for set in bench.sets(Format::Csv) {
        eprintln!("{set}: one worker and two …");
        let inventory = bench.delivery(set)?;
        let seconds = |build: &Build| build.usage.seconds;
        let builds = turns::best(bench.runs, &[1, 2], seconds, |&workers| {
            ours.build(&inventory, Settings { workers, ..Settings::ONE })
        })?;
        if let [one, two] = &builds[..] {
            table.push(&Pair { set, one: seconds(one), two: seconds(two) });
        }
    }
    Ok(table.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::data::{Kind, Order};
    use super::*;

    #[test]
    fn two_are_measured_by_one() {
        let set = DataSet { kind: Kind::Logs, order: Order::Sorted, rows: 5, format: Format::Csv };
        let mut table = table();
        table.push(&Pair { set, one: 3.7, two: 2.0 });
        let expected = "| logs-5-sorted | 3.70 | 2.00 | 1.85, reached |";
        assert_eq!(table.to_string().lines().last(), Some(expected));
    }
}
