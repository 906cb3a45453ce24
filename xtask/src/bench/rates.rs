//! What one core does in process: `s3inv-rates`, of which each line is a result.

use std::path::Path;
use std::process::Command;

use serde::de::DeserializeOwned;

use super::ours::release;
use crate::failure::{Advise, Failure};
use crate::workspace::{Workspace, output};

const PACKAGE: &str = "s3inv-rates";

/// Runs it over the inventory in a folder.
pub(super) fn measured<T: DeserializeOwned>(
    workspace: &Workspace,
    what: &str,
    inventory: &Path,
    rounds: u32,
) -> Result<Vec<T>, Failure> {
    let mut rates = Command::new(release(workspace, PACKAGE)?);
    rates.arg(what).arg(inventory).args(["--rounds", &rounds.to_string()]);
    lines(&output(&mut rates, "see what it says above")?)
}

fn lines<T: DeserializeOwned>(printed: &[u8]) -> Result<Vec<T>, Failure> {
    let lines = serde_json::Deserializer::from_slice(printed).into_iter();
    lines.collect::<Result<_, _>>().advise(PACKAGE, "see whether what it prints has changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_result() {
        assert_eq!(lines::<Vec<u8>>(b"[1,2]\n[3]\n").unwrap(), [vec![1, 2], vec![3]]);
        let error = lines::<Vec<u8>>(b"[1,2]\n{\"rows\":1}\n").unwrap_err().to_string();
        assert!(error.starts_with("s3inv-rates: invalid type: map"), "{error}");
    }
}
