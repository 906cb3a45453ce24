use std::collections::BTreeSet;
use std::fs;

use super::clock::Stopwatch;
use super::data::{DataSet, Format};
use super::goal::Goal;
use super::ours::{Build, Ours, Settings};
use super::peers::{self, Peer, Told};
use super::{Bench, turns};
use crate::failure::{Advise, Failure};
use crate::inventory::{Delivery, md5_hex};
use crate::table::Table;

/// Whole builds of one data set.
struct Case {
    set: DataSet,
    /// Of all files, as MD5 alone takes it.
    md5_seconds: f64,
    ours: Told,
    peers: Vec<(Peer, Told)>,
}

impl Case {
    /// CPU seconds of a peer.
    fn peer(&self, peer: Peer) -> Option<f64> {
        self.peers.iter().find(|(of, _)| *of == peer).map(|(_, told)| told.cpu_seconds)
    }

    fn times_ours(&self, peer: Peer) -> String {
        shown(self.peer(peer).map(|seconds| seconds / self.ours.cpu_seconds))
    }
}

fn shown(figure: Option<f64>) -> String {
    figure.map_or_else(String::new, |figure| format!("{figure:.2}"))
}

fn rate(case: &Case) -> String {
    format!("{:.2}", case.ours.answer.rows as f64 / case.ours.seconds / 1e6)
}

/// Of formats that the peers make the same table of.
fn same_table() -> Table<Case> {
    Table::new(vec![
        ("data", |case| case.set.to_string()),
        ("M rows/s", rate),
        ("CPU s", |case| shown(Some(case.ours.cpu_seconds))),
        // Columns are not compared with their MD5, unless that is asked for.
        ("of it MD5", |case| shown((case.set.format == Format::Csv).then_some(case.md5_seconds))),
        ("DuckDB, CPU s", |case| shown(case.peer(Peer::DuckDb))),
        ("÷ ours", |case| case.times_ours(Peer::DuckDb)),
        ("Polars, CPU s", |case| shown(case.peer(Peer::Polars))),
        ("÷ ours", |case| case.times_ours(Peer::Polars)),
    ])
}

/// Of ORC, which one peer reads, and no more than that.
fn reading_alone() -> Table<Case> {
    Table::new(vec![
        ("data", |case| case.set.to_string()),
        ("M rows/s", rate),
        ("CPU s", |case| shown(Some(case.ours.cpu_seconds))),
        ("PyArrow reads, CPU s", |case| shown(case.peer(Peer::PyArrow))),
        ("target of ours ÷ PyArrow: ≤ 1.2", |case| {
            let times = case.peer(Peer::PyArrow).map(|seconds| case.ours.cpu_seconds / seconds);
            times.map_or_else(String::new, |times| Goal::AtMost(1.2).judge(times))
        }),
    ])
}

pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let ours = Ours::ready(&bench.workspace, &bench.data)?;
    let (mut same, mut alone) = (same_table(), reading_alone());
    let mut versions = BTreeSet::new();
    for format in [Format::Csv, Format::Parquet, Format::Orc] {
        for set in bench.sets(format) {
            let case = case(bench, &ours, set)?;
            versions.extend(case.peers.iter().map(|(_, told)| told.version.clone()));
            if format == Format::Orc { &mut alone } else { &mut same }.push(&case);
        }
    }
    let versions = versions.into_iter().collect::<Vec<_>>().join(", ");
    let beside = if versions.is_empty() { "no peers".to_owned() } else { versions };
    Ok(format!("Beside {beside}.\n\n{same}\n{alone}"))
}

/// Who makes a table of files of this format; none is ours.
fn contenders(format: Format, with_peers: bool) -> Vec<Option<Peer>> {
    let peers: &[Peer] = match format {
        _ if !with_peers => &[],
        Format::Csv | Format::Parquet => &[Peer::DuckDb, Peer::Polars],
        Format::Orc => &[Peer::PyArrow],
    };
    std::iter::once(None).chain(peers.iter().copied().map(Some)).collect()
}

