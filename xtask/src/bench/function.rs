use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use libdeflater::{CompressionLvl, Compressor};

use super::Bench;
use super::clock::Stopwatch;
use super::goal::Goal;
use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::local::FUNCTIONS;
use crate::table::Table;

const SPAWNS: usize = 20;
const REQUEST: &str = "GET /2018-06-01/runtime/invocation/next ";
/// Longer than any start takes, and short enough to wait for.
const PATIENCE: Duration = Duration::from_secs(10);
/// What Lambda sets, and then deployments.
const ENVIRONMENT: [(&str, &str); 12] = [
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
    ("S3INV_SCRATCH", "s3://scratch"),
    ("S3INV_OUTPUT", "s3://indexes"),
    ("S3INV_STATE_MACHINE_ARN", "arn:aws:states:us-east-1:123456789012:stateMachine:build"),
];

/// How a function starts.
struct Started {
    name: &'static str,
    fastest_ms: f64,
    median_ms: f64,
    program_bytes: u64,
    zip_bytes: u64,
}

fn table() -> Table<Started> {
    Table::new(vec![
        ("function", |started| started.name.to_owned()),
        ("fastest, ms; target: ≤ 12", |started| Goal::AtMost(12.0).judge(started.fastest_ms)),
        ("median, ms", |started| format!("{:.2}", started.median_ms)),
        ("program, MB", |started| format!("{:.2}", started.program_bytes as f64 / 1e6)),
        ("zip, MB; target: ≤ 6", |started| Goal::AtMost(6.0).judge(started.zip_bytes as f64 / 1e6)),
    ])
}

/// From spawning a function's program to its first request for work, as in a cold start.
pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let folder = bench.workspace.target.join("lambda");
    let programs = FUNCTIONS.map(|name| (name, folder.join(name).join("bootstrap")));
    let built: Vec<_> = programs.into_iter().filter(|(_, program)| program.is_file()).collect();
    if built.is_empty() {
        return Ok(
            "Not measured: no program of a function was built. `cargo lambda build --release` does it.\n"
                .to_owned(),
        );
    }
    let mut table = table();
    for (name, program) in built {
        eprintln!("{name}: {SPAWNS} starts …");
        table.push(&started(name, &program)?);
    }
    Ok(format!("{SPAWNS} starts of each.\n\n{table}"))
}

fn started(name: &'static str, program: &PathBuf) -> Result<Started, Failure> {
    let mut ms =
        (0..SPAWNS).map(|_| Ok(first_request(program)? * 1e3)).collect::<Result<Vec<_>, Failure>>()?;
    ms.sort_by(f64::total_cmp);
    let at = |nth: usize| ms.get(nth).copied().unwrap_or(f64::NAN);
    let bytes = fs::read(program).advise(program.display(), CHECK_DISK)?;
    Ok(Started {
        name,
        fastest_ms: at(0),
        median_ms: at(SPAWNS / 2),
        program_bytes: bytes.len() as u64,
        zip_bytes: zipped(&bytes)?,
    })
}

/// Seconds until the program asks for work.
fn first_request(program: &Path) -> Result<f64, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").advise("a local port", "see which are free")?;
    let address = listener.local_addr().advise("a local port", "report it")?;
    let (send, requests) = mpsc::channel();
    let watch = Stopwatch::start();
    thread::spawn(move || {
        let mut line = String::new();
        let asked = listener.accept().and_then(|(from, _)| BufReader::new(from).read_line(&mut line));
        // Nobody waits for it any more, if it fails.
        let _ = send.send(asked.map(|_| line));
    });
    let mut function = Command::new(program);
    function.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).envs(ENVIRONMENT);
    function.env("AWS_LAMBDA_RUNTIME_API", address.to_string());
    function.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = function.spawn().advise(program.display(), "build it again")?;
    let asked = requests.recv_timeout(PATIENCE);
    let seconds = watch.seconds();
    // Whether it ended by itself is nothing to this.
    let _ = child.kill();
    let _ = child.wait();
    match asked {
        Ok(Ok(line)) if line.starts_with(REQUEST) => Ok(seconds),
        _ => Err(Failure::new(
            format_args!("{}: it did not ask for work", program.display()),
            "build it again",
        )),
    }
}

/// Bytes of a zip of a program alone, as `sam` makes it: deflated, with two headers that name it, and an end.
fn zipped(program: &[u8]) -> Result<u64, Failure> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut out = vec![0; compressor.deflate_compress_bound(program.len())];
    let deflated = compressor.deflate_compress(program, &mut out).advise("deflate", "report it")?;
    let name = "bootstrap".len();
    Ok((30 + name + deflated + 46 + name + 22) as u64)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(folder: &Path, text: &str) -> PathBuf {
        let program = folder.join("bootstrap");
        fs::write(&program, format!("#!/usr/bin/env python3\n{text}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    #[test]
    fn a_start_ends_with_the_request() {
        let folder = tempfile::tempdir().unwrap();
        let ask = "import os, urllib.request\n\
                   urllib.request.urlopen('http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/invocation/next')";
        let seconds = first_request(&script(folder.path(), ask)).unwrap();
        assert!(seconds < PATIENCE.as_secs_f64());
    }

    #[test]
    fn another_request_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let ask = "import os, urllib.request\n\
                   urllib.request.urlopen('http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/else')";
        let error = first_request(&script(folder.path(), ask)).unwrap_err();
        assert!(error.to_string().contains("did not ask for work"), "{error}");
    }

    #[test]
    fn a_zip_has_its_headers() {
        // As Python's zipfile makes it of nothing: two bytes of deflate.
        assert!((107 + 9..130).contains(&zipped(b"").unwrap()));
        assert!(zipped(&vec![7; 100_000]).unwrap() < 500);
    }

    #[test]
    fn both_targets_are_judged() {
        let mut table = table();
        table.push(&Started {
            name: "plan",
            fastest_ms: 8.0,
            median_ms: 9.5,
            program_bytes: 11_000_000,
            zip_bytes: 6_500_000,
        });
        let expected = "| plan | 8.00, reached | 9.50 | 11.00 | 6.50, missed |";
        assert_eq!(table.to_string().lines().last(), Some(expected));
    }
}
