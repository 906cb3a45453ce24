use std::path::{Path, PathBuf};
use std::process::Command;

use super::names::FUNCTIONS;
use crate::failure::Failure;
use crate::test::venv;
use crate::workspace::{Workspace, cargo, check};

const CORRECT: &str = "correct what the compiler says";

/// The programs of a local AWS, built.
pub(crate) struct Programs {
    /// A Python with moto.
    pub(super) python: PathBuf,
    /// `local-aws`.
    pub(super) server: PathBuf,
    functions: PathBuf,
}

impl Programs {
    /// Installs and builds what isn't there yet.
    pub(crate) fn ready(workspace: &Workspace) -> Result<Self, Failure> {
        let python = venv::ready(workspace)?;
        let functions = functions(workspace)?;
        eprintln!("building the local AWS …");
        let mut build = cargo();
        build.args(["build", "--package", "s3inv-local-aws", "--bin", "local-aws"]);
        check(build.current_dir(&workspace.root), CORRECT)?;
        Ok(Self { python, server: workspace.target.join("debug/local-aws"), functions })
    }

    /// A function's program.
    pub(super) fn function(&self, name: &str) -> PathBuf {
        self.functions.join(name).join("bootstrap")
    }
}

/// Builds the functions as `sam build` does, but for the compiler: this machine's own, since that is
/// where they run. Returns the folder with a folder of each.
fn functions(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let python = venv::with(workspace, "lambda-python", "xtask/lambda-requirements.txt")?;
    eprintln!("building the functions (some minutes when it is the first time) …");
    let folder = workspace.target.join("lambda");
    let mut build = Command::new(python.with_file_name("cargo-lambda"));
    build.args(["lambda", "build", "--release", "--compiler", "cargo", "--lambda-dir"]).arg(&folder);
    // Named one by one: the workspace has more programs than functions.
    build.args(FUNCTIONS.iter().flat_map(|name| ["--package".to_owned(), format!("s3inv-{name}")]));
    check(build.current_dir(&workspace.root), CORRECT)?;
    Ok(folder)
}

/// Builds the command line's program; returns where it is.
pub(crate) fn command_line(workspace: &Workspace) -> Result<PathBuf, Failure> {
    eprintln!("building s3inv-index …");
    let mut build = cargo();
    build.args(["build", "--release", "--package", "s3inv-index"]);
    check(build.current_dir(&workspace.root), CORRECT)?;
    Ok(Path::new(&workspace.target).join("release/s3inv-index"))
}
