//! `cargo xtask bench`: the real binary over inventories of real size, as one table.

mod apt;
mod clock;
mod convert;
mod generate;
mod keys;
mod limit;
mod logs;
mod measure;
mod object;
mod ours;
mod paths;
mod random;
mod result;
mod set;
mod single;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::workspace::{Workspace, cargo};
pub(crate) use clock::Stopwatch;
pub(crate) use measure::{MeasureArgs, measure};
use ours::{Measures, Settings};
use result::{Input, Measured};
use set::{DataSet, Format, Kind, Order};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rows of each data set; several numbers make several of each.
    #[arg(long, value_delimiter = ',', default_value = "5000000")]
    rows: Vec<usize>,
    /// Which data sets.
    #[arg(long, value_delimiter = ',', default_value = "paths,logs,single")]
    sets: Vec<Kind>,
    /// In which formats: others than CSV are made of it, with the tests' Python.
    #[arg(long, value_delimiter = ',', default_value = "csv")]
    formats: Vec<Format>,
    /// What is measured of each prefix.
    #[arg(long, value_delimiter = ',', default_value = "all")]
    measures: Vec<Measures>,
    /// Where the data sets are made and kept [default: target/bench]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Builds of each; the fastest counts.
    #[arg(long, default_value = "3")]
    runs: u32,
    /// Keep the indexes.
    #[arg(long)]
    keep: bool,
    /// Make the data sets and stop.
    #[arg(long)]
    generate_only: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if cfg!(debug_assertions) {
        return again_in_release();
    }
    let workspace = Workspace::load()?;
    let data = args.data.clone().unwrap_or_else(|| workspace.target.join("bench"));
    let inputs = args.rows.iter().flat_map(|&rows| args.sets.iter().map(move |&kind| (kind, rows)));
    for (kind, rows) in inputs.clone() {
        generate::make_missing(&data, kind, rows)?;
    }
    let sets = || {
        let of = |(kind, rows)| {
            let formats = args.formats.iter().map(move |&format| (kind, rows, format));
            formats.flat_map(|(kind, rows, format)| {
                Order::ALL.map(|order| DataSet { kind, order, rows, format })
            })
        };
        inputs.clone().flat_map(of)
    };
    for set in sets() {
        convert::make_missing(&workspace, &data, set)?;
    }
    if args.generate_only {
        return Ok(ExitCode::SUCCESS);
    }
    let bench = Bench {
        binary: ours::binary(&workspace)?,
        data,
        runs: args.runs.max(1),
        keep: args.keep,
        measures: args.measures.clone(),
    };
    let mut table = result::table();
    for set in sets() {
        bench.set(set)?.iter().for_each(|measured| table.push(measured));
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}

/// Unoptimised, decompression alone would seem slower than the whole build.
fn again_in_release() -> Result<ExitCode, Failure> {
    let mut release = cargo();
    release
        .args(["run", "--quiet", "--release", "--package", "xtask", "--"])
        .args(std::env::args_os().skip(1));
    let status = release.status().advise("cargo", "install Rust")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The builds of a data set: one worker tells what a core does, two whether they get in each
/// other's way, and little memory what spilling costs where every object has its own prefix.
fn settings(kind: Kind, measures: Measures) -> Vec<Settings> {
    let budget = "4GiB";
    let of = |workers, budget| Settings { workers, budget, measures };
    let mut all = vec![of(1, budget), of(2, budget)];
    if kind == Kind::Single {
        all.push(of(1, "256MiB"));
    }
    all
}

struct Bench {
    binary: PathBuf,
    data: PathBuf,
    runs: u32,
    keep: bool,
    measures: Vec<Measures>,
}

impl Bench {
    fn set(&self, set: DataSet) -> Result<Vec<Measured>, Failure> {
        let delivery = generate::delivery(&self.data, set);
        let files = delivery.files()?;
        let input = Input {
            set,
            files: files.len(),
            compressed_bytes: files.iter().map(|file| file.size).sum(),
            limit_seconds: (set.format == Format::Csv)
                .then(|| limit::seconds(&delivery, self.runs))
                .transpose()?,
        };
        let manifest = delivery.manifest();
        let settings = self.measures.iter().flat_map(|&measures| settings(set.kind, measures));
        settings.map(|settings| self.fastest(input, &manifest, settings)).collect()
    }

    fn fastest(&self, input: Input, manifest: &Path, settings: Settings) -> Result<Measured, Failure> {
        let mut fastest = self.build(input, manifest, settings)?;
        for _ in 1..self.runs {
            let next = self.build(input, manifest, settings)?;
            if next.usage.seconds < fastest.usage.seconds {
                fastest = next;
            }
        }
        Ok(fastest)
    }

    fn build(&self, input: Input, manifest: &Path, settings: Settings) -> Result<Measured, Failure> {
        eprintln!("{}, {} workers, {} …", input.set, settings.workers, settings.budget);
        let out = self.data.join(format!("{}-{}-{}.index", input.set, settings.workers, settings.budget));
        remove(&out)?;
        let (usage, log) = measure::measured(&ours::command(&self.binary, manifest, &out, settings))?;
        if !self.keep {
            remove(&out)?;
        }
        Ok(Measured { input, settings, usage, built: ours::built(&log)? })
    }
}

fn remove(index: &Path) -> Result<(), Failure> {
    if index.exists() { fs::remove_file(index).advise(index.display(), CHECK_DISK) } else { Ok(()) }
}
