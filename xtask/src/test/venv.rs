use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::workspace::{Workspace, check};

/// The Python that has what `xtask/requirements.txt` lists; installed where that isn't so yet.
pub(crate) fn ready(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let venv = workspace.target.join("venv");
    let wanted = workspace.root.join("xtask/requirements.txt");
    let python = venv.join("bin/python");
    if !is_current(&venv, &wanted) {
        install(&venv, &python, &wanted)?;
    }
    Ok(python)
}

/// The list is copied into the environment when all of it is installed.
fn stamp(venv: &Path) -> PathBuf {
    venv.join("requirements.txt")
}

fn is_current(venv: &Path, wanted: &Path) -> bool {
    match (fs::read(stamp(venv)), fs::read(wanted)) {
        (Ok(installed), Ok(wanted)) => installed == wanted && venv.join("bin/python").exists(),
        _ => false,
    }
}

fn install(venv: &Path, python: &Path, wanted: &Path) -> Result<(), Failure> {
    eprintln!("making {} (once; some 30 s) …", venv.display());
    let needs_python = "install Python 3.11 or newer with its venv module (Debian: python3-venv)";
    check(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv), needs_python)?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    let needs_pypi =
        "see that pip reaches PyPI and Python is one that the pinned wheels are for, then try again";
    check(pip.arg("--requirement").arg(wanted), needs_pypi)?;
    fs::copy(wanted, stamp(venv)).advise(venv.display(), CHECK_DISK)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_list_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (venv, wanted) = (folder.path().join("venv"), folder.path().join("wanted.txt"));
        fs::create_dir_all(venv.join("bin")).unwrap();
        fs::write(&wanted, "moto==1").unwrap();
        assert!(!is_current(&venv, &wanted));
        fs::copy(&wanted, stamp(&venv)).unwrap();
        assert!(!is_current(&venv, &wanted));
        fs::write(venv.join("bin/python"), "").unwrap();
        assert!(is_current(&venv, &wanted));
        fs::write(&wanted, "moto==2").unwrap();
        assert!(!is_current(&venv, &wanted));
    }
}
