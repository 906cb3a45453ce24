//! The project's own commands, run as `cargo xtask COMMAND`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool for developers")]

mod bench;
mod demo;
mod failure;
mod fuzz;
mod inventory;
mod layers;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use failure::Failure;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
enum Command {
    /// Run all tests, with a local S3 and the Python packages they need.
    Test(test::Args),
    /// Measure `s3inv-index build` over made inventories of real size.
    Bench(bench::Args),
    /// Run the fuzz targets under libFuzzer. Needs a C++ compiler.
    Fuzz(fuzz::Args),
    /// Check which crate depends on which.
    Layers,
    /// Make the inventory in cli/demo from a Packages index on standard input.
    DemoData(demo::Args),
    /// Run a command, then print its time and peak memory as JSON: a process of its own for bench.
    #[command(hide = true)]
    Measure(bench::MeasureArgs),
}

fn main() -> ExitCode {
    run(&Command::parse()).unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        ExitCode::FAILURE
    })
}

fn run(command: &Command) -> Result<ExitCode, Failure> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Test(args) => test::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Fuzz(args) => fuzz::run(args),
        Command::Layers => layers::run().map(done),
        Command::DemoData(args) => demo::run(args).map(done),
        Command::Measure(args) => bench::measure(args).map(done),
    }
}
