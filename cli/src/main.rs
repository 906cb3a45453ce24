//! The `s3inv-index` command.

mod amount;
mod args;
mod commands;
mod cost;
mod export;
mod failure;
mod heading;
mod limits;
mod logs;
mod page;
mod part;
mod place;
mod priced;
mod progress;
mod row;
mod sheet;
mod table;
mod text;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::failure::Failure;
use crate::logs::Screen;

fn main() -> ExitCode {
    let args = Args::parse();
    let screen = logs::start(args.command.logs());
    run(args.command, &screen).map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

fn run(command: Command, screen: &Screen) -> Result<(), Failure> {
    s3inv_pipeline::reserve_files().map_err(|error| Failure::Other(error.to_string()))?;
    match command {
        Command::Build(args) => commands::build(&args, screen),
        Command::Query(args) => commands::query(&args),
        Command::Ls(args) => commands::ls(&args),
        Command::Tree(args) => commands::tree(&args),
        Command::Top(args) => commands::top(&args),
        Command::Diff(args) => commands::diff(&args),
        Command::Export(args) => commands::export(&args),
        Command::Report(args) => commands::report(&args),
        Command::Stat(args) => commands::stat(&args),
        Command::Verify(args) => commands::verify(&args),
        Command::Prices(args) => commands::prices(&args),
        Command::Demo(args) => commands::demo(&args, screen),
        Command::Completions(args) => commands::completions(&args),
        Command::Man(args) => commands::man(&args),
    }
}
