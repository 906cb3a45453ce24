use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use crate::failure::{Advise, Failure};

/// The packages of this workspace, as `cargo metadata` tells them.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where builds go, and all else that can be made again.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A direct dependency.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev`, `build`, or none where it is neither.
    pub(crate) kind: Option<String>,
    /// The folder of one that is in the workspace.
    pub(crate) path: Option<PathBuf>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self, Failure> {
        let args = ["metadata", "--no-deps", "--format-version", "1"];
        let text = output(cargo().args(args), "correct Cargo.toml")?;
        serde_json::from_slice(&text).advise("cargo metadata", "use the toolchain of rust-toolchain.toml")
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Runs the command, shows its errors, returns what it prints.
pub(crate) fn output(command: &mut Command, remedy: &str) -> Result<Vec<u8>, Failure> {
    let name = command.get_program().display().to_string();
    let output = command.stderr(std::process::Stdio::inherit()).output().advise(&name, remedy)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failure::new(format_args!("{name}: {}", output.status), remedy))
    }
}

/// Runs the command, which prints what it likes.
pub(crate) fn check(command: &mut Command, remedy: &str) -> Result<(), Failure> {
    let name = command.get_program().display().to_string();
    let status = command.status().advise(&name, remedy)?;
    if status.success() { Ok(()) } else { Err(Failure::new(format_args!("{name}: {status}"), remedy)) }
}
