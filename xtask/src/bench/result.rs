use super::measure::Usage;
use super::ours::{Built, Settings};
use super::set::DataSet;
use crate::table::Table;

/// A data set, read to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input {
    pub(super) set: DataSet,
    pub(super) files: usize,
    pub(super) compressed_bytes: u64,
    /// Decompression alone, on one core; of CSV only.
    pub(super) limit_seconds: Option<f64>,
}

/// One build of it.
pub(super) struct Measured {
    pub(super) input: Input,
    pub(super) settings: Settings,
    pub(super) usage: Usage,
    pub(super) built: Built,
}

impl Measured {
    fn rows(&self) -> f64 {
        self.built.rows as f64
    }
}

/// Rates are in millions of rows; `/s·worker` is by wall-clock time, `/CPU s` by user and system time.
pub(super) fn table() -> Table<Measured> {
    Table::new(vec![
        ("data set", |m| m.input.set.to_string()),
        ("rows", |m| m.built.rows.to_string()),
        ("files", |m| m.input.files.to_string()),
        ("compressed bytes", |m| m.input.compressed_bytes.to_string()),
        ("workers", |m| m.settings.workers.to_string()),
        ("budget", |m| m.settings.budget.to_owned()),
        ("measures", |m| m.settings.measures.to_string()),
        ("s", |m| format!("{:.2}", m.usage.seconds)),
        ("CPU s", |m| format!("{:.2}", m.usage.cpu_seconds)),
        ("M rows/s", |m| millions(m.rows(), m.usage.seconds)),
        ("M rows/s·worker", |m| millions(m.rows(), m.usage.seconds * f64::from(m.settings.workers))),
        ("M rows/CPU s", |m| millions(m.rows(), m.usage.cpu_seconds)),
        ("libdeflate alone, M rows/s", |m| {
            m.input.limit_seconds.map_or_else(String::new, |seconds| millions(m.rows(), seconds))
        }),
        ("peak RSS MiB", |m| (m.usage.peak_bytes >> 20).to_string()),
        ("index bytes", |m| m.built.index_bytes.to_string()),
        ("prefixes", |m| m.built.prefixes.to_string()),
        ("index bytes/prefix", |m| ratio(m.built.index_bytes as f64, m.built.prefixes as f64)),
    ])
}

fn millions(rows: f64, seconds: f64) -> String {
    format!("{:.2}", rows / seconds / 1e6)
}

fn ratio(part: f64, whole: f64) -> String {
    format!("{:.1}", part / whole)
}

#[cfg(test)]
mod tests {
    use super::super::ours::Measures;
    use super::super::set::{Format, Kind, Order};
    use super::*;

    #[test]
    fn rates_are_by_wall_clock_worker_and_cpu() {
        let set =
            DataSet { kind: Kind::Single, order: Order::Shuffled, rows: 6_000_000, format: Format::Csv };
        let input = Input { set, files: 6, compressed_bytes: 300, limit_seconds: Some(1.0) };
        let usage = Usage { seconds: 2.0, cpu_seconds: 3.0, peak_bytes: 5 << 20 };
        let built = Built { rows: 6_000_000, prefixes: 100, index_bytes: 1_234 };
        let settings = Settings { workers: 2, budget: "4GiB", measures: Measures::None };
        let mut table = table();
        table.push(&Measured { input, settings, usage, built });
        let text = table.to_string();
        let expected = "| single-6000000-shuffled | 6000000 | 6 | 300 | 2 | 4GiB | none | 2.00 | 3.00 | 3.00 | 1.50 | 2.00 | 6.00 \
                        | 5 | 1234 | 100 | 12.3 |";
        assert_eq!(text.lines().last(), Some(expected));
    }
}
