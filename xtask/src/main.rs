//! The project's own commands, run as `cargo xtask COMMAND`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool for developers")]

mod bench;
mod demo;
mod demo_aws;
mod failure;
mod fuzz;
mod infra;
mod installed;
mod instructions;
mod inventory;
mod layers;
mod local;
mod scale;
mod table;
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
    /// Have every fault befall the functions at every place, where the tests try some: about half an hour.
    Faults,
    /// Measure `s3inv-index build` over made inventories of real size.
    Bench(bench::Args),
    /// Run the fuzz targets under libFuzzer. Needs a C++ compiler.
    Fuzz(fuzz::Args),
    /// Count the instructions of the hot paths, and compare them with what they were. Needs Valgrind.
    Instructions(instructions::Args),
    /// Check the SAM template and the state machine. Needs Python and Node.js.
    Infra,
    /// Check which crate depends on which.
    Layers,
    /// Start or stop an AWS on this machine, with the functions and the state machine in it.
    #[command(subcommand)]
    Local(local::Action),
    /// Show the command line; with --aws, the serverless build, in a local AWS that ends with it.
    Demo(demo_aws::Args),
    /// Print what builds of any size would take and cost, from measured rates and AWS's limits.
    Scale(scale::Args),
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
        Command::Faults => test::faults(),
        Command::Bench(args) => bench::run(args),
        Command::Fuzz(args) => fuzz::run(args),
        Command::Infra => infra::run().map(done),
        Command::Instructions(args) => instructions::run(args),
        Command::Layers => layers::run().map(done),
        Command::Local(action) => local::run(action).map(done),
        Command::Demo(args) => demo_aws::run(args).map(done),
        Command::Scale(args) => {
            scale::run(args);
            Ok(ExitCode::SUCCESS)
        }
        Command::DemoData(args) => demo::run(args).map(done),
        Command::Measure(args) => bench::measure(args).map(done),
    }
}
