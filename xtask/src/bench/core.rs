use serde::Deserialize;

use super::data::{DataSet, Format, Order};
use super::goal::Goal;
use super::{Bench, rates};
use crate::failure::Failure;
use crate::table::Table;

/// What one step took, with all that comes before it.
#[derive(Debug, Deserialize)]
struct Step {
    #[serde(rename = "step")]
    name: String,
    rows: u64,
    seconds: f64,
}

/// The steps over a data set.
struct Steps {
    set: DataSet,
    steps: Vec<Step>,
}

impl Steps {
    fn seconds(&self, name: &str) -> f64 {
        self.steps.iter().find(|step| step.name == name).map_or(f64::NAN, |step| step.seconds)
    }

    /// Millions of rows a second.
    fn rate(&self, name: &str) -> String {
        let rows = self.steps.first().map_or(0, |step| step.rows);
        format!("{:.2}", rows as f64 / self.seconds(name) / 1e6)
    }

    fn goal(&self) -> Goal {
        Goal::AtLeast(match self.set.order {
            Order::Sorted => 0.68,
            Order::Shuffled => 0.56,
        })
    }
}

/// Each step has all that is before it; so `rolled up ÷ libdeflate` is what is left of the rate of
/// decompressing alone.
fn table() -> Table<Steps> {
    Table::new(vec![
        ("data", |steps| steps.set.to_string()),
        ("libdeflate alone", |steps| steps.rate("inflate")),
        ("and read", |steps| steps.rate("read")),
        ("and rolled up", |steps| steps.rate("roll up")),
        ("and written as a run", |steps| steps.rate("run")),
        ("target: rolled up ÷ libdeflate", |steps| steps.goal().to_string()),
        ("is", |steps| steps.goal().judge(steps.seconds("inflate") / steps.seconds("roll up"))),
    ])
}

pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let mut table = table();
    for set in bench.sets(Format::Csv) {
        eprintln!("{set}: the steps of one core …");
        let inventory = bench.delivery(set)?;
        let steps = rates::measured(&bench.workspace, "core", inventory.folder(), bench.runs)?;
        table.push(&Steps { set, steps });
    }
    Ok(format!("Million rows a second.\n\n{table}"))
}

#[cfg(test)]
mod tests {
    use super::super::data::Kind;
    use super::*;

    #[test]
    fn rates_are_told_beside_the_target() {
        let steps = [("inflate", 0.5), ("read", 0.8), ("roll up", 1.0), ("run", 1.25)];
        let steps = steps.map(|(step, seconds)| Step { name: step.to_owned(), rows: 2_000_000, seconds });
        let set = DataSet { kind: Kind::Logs, order: Order::Shuffled, rows: 2_000_000, format: Format::Csv };
        let mut table = table();
        table.push(&Steps { set, steps: steps.into() });
        let expected = "| logs-2000000-shuffled | 4.00 | 2.50 | 2.00 | 1.60 | ≥ 0.56 | 0.50, missed |";
        assert_eq!(table.to_string().lines().last(), Some(expected));
    }
}
