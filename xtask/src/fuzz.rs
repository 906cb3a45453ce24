//! `cargo xtask fuzz`: the fuzz targets under libFuzzer, which is led by coverage.

use std::fs;
use std::process::ExitCode;

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

/// All targets: their folders in the corpus.
const TARGETS: [&str; 7] = ["csv", "forged", "gzip", "index", "manifest", "orc", "parquet"];
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
    let chosen: Vec<&str> = if args.targets.is_empty() {
        TARGETS.to_vec()
    } else {
        args.targets.iter().map(String::as_str).collect()
    };
    for name in chosen {
        if !TARGETS.contains(&name) {
            return Err(Failure::new(
                format_args!("no target {name}"),
                format_args!("name one of {TARGETS:?}"),
            ));
        }
        let found = target.join("corpus").join(name);
        fs::create_dir_all(&found).advise(found.display(), CHECK_DISK)?;
        println!("== {name}, {} s", args.seconds);
        let mut fuzz = std::process::Command::new("prlimit");
        fuzz.arg(format!("--as={}", (MEMORY + 1024) << 20)).arg(&binary).arg(&found);
        fuzz.arg(workspace.root.join("tests/fuzz/corpus").join(name));
        fuzz.args([format!("-max_total_time={}", args.seconds), format!("-rss_limit_mb={MEMORY}")]);
        fuzz.args(["-timeout=20", "-print_final_stats=1", "-verbosity=0", "-max_len=65536"]);
        fuzz.arg(format!("-artifact_prefix={}/crash-{name}-", target.display()));
        fuzz.env("S3INV_FUZZ_TARGET", name);
        let remedy = "replay the file that is named above: put it into tests/fuzz/corpus, and run the tests";
        check(&mut fuzz, remedy)?;
    }
    Ok(ExitCode::SUCCESS)
}
