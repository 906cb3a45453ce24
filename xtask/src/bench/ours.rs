//! `s3inv-index build`: how it is called, and what it says at its end.
//!
//! A peer to compare with is a module like this one: a command for a case, and a reader of its results.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::failure::{Advise, Failure};
use crate::workspace::{Workspace, cargo, check};

const PACKAGE: &str = "s3inv-index";

/// Settings of one build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) workers: u32,
    /// As `--mem-budget` takes it.
    pub(super) budget: &'static str,
    pub(super) measures: Measures,
}

/// What is measured of each prefix: the most, and the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Measures {
    /// Everything.
    All,
    /// Objects and bytes by class.
    None,
}

impl std::fmt::Display for Measures {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::None => "none",
        })
    }
}

/// What the last line of its log says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Built {
    pub(super) rows: u64,
    pub(super) prefixes: u64,
    pub(super) index_bytes: u64,
}

/// Builds the release binary; returns where it is.
pub(super) fn binary(workspace: &Workspace) -> Result<PathBuf, Failure> {
    check(cargo().args(["build", "--release", "--package", PACKAGE]), "correct what the compiler says")?;
    Ok(workspace.target.join("release").join(PACKAGE))
}

pub(super) fn command(binary: &Path, manifest: &Path, out: &Path, settings: Settings) -> Command {
    let mut command = Command::new(binary);
    command.arg("build").arg("--s3-manifest").arg(manifest).arg("--out").arg(out);
    command.args(["--workers", &settings.workers.to_string(), "--mem-budget", settings.budget]);
    command.args(["--measures", &settings.measures.to_string()]);
    command
}

/// Finds the line `build complete` in its log.
pub(super) fn built(log: &str) -> Result<Built, Failure> {
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
