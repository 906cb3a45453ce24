//! What the tests build indexes from.

mod damage;
mod forge;
mod golden;
mod python;
mod round_trip;
mod seek;
mod spec;
mod sums;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use s3inv_model::{Cell, ColumnKind, Columns, Excluded, RowCounts, prefix};

use crate::{Compression, FileKind, FormatError, Joiner, Origin, Reader, Writer, is_partition_start, verify};

/// A prefix and its cells.
pub(super) type Row = (Vec<u8>, Vec<Cell>);

pub(super) const CLASSES: [&str; 3] = ["DEEP_ARCHIVE", "GLACIER", "STANDARD"];

pub(super) fn columns(names: &[&str]) -> Columns {
    let mut columns = Columns::default();
    for name in names {
        columns.add(ColumnKind::Class, name).unwrap();
    }
    columns
}

pub(super) fn cell(column: u16, objects: u64, bytes: u64) -> Cell {
    Cell { column, objects, bytes }
}

/// The rows of objects, each with a key, a column and a size: the plain definition, in the order of files.
pub(super) fn roll_up(objects: &[(Vec<u8>, u16, u64)]) -> Vec<Row> {
    let mut sums = BTreeMap::from([(Vec::new(), BTreeMap::new())]);
    for (key, column, size) in objects {
        let ends = (0..=key.len()).filter(|&end| end == 0 || key[end - 1] == b'/');
        for end in ends {
            let cell: &mut (u64, u64) =
                sums.entry(key[..end].to_vec()).or_default().entry(*column).or_default();
            *cell = (cell.0 + 1, cell.1 + size);
        }
    }
    let cells =
        |cells: BTreeMap<u16, (u64, u64)>| cells.into_iter().map(|(id, (o, b))| cell(id, o, b)).collect();
    let mut rows: Vec<Row> = sums.into_iter().map(|(key, sums)| (key, cells(sums))).collect();
    rows.sort_by(|a, b| prefix::compare(&a.0, &b.0));
    rows
}

/// Counts that fit the root among `rows`, and two rows that are excluded.
pub(super) fn counts(rows: &[Row]) -> RowCounts {
    let root = rows.iter().find(|row| row.0.is_empty());
    let objects: u64 = root.iter().flat_map(|row| &row.1).map(|cell| cell.objects).sum();
    let excluded = BTreeMap::from([(Excluded::Noncurrent, 2)]);
    RowCounts { rows: objects + 2, excluded }
}

pub(super) fn file(kind: FileKind, compression: Compression, columns: &Columns, rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), kind, compression, columns).unwrap();
    for (key, cells) in rows {
        writer.push(key, cells).unwrap();
    }
    writer.finish(counts(rows)).unwrap().0
}

/// An index, by way of one segment.
pub(super) fn index(rows: &[Row]) -> Vec<u8> {
    index_of(&columns(&CLASSES), &[rows])
}

/// An index, by way of several segments.
pub(super) fn index_of(columns: &Columns, parts: &[&[Row]]) -> Vec<u8> {
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    for rows in parts {
        let mut writer = Writer::new(Vec::new(), FileKind::Segment, Compression::Zstd, columns).unwrap();
        for (key, cells) in *rows {
            writer.push(key, cells).unwrap();
        }
        // Only the part with the root counts rows, as in a merge.
        let counts = if rows.first().is_some_and(|row| row.0.is_empty()) {
            counts(rows)
        } else {
            RowCounts::default()
        };
        let segment = writer.finish(counts).unwrap().0;
        joiner.append(&Reader::open_kind(segment, FileKind::Segment).unwrap(), || always(0)).unwrap();
    }
    joiner.finish(None, origin()).unwrap().0
}

pub(super) fn origin() -> Origin {
    Origin {
        source_bucket: "logs".into(),
        snapshot_ms: 1_700_000_000_000,
        manifest_md5: "d41d8cd98f00b204e9800998ecf8427e".into(),
        data_files: 1,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of what is asked between rows")]
pub(super) fn always(_: u64) -> Result<(), FormatError> {
    Ok(())
}

/// Names at which a page begins in any case: with them, a few rows make many pages.
pub(super) fn page_names(count: usize) -> Vec<Vec<u8>> {
    let name = |n: u32| format!("{n:x}/").into_bytes();
    (0u32..).map(name).filter(|name| is_partition_start(name)).take(count).collect()
}

/// Objects in odd places: bytes that are no text, empty names, names that sort around `/`.
pub(super) fn odd_objects() -> Vec<(Vec<u8>, u16, u64)> {
    let keys: [&[u8]; 14] = [
        b"at-the-root",
        b"a/1",
        b"a-b/1",
        b"a//1",
        b"a///2",
        b"/1",
        b"//",
        b"a/b/c/d/",
        b"\xff\xfe/1",
        "d\u{e9}j\u{e0}/\u{1f600}/1".as_bytes(),
        b"\"quoted\\\"/\x01\x1f\n\t/1",
        b"a/\xed\xa0\x80/1",
        b"\0/\0",
        b"+ %2F/1",
    ];
    let mut objects: Vec<_> =
        (0u64..).zip(keys).map(|(n, key)| (key.to_vec(), (n % 3) as u16, n * n)).collect();
    objects.push((b"deep/".repeat(204), 0, 1 << 40));
    objects.push(([b"long/".to_vec(), vec![b'n'; 1018], b"/".to_vec()].concat(), 1, u64::from(u32::MAX)));
    objects
}

/// Odd places, and more pages than one directory block lists, with siblings that share much.
pub(super) fn many_objects() -> Vec<(Vec<u8>, u16, u64)> {
    let names = page_names(140);
    let below = names.iter().flat_map(|name| {
        (0u64..3).map(move |n| {
            ([name, &b"2024/day="[..], &[b'0' + n as u8], b"/x"].concat(), (n % 3) as u16, n << n)
        })
    });
    odd_objects().into_iter().chain(below).collect()
}

/// The index of [`many_objects`], and its rows.
pub(super) fn many() -> &'static (Vec<u8>, Vec<Row>) {
    static MANY: OnceLock<(Vec<u8>, Vec<Row>)> = OnceLock::new();
    MANY.get_or_init(|| {
        let rows = roll_up(&many_objects());
        (index(&rows), rows)
    })
}

/// A small index of several pages, and its rows.
pub(super) fn few() -> &'static (Vec<u8>, Vec<Row>) {
    static FEW: OnceLock<(Vec<u8>, Vec<Row>)> = OnceLock::new();
    FEW.get_or_init(|| {
        let below = page_names(2).into_iter().map(|name| ([&name, &b"x/y"[..]].concat(), 1, 7));
        let rows =
            roll_up(&below.chain([(b"a//x".to_vec(), 0, 3), (b"y".to_vec(), 2, 0)]).collect::<Vec<_>>());
        (index(&rows), rows)
    })
}

/// All rows of an index that passes `verify`.
pub(super) fn read_all(index: &[u8]) -> Result<Vec<Row>, FormatError> {
    let reader = Reader::open(index.to_vec())?;
    let rows = read_rows(&reader)?;
    verify(&reader, &mut always)?;
    Ok(rows)
}

pub(super) fn read_rows(reader: &Reader<Vec<u8>>) -> Result<Vec<Row>, FormatError> {
    let mut cursor = reader.rows()?;
    let mut rows = Vec::new();
    while cursor.advance()? {
        rows.push((cursor.key().to_vec(), cursor.cells().to_vec()));
    }
    Ok(rows)
}
