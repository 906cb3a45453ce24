use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::client::Client;
use super::programs::Programs;
use super::running::Running;
use super::tie::Tie;
use super::wait::until;
use crate::failure::{Advise, CHECK_DISK, Failure};

/// moto takes some seconds when nothing of it is in memory yet.
const START: Duration = Duration::from_mins(1);
/// All processes are killed, not asked.
const STOP: Duration = Duration::from_secs(15);

/// A local AWS that this process started. It ends with this value, or with this process.
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) state: Running,
    folder: PathBuf,
    child: Child,
    tie: Option<Tie>,
}

impl Server {
    /// Returns when all of it answers. It has a process group of its own, as it may outlive this process.
    pub(crate) fn start(folder: &Path, programs: &Programs, plan: &Value) -> Result<Self, Failure> {
        fs::create_dir_all(folder).advise(folder.display(), CHECK_DISK)?;
        let (file, log) = (folder.join("plan.json"), folder.join("local-aws.log"));
        fs::write(&file, format!("{plan:#}\n")).advise(file.display(), CHECK_DISK)?;
        let output = File::create(&log).advise(log.display(), CHECK_DISK)?;
        let mut serve = Command::new(&programs.server);
        serve.args(["serve", "--config"]).arg(&file).arg("--state").arg(Running::file(folder));
        serve.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let mut child = serve.spawn().advise(programs.server.display(), CHECK_DISK)?;
        let tie = Tie::new(child.id()).advise("/bin/sh", "see whether this machine is out of processes");
        let started = tie.and_then(|tie| Ok((tie, started(&mut child, folder)?)));
        let (tie, state) = started.inspect_err(|_| {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        })?;
        let client = Client::new(&state.endpoint);
        Ok(Self { client, state, folder: folder.to_owned(), child, tie: Some(tie) })
    }

    /// Lets it go on when this process has ended.
    pub(super) fn leave(mut self) -> Running {
        if let Some(tie) = self.tie.take() {
            tie.loosen();
        }
        self.state.clone()
    }

    /// Ends it: when this returns, all its processes have ended.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Failure> {
        let Some(tie) = self.tie.take() else { return Ok(()) };
        let stopped = stop(&self.state, &self.folder);
        if stopped.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        tie.loosen();
        stopped
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Told by `stop` to who wants to know.
        let _ = self.end();
    }
}

/// What it says when it is ready. What it says when it can't start is the cause of the failure.
fn started(child: &mut Child, folder: &Path) -> Result<Running, Failure> {
    let failed = |what: &str| {
        let log = fs::read_to_string(folder.join("local-aws.log")).unwrap_or_default();
        Failure::new(format_args!("the local AWS {what}: {}", log.trim()), "correct what it names")
    };
    let ready = until(START, || match child.try_wait() {
        Ok(Some(status)) => Err(failed(&format!("ended, {status}"))),
        _ => Ok(Running::read(folder)),
    })?;
    ready.ok_or_else(|| failed(&format!("was not ready within {START:?}")))
}

/// Ends a local AWS that runs. It removes its file last, when all its processes have ended.
pub(super) fn stop(state: &Running, folder: &Path) -> Result<(), Failure> {
    let what = format!("process {} of the local AWS", state.pid);
    kill(Pid::from_raw(state.pid), Signal::SIGTERM).advise(&what, "end it by hand")?;
    let gone = until(STOP, || Ok((!Running::file(folder).exists()).then_some(())))?;
    let late = || Failure::new(format_args!("{what}: not ended after {STOP:?}"), "end it by hand");
    gone.ok_or_else(late)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    /// A server that is this script; its state file is `$5`.
    fn start(script: &str) -> (TempDir, Result<Server, Failure>) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("server");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let programs = Programs { python: PathBuf::new(), server: program, folder: PathBuf::new() };
        let server = Server::start(&folder.path().join("state"), &programs, &json!({}));
        (folder, server)
    }

    /// It writes its state, and removes it when it is asked to end.
    fn ready() -> String {
        let state = json!({
            "pid": 0, "endpoint": "http://127.0.0.1:1", "environment": {}, "functions": {},
            "state_machines": {}, "logs": "logs",
        });
        let state = state.to_string().replace("\"pid\":0", "\"pid\":'$$'");
        format!("trap 'rm \"$5\"; exit' TERM\necho '{state}' > \"$5\"\nwhile :; do sleep 0.01; done")
    }

    #[test]
    fn one_that_cannot_start_says_why() {
        let (_folder, server) = start("echo no python >&2; exit 3");
        let error = server.err().unwrap().to_string();
        assert_eq!(error, "the local AWS ended, exit status: 3: no python: correct what it names");
    }

    #[test]
    fn it_ends_with_its_value() {
        let (folder, server) = start(&ready());
        let file = Running::file(&folder.path().join("state"));
        assert!(file.exists());
        drop(server.unwrap());
        assert!(!file.exists());
    }

    #[test]
    fn one_that_is_left_goes_on_until_it_is_stopped() {
        let (folder, server) = start(&ready());
        let state = server.unwrap().leave();
        let folder = folder.path().join("state");
        assert!(Running::file(&folder).exists());
        stop(&state, &folder).unwrap();
        assert!(!Running::file(&folder).exists());
    }
}
