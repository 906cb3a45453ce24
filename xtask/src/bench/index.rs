use super::Bench;
use super::data::{Format, Order};
use super::ours::{Measures, Ours, Settings};
use crate::failure::Failure;
use crate::table::Table;

/// Indexes of the same prefixes.
#[derive(Clone, Debug, Default)]
struct Size {
    data: String,
    prefixes: u64,
    /// With objects, bytes, classes and cost.
    cost: u64,
    /// With all measures.
    all: u64,
}

impl Size {
    fn each(&self, bytes: u64) -> String {
        format!("{:.1}", bytes as f64 / self.prefixes as f64)
    }
}

fn table(sizes: &[Size]) -> Table<Size> {
    let mut table = Table::new(vec![
        ("data", |size: &Size| size.data.clone()),
        ("prefixes", |size| size.prefixes.to_string()),
        ("objects, bytes, classes, cost", |size| size.each(size.cost)),
        ("all measures", |size| size.each(size.all)),
    ]);
    let sum = |of: fn(&Size) -> u64| sizes.iter().map(of).sum();
    let together = Size {
        data: "together".to_owned(),
        prefixes: sum(|size| size.prefixes),
        cost: sum(|size| size.cost),
        all: sum(|size| size.all),
    };
    sizes.iter().chain([&together]).for_each(|size| table.push(size));
    table
}

/// In one order only, since the bytes of an index don't depend on it.
pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let ours = Ours::ready(&bench.workspace, &bench.data)?;
    let mut sizes = Vec::new();
    for set in bench.sets(Format::Csv).filter(|set| set.order == Order::Sorted) {
        eprintln!("{set}: the size of an index …");
        let inventory = bench.delivery(set)?;
        let built = |measures| Ok(ours.build(&inventory, Settings { measures, ..Settings::ONE })?.built);
        let (cost, all) = (built(Measures::Cost)?, built(Measures::All)?);
        let (data, prefixes) = (set.kind.to_string(), cost.prefixes);
        sizes.push(Size { data, prefixes, cost: cost.index_bytes, all: all.index_bytes });
    }
    Ok(format!("Bytes a prefix.\n\n{}", table(&sizes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_added_up() {
        let size = |data: &str, prefixes, cost, all| Size { data: data.to_owned(), prefixes, cost, all };
        let text = table(&[size("a", 10, 100, 300), size("b", 30, 500, 700)]).to_string();
        let expected =
            ["| a | 10 | 10.0 | 30.0 |", "| b | 30 | 16.7 | 23.3 |", "| together | 40 | 15.0 | 25.0 |"];
        assert_eq!(text.lines().skip(2).collect::<Vec<_>>(), expected);
    }
}
