//! A reader that was written from SPEC.md alone, in another language, reads the same.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3inv_model::{
    AGE_BANDS, Bin, Binning, Cell, Classes, Count, Dates, Measure, Measures, SIZE_BANDS, Schema, SizeBin,
    Stats, Sums, prefix,
};
use serde::{Serialize, Serializer};

use super::lookup::short_rows;
use super::{
    Listed, Row, SNAPSHOT, always, cell, few, few_with_tables, file, full, index, joined, many, marker,
    plain, read_rows, roll_up, undated, written,
};
use crate::{Compression, FileKind, Form, Reader, verify};

/// A row, as the command line exports it.
#[derive(Serialize)]
struct Exported<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_b64: Option<String>,
    depth: usize,
    objects: u64,
    bytes: Option<u64>,
    classes: Option<Named<'a>>,
    noncurrent: Option<Noncurrent<'a>>,
    delete_markers: Option<u64>,
    latest_delete_markers: Option<u64>,
    newest: Option<String>,
    oldest: Option<String>,
    age: Option<Named<'a>>,
    size: Option<Named<'a>>,
}

#[derive(Serialize)]
struct ExportedCount {
    objects: u64,
    bytes: Option<u64>,
}

#[derive(Serialize)]
struct Noncurrent<'a> {
    objects: u64,
    bytes: Option<u64>,
    classes: Option<Named<'a>>,
}

/// A JSON object in this order.
struct Named<'a>(Vec<(&'a str, ExportedCount)>);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, count)| (name, count)))
    }
}

impl<'a> Exported<'a> {
    fn new(key: &'a [u8], stats: &Stats<'a>) -> Self {
        let text = std::str::from_utf8(key).ok();
        let bytes = |count: Count| stats.has(Measure::Bytes).then_some(count.bytes);
        let named = |known, counts: &mut dyn Iterator<Item = (&'a str, Count)>| {
            let count = |(name, count): (&'a str, Count)| {
                (name, ExportedCount { objects: count.objects, bytes: bytes(count) })
            };
            stats.has(known).then(|| Named(counts.map(count).collect()))
        };
        let classes = |of: &std::collections::BTreeMap<&'a str, s3inv_model::ClassCount>| {
            named(Measure::Classes, &mut of.iter().map(|(name, count)| (*name, count.all)))
        };
        let noncurrent = stats.has(Measure::Noncurrent);
        let dated = !stats.dates.is_none();
        Self {
            prefix: text,
            prefix_b64: text.is_none().then(|| STANDARD.encode(key)),
            depth: prefix::depth(key),
            objects: stats.current.objects,
            bytes: bytes(stats.current),
            classes: classes(&stats.classes),
            noncurrent: noncurrent.then(|| Noncurrent {
                objects: stats.noncurrent.objects,
                bytes: bytes(stats.noncurrent),
                classes: classes(&stats.noncurrent_classes),
            }),
            delete_markers: noncurrent.then_some(stats.delete_markers),
            latest_delete_markers: noncurrent.then_some(stats.latest_delete_markers),
            newest: dated.then(|| rfc3339(stats.dates.newest)),
            oldest: dated.then(|| rfc3339(stats.dates.oldest)),
            age: named(Measure::Age, &mut AGE_BANDS.map(|band| band.0).into_iter().zip(stats.age)),
            size: named(Measure::Size, &mut SIZE_BANDS.map(|band| band.0).into_iter().zip(stats.size)),
        }
    }
}

/// A moment in UTC, counted out year by year and month by month.
fn rfc3339(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = if ms == 0 { String::new() } else { format!(".{ms:03}") };
    format!("{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z", month + 1, days + 1)
}

