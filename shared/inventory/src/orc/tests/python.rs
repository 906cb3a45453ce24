//! Files that other writers wrote, made by `orc_files.py`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use s3inv_model::RowCounts;

use super::*;
use crate::batch::Batch;
use crate::testing::collect;

/// A folder of files: all, or those that `which` means.
pub(super) fn written(seed: u32, which: &str) -> tempfile::TempDir {
    let python = env::var_os("S3INV_TEST_PYTHON")
        .expect("S3INV_TEST_PYTHON is not set: run the tests with `cargo xtask test`");
    let folder = tempfile::tempdir().unwrap();
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/orc/tests/orc_files.py");
    let output = Command::new(python)
        .arg("-B")
        .arg(script)
        .arg(folder.path())
        .arg(seed.to_string())
        .arg(which)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = if text == "." { "" } else { text };
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (text != "-").then(|| (0..digits.len()).step_by(2).map(byte).collect())
}

fn parse(line: &str) -> Row {
    let cells: Vec<&str> = line.split('\t').collect();
    let number = |at: usize| (cells[at] != "-").then(|| cells[at].parse::<i64>().unwrap());
    let flag = |at| number(at).map(|flag| flag == 1);
    let key = hex(cells[0]).map(|key| (key[..key.len().min(MAX_KEY + 1)].to_vec(), key.len()));
    let (class, tier) = (hex(cells[1]), hex(cells[2]));
    Row { key, class, tier, size: number(3), modified: number(4), latest: flag(5), marker: flag(6) }
}

#[test]
fn what_was_written_is_read() {
    let mut files = 0;
    for seed in 1..4 {
        let folder = written(seed, "all");
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "orc") {
                same(&path);
                files += 1;
            }
        }
    }
    assert!(files >= 60, "{files} files");
}

/// Stops behind a batch and goes on there, as long as there is more.
fn in_pieces(bytes: &Bytes, reading: &Reading) -> (u64, RowCounts) {
    let (mut sum, mut counts, mut known) = (0, RowCounts::default(), 0);
    loop {
        let mut sink = |batch: &Batch<'_>| {
            sum += batch.iter().map(|object| object.size + 1).sum::<u64>();
            if batch.is_last() || batch.end() <= known { Ok(()) } else { Err(batch.end()) }
        };
        let mut classes = reading.classes();
        let mut rows = Rows::new(reading, &mut classes, &mut counts, &mut sink).after(known);
        match super::super::read(bytes.clone(), limits(1 << 20), &mut rows) {
            Ok(()) => return (sum, counts),
            Err(ReadError::Sink(end)) => known = end,
            Err(ReadError::Input(error)) => panic!("{error}"),
        }
    }
}

fn same(path: &Path) {
    let bytes = Bytes::from(fs::read(path).unwrap());
    let text = fs::read_to_string(path.with_extension("tsv")).unwrap();
    let expected: Vec<Row> = text.lines().map(parse).collect();
    let reading = of(fields(&bytes).unwrap(), OnBadRow::Skip);
    let whole = collect(&reading, |rows| super::super::read(bytes.clone(), limits(1 << 20), rows));
    let sum = whole.rows.iter().map(|row| row.size + 1).sum();
    assert_eq!(in_pieces(&bytes, &reading), (sum, whole.counts), "{}", path.display());
    for window in [4096, 1 << 20] {
        let (mut rows, error) = read_all(bytes.clone(), window);
        assert!(error.is_none(), "{}: {error:?}", path.display());
        assert_eq!(rows.len(), expected.len(), "{}", path.display());
        // A dictionary holds all of a text that is longer than any key.
        for row in &mut rows {
            if let Some((key, _)) = &mut row.key {
                key.truncate(MAX_KEY + 1);
            }
        }
        for (nth, (row, expected)) in rows.iter().zip(&expected).enumerate() {
            assert_eq!(row, expected, "row {nth} of {}", path.display());
        }
    }
}
