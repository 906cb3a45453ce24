use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::installed::Installed;
use crate::workspace::{Workspace, check};

/// The Python that has what `xtask/requirements.txt` lists; installed where that isn't so yet.
pub(crate) fn ready(workspace: &Workspace) -> Result<PathBuf, Failure> {
    with(workspace, "venv", "xtask/requirements.txt")
}

/// The Python in this folder of the target folder that has what the list names.
pub(crate) fn with(workspace: &Workspace, folder: &str, list: &str) -> Result<PathBuf, Failure> {
    let folder = workspace.target.join(folder);
    let python = Installed { folder, list: workspace.root.join(list), program: "bin/python" };
    python.ready(|venv| install(venv, &python.list))
}

fn install(venv: &Path, list: &Path) -> Result<(), Failure> {
    let needs_python = "install Python 3.11 or newer with its venv module (Debian: python3-venv)";
    check(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv), needs_python)?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    let needs_pypi =
        "see that pip reaches PyPI and Python is one that the pinned wheels are for, then try again";
    check(pip.arg("--requirement").arg(list), needs_pypi)
}
