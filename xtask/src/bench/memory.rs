use super::data::{DataSet, Format, Kind, Order};
use super::goal::Goal;
use super::measure::Usage;
use super::ours::{Build, Ours, Settings};
use super::{Bench, turns};
use crate::failure::Failure;
use crate::table::Table;

/// Budgets as `--mem-budget` takes them, and in MiB. The last is enough for everything.
const BUDGETS: [(&str, u32); 3] = [("64MiB", 64), ("256MiB", 256), ("1GiB", 1024)];
/// What the process may take besides its budget, in MiB.
const BESIDES: u32 = 64;

/// A build within a budget.
struct Within {
    budget: (&'static str, u32),
    usage: Usage,
    /// Seconds with the largest budget.
    unhurried: f64,
}

impl Within {
    fn peak(&self) -> String {
        Goal::AtMost(f64::from(self.budget.1 + BESIDES))
            .judge(self.usage.peak_bytes as f64 / f64::from(1 << 20))
    }
}

fn table() -> Table<Within> {
    Table::new(vec![
        ("budget", |within| within.budget.0.to_owned()),
        ("peak RSS, MiB; target: at most budget + 64", Within::peak),
        ("s", |within| format!("{:.2}", within.usage.seconds)),
        ("target of s ÷ s at 1GiB: ≤ 2", |within| {
            Goal::AtMost(2.0).judge(within.usage.seconds / within.unhurried)
        }),
    ])
}

/// Of the data that take most memory: a prefix for each object, in no order.
pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let ours = Ours::ready(&bench.workspace, &bench.data)?;
    let set = DataSet { kind: Kind::Single, order: Order::Shuffled, rows: bench.rows, format: Format::Csv };
    eprintln!("{set}: little memory …");
    let inventory = bench.delivery(set)?;
    let seconds = |build: &Build| build.usage.seconds;
    let builds = turns::best(bench.runs, &BUDGETS, seconds, |&(budget, _)| {
        ours.build(&inventory, Settings { workers: 2, budget, ..Settings::ONE })
    })?;
    let unhurried = builds.last().map_or(f64::NAN, seconds);
    let mut table = table();
    for (budget, build) in BUDGETS.into_iter().zip(&builds) {
        table.push(&Within { budget, usage: build.usage, unhurried });
    }
    Ok(format!("{set}, two workers.\n\n{table}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_time_are_judged() {
        let usage = Usage { seconds: 5.0, cpu_seconds: 9.0, peak_bytes: 129 << 20 };
        let mut table = table();
        table.push(&Within { budget: BUDGETS[0], usage, unhurried: 2.5 });
        let expected = "| 64MiB | 129.00, missed | 5.00 | 2.00, reached |";
        assert_eq!(table.to_string().lines().last(), Some(expected));
    }

    #[test]
    fn budgets_are_what_they_are_called() {
        for (name, mib) in BUDGETS {
            let same = name == format!("{mib}MiB") || name == format!("{}GiB", mib / 1024);
            assert!(same, "{name} {mib}");
        }
    }
}
