//! One file for each version of the format. It was written once, and is never written again: whatever the
//! writer becomes, readers go on to read it.

use std::collections::BTreeMap;

use s3inv_model::{Column, ColumnKind, Excluded, RowCounts};

use super::{always, cell, origin, read_rows};
use crate::{Compression, FileKind, Info, Reader, verify};

const V1: &[u8] = include_bytes!("../../spec/golden-v1.s3inv");

fn v1() -> Reader<Vec<u8>> {
    Reader::open(V1.to_vec()).unwrap()
}

#[test]
fn version_1_is_unchanged_and_sound() {
    assert_eq!(V1.len(), 1322);
    assert_eq!(crate::block::checksum(V1), 0x71a6_dc5d_80e9_909d, "the golden file was written anew");
    verify(&v1(), &mut always).unwrap();
}

#[test]
fn version_1_says_what_it_is() {
    let names = [
        "DEEP_ARCHIVE",
        "GLACIER_IR",
        "INTELLIGENT_TIERING_ARCHIVE_INSTANT",
        "INTELLIGENT_TIERING_FREQUENT",
        "STANDARD",
    ];
    let excluded = BTreeMap::from([(Excluded::DeleteMarker, 2), (Excluded::Noncurrent, 40)]);
    let expected = Info {
        kind: FileKind::Index,
        compression: Compression::Zstd,
        columns: names.map(|name| Column { kind: ColumnKind::Class, name: name.to_owned() }).to_vec(),
        prefixes: 147,
        depth: 3,
        max_depth: Some(3),
        counts: RowCounts { rows: 170, excluded },
        origin: Some(origin()),
    };
    assert_eq!(v1().info(), &expected);
}

#[test]
fn version_1_has_the_rows_that_were_written() {
    let reader = v1();
    let all = [
        cell(0, 16, 5_000_000_075_000),
        cell(1, 16, 90_017),
        cell(2, 11, 45_300),
        cell(3, 12, 256_072),
        cell(4, 73, 69_427),
    ];
    let cases: [(&[u8], &[_]); 10] = [
        (b"", &all),
        (b"/", &[cell(4, 1, 1)]),
        (b"/leading/", &[cell(4, 1, 1)]),
        (b"1/", &[cell(4, 12, 66)]),
        (b"a-b/", &[cell(3, 1, 70_000)]),
        (b"a/", &[cell(2, 1, 300), cell(3, 1, 131_072)]),
        (b"a//", &[cell(2, 1, 300)]),
        ("caf\u{e9}/\u{1f600}/".as_bytes(), &[cell(1, 1, 17)]),
        (b"\xff\xfe/", &[cell(0, 1, 5_000_000_000_000)]),
        (b"logs/11/bc00/", &[cell(1, 1, 11_000)]),
    ];
    for (prefix, cells) in cases {
        assert_eq!(reader.get(prefix).unwrap().as_deref(), Some(cells), "{}", prefix.escape_ascii());
    }
    assert_eq!(reader.get(b"logs/12/").unwrap(), None);
}

#[test]
fn version_1_has_its_rows_in_order_over_several_pages() {
    let reader = v1();
    let firsts: Vec<_> = reader.page_starts().map(|page| page.unwrap().first).collect();
    assert_eq!(firsts, [&b""[..], b"1/", b"9f39/", b"a88b/", b"adf7/", b"bc00/"]);
    let rows = read_rows(&reader).unwrap();
    let keys: Vec<_> = rows.iter().map(|row| row.0.as_slice()).collect();
    let first: [&[u8]; 8] = [b"", b"/", b"1/", b"9f39/", b"a-b/", b"a/", b"a88b/", b"adf7/"];
    assert_eq!(keys[..8], first);
    assert_eq!(keys[146], b"logs/11/bc00/");
    assert_eq!(keys.len(), 147);
}