#[test]
fn moments_are_as_people_write_them() {
    for (ms, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (1_651_876_668_000, "2022-05-06T22:37:48Z"),
        (1_709_164_800_007, "2024-02-29T00:00:00.007Z"),
        (4_107_542_399_120, "2100-02-28T23:59:59.120Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(rfc3339(ms), text);
    }
}

fn exported(schema: &Schema, (key, Sums { cells, dates }): &Row) -> String {
    let stats = Stats::new(schema, cells, *dates);
    serde_json::to_string(&Exported::new(key, &stats)).unwrap() + "\n"
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
fn same(name: &str, bytes: &[u8], kind: FileKind) {
    let reader = Reader::open_kind(bytes.to_vec(), kind).unwrap();
    let rows = read_rows(&reader).unwrap();
    let expected: String = rows.iter().map(|row| exported(&reader.info().schema, row)).collect();
    let got = read(name, bytes).unwrap();
    for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, expected, "row {number} of {name}");
    }
    assert_eq!(got, expected);
}

#[test]
fn it_reads_an_index_of_two_directory_blocks_and_odd_prefixes() {
    same("many", &many().0, FileKind::Index);
}

/// It looks where pages end, too: here at a hash, or where there is none, at the largest size.
#[test]
fn it_reads_pages_that_end_at_their_size() {
    let name = |n: u64| format!("{n:06}/").into_bytes();
    let ends_no_page = |n: &u64| crate::block::checksum(&name(*n)) & 1023 != 0;
    let numbers: Vec<u64> = (0..20_000).chain((20_000..50_000).filter(ends_no_page)).collect();
    let sum = cell(1, numbers.len() as u64, numbers.iter().sum());
    let mut rows: Vec<Row> = vec![(Vec::new(), undated(&[sum]))];
    rows.extend(numbers.iter().map(|&n| (name(n), undated(&[cell(1, 1, n)]))));
    let index = index(&plain(), &rows);
    let pages: Vec<_> = Reader::open(index.clone()).unwrap().page_starts().map(Result::unwrap).collect();
    let full = pages.iter().filter(|page| page.rows >= 262_144 / 23).count();
    assert!(full >= 2 && pages.len() > full + 2, "{full} full pages of {}", pages.len());
    same("large", &index, FileKind::Index);
}

/// Where sets are new all the time, and rows are dated, every stream has its part in where a page ends.
#[test]
fn it_reads_pages_of_many_sets() {
    let classes = full().classes;
    let binning = Binning::new(&Measures::all(), SNAPSHOT);
    let version = |n: u64| {
        let (size, modified) = (1 << (n * 7 % 34), SNAPSHOT - n * 37 % 900 * 86_400_000 - n % 3);
        let bin = binning.current(&classes, (n * 5 % 3) as u8, size, modified);
        Listed { key: format!("{:04}/", n % 5999).into_bytes(), bin, size, dates: Dates::at(modified) }
    };
    let rows = roll_up(&(0..18_000).map(version).collect::<Vec<_>>());
    let index = index(&full(), &rows);
    assert!(Reader::open(index.clone()).unwrap().page_starts().count() > 1);
    same("sets", &index, FileKind::Index);
}

/// Versions as an inventory without some fields tells them.
fn measured(measures: &Measures) -> Vec<u8> {
    let mut classes = if measures.has(Measure::Classes) { Classes::default() } else { Classes::untold() };
    for name in ["GLACIER", "STANDARD_IA"].iter().filter(|_| measures.has(Measure::Classes)) {
        classes.add(name.as_bytes(), b"").unwrap();
    }
    let binning = Binning::new(measures, SNAPSHOT);
    let mut listed = Vec::new();
    for n in 0..40u64 {
        let class = if measures.has(Measure::Classes) { (n % 2) as u8 } else { 0 };
        let key = format!("{}/{}/x", n % 5, n % 7).into_bytes();
        let (size, modified) = (n * 9000, SNAPSHOT - n * 86_400_000 - n % 2);
        let kept = if measures.has(Measure::Bytes) { size } else { 0 };
        let dates = if measures.has(Measure::Dates) { Dates::at(modified) } else { Dates::NONE };
        let bin = binning.current(&classes, class, size, modified);
        listed.push(Listed { key: key.clone(), bin, size: kept, dates });
        if measures.has(Measure::Noncurrent) {
            let bin = binning.noncurrent(&classes, class, size);
            listed.push(Listed { key: key.clone(), bin, size: kept, dates: Dates::NONE });
            listed.push(marker(&key, n % 3 == 0));
        }
    }
    index(&Schema { measures: measures.clone(), classes }, &roll_up(&listed))
}

