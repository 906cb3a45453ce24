use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::client::Client;
use super::names::build_arn;

/// What a local AWS that runs says of itself: the file that `local-aws serve` writes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Running {
    pub(super) pid: i32,
    /// The URL that AWS's clients connect to.
    pub(crate) endpoint: String,
    /// The variables that make them do so.
    pub(crate) environment: BTreeMap<String, String>,
    /// ARNs by name.
    pub(super) state_machines: BTreeMap<String, String>,
    /// ARNs by name.
    pub(super) functions: BTreeMap<String, String>,
    /// The folder of the logs.
    pub(crate) logs: PathBuf,
}

impl Running {
    /// The file in a local AWS's folder.
    pub(super) fn file(folder: &Path) -> PathBuf {
        folder.join("state.json")
    }

    /// What is written there; nothing, if it isn't there yet.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(Self::file(folder)).ok()?).ok()
    }

    /// That of the local AWS of this folder, if it answers: one that was killed leaves its file behind.
    pub(crate) fn find(folder: &Path) -> Option<Self> {
        let state = Self::read(folder)?;
        let described = json!({ "stateMachineArn": build_arn() });
        let answers = Client::new(&state.endpoint).states("DescribeStateMachine", &described).is_ok();
        answers.then_some(state)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn what_was_killed_does_not_run() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Running::find(folder.path()), None);
        // A port that nobody listens on any more.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let state = json!({
            "pid": 1, "endpoint": format!("http://127.0.0.1:{port}"), "environment": {}, "functions": {},
            "state_machines": {}, "logs": "logs",
        });
        fs::write(Running::file(folder.path()), state.to_string()).unwrap();
        assert!(Running::read(folder.path()).is_some());
        assert_eq!(Running::find(folder.path()), None);
    }
}
