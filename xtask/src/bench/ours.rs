//! `s3inv-index build`: how it is called, and what it says at its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::measure::{self, Usage};
use super::peers::Answer;
use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::inventory::Delivery;
use crate::workspace::{Workspace, cargo, check, output};

const PACKAGE: &str = "s3inv-index";

/// Settings of one build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) workers: u32,
    /// As `--mem-budget` takes it.
    pub(super) budget: &'static str,
    pub(super) measures: Measures,
}

impl Settings {
    /// One worker, with memory for everything.
    pub(super) const ONE: Self = Self { workers: 1, budget: "4GiB", measures: Measures::Cost };
}

/// What is measured of each prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measures {
    /// Everything.
    All,
    /// Objects and bytes by class, and what cost needs.
    Cost,
}

impl Measures {
    /// As `--measures` takes it.
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Cost => "cost",
        }
    }
}

/// What the last line of its log says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Built {
    pub(super) rows: u64,
    pub(super) prefixes: u64,
    pub(super) index_bytes: u64,
}

/// One build.
pub(super) struct Build {
    pub(super) usage: Usage,
    pub(super) built: Built,
}

/// The release binary, and an index that it writes time and again.
pub(super) struct Ours {
    binary: PathBuf,
    index: PathBuf,
}

impl Ours {
    /// Builds the binary; indexes go to the folder `data`.
    pub(super) fn ready(workspace: &Workspace, data: &Path) -> Result<Self, Failure> {
        Ok(Self { binary: release(workspace, PACKAGE)?, index: data.join("bench.s3inv") })
    }

    /// Builds the index of an inventory.
    pub(super) fn build(&self, inventory: &Delivery, settings: Settings) -> Result<Build, Failure> {
        self.remove()?;
        self.build_at(&inventory.manifest(), &self.index, settings)
    }

    /// The same, of a manifest, to a place where it stays.
    pub(super) fn build_at(&self, manifest: &Path, out: &Path, settings: Settings) -> Result<Build, Failure> {
        let command = command(&self.binary, manifest, out, settings);
        let (usage, log) = measure::measured(&command)?;
        Ok(Build { usage, built: built(&log)? })
    }

    pub(super) fn binary(&self) -> &Path {
        &self.binary
    }

    /// What the index that was built last says of the whole bucket.
    pub(super) fn answer(&self, built: &Built) -> Result<Answer, Failure> {
        let mut query = Command::new(&self.binary);
        query.arg("query").arg("--index").arg(&self.index).args(["--prefix", "", "--output", "json"]);
        let root: Root = serde_json::from_slice(&output(&mut query, "see what it says above")?)
            .advise("`query`", "see whether what it prints has changed")?;
        Ok(Answer { rows: root.objects, prefixes: Some(built.prefixes), bytes: root.bytes })
    }

    fn remove(&self) -> Result<(), Failure> {
        if self.index.exists() {
            fs::remove_file(&self.index).advise(self.index.display(), CHECK_DISK)?;
        }
        Ok(())
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        // What is left is overwritten by the next run.
        let _ = self.remove();
    }
}

#[derive(Deserialize)]
struct Root {
    objects: u64,
    bytes: u64,
}

/// The program of this name, built as it is released.
pub(super) fn release(workspace: &Workspace, package: &str) -> Result<PathBuf, Failure> {
    let program = workspace.target.join("release").join(package);
    if !program.exists() {
        eprintln!("building {package} (takes some minutes) …");
    }
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--package", package]);
    check(&mut build, "correct what the compiler says")?;
    Ok(program)
}

fn command(binary: &Path, manifest: &Path, out: &Path, settings: Settings) -> Command {
    let mut command = Command::new(binary);
    command.arg("build").arg("--s3-manifest").arg(manifest).arg("--out").arg(out);
    command.args(["--workers", &settings.workers.to_string(), "--mem-budget", settings.budget]);
    command.args(["--measures", settings.measures.name()]);
    command
}

/// Finds the line `build complete` in its log.
fn built(log: &str) -> Result<Built, Failure> {
    let mut objects = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let complete = objects.rfind(|line| line["msg"] == "build complete");
    let complete = complete.ok_or_else(|| {
        Failure::new(format_args!("no `build complete` in the log: {log:?}"), "see whether its log changed")
    })?;
    serde_json::from_value(complete).advise("`build complete`", "see whether the log's fields changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_complete_line_counts() {
        let log = "reading …\n{\"msg\":\"plan\"}\n{\"level\":\"info\",\"msg\":\"build complete\",\"rows\":5,\"prefixes\":2,\
                   \"depth\":1,\"run_files\":1,\"peak_memory_bytes\":9,\"seconds\":0.1,\"rows_per_second\":50.0,\
                   \"index_bytes\":300}\n";
        assert_eq!(built(log).unwrap(), Built { rows: 5, prefixes: 2, index_bytes: 300 });
    }

    #[test]
    fn a_log_without_it_is_an_error() {
        assert!(built("{\"msg\":\"plan\"}\n").unwrap_err().to_string().contains("build complete"));
        assert!(built("{\"msg\":\"build complete\"}").unwrap_err().to_string().contains("missing field"));
    }

    #[test]
    fn settings_become_flags() {
        let settings = Settings { workers: 2, budget: "256MiB", measures: Measures::All };
        let command = command(Path::new("cli"), Path::new("m.json"), Path::new("o"), settings);
        let args: Vec<_> = command.get_args().map(|arg| arg.to_str().unwrap()).collect();
        let expected = "build --s3-manifest m.json --out o --workers 2 --mem-budget 256MiB --measures all";
        assert_eq!(args.join(" "), expected);
    }
}
