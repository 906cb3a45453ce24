//! Programs that make the same table of the same files, each on one thread: Python scripts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::test::venv;
use crate::workspace::{Workspace, output};

const SCRIPTS: &str = "xtask/src/bench/peers";
const OR_NONE: &str = "or measure without them: --peers none";
const REQUIREMENTS: &str = "xtask/peers-requirements.txt";

/// What an index is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    DuckDb,
    Polars,
    /// Only reads the columns of ORC files.
    PyArrow,
}

impl Peer {
    fn script(self) -> &'static str {
        match self {
            Self::DuckDb => "with_duckdb.py",
            Self::Polars => "with_polars.py",
            Self::PyArrow => "with_pyarrow.py",
        }
    }
}

/// What shows that the work was done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Answer {
    pub(super) rows: u64,
    /// None from who only reads.
    pub(super) prefixes: Option<u64>,
    /// Of all objects.
    pub(super) bytes: u64,
}

impl Answer {
    /// Whether both say the same, where both say something.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let prefixes = self.prefixes.zip(other.prefixes);
        (self.rows, self.bytes) == (other.rows, other.bytes) && prefixes.is_none_or(|(one, two)| one == two)
    }
}

/// What a peer did.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Told {
    /// Its name and version.
    pub(super) version: String,
    /// By the clock; like the next, without Python's start.
    pub(super) seconds: f64,
    /// User and system time of all threads.
    pub(super) cpu_seconds: f64,
    pub(super) answer: Answer,
}

/// The Python that has them; installed where that isn't so yet.
pub(super) fn python(workspace: &Workspace) -> Result<PathBuf, Failure> {
    venv::with(workspace, "peers-python", REQUIREMENTS)
}

/// Has a peer make a table of the inventory in `folder`, below `data`, and removes it.
pub(super) fn run(workspace: &Workspace, peer: Peer, folder: &Path, data: &Path) -> Result<Told, Failure> {
    let out = data.join("bench.parquet");
    let mut script = Command::new(python(workspace).advise("no peers to compare with", OR_NONE)?);
    script.arg(workspace.root.join(SCRIPTS).join(peer.script())).arg(folder).arg(&out);
    let told = told(&output(script.env("PYTHONDONTWRITEBYTECODE", "1"), OR_NONE)?)?;
    if out.exists() {
        fs::remove_file(&out).advise(out.display(), CHECK_DISK)?;
    }
    Ok(told)
}

fn told(printed: &[u8]) -> Result<Told, Failure> {
    serde_json::from_slice(printed)
        .advise("a peer's answer", "see whether what its script prints has changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_prints_is_read() {
        let printed = br#"{"version": "DuckDB 2", "seconds": 2.5, "cpu_seconds": 1.5, "answer": {"rows": 3, "prefixes": null, "bytes": 9}}"#;
        let told = told(printed).unwrap();
        assert_eq!((told.version.as_str(), told.answer.prefixes), ("DuckDB 2", None));
        assert!(super::told(b"").is_err());
    }

    #[test]
    fn answers_agree_in_what_both_say() {
        let answer = |rows, prefixes, bytes| Answer { rows, prefixes, bytes };
        assert!(answer(3, Some(2), 9).agrees(&answer(3, Some(2), 9)));
        assert!(answer(3, Some(2), 9).agrees(&answer(3, None, 9)));
        for other in [answer(4, Some(2), 9), answer(3, Some(3), 9), answer(3, Some(2), 8)] {
            assert!(!answer(3, Some(2), 9).agrees(&other), "{other:?}");
        }
    }
}
