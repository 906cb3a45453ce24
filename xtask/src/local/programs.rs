use std::path::PathBuf;
use std::process::Command;

use super::names::FUNCTIONS;
use crate::failure::Failure;
use crate::test::venv;
use crate::workspace::{Workspace, cargo, check};

const CORRECT: &str = "correct what the compiler says";

/// The command line's program. It is built with the functions: what they share takes most of the time.
const COMMAND_LINE: &str = "s3inv-index";

/// Without the release profile's link-time optimisation, which alone takes longer than all the rest, once
/// for each function.
const QUICK: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "none"),
];

/// The programs of a local AWS, built.
pub(crate) struct Programs {
    /// A Python with moto.
    pub(super) python: PathBuf,
    /// `local-aws`.
    pub(super) server: PathBuf,
    /// A folder of each function.
    pub(super) folder: PathBuf,
}

impl Programs {
    /// Installs and builds what isn't there yet.
    pub(crate) fn ready(workspace: &Workspace) -> Result<Self, Failure> {
        let python = venv::ready(workspace)?;
        let lambda = venv::with(workspace, "lambda-python", "xtask/lambda-requirements.txt")?;
        let folder = workspace.target.join("lambda");
        let mut build = Command::new(lambda.with_file_name("cargo-lambda"));
        // Its own optimisations make a panic abort, where a function has to say that it is a defect.
        build.args(["lambda", "build", "--release", "--compiler", "cargo", "--disable-optimizations"]);
        build.arg("--lambda-dir").arg(&folder).envs(QUICK).current_dir(&workspace.root);
        // Named one by one: the workspace has more programs than these.
        build.args(FUNCTIONS.iter().flat_map(|name| ["--package".to_owned(), format!("s3inv-{name}")]));
        eprintln!("building the functions (some minutes when it is the first time) …");
        check(build.args(["--package", COMMAND_LINE]), CORRECT)?;
        eprintln!("building the local AWS …");
        let mut build = cargo();
        build.args(["build", "--package", "s3inv-local-aws", "--bin", "local-aws"]);
        check(build.current_dir(&workspace.root), CORRECT)?;
        Ok(Self { python, server: workspace.target.join("debug/local-aws"), folder })
    }

    /// A function's program.
    pub(super) fn function(&self, name: &str) -> PathBuf {
        self.folder.join(name).join("bootstrap")
    }

    /// `s3inv-index`. All that cargo-lambda builds has that name.
    pub(crate) fn command_line(&self) -> PathBuf {
        self.function(COMMAND_LINE)
    }
}
