//! `cargo xtask fuzz`: the fuzz targets under libFuzzer, which is led by coverage.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::workspace::{Workspace, cargo, check};

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds for each target.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// The targets [default: all].
    targets: Vec<String>,
}

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// What `cargo fuzz --sanitizer none` passes: counters of edges, and compared values.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Address space and resident memory, in MiB: what a length in a file makes room for is bounded.
const MEMORY: u64 = 1024;

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let target = workspace.target.join("fuzz");
    let mut build = cargo();
    build.args([
        "build",
        "--package",
        "s3inv-fuzz",
        "--bin",
        "fuzz",
        "--profile",
        "fuzz",
        "--target",
        TRIPLE,
    ]);
    build.arg("--target-dir").arg(&target).env("RUSTFLAGS", FLAGS);
    check(&mut build, "install a C++ compiler, and Rust for x86-64 Linux")?;
    let binary = target.join(TRIPLE).join("fuzz/fuzz");
    let corpus = workspace.root.join("tests/fuzz/corpus");
    let all = targets(&corpus)?;
    let chosen = if args.targets.is_empty() { &all } else { &args.targets };
    for name in chosen {
        if !all.contains(name) {
            return Err(Failure::new(format_args!("no target {name}"), format_args!("name one of {all:?}")));
        }
        println!("== {name}, {} s", args.seconds);
        fuzz(name, args.seconds, &binary, &corpus, &target)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// All targets: the folders of the corpus.
fn targets(corpus: &Path) -> Result<Vec<String>, Failure> {
    let folders = fs::read_dir(corpus).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let folders = folders.advise(corpus.display(), CHECK_DISK)?;
    let mut names: Vec<String> =
        folders.iter().map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Runs one target. What it finds on its way is kept in `target`, and taken up again the next time.
fn fuzz(name: &str, seconds: u32, binary: &Path, corpus: &Path, target: &Path) -> Result<(), Failure> {
    let found = target.join("corpus").join(name);
    fs::create_dir_all(&found).advise(found.display(), CHECK_DISK)?;
    let mut fuzz = Command::new("prlimit");
    fuzz.arg(format!("--as={}", (MEMORY + 1024) << 20)).arg(binary).arg(&found).arg(corpus.join(name));
    fuzz.args([format!("-max_total_time={seconds}"), format!("-rss_limit_mb={MEMORY}")]);
    fuzz.args(["-timeout=20", "-print_final_stats=1", "-verbosity=0", "-max_len=65536"]);
    fuzz.arg(format!("-artifact_prefix={}/crash-{name}-", target.display()));
    fuzz.env("S3INV_FUZZ_TARGET", name);
    check(&mut fuzz, "put the file that is named above into tests/fuzz/corpus, and run the tests")
}
