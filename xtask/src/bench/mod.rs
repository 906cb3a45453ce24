//! `cargo xtask bench`: the real binary over inventories of real size, as one table.

mod apt;
mod clock;
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
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::workspace::{Workspace, cargo};
pub(crate) use measure::{MeasureArgs, measure};
use ours::Settings;
use result::{Input, Measured};
use set::{DataSet, Kind, Order};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rows of each data set; several numbers make several of each.
    #[arg(long, value_delimiter = ',', default_value = "5000000")]
    rows: Vec<usize>,
    /// Which data sets.
    #[arg(long, value_delimiter = ',', default_value = "paths,logs,single")]
    sets: Vec<Kind>,
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
    if args.generate_only {
        return Ok(ExitCode::SUCCESS);
    }
    let bench = Bench { binary: ours::binary(&workspace)?, data, runs: args.runs.max(1), keep: args.keep };
    let mut table = result::table();
    for (kind, rows) in inputs {
        for order in Order::ALL {
            bench.set(DataSet { kind, order, rows })?.iter().for_each(|measured| table.push(measured));
        }
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
fn settings(kind: Kind) -> Vec<Settings> {
    let budget = "4GiB";
    let mut all = vec![Settings { workers: 1, budget }, Settings { workers: 2, budget }];
    if kind == Kind::Single {
        all.push(Settings { workers: 1, budget: "256MiB" });
    }
    all
}

struct Bench {
    binary: PathBuf,
    data: PathBuf,
    runs: u32,
    keep: bool,
}

impl Bench {
    fn set(&self, set: DataSet) -> Result<Vec<Measured>, Failure> {
        let delivery = generate::delivery(&self.data, set);
        let files = delivery.files()?;
        let input = Input {
            set,
            files: files.len(),
            compressed_bytes: files.iter().map(|file| file.size).sum(),
            limit_seconds: limit::seconds(&delivery, self.runs)?,
        };
        let manifest = delivery.manifest();
        settings(set.kind).into_iter().map(|settings| self.fastest(input, &manifest, settings)).collect()
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
