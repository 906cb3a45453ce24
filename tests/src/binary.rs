use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use s3inv_cancel::{Clock, SystemClock};
use serde_json::Value;

/// When a child that says nothing is taken for stuck.
const STUCK: Duration = Duration::from_secs(30);

/// The binary, which cargo builds for the tests of its package, and names to them.
fn binary() -> PathBuf {
    let path = std::env::var_os("CARGO_BIN_EXE_s3inv-index");
    path.expect("run by `cargo test`, which sets CARGO_BIN_EXE_s3inv-index").into()
}

/// The binary with arguments, in an environment without what would change its answers.
pub struct Cli(Command);

/// Prepares to run the binary.
pub fn s3inv<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Cli {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("AWS_") || name_text.starts_with("S3INV_") {
            command.env_remove(&name);
        }
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.args(args).stdin(Stdio::null());
    Cli(command)
}

impl Cli {
    /// Adds an argument and its value.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.arg(name).arg(value);
        self
    }

    /// Adds a flag.
    #[must_use]
    pub fn flag(mut self, name: &str) -> Self {
        self.0.arg(name);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Removes a variable from its environment.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// Sets several.
    #[must_use]
    pub fn envs<'a>(mut self, variables: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        self.0.envs(variables);
        self
    }

    /// Sets where it runs.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Has it run by another program, such as `prlimit`, which gets its path and arguments behind these.
    #[must_use]
    pub fn under<A: AsRef<OsStr>>(self, program: &str, args: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(program);
        command.args(args).arg(self.0.get_program());
        self.with_program(command)
    }

    /// The same by a copy of the binary, for a user who can't see the original.
    #[must_use]
    pub fn copied_to(self, path: &Path) -> Self {
        // Not by this process: others that it starts meanwhile would hold the copy open for writing, and what is
        // being written can't be run.
        let copied = Command::new("cp").args([binary().as_path(), path]).status().unwrap();
        assert!(copied.success(), "{}", path.display());
        self.with_program(Command::new(path))
    }

    /// The same arguments and environment for what begins like this.
    fn with_program(self, mut command: Command) -> Self {
        command.args(self.0.get_args());
        self.with_command(command)
    }

    /// The same environment for another command.
    fn with_command(self, mut command: Command) -> Self {
        command.stdin(Stdio::null());
        for (name, value) in self.0.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = self.0.get_current_dir() {
            command.current_dir(folder);
        }
        Self(command)
    }

    /// Its exit code, and what is seen where all that it prints and logs goes to a terminal.
    pub fn on_a_terminal(self) -> (Option<i32>, String) {
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        let words: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
        let run = self.with_command(script).run();
        (run.code, String::from_utf8_lossy(&run.stdout).into_owned())
    }

    /// Runs it to its end.
    pub fn run(self) -> Finished {
        self.start().finish()
    }

    /// Starts it.
    pub fn start(mut self) -> Started {
        let mut child = self.0.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (send, lines) = channel();
        let stdout = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).unwrap();
            bytes
        });
        std::thread::spawn(move || {
            // Who no longer listens has failed already.
            let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines.try_for_each(|line| send.send(line))
        });
        Started { child, lines, seen: Vec::new(), stdout: Some(stdout) }
    }

    /// The command, for what this doesn't do.
    pub fn command(self) -> Command {
        self.0
    }
}

/// The binary, running.
pub struct Started {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    stdout: Option<JoinHandle<Vec<u8>>>,
}

impl Started {
    /// Waits for a line on stderr that holds all of `texts`.
    pub fn wait_for(&mut self, texts: &[&str]) {
        loop {
            let line = self.lines.recv_timeout(STUCK);
            let line =
                line.unwrap_or_else(|_| panic!("it never said {texts:?}, but:\n{}", self.seen.join("\n")));
            self.seen.push(line);
            let last = self.seen.last().unwrap();
            if texts.iter().all(|text| last.contains(text)) {
                return;
            }
        }
    }

    /// Waits until a phase begins; it has to be run with `--verbose`.
    pub fn wait_for_phase(&mut self, phase: &str) {
        self.wait_for(&["phase begins", &format!("\"{phase}\"")]);
    }

    /// Listens to it for so long, or until it ends.
    pub fn listen(&mut self, time: Duration) {
        let clock = SystemClock::new();
        while let Some(left) = time.checked_sub(clock.now())
            && let Ok(line) = self.lines.recv_timeout(left)
        {
            self.seen.push(line);
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Sends it a signal, and waits for its end: also how long that took.
    pub fn end_by(self, signal: Signal) -> (Finished, Duration) {
        let clock = SystemClock::new();
        self.signal(signal);
        let finished = self.finish();
        (finished, clock.now())
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Finished {
        loop {
            match self.lines.recv_timeout(STUCK) {
                Ok(line) => self.seen.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    panic!("it is stuck after:\n{}", self.seen.join("\n"))
                }
            }
        }
        let status = self.child.wait().unwrap();
        Finished {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.take().unwrap().join().unwrap(),
            stderr: std::mem::take(&mut self.seen),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Of a test that fails: nothing may go on after it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the binary did.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it logged.
    pub stderr: Vec<String>,
}

impl Finished {
    /// What it printed, once it is known that all went well.
    pub fn answer(&self) -> &str {
        assert_eq!(self.code, Some(0), "{:#?}", self.stderr);
        self.text()
    }

    /// What it printed, however it ended.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// What it logged: each line a JSON object with level and message.
    pub fn logs(&self) -> Vec<Value> {
        let parse = |line: &String| -> Value {
            let log: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let plain =
                |name: &String| name.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b));
            assert!(log["level"].is_string() && log["msg"].is_string(), "{line}");
            assert!(log.as_object().unwrap().keys().all(plain), "{line}");
            log
        };
        self.stderr.iter().map(parse).collect()
    }

    /// The messages that it logged at a level.
    pub fn messages(&self, level: &str) -> Vec<String> {
        let logs = self.logs();
        let of_level = logs.iter().filter(|log| log["level"] == level);
        of_level.map(|log| log["msg"].as_str().unwrap().to_owned()).collect()
    }

    /// The one error that it ended with; its exit code is 1.
    pub fn error(&self) -> String {
        assert_eq!(self.code, Some(1), "{:#?}", self.stderr);
        let mut errors = self.messages("error");
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors.remove(0)
    }

    /// The summary of a build that succeeded.
    pub fn summary(&self) -> Value {
        assert_eq!(self.code, Some(0), "{:#?}", self.stderr);
        self.logs().into_iter().find(|log| log["msg"] == "build complete").expect("a summary")
    }
}
