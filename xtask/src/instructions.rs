//! `cargo xtask instructions`: what the hot paths take on small fixed inputs, against numbers in the
//! repository. Callgrind counts; so neither what else the machine does nor how fast it is matters.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::installed::Installed;
use crate::table::Table;
use crate::workspace::{Workspace, cargo, check};

/// A count may differ by so much before it is a change: one in thirty-three, for what compilers and the C
/// library do.
const TOLERANCE: f64 = 0.03;
const RUNNER: &str = "gungraun-runner";
/// What is expected.
const LIST: &str = "tests/instructions/expected.json";

/// What to do with the counts.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Keep them: they are as they should be now.
    #[arg(long)]
    accept: bool,
}

type Counts = BTreeMap<String, u64>;

/// A path, what it was, and what it is.
struct Row {
    name: String,
    expected: Option<u64>,
    counted: Option<u64>,
}

impl Row {
    fn is_same(&self) -> bool {
        match (self.expected, self.counted) {
            (Some(expected), Some(counted)) => {
                (counted as f64 - expected as f64).abs() <= expected as f64 * TOLERANCE
            }
            _ => false,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if !args.accept {
        return compare();
    }
    let workspace = Workspace::load()?;
    let list = workspace.root.join(LIST);
    let counts = count(&workspace)?;
    if counts.is_empty() {
        return Err(Failure::new("nothing was counted", "see what `cargo bench` of the hot paths says"));
    }
    let text = serde_json::to_string_pretty(&counts).advise(LIST, "report this")?;
    fs::write(&list, text + "\n").advise(list.display(), CHECK_DISK)?;
    Ok(ExitCode::SUCCESS)
}

/// Counts, and compares.
pub(crate) fn compare() -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let list = workspace.root.join(LIST);
    let counted = count(&workspace)?;
    let expected: Counts = serde_json::from_slice(&fs::read(&list).advise(list.display(), "run --accept")?)
        .advise(list.display(), "run --accept")?;
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(counted.keys()).collect();
    let rows = names.into_iter().map(|name| Row {
        name: name.clone(),
        expected: expected.get(name).copied(),
        counted: counted.get(name).copied(),
    });
    Ok(if told(rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints them; whether all are as expected.
fn told(rows: impl Iterator<Item = Row>) -> bool {
    let mut table = Table::new(vec![
        ("path", |row: &Row| row.name.clone()),
        ("expected", |row| shown(row.expected)),
        ("counted", |row| shown(row.counted)),
    ]);
    let mut same = true;
    for row in rows {
        table.push(&row);
        if !row.is_same() {
            same = false;
            let (counted, expected) = (shown(row.counted), shown(row.expected));
            eprintln!(
                "error: {}: {counted} instructions, not {expected}: find out why, or `cargo xtask instructions --accept`",
                row.name
            );
        }
    }
    println!("{table}");
    same
}

fn shown(count: Option<u64>) -> String {
    count.map_or_else(|| "none".to_owned(), |count| count.to_string())
}

/// Runs the benchmarks under Callgrind.
fn count(workspace: &Workspace) -> Result<Counts, Failure> {
    let runner = runner(workspace)?;
    let mut bench = cargo();
    bench.args([
        "bench",
        "--quiet",
        "--package",
        "s3inv-instructions",
        "--bench",
        "hot_paths",
        "--",
        "--output-format=json",
    ]);
    bench.env("GUNGRAUN_RUNNER", &runner).stderr(Stdio::piped());
    let output = bench.output().advise("cargo bench", "install Rust")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::new(said, "install Valgrind, or correct the code"));
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts =
        lines.lines().filter_map(|line| serde_json::from_str(line).ok()).filter_map(|line| one(&line));
    Ok(counts.collect())
}

/// The name of a benchmark and its instructions, of its summary.
fn one(summary: &Value) -> Option<(String, u64)> {
    let name = format!("{}::{}", summary["function_name"].as_str()?, summary["id"].as_str()?);
    // Callgrind counts between functions that it knows by name: without symbols, nothing.
    let counted = instructions(&summary["profiles"][0]).filter(|&count| count > 0)?;
    Some((name, counted))
}

/// What is said of `Ir`, wherever that is.
fn instructions(value: &Value) -> Option<u64> {
    match value {
        Value::Object(fields) => match fields.get("Ir") {
            Some(found) => found["values"]["new"].as_u64(),
            None => fields.values().find_map(instructions),
        },
        Value::Array(items) => items.iter().find_map(instructions),
        _ => None,
    }
}

/// The program that runs Callgrind: of the version that the benchmarks are built with.
fn runner(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let folder = workspace.target.join("tools/gungraun");
    let list = workspace.root.join("tests/instructions/runner-version");
    let version = fs::read_to_string(&list).advise(list.display(), "restore it")?;
    let installed = Installed { folder, list, program: "bin/gungraun-runner" };
    installed.ready(|folder| {
        let mut install = Command::new("cargo");
        install.args(["install", "--quiet", "--locked", "--debug", "--version", version.trim(), "--root"]);
        install.arg(folder).arg("--target-dir").arg(folder.join("build")).arg(RUNNER);
        install.env("CARGO_PROFILE_DEV_DEBUG", "0");
        check(&mut install, "check the connection to the registry")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn instructions_are_found_in_a_summary() {
        let summary = json!({
            "function_name": "csv", "id": "sorted",
            "profiles": [{ "data": { "parts": [{ "metrics": { "Dr": {}, "Ir": { "values": { "new": 42 } } } }] } }],
        });
        assert_eq!(one(&summary), Some(("csv::sorted".to_owned(), 42)));
        let nothing = json!([{ "Ir": { "values": { "new": 0 } } }]);
        for profiles in [json!([]), nothing] {
            assert_eq!(one(&json!({ "function_name": "csv", "id": "sorted", "profiles": profiles })), None);
        }
    }

    #[test]
    fn a_change_is_more_than_three_per_cent() {
        let row = |expected, counted| Row { name: String::new(), expected, counted };
        assert!(row(Some(1000), Some(1030)).is_same() && row(Some(1000), Some(970)).is_same());
        for (expected, counted) in
            [(Some(1000), Some(1031)), (Some(1000), Some(969)), (None, Some(1)), (Some(1), None)]
        {
            assert!(!row(expected, counted).is_same(), "{expected:?} {counted:?}");
        }
    }
}