#[test]
fn it_reads_what_is_not_measured() {
    same("nothing", &measured(&Measures::default()), FileKind::Index);
    for measure in Measure::ALL {
        same("all but one", &measured(&Measures::all().without(measure)), FileKind::Index);
        same("one", &measured(&Measures::default().with(measure)), FileKind::Index);
    }
}

#[test]
fn it_reads_the_golden_files() {
    same("golden", include_bytes!("../../spec/golden-v4.s3inv"), FileKind::Index);
    same("golden with tables", include_bytes!("../../spec/golden-v4-tables.s3inv"), FileKind::Index);
}

/// It checks that all rows are in their tables, and that lots end where they should.
#[test]
fn it_reads_tables() {
    same("few with tables", few_with_tables(), FileKind::Index);
    same("many with tables", &joined(true, &full(), &[&many().1]), FileKind::Index);
    let segment = written(Form::segment(true), &plain(), &short_rows(40_000));
    assert_eq!(Reader::open_kind(segment.clone(), FileKind::Segment).unwrap().lots().unwrap().all().len(), 2);
    same("lots", &segment, FileKind::Segment);
}

#[test]
fn it_reads_a_run() {
    let run = file(FileKind::Run, Compression::Lz4, &full(), &many().1);
    same("run", &run, FileKind::Run);
}

#[test]
fn it_reads_what_is_empty() {
    same("empty", &index(&full(), &roll_up(&[])), FileKind::Index);
    let none = file(FileKind::Segment, Compression::Zstd, &full(), &[]);
    same("none", &none, FileKind::Segment);
}

#[test]
fn it_refuses_damage() {
    for index in [&few().0, few_with_tables()] {
        for at in (0..index.len()).step_by(index.len() / 12) {
            let mut damaged = index.clone();
            damaged[at] ^= 1;
            let error = read("damaged", &damaged).unwrap_err();
            assert!(error.contains("damaged: ") && !error.contains("Traceback"), "byte {at}: {error}");
        }
    }
}

/// What `verify` finds, it finds too.
#[test]
fn it_refuses_contradictions() {
    let bin = |size, age| Bin::Objects { class: 1, current: true, size: SizeBin::Band(size), age }.id();
    let sums = |bin, objects, bytes, oldest, newest| Sums {
        cells: vec![Cell { bin, objects, bytes }],
        dates: Dates { oldest, newest },
    };
    let (good, root) = (bin(1, Some(0)), sums(bin(1, Some(0)), 3, 30, 5, 9));
    let refused = |root: &Sums, child: Option<Sums>, why: &str| {
        let mut rows: Vec<Row> = vec![(vec![], root.clone())];
        rows.extend(child.map(|sums| (b"a/".to_vec(), sums)));
        let index = index(&full(), &rows);
        assert!(verify(&Reader::open(index.clone()).unwrap(), &mut always).is_err(), "{why}");
        let error = read("contradiction", &index).unwrap_err();
        assert!(error.contains(why), "{why}: {error}");
    };
    refused(&sums(good, 3, 2, 5, 9), None, "bytes that its size can't have");
    refused(&sums(bin(1, None), 3, 30, 5, 9), None, "an age that is not measured, or not told");
    refused(&sums(good, 1, 30, 5, 9), None, "dates of no object");
    refused(&root, Some(sums(good, 2, 30, 5, 9)), "what lies in b'' has bytes");
    refused(&root, Some(sums(good, 3, 29, 5, 9)), "bytes of no object");
    refused(&root, Some(sums(good, 3, 31, 5, 9)), "hold more");
    refused(&root, Some(sums(good, 2, 20, 4, 9)), "dates below b''");
    refused(&root, Some(sums(good, 2, 20, 6, 8)), "dates of no object");
    refused(&root, Some(sums(bin(2, Some(0)), 1, 1024, 6, 6)), "a bin that b'' lacks");
}
