//! The same rows, whoever wrote them and in which format, make the same index: the plain one.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3inv_index_format::{Entry, Reader};
use s3inv_tests::{Delivery, Row, Sums, folder, hex, rolled_up, written_by_others};
use serde_json::Value;

use crate::build::{build, exported, json_lines, verify};

/// Numbers that are the same in every run (an LCG with Knuth's constants).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

const PARTS: [&str; 20] = [
    "a",
    "b",
    "logs",
    "dt=2024-05-06",
    "",
    "",
    "with space",
    "100%",
    "%41",
    "1+1",
    "+",
    "caf\u{e9}",
    "\u{76ee}\u{5f55}",
    "q\"uote",
    "com,ma",
    "\u{1}\u{1f}",
    "new\nline",
    "tab\t",
    ".",
    "..",
];
const CLASSES: [(&str, &str); 8] = [
    ("STANDARD", ""),
    ("STANDARD", ""),
    ("STANDARD_IA", ""),
    ("GLACIER", ""),
    ("NOT-YET_KNOWN", ""),
    ("INTELLIGENT_TIERING", ""),
    ("INTELLIGENT_TIERING", "INFREQUENT"),
    ("INTELLIGENT_TIERING", "ARCHIVE_INSTANT_ACCESS"),
];

fn row(random: &mut Seeded) -> Row {
    let depth = random.below(6);
    let parts: Vec<&str> = (0..=depth).map(|_| random.of(&PARTS)).collect();
    let key = parts.join("/");
    // A key has at least a byte.
    let key = if key.is_empty() { "/".to_owned() } else { key };
    let (class, tier) = random.of(&CLASSES);
    let size = random.below(1 << 31) as u64 * random.of(&[0, 1, 1 << 20]);
    Row { class, tier, latest: random.below(10) > 0, marker: random.below(12) == 0, ..Row::new(key, size) }
}

fn random_table(seed: u64, rows: usize) -> Vec<Row> {
    let mut random = Seeded(seed);
    (0..rows).map(|_| row(&mut random)).collect()
}

/// Keys at the limits, and beside each other what differs only by slashes.
fn odd_keys() -> Vec<Row> {
    let long = "k".repeat(1024);
    let deep = "d/".repeat(500);
    let slashes = "/".repeat(1024);
    let wide = format!("{}/x", "n".repeat(1021));
    let keys = [
        "/",
        "//",
        "///",
        "/a",
        "//a",
        "a",
        "a/",
        "a//",
        "a//b",
        "a/b",
        "a/b/",
        "a/b//c",
        "a b/c",
        "a+b/c",
        "a%20b/c",
        "a%2Fb/c",
        "%/%",
        "\u{0}/\u{0}",
        "a\u{7f}/b",
        "\r\n/x",
        ".hidden/x",
        "../x",
        "a/./b",
        "a/../b",
        "\u{feff}/x",
        "z",
        &long,
        &deep,
        &slashes,
        &wide,
    ];
    keys.iter().enumerate().map(|(nth, key)| Row::new(*key, nth as u64)).collect()
}

fn not_utf8() -> Vec<Row> {
    let keys: [&[u8]; 5] = [b"\xff/a", b"\xfe\xff/\x80/b", b"ok/c", b"\xc3/\xa9", b"\xff/"];
    keys.iter().map(|key| Row::new(*key, 1)).collect()
}

fn tables() -> Vec<Vec<Row>> {
    let mut tables: Vec<_> = (1..=3).map(|seed| random_table(seed, 700)).collect();
    tables.extend([odd_keys(), not_utf8()]);
    tables
}

/// What an export says.
fn sums(export: &str) -> Sums {
    json_lines(export).iter().map(|row| (prefix(row), classes(row))).collect()
}

fn prefix(row: &Value) -> Vec<u8> {
    match (row["prefix"].as_str(), row["prefix_b64"].as_str()) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(b64)) => {
            let prefix = STANDARD.decode(b64).unwrap();
            assert!(String::from_utf8(prefix.clone()).is_err(), "{row}");
            prefix
        }
        _ => panic!("{row}"),
    }
}

fn classes(row: &Value) -> BTreeMap<String, (u64, u64)> {
    let numbers = |sums: &Value| (sums["objects"].as_u64().unwrap(), sums["bytes"].as_u64().unwrap());
    let classes = row["classes"].as_object().unwrap();
    let classes: BTreeMap<_, _> =
        classes.iter().map(|(class, sums)| (class.clone(), numbers(sums))).collect();
    let total = classes.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert_eq!(numbers(row), total, "{row}");
    let slashes = prefix(row).split(|byte| *byte == b'/').count() - 1;
    assert_eq!(row["depth"], slashes, "{row}");
    classes
}

