//! `cargo xtask test` and `faults`: tests, with what they need around them.

mod moto;
pub(crate) mod venv;

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use crate::failure::{Advise, Failure};
use crate::infra;
use crate::instructions;
use crate::workspace::{Workspace, cargo, check};
use moto::Moto;

/// What to pass on.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Further arguments of `cargo test`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo_test: Vec<OsString>,
}

/// The code that `cargo test` exits with.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    // Not what clap made of them: it drops the first `--`, which parts cargo's from the tests' own.
    let tested = with_surroundings(|test| test.args(std::env::args_os().skip(2)))?;
    // Who asks for some tests doesn't wait for all of it.
    if tested == ExitCode::SUCCESS && args.cargo_test.is_empty() {
        return instructions::compare();
    }
    Ok(tested)
}

/// `cargo xtask faults`: the tests of the fleet under faults, which try every place and not some.
pub(crate) fn faults() -> Result<ExitCode, Failure> {
    with_surroundings(|test| {
        test.env("S3INV_TEST_EVERY", "1").args(["--test", "e2e", "--", "--nocapture", "fleet::"])
    })
}

fn with_surroundings(what: impl FnOnce(&mut Command) -> &mut Command) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    infra::validate(&workspace)?;
    let python = venv::ready(&workspace)?;
    let moto = Moto::start(&python, &workspace)?;
    // The functions' programs, which the tests run: built with the features that the tests have, so that
    // what they depend on is built once.
    let mut build = cargo();
    build.args(["build", "--workspace", "--all-features", "--all-targets"]);
    check(&mut build, "correct the code")?;
    let mut test = cargo();
    test.args(["test", "--workspace", "--all-features"]);
    what(&mut test);
    test.env("S3INV_TEST_S3", moto.endpoint()).env("S3INV_TEST_PYTHON", &python);
    test.env("S3INV_TEST_FUNCTIONS", workspace.target.join("debug"));
    let status = test.status().advise("cargo test", "install Rust")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
