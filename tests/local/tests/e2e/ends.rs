//! Everything ends with the local AWS, however that ends.

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use s3inv_cancel::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Gate, LIMIT, bootstrap, function, wait_for_end, with};

#[test]
fn what_runs_ends_with_the_value() {
    let local = with(function());
    let gate = Gate::new();
    local.process();
    local.aws.invoke_event("f", &gate.event()).unwrap();
    let waiting = gate.arrival();
    drop(local);
    wait_for_end(&waiting);
}

/// The command, running.
struct Serving {
    child: Child,
    folder: TempDir,
    state: Value,
}

impl Serving {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let definition = json!({ "StartAt": "Go", "States": { "Go": {
            "Type": "Task", "Resource": "${Arn}", "End": true
        } } });
        fs::write(path("definition.json"), definition.to_string()).unwrap();
        let machine = json!({
            "name": "m",
            "definition": path("definition.json"),
            "substitutions": { "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f" },
        });
        let rule = json!({ "name": "r", "target": { "function": "f" }, "source": {
            "objects": { "bucket": "bucket", "suffix": ".json", "shape": "eventbridge" }
        } });
        let config = json!({
            "python": std::env::var("S3INV_TEST_PYTHON").expect("S3INV_TEST_PYTHON is set by `cargo xtask test`"),
            "logs": path("logs"),
            "functions": [{ "name": "f", "binary": bootstrap(), "memory_mb": 256, "timeout_s": 30 }],
            "state_machines": [machine],
            "buckets": ["bucket"],
            "rules": [rule],
        });
        fs::write(path("config.json"), config.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-aws"));
        command.arg("serve").arg("--state").arg(path("state.json")).arg("--config").arg(path("config.json"));
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        wait_until(|| path("state.json").exists());
        let state = serde_json::from_slice(&fs::read(path("state.json")).unwrap()).unwrap();
        Self { child, folder, state }
    }

    /// Has an execution wait at a gate.
    fn execute(&self, gate: &Gate) -> TcpStream {
        let script = "import sys, boto3; boto3.client('stepfunctions').start_execution(\
                      stateMachineArn=sys.argv[1], name='e', input=sys.argv[2])";
        let mut boto = Command::new(std::env::var_os("S3INV_TEST_PYTHON").unwrap());
        let environment = self.state["environment"].as_object().unwrap();
        boto.envs(environment.iter().map(|(name, value)| (name, value.as_str().unwrap())));
        boto.arg("-c")
            .arg(script)
            .arg(self.state["state_machines"]["m"].as_str().unwrap())
            .arg(gate.event().to_string());
        assert!(boto.status().unwrap().success());
        gate.arrival()
    }

    fn state_file(&self) -> std::path::PathBuf {
        self.folder.path().join("state.json")
    }

    /// Everything has ended: the function, and moto.
    fn assert_ended(&mut self, waiting: &TcpStream) {
        self.child.wait().unwrap();
        wait_for_end(waiting);
        let folder = self.folder.path().display().to_string();
        wait_until(|| !processes().iter().any(|process| process.contains(&folder)));
        let port = self.state["endpoint"].as_str().unwrap().strip_prefix("http://").unwrap();
        assert!(TcpStream::connect(port).is_err());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Of a test that fails: nothing may go on after it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What all processes have open for their errors: functions and moto have it nowhere else.
fn processes() -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let open = |path: &Path| fs::read_link(path.join("fd/2")).ok()?.to_str().map(str::to_owned);
    all.filter_map(|process| open(&process.path())).collect()
}

fn wait_until(holds: impl Fn() -> bool) {
    let clock = SystemClock::new();
    while !holds() {
        assert!(clock.now() < LIMIT, "it never came true");
        // Nobody sends anything: it is a moment.
        let _ = channel::<()>().1.recv_timeout(Duration::from_millis(10));
    }
}

#[test]
fn the_command_ends_by_a_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let gate = Gate::new();
        let mut serving = Serving::start();
        let waiting = serving.execute(&gate);
        kill(Pid::from_raw(serving.child.id().cast_signed()), signal).unwrap();
        serving.assert_ended(&waiting);
        assert!(!serving.state_file().exists());
    }
}

#[test]
fn the_command_ends_when_its_state_is_removed() {
    let gate = Gate::new();
    let mut serving = Serving::start();
    let waiting = serving.execute(&gate);
    fs::remove_file(serving.state_file()).unwrap();
    serving.assert_ended(&waiting);
}

#[test]
fn nothing_outlives_a_command_that_is_killed() {
    let gate = Gate::new();
    let mut serving = Serving::start();
    let waiting = serving.execute(&gate);
    serving.child.kill().unwrap();
    serving.assert_ended(&waiting);
}

#[test]
fn the_command_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    fs::write(&config, r#"{"unknown":1}"#).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-aws"));
    command
        .arg("serve")
        .arg("--config")
        .arg(&config)
        .args(["--state", "/nowhere/state"])
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(said.contains("config.json") && said.contains("unknown field"), "{said}");
}
