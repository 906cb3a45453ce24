//! A command's time and memory, as the kernel counts them.
//!
//! The kernel sums up all children of a process, and a child begins with its parent's peak memory:
//! so each command runs in a small process of its own, this program again, which has no other child.

use std::env;
use std::ffi::OsString;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

use super::clock::Stopwatch;
use crate::failure::{Advise, Failure};

/// The command and its arguments.
#[derive(clap::Args)]
pub(crate) struct MeasureArgs {
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// What a command took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Usage {
    /// Wall-clock time.
    pub(super) seconds: f64,
    /// User and system time of all threads.
    pub(super) cpu_seconds: f64,
    /// Most resident memory at any time.
    pub(super) peak_bytes: u64,
}

/// The small process: runs the command, prints its [`Usage`].
pub(crate) fn measure(args: &MeasureArgs) -> Result<(), Failure> {
    let (program, rest) = args.command.split_first().ok_or_else(|| Failure::new("no command", "name one"))?;
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null()).stdout(Stdio::null());
    let watch = Stopwatch::start();
    let status = command.status().advise(program.display(), "see that it can be run")?;
    let seconds = watch.seconds();
    if !status.success() {
        return Err(Failure::new(format_args!("{}: {status}", program.display()), "see its errors"));
    }
    let usage = children(seconds)?;
    println!("{}", serde_json::to_string(&usage).advise("usage", "report it")?);
    Ok(())
}

fn children(seconds: f64) -> Result<Usage, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).advise("getrusage", "report it")?;
    let cpu = [usage.user_time(), usage.system_time()];
    let cpu_seconds = cpu.iter().map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6).sum();
    // Linux counts in KiB.
    let peak_bytes = u64::try_from(usage.max_rss()).unwrap_or_default() * 1024;
    Ok(Usage { seconds, cpu_seconds, peak_bytes })
}

/// Runs `command` under a small process; returns what it took and what it wrote to standard error.
pub(super) fn measured(command: &Command) -> Result<(Usage, String), Failure> {
    let own = env::current_exe().advise("this program", "report it")?;
    let mut small = Command::new(own);
    small.arg("measure").arg("--").arg(command.get_program()).args(command.get_args());
    let output = small.stdin(Stdio::null()).output().advise("measure", "report it")?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        eprint!("{errors}");
        return Err(Failure::new(format_args!("{command:?} failed"), "see what it says above"));
    }
    let usage = serde_json::from_slice(&output.stdout).advise("measure", "report it")?;
    Ok((usage, errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_counted() {
        let script = "import time; x = bytearray(50 << 20); end = time.process_time() + 0.2\n\
                      while time.process_time() < end: pass";
        assert!(Command::new("python3").args(["-c", script]).status().unwrap().success());
        let usage = children(0.0).unwrap();
        assert!(usage.cpu_seconds >= 0.2, "{usage:?}");
        assert!(usage.peak_bytes >= 50 << 20, "{usage:?}");
    }
}
