//! `cargo xtask bench`: everything that is measured, beside targets and peers, as tables.

mod answers;
mod builds;
mod clock;
mod core;
mod data;
mod function;
mod goal;
mod index;
mod lookup;
mod machine;
mod measure;
mod memory;
mod merge;
mod ours;
mod peers;
mod rates;
mod report;
mod turns;
mod workers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum as _;

use crate::failure::{Advise, Failure};
use crate::inventory::Delivery;
use crate::workspace::{Workspace, cargo};
pub(crate) use clock::Stopwatch;
use data::{DataSet, Format, Kind, Order};
pub(crate) use measure::{MeasureArgs, measure};
use report::Report;

/// Where the results are kept.
const DOCUMENT: &str = "docs/performance.md";
/// What the results are of, which stands before all.
const MACHINE: &str = "machine";

/// What to measure. All of it takes about a quarter of an hour, and is written to docs/performance.md.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rows of each data set.
    #[arg(long, default_value = "2000000")]
    rows: usize,
    /// Which data sets.
    #[arg(long, value_delimiter = ',', default_value = "paths,logs,single")]
    sets: Vec<Kind>,
    /// Measure these alone, and leave docs/performance.md as it is.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Section>,
    /// Whether others are measured beside: Python packages, installed once.
    #[arg(long, default_value = "all")]
    peers: Peers,
    /// Where the data sets are made and kept [default: target/bench]
    #[arg(long)]
    data: Option<PathBuf>,
    /// How often each is measured; the fastest counts.
    #[arg(long, default_value = "3")]
    runs: u32,
}

/// A table, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Section {
    /// What one core does, step by step, beside decompressing alone.
    Core,
    /// Merging runs, by how many there are.
    Merge,
    /// Whole builds, beside peers.
    Builds,
    /// Two workers beside one.
    Workers,
    /// Builds with little memory.
    Memory,
    /// Bytes of an index.
    Index,
    /// Looking prefixes up.
    Lookup,
    /// Asking an index.
    Answers,
    /// Starting a function.
    Function,
}

/// Measures, and tells it in Markdown.
type Measured = fn(&Bench) -> Result<String, Failure>;

impl Section {
    /// Its name, and how it is measured.
    fn parts(self) -> (&'static str, Measured) {
        match self {
            Self::Core => ("core", core::section),
            Self::Merge => ("merge", merge::section),
            Self::Builds => ("builds", builds::section),
            Self::Workers => ("workers", workers::section),
            Self::Memory => ("memory", memory::section),
            Self::Index => ("index", index::section),
            Self::Lookup => ("lookup", lookup::section),
            Self::Answers => ("answers", answers::section),
            Self::Function => ("function", function::section),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Peers {
    All,
    None,
}

impl Args {
    /// Whether nothing is left out, so that it can stand in the document.
    fn is_all(&self) -> bool {
        let kinds = Kind::value_variants().iter().all(|kind| self.sets.contains(kind));
        self.only.is_empty() && kinds && self.peers == Peers::All
    }

    fn sections(&self) -> impl Iterator<Item = Section> + '_ {
        let all = Section::value_variants().iter().copied();
        all.filter(|section| self.only.is_empty() || self.only.contains(section))
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if cfg!(debug_assertions) {
        return again_in_release();
    }
    let workspace = Workspace::load()?;
    let bench = Bench {
        data: args.data.clone().unwrap_or_else(|| workspace.target.join("bench")),
        kinds: args.sets.clone(),
        rows: args.rows,
        runs: args.runs.max(1),
        peers: args.peers == Peers::All,
        workspace,
    };
    let document = args.is_all().then(|| bench.workspace.root.join(DOCUMENT));
    let report = Report { document };
    report.add(MACHINE, &bench.machine())?;
    for section in args.sections() {
        let (name, measured) = section.parts();
        report.add(name, &measured(&bench)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Unoptimised, MD5 alone would seem slower than the whole build.
fn again_in_release() -> Result<ExitCode, Failure> {
    let mut release = cargo();
    release
        .args(["run", "--quiet", "--release", "--package", "xtask", "--"])
        .args(std::env::args_os().skip(1));
    let status = release.status().advise("cargo", "install Rust")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What all sections need.
struct Bench {
    workspace: Workspace,
    data: PathBuf,
    kinds: Vec<Kind>,
    rows: usize,
    runs: u32,
    peers: bool,
}

impl Bench {
    /// The data sets of a format.
    fn sets(&self, format: Format) -> impl Iterator<Item = DataSet> + '_ {
        let of = move |&kind: &Kind| Order::ALL.map(|order| DataSet { kind, order, rows: self.rows, format });
        self.kinds.iter().flat_map(of)
    }

    /// A data set, made where it isn't there yet.
    fn delivery(&self, set: DataSet) -> Result<Delivery, Failure> {
        data::ready(&self.workspace, &self.data, set)
    }

    fn machine(&self) -> String {
        let files =
            DataSet { kind: Kind::Single, order: Order::Sorted, rows: self.rows, format: Format::Csv };
        format!(
            "{}; {} rows a data set, in {} files; the fastest of {} runs.\n",
            machine::machine(),
            self.rows,
            files.files(),
            self.runs
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Args {
        Line::parse_from(line.split(' ')).args
    }

    #[test]
    fn only_a_full_run_is_kept() {
        assert!(args("bench --rows 5 --runs 1").is_all());
        assert_eq!(args("bench").sections().count(), Section::value_variants().len());
        for line in ["bench --only core", "bench --peers none", "bench --sets paths,logs"] {
            assert!(!args(line).is_all(), "{line}");
        }
        let some: Vec<_> = args("bench --only index,core").sections().collect();
        assert_eq!(some, [Section::Core, Section::Index]);
    }

    #[test]
    fn each_section_has_its_place_in_the_document() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let document = std::fs::read_to_string(root.join(DOCUMENT)).unwrap();
        let sections = Section::value_variants().iter().map(|section| section.parts().0);
        for name in sections.chain([MACHINE]) {
            let mark = format!("<!-- bench: {name} -->");
            assert_eq!(document.matches(&mark).count(), 1, "{mark}");
        }
    }
}