fn case(bench: &Bench, ours: &Ours, set: DataSet) -> Result<Case, Failure> {
    eprintln!("{set}: whole builds …");
    let inventory = bench.delivery(set)?;
    let contenders = contenders(set.format, bench.peers);
    let best = turns::best(
        bench.runs,
        &contenders,
        |told: &Told| told.cpu_seconds,
        |contender| match contender {
            None => ours_told(ours, &inventory),
            Some(peer) => peers::run(&bench.workspace, *peer, inventory.folder(), &bench.data),
        },
    )?;
    let mut best = best.into_iter();
    let ours = best.next().ok_or_else(|| Failure::new(set, "report it"))?;
    let peers = contenders.into_iter().flatten().zip(best).collect();
    let case = Case { set, md5_seconds: md5_seconds(&inventory, bench.runs)?, ours, peers };
    same_work(&case)?;
    Ok(case)
}

fn ours_told(ours: &Ours, inventory: &Delivery) -> Result<Told, Failure> {
    let Build { usage, built } = ours.build(inventory, Settings::ONE)?;
    let (seconds, cpu_seconds, answer) = (usage.seconds, usage.cpu_seconds, ours.answer(&built)?);
    Ok(Told { version: "ours".to_owned(), seconds, cpu_seconds, answer })
}

/// Whoever did other work can't be compared with.
fn same_work(case: &Case) -> Result<(), Failure> {
    let other = case.peers.iter().find(|(_, told)| !told.answer.agrees(&case.ours.answer));
    other.map_or(Ok(()), |(_, told)| {
        let (ours, theirs) = (&case.ours.answer, &told.answer);
        let what = format!("{}: {} says {theirs:?}, and the index {ours:?}", case.set, told.version);
        Err(Failure::new(what, "find out who is wrong"))
    })
}

/// Seconds that MD5 alone takes of all files, which has a thread of its own in a build.
fn md5_seconds(inventory: &Delivery, runs: u32) -> Result<f64, Failure> {
    let mut total = 0.0;
    for file in inventory.files()? {
        let path = inventory.path_of(&file);
        let bytes = fs::read(&path).advise(path.display(), "remove the data set, it is made again")?;
        let once = |_| {
            let watch = Stopwatch::start();
            std::hint::black_box(md5_hex(&bytes));
            watch.seconds()
        };
        total += (0..runs).map(once).fold(f64::INFINITY, f64::min);
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::super::data::{Kind, Order};
    use super::super::peers::Answer;
    use super::*;

    fn told(cpu_seconds: f64, prefixes: Option<u64>) -> Told {
        let answer = Answer { rows: 3_000_000, prefixes, bytes: 9 };
        Told { version: "X 1".to_owned(), seconds: 1.5, cpu_seconds, answer }
    }

    fn made(format: Format, peers: Vec<(Peer, Told)>) -> Case {
        let set = DataSet { kind: Kind::Paths, order: Order::Sorted, rows: 3_000_000, format };
        Case { set, md5_seconds: 0.25, ours: told(2.0, Some(7)), peers }
    }

    #[test]
    fn peers_stand_beside_ours() {
        let peers = vec![(Peer::DuckDb, told(5.0, Some(7))), (Peer::Polars, told(3.0, Some(7)))];
        let mut table = same_table();
        table.push(&made(Format::Csv, peers));
        table.push(&made(Format::Parquet, Vec::new()));
        let text = table.to_string();
        let expected = [
            "| paths-3000000-sorted | 2.00 | 2.00 | 0.25 | 5.00 | 2.50 | 3.00 | 1.50 |",
            "| paths-3000000-sorted-parquet | 2.00 | 2.00 |  |  |  |  |  |",
        ];
        assert_eq!(text.lines().skip(2).collect::<Vec<_>>(), expected);
        let mut table = reading_alone();
        table.push(&made(Format::Orc, vec![(Peer::PyArrow, told(1.0, None))]));
        let expected = "| paths-3000000-sorted-orc | 2.00 | 2.00 | 1.00 | 2.00, missed |";
        assert_eq!(table.to_string().lines().last(), Some(expected));
    }

    #[test]
    fn who_did_other_work_is_not_compared_with() {
        assert!(same_work(&made(Format::Orc, vec![(Peer::PyArrow, told(1.0, None))])).is_ok());
        let wrong = same_work(&made(Format::Csv, vec![(Peer::Polars, told(1.0, Some(6)))]));
        assert!(wrong.unwrap_err().to_string().starts_with("paths-3000000-sorted: X 1 says Answer"));
    }

    #[test]
    fn each_format_has_its_peers() {
        assert_eq!(contenders(Format::Orc, true), [None, Some(Peer::PyArrow)]);
        assert_eq!(contenders(Format::Parquet, true).len(), 3);
        assert_eq!(contenders(Format::Csv, false), [None]);
    }
}
