use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of a test's own: the inventory, temporary files and what is built have places of their own.
pub struct Folder {
    root: TempDir,
}

/// Makes one.
pub fn folder() -> Folder {
    let root = tempfile::Builder::new().prefix("s3inv-test-").tempdir().unwrap();
    for name in ["in", "out", "temp"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    Folder { root }
}

impl Folder {
    /// Where the inventory is.
    pub fn input(&self) -> PathBuf {
        self.root.path().join("in")
    }

    /// Where the index goes.
    pub fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// For `--temp-dir`.
    pub fn temp(&self) -> PathBuf {
        self.root.path().join("temp")
    }

    /// The index.
    pub fn index(&self) -> PathBuf {
        self.out().join("index.s3inv")
    }

    /// Some other place in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Fails if a build left anything but these files where it wrote.
    pub fn assert_left(&self, in_out: &[&str]) {
        let expected: BTreeSet<String> = in_out.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(files_below(&self.out()), expected, "in the destination's folder");
        assert_eq!(files_below(&self.temp()), BTreeSet::new(), "in the folder of temporary files");
    }
}

/// Files and folders below a folder, by their paths relative to it.
pub fn files_below(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        // A live build removes its own while they are listed.
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}
