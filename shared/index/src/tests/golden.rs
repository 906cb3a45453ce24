//! Files of the version of the format, one of them with tables. They were written once, and are never written
//! again: whatever the writer becomes, readers go on to read them.

use std::collections::BTreeMap;

use s3inv_model::{Cell, ClassCount, Count, Dates, Excluded, Measures, RowCounts, Sums};

use super::{always, origin, read_rows, schema};
use crate::{Compression, FileKind, Info, Reader, verify};

const V4: &[u8] = include_bytes!("../../spec/golden-v4.s3inv");

fn v4() -> Reader<Vec<u8>> {
    Reader::open(V4.to_vec()).unwrap()
}

fn count(objects: u64, bytes: u64) -> Count {
    Count { objects, bytes }
}

#[test]
fn version_4_is_unchanged_and_sound() {
    assert_eq!(V4.len(), 2079);
    assert_eq!(crate::block::checksum(V4), 0x9fbf_b318_0517_c1a6, "the golden file was written anew");
    verify(&v4(), &mut always).unwrap();
}

#[test]
fn version_4_says_what_it_is() {
    let excluded = [
        (Excluded::DeleteMarker, 10),
        (Excluded::Noncurrent, 11),
        (Excluded::BadKey, 4),
        (Excluded::BadDate, 5),
    ];
    let expected = Info {
        kind: FileKind::Index,
        compression: Compression::Zstd,
        schema: schema(
            Measures::all(),
            &["GLACIER", "INTELLIGENT_TIERING_FREQUENT", "STANDARD", "STANDARD_IA"],
        ),
        unknown: Measures::default(),
        prefixes: 91,
        depth: 3,
        max_depth: Some(3),
        counts: RowCounts { rows: 89, excluded: BTreeMap::from(excluded) },
        origin: Some(origin()),
    };
    assert_eq!(v4().info(), &expected);
}

#[test]
fn version_4_has_the_rows_that_were_written() {
    let reader = v4();
    let cell = |bin, objects, bytes| Cell { bin, objects, bytes };
    let a = [
        cell(0, 1, 0),
        cell(1, 1, 0),
        cell(201, 1, 131_072),
        cell(422, 1, 5),
        cell(524, 1, 300),
        cell(660, 1, 10),
        cell(667, 1, 200_000),
    ];
    let cases: [(&[u8], &[Cell], Dates); 9] = [
        (b"/", &[cell(353, 1, 1)], Dates::at(1_697_494_400_000)),
        (b"/leading/", &[cell(353, 1, 1)], Dates::at(1_697_494_400_000)),
        (b"a-b/", &[cell(193, 1, 70_000)], Dates::at(1_697_408_000_000)),
        (b"a/", &a, Dates { oldest: 1_682_719_999_500, newest: 1_691_359_999_123 }),
        (b"a//", &[cell(0, 1, 0), cell(524, 1, 300)], Dates::at(1_682_719_999_500)),
        ("caf\u{e9}/\u{1f600}/".as_bytes(), &[cell(525, 1, 17)], Dates::at(1_665_440_000_000)),
        (b"\xff\xfe/", &[cell(71, 1, 5_000_000_000_000)], Dates::at(1_630_880_000_000)),
        (b"gone/", &[cell(1, 1, 0)], Dates::NONE),
        (
            b"too/deep/",
            &[cell(374, 1, 2_000_000), cell(388, 1, 1_000_000_000)],
            Dates { oldest: 1_699_827_200_000, newest: 1_699_913_600_000 },
        ),
    ];
    for (prefix, cells, dates) in cases {
        let expected = Sums { cells: cells.to_vec(), dates };
        assert_eq!(reader.get(prefix).unwrap(), Some(expected), "{}", prefix.escape_ascii());
    }
    assert_eq!(reader.get(b"logs/12/").unwrap(), None);
}

#[test]
fn version_4_adds_up_to_what_people_ask_for() {
    let reader = v4();
    let a = reader.stats(b"a/").unwrap().unwrap();
    assert_eq!((a.current, a.noncurrent), (count(2, 131_372), count(3, 200_015)));
    assert_eq!((a.delete_markers, a.latest_delete_markers), (2, 1));
    let class = |all, small| ClassCount { all, small };
    let none = count(0, 0);
    let expected = [
        ("INTELLIGENT_TIERING_FREQUENT", class(count(1, 131_072), none)),
        ("STANDARD_IA", class(count(1, 300), count(1, 300))),
    ];
    assert_eq!(a.classes, BTreeMap::from(expected));
    let expected =
        [("STANDARD", class(count(1, 5), none)), ("STANDARD_IA", class(count(2, 200_010), count(1, 10)))];
    assert_eq!(a.noncurrent_classes, BTreeMap::from(expected));
    assert_eq!(a.age, [none, none, count(1, 131_072), count(1, 300), none, none]);
    assert_eq!(a.size, [none, count(1, 300), none, count(1, 131_072), none, none, none, none, none]);
    let root = reader.stats(b"").unwrap().unwrap();
    assert_eq!(root.current, count(59, 5_001_024_058_405));
    assert_eq!(root.dates, Dates { oldest: 1_630_880_000_000, newest: 1_700_000_000_000 });
}

#[test]
fn version_4_has_its_rows_in_order_over_several_pages() {
    let reader = v4();
    let firsts: Vec<_> = reader.page_starts().map(|page| page.unwrap().first).collect();
    assert_eq!(firsts, [&b""[..], b"1/", b"9f39/", b"a88b/", b"adf7/", b"bc00/"]);
    let rows = read_rows(&reader).unwrap();
    let keys: Vec<_> = rows.iter().map(|row| row.0.as_slice()).collect();
    let first: [&[u8]; 8] = [b"", b"/", b"1/", b"9f39/", b"a-b/", b"a/", b"a88b/", b"adf7/"];
    assert_eq!(keys[..8], first);
    assert_eq!(keys[90], b"too/deep/for/");
    assert_eq!(keys.len(), 91);
}

const TABLES: &[u8] = include_bytes!("../../spec/golden-v4-tables.s3inv");

fn tables() -> Reader<Vec<u8>> {
    Reader::open(TABLES.to_vec()).unwrap()
}

#[test]
fn version_4_with_tables_is_unchanged_and_sound() {
    assert_eq!(TABLES.len(), 5381);
    assert_eq!(crate::block::checksum(TABLES), 0x9725_9571_cae6_bb74, "the golden file was written anew");
    verify(&tables(), &mut always).unwrap();
}

#[test]
fn version_3_is_version_4_with_tables() {
    assert_eq!(tables().info(), v4().info());
    let rows = read_rows(&v4()).unwrap();
    assert_eq!(read_rows(&tables()).unwrap(), rows);
    let lots: Vec<_> = tables().lots().unwrap().all().iter().map(|placed| placed.lot.rows).collect();
    assert_eq!(lots.iter().sum::<u64>(), 91);
    assert!(lots.len() > 1);
    let reader = tables();
    let keys: Vec<_> = rows.iter().map(|row| row.0.as_slice()).collect();
    let found: Vec<_> = rows.iter().map(|row| Some(row.1.clone())).collect();
    assert_eq!(reader.get_many(&keys).unwrap(), found);
    assert_eq!(reader.get(b"logs/12/").unwrap(), None);
}
