use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Advise, CHECK_DISK, Failure};

/// Programs from a package registry, in a folder of their own, installed once.
pub(crate) struct Installed {
    pub(crate) folder: PathBuf,
    /// The file that lists them. Its copy in the folder says that all of it is installed.
    pub(crate) list: PathBuf,
    /// A program that is there when all is well, from the folder on.
    pub(crate) program: &'static str,
}

impl Installed {
    /// The program, which `install` brings where it isn't there yet or the list has changed.
    pub(crate) fn ready(
        &self,
        install: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<PathBuf, Failure> {
        let program = self.folder.join(self.program);
        if !self.is_current() {
            eprintln!("making {} (once; takes up to two minutes) …", self.folder.display());
            install(&self.folder)?;
            fs::copy(&self.list, self.stamp()).advise(self.folder.display(), CHECK_DISK)?;
        }
        Ok(program)
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("installed-from")
    }

    fn is_current(&self) -> bool {
        match (fs::read(self.stamp()), fs::read(&self.list)) {
            (Ok(installed), Ok(wanted)) => installed == wanted && self.folder.join(self.program).exists(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_list_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("wanted.txt");
        let here =
            Installed { folder: folder.path().join("venv"), list: list.clone(), program: "bin/python" };
        let ready = |may_install: bool| {
            here.ready(|venv| {
                assert!(may_install);
                fs::create_dir_all(venv.join("bin")).unwrap();
                fs::write(venv.join("bin/python"), "").unwrap();
                Ok(())
            })
        };
        fs::write(&list, "moto==1").unwrap();
        assert_eq!(ready(true).unwrap(), here.folder.join("bin/python"));
        ready(false).unwrap();
        fs::write(&list, "moto==2").unwrap();
        ready(true).unwrap();
        fs::remove_file(here.folder.join("bin/python")).unwrap();
        ready(true).unwrap();
    }

    #[test]
    fn a_failed_installation_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("wanted.txt");
        fs::write(&list, "moto==1").unwrap();
        let here = Installed { folder: folder.path().join("venv"), list, program: "bin/python" };
        assert!(here.ready(|_| Err(Failure::new("pip", "try again"))).is_err());
        assert!(!here.is_current());
    }
}