/// Shows the first difference: all of them are too much to read.
fn assert_same<K: PartialEq + Debug, V: PartialEq + Debug>(a: &BTreeMap<K, V>, b: &BTreeMap<K, V>) {
    let differ = a.iter().zip(b).find(|(a, b)| a != b);
    assert!(differ.is_none(), "{differ:?}");
    assert_eq!(a.len(), b.len());
}

/// An index, as far as its rows make it: its pages with their checksums, and all that it says.
#[derive(PartialEq, Eq)]
struct Built {
    pages: Vec<Entry>,
    export: String,
}

fn built(delivery: &Delivery, workers: &str) -> Built {
    let folder = folder();
    let delivered = delivery.write(&folder.input());
    build(&folder, &delivered).arg("--workers", workers).run().summary();
    verify(&folder.index()).run().answer();
    Built { pages: pages(&folder.index()), export: exported(&folder.index()) }
}

fn pages(index: &Path) -> Vec<Entry> {
    let reader = Reader::open(std::fs::File::open(index).unwrap()).unwrap();
    reader.page_starts().map(Result::unwrap).collect()
}

/// Parents before children, children of a prefix together.
fn assert_ordered(export: &str) {
    let place = |row: &Value| {
        let prefix = prefix(row);
        let parent = prefix[..prefix.len().saturating_sub(1)].iter().rposition(|byte| *byte == b'/');
        let (parent, name) = prefix.split_at(parent.map_or(0, |at| at + 1));
        (parent.to_vec(), name.to_vec())
    };
    let places: Vec<_> = json_lines(export).iter().map(place).collect();
    assert!(places.is_sorted_by(|a, b| a < b));
}

#[test]
fn all_formats_and_writers_agree_with_the_plain_map() {
    let tables = tables();
    for (rows, others) in tables.iter().zip(written_by_others(&tables)) {
        let csv = built(&Delivery::csv_versions(rows, 3), "2");
        assert_same(&sums(&csv.export), &rolled_up(rows));
        assert_ordered(&csv.export);
        for (writer, delivery, workers) in [
            ("csv, one file", Delivery::csv_versions(rows, 1), "1"),
            ("parquet", Delivery::parquet(rows, 2, true), "2"),
            ("pyarrow", Delivery::parquet_files(vec![others.pyarrow]), "1"),
            ("duckdb", Delivery::parquet_files(vec![others.duckdb]), "1"),
        ] {
            let other = built(&delivery, workers);
            assert_same(&sums(&other.export), &sums(&csv.export));
            assert!(other.export == csv.export, "{writer}");
            assert!(other.pages == csv.pages, "{writer} makes other pages");
        }
        if let Some(summed) = others.sums {
            assert_same(&by_duckdb(&summed), &hexed(&rolled_up(rows)));
        }
    }
}

type Hexed = BTreeMap<(String, String), (u64, u64)>;

/// What `DuckDB` adds up.
fn by_duckdb(sums: &str) -> Hexed {
    let line = |line: &str| {
        // The root's hex is empty.
        let [prefix, class, objects, bytes] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        ((prefix.to_owned(), class.to_owned()), (objects.parse().unwrap(), bytes.parse().unwrap()))
    };
    sums.lines().map(line).collect()
}

fn hexed(sums: &Sums) -> Hexed {
    let of_prefix = |(prefix, classes): (&Vec<u8>, &BTreeMap<String, (u64, u64)>)| {
        let prefix = hex(prefix);
        classes.iter().map(|(class, sums)| ((prefix.clone(), class.clone()), *sums)).collect::<Vec<_>>()
    };
    sums.iter().flat_map(of_prefix).collect()
}

#[test]
fn reports_without_versions_count_every_row() {
    let rows: Vec<Row> =
        random_table(9, 500).into_iter().map(|row| Row { latest: true, marker: false, ..row }).collect();
    let csv = built(&Delivery::csv(&rows, 2), "1");
    assert_same(&sums(&csv.export), &rolled_up(&rows));
    let parquet = built(&Delivery::parquet(&rows, 3, false), "3");
    assert!(parquet == csv, "CSV and Parquet make different pages");
}

/// Many pages, runs and partitions: the formats agree there too.
#[test]
fn large_tables_have_the_same_pages_in_both_formats() {
    let rows: Vec<Row> = s3inv_tests::single_objects(60_000)
        .chain((0..20_000).map(|nth| Row::new(format!("p/{}/{}/k{nth}", nth % 97, nth % 1009), nth)))
        .collect();
    let csv = built(&Delivery::csv(&rows, 4), "3");
    let parquet = built(&Delivery::parquet(&rows, 1, false), "1");
    assert!(csv.pages.len() > 10, "{}", csv.pages.len());
    assert!(parquet == csv, "CSV and Parquet make different pages");
    assert_same(&sums(&csv.export), &rolled_up(&rows));
}
