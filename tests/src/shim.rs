use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Cli, Folder};

/// What stands between the binary and the C library: compiled from `tests/shim`, gone with its folder.
pub struct Shim(PathBuf);

impl Shim {
    /// Compiles `tests/shim/{name}.c`.
    pub fn new(folder: &Folder, name: &str) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("shim/{name}.c"));
        let library = folder.path(&format!("{name}.so"));
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
        let status = cc.arg("-ldl").status().expect("cc, a C compiler, is needed for the tests");
        assert!(status.success(), "cc: {status}");
        Self(library)
    }

    /// The same command, with this before the C library.
    pub fn before(&self, cli: Cli) -> Cli {
        cli.env("LD_PRELOAD", &self.0)
    }
}
