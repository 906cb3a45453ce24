//! A reader that was written from SPEC.md alone, in another language, reads the same.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3inv_model::{Cell, prefix};
use serde::Serialize;

use super::{CLASSES, Row, columns, few, file, index, many, read_rows};
use crate::{Compression, FileKind, Reader};

/// A row, as the command line exports it.
#[derive(Serialize)]
struct Exported<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_b64: Option<String>,
    depth: usize,
    objects: u64,
    bytes: u64,
    classes: BTreeMap<&'a str, Sums>,
}

#[derive(Serialize)]
struct Sums {
    objects: u64,
    bytes: u64,
}

fn exported(names: &[&str], (key, cells): &Row) -> String {
    let class =
        |cell: &Cell| (names[usize::from(cell.column)], Sums { objects: cell.objects, bytes: cell.bytes });
    let text = std::str::from_utf8(key).ok();
    let row = Exported {
        prefix: text,
        prefix_b64: text.is_none().then(|| STANDARD.encode(key)),
        depth: prefix::depth(key),
        objects: cells.iter().map(|cell| cell.objects).sum(),
        bytes: cells.iter().map(|cell| cell.bytes).sum(),
        classes: cells.iter().map(class).collect(),
    };
    serde_json::to_string(&row).unwrap() + "\n"
}

/// What the Python reader prints of a file, or what it says is wrong with it.
fn read(name: &str, bytes: &[u8]) -> Result<String, String> {
    let python = env::var_os("S3INV_TEST_PYTHON")
        .expect("S3INV_TEST_PYTHON is not set: run the tests with `cargo xtask test`");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/read_index.py");
    let output = Command::new(&python).arg("-B").arg(script).arg(&path).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[track_caller]
fn same(name: &str, bytes: &[u8], kind: FileKind, names: &[&str]) {
    let rows = read_rows(&Reader::open_kind(bytes.to_vec(), kind).unwrap()).unwrap();
    let expected: String = rows.iter().map(|row| exported(names, row)).collect();
    let got = read(name, bytes).unwrap();
    for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, expected, "row {number} of {name}");
    }
    assert_eq!(got, expected);
}

#[test]
fn it_reads_an_index_of_two_directory_blocks_and_odd_prefixes() {
    same("many", &many().0, FileKind::Index, &CLASSES);
}

/// It looks where pages end, too: here at a hash, or where there is none, at the largest size.
#[test]
fn it_reads_pages_that_end_at_their_size() {
    let name = |n: u64| format!("{n:06}/").into_bytes();
    let ends_no_page = |n: &u64| crate::block::checksum(&name(*n)) & 1023 != 0;
    let numbers: Vec<u64> = (0..20_000).chain((20_000..50_000).filter(ends_no_page)).collect();
    let sum = super::cell(1, numbers.len() as u64, numbers.iter().sum());
    let mut rows: Vec<Row> = vec![(Vec::new(), vec![sum])];
    rows.extend(numbers.iter().map(|&n| (name(n), vec![super::cell(1, 1, n)])));
    let index = index(&rows);
    let pages: Vec<_> = Reader::open(index.clone()).unwrap().page_starts().map(Result::unwrap).collect();
    let full = pages.iter().filter(|page| page.raw_len >= 65_536).count();
    assert!(full >= 2 && pages.len() > full + 2, "{full} full pages of {}", pages.len());
    same("large", &index, FileKind::Index, &CLASSES);
}

#[test]
fn it_reads_a_run() {
    let run = file(FileKind::Run, Compression::Lz4, &columns(&CLASSES), &many().1);
    same("run", &run, FileKind::Run, &CLASSES);
}

#[test]
fn it_reads_what_is_empty() {
    same("empty", &index(&super::roll_up(&[])), FileKind::Index, &CLASSES);
    let none = file(FileKind::Segment, Compression::Zstd, &columns(&CLASSES), &[]);
    same("none", &none, FileKind::Segment, &CLASSES);
}

#[test]
fn it_refuses_damage() {
    let (index, _) = few();
    for at in (0..index.len()).step_by(index.len() / 12) {
        let mut damaged = index.clone();
        damaged[at] ^= 1;
        let error = read("damaged", &damaged).unwrap_err();
        assert!(error.contains("damaged: ") && !error.contains("Traceback"), "byte {at}: {error}");
    }
}
