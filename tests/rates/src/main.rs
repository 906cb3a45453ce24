//! How fast one core does the work of a build, in this process and on one thread: each result is a JSON line.
//! `cargo xtask bench` runs it, and makes tables of what it prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints what it measures")]

mod clock;
mod core;
mod merging;
mod runs;
mod set;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;

use set::Set;

type Done<T> = Result<T, Box<dyn Error>>;

/// What to measure.
#[derive(Parser)]
enum Command {
    /// Decompressing, reading, rolling up and writing runs.
    Core(Args),
    /// Merging runs.
    Merge(Args),
}

#[derive(clap::Args)]
struct Args {
    /// The folder of an inventory's manifest.json, with data files as CSV, gzipped.
    set: PathBuf,
    /// How often each is measured; the fastest counts.
    #[arg(long, default_value = "5")]
    rounds: u32,
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Done<()> {
    match command {
        Command::Core(args) => print(&core::measure(&Set::open(&args.set)?, args.rounds)?),
        Command::Merge(args) => print(&merging::measure(&Set::open(&args.set)?, args.rounds)?),
    }
}

fn print<T: Serialize>(lines: &[T]) -> Done<()> {
    lines.iter().try_for_each(|line| {
        println!("{}", serde_json::to_string(line)?);
        Ok(())
    })
}
