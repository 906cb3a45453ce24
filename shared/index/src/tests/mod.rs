//! What the tests build indexes from.

mod damage;
mod golden;
mod lookup;
mod packed;
mod pages;
mod python;
mod round_trip;
mod seek;
mod span;
mod spec;
mod sums;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use s3inv_model::{
    Bin, BinId, Binning, Cell, ClassId, Classes, Dates, Excluded, Measure, Measures, RowCounts, Schema,
    SizeBin, Sums, prefix,
};

use crate::{
    Compression, FileKind, Form, FormatError, Joiner, Origin, ReadAt, Reader, Writer, is_partition_start,
    verify,
};

/// A prefix and what is said of it.
pub(super) type Row = (Vec<u8>, Sums);

pub(super) const CLASSES: [&str; 3] = ["GLACIER", "STANDARD", "STANDARD_IA"];
/// When the inventory was taken.
pub(super) const SNAPSHOT: u64 = 1_700_000_000_000;

pub(super) fn schema(measures: Measures, names: &[&str]) -> Schema {
    let mut classes = Classes::default();
    for name in names {
        classes.add(name.as_bytes(), b"").unwrap();
    }
    Schema { measures, classes }
}

/// Every measure.
pub(super) fn full() -> Schema {
    schema(Measures::all(), &CLASSES)
}

/// Objects and bytes by class, and nothing else.
pub(super) fn plain() -> Schema {
    schema([Measure::Bytes, Measure::Classes].into_iter().collect(), &CLASSES)
}

/// Current objects of a class, of which nothing else is told.
pub(super) fn bin(class: ClassId) -> BinId {
    Bin::Objects { class, current: true, size: SizeBin::Untold, age: None }.id()
}

pub(super) fn cell(class: ClassId, objects: u64, bytes: u64) -> Cell {
    Cell { bin: bin(class), objects, bytes }
}

/// Sums without dates.
pub(super) fn undated(cells: &[Cell]) -> Sums {
    Sums { cells: cells.to_vec(), dates: Dates::NONE }
}

/// A row of the inventory.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    key: Vec<u8>,
    bin: BinId,
    size: u64,
    dates: Dates,
}

fn binning() -> Binning {
    Binning::new(&Measures::all(), SNAPSHOT)
}

pub(super) fn current(key: &[u8], class: ClassId, size: u64, modified: u64) -> Listed {
    let bin = binning().current(&full().classes, class, size, modified);
    Listed { key: key.to_vec(), bin, size, dates: Dates::at(modified) }
}

pub(super) fn noncurrent(key: &[u8], class: ClassId, size: u64) -> Listed {
    let bin = binning().noncurrent(&full().classes, class, size);
    Listed { key: key.to_vec(), bin, size, dates: Dates::NONE }
}

pub(super) fn marker(key: &[u8], latest: bool) -> Listed {
    Listed { key: key.to_vec(), bin: Bin::Marker { latest }.id(), size: 0, dates: Dates::NONE }
}

/// Rows of an index of these: the plain definition, in the order of files.
pub(super) fn roll_up(listed: &[Listed]) -> Vec<Row> {
    let none = || (BTreeMap::<BinId, (u64, u64)>::new(), Dates::NONE);
    let mut sums = BTreeMap::from([(Vec::new(), none())]);
    for Listed { key, bin, size, dates } in listed {
        let ends = (0..=key.len()).filter(|&end| end == 0 || key[end - 1] == b'/');
        for end in ends {
            let (cells, all) = sums.entry(key[..end].to_vec()).or_insert_with(none);
            let cell = cells.entry(*bin).or_default();
            *cell = (cell.0 + 1, cell.1 + size);
            *all = all.merge(*dates);
        }
    }
    let cell = |(bin, (objects, bytes))| Cell { bin, objects, bytes };
    let row = |(key, (cells, dates)): (_, (BTreeMap<_, _>, _))| {
        (key, Sums { cells: cells.into_iter().map(cell).collect(), dates })
    };
    let mut rows: Vec<Row> = sums.into_iter().map(row).collect();
    rows.sort_by(|a, b| prefix::compare(&a.0, &b.0));
    rows
}

/// Counts that fit the root among `rows`, and more rows that are excluded.
pub(super) fn counts(schema: &Schema, rows: &[Row]) -> RowCounts {
    let Some((_, root)) = rows.iter().find(|row| row.0.is_empty()) else { return RowCounts::default() };
    let of = |is: fn(BinId) -> bool| -> u64 {
        root.cells.iter().filter(|cell| is(cell.bin)).map(|cell| cell.objects).sum()
    };
    let mut excluded = BTreeMap::from([(Excluded::Noncurrent, 2), (Excluded::BadKey, 3)]);
    if schema.measures.has(Measure::Noncurrent) {
        excluded.insert(Excluded::Noncurrent, of(Bin::is_noncurrent));
        excluded.insert(Excluded::DeleteMarker, of(Bin::is_marker));
        excluded.retain(|_, n| *n > 0);
    }
    RowCounts { rows: of(Bin::is_current) + excluded.values().sum::<u64>(), excluded }
}

pub(super) fn file(kind: FileKind, compression: Compression, schema: &Schema, rows: &[Row]) -> Vec<u8> {
    written(Form { kind, compression, lookup: false }, schema, rows)
}

pub(super) fn written(form: Form, schema: &Schema, rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), form, schema).unwrap();
    for (key, Sums { cells, dates }) in rows {
        writer.push(key, cells, *dates).unwrap();
    }
    writer.finish(counts(schema, rows)).unwrap().0
}

/// An index, by way of one segment.
pub(super) fn index(schema: &Schema, rows: &[Row]) -> Vec<u8> {
    index_of(schema, &[rows])
}

/// An index, by way of several segments. Only the part with the root counts rows, as in a merge.
pub(super) fn index_of(schema: &Schema, parts: &[&[Row]]) -> Vec<u8> {
    joined(false, schema, parts)
}

/// The same, with tables if there are to be some.
pub(super) fn joined(lookup: bool, schema: &Schema, parts: &[&[Row]]) -> Vec<u8> {
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    for rows in parts {
        let segment = written(Form::segment(lookup), schema, rows);
        joiner.append(&Reader::open_kind(segment, FileKind::Segment).unwrap(), || always(0)).unwrap();
    }
    joiner.finish(None, Measures::default(), origin()).unwrap().0
}

pub(super) fn origin() -> Origin {
    Origin {
        source_bucket: "logs".into(),
        snapshot_ms: SNAPSHOT,
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

/// One of each kind of version, as `n` goes on: of three classes, all sizes, all ages, with and without
/// milliseconds, noncurrent ones and delete markers.
fn some(key: &[u8], n: u64) -> Listed {
    let class = (n % 3) as ClassId;
    let size = [0, 700, 100_000, 131_072, 5 << 20, 100 << 20, 1 << 29, 4 << 30, 6 << 30][n as usize % 9];
    let modified = SNAPSHOT - n * 79 % 900 * 86_400_000 - if n.is_multiple_of(4) { n } else { 0 };
    match n % 7 {
        3 => noncurrent(key, class, size),
        5 => marker(key, n.is_multiple_of(2)),
        _ => current(key, class, size, modified),
    }
}

/// Versions in odd places: bytes that are no text, empty names, names that sort around `/`.
pub(super) fn odd() -> Vec<Listed> {
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
    let mut listed: Vec<_> = (0..).zip(keys).map(|(n, key)| some(key, n)).collect();
    listed.push(current(&b"deep/".repeat(204), 0, 1 << 40, 0));
    let long = [b"long/".to_vec(), vec![b'n'; 1018], b"/".to_vec()].concat();
    // The last moment that there is.
    listed.push(current(&long, 1, u64::from(u32::MAX), 253_402_300_799_999));
    listed
}

/// Odd places, and more pages than one directory block lists, with siblings that share much.
pub(super) fn many_listed() -> Vec<Listed> {
    let names = page_names(140);
    let key = |name: &[u8], n: u64| [name, &b"2024/day="[..], &[b'0' + n as u8], b"/x"].concat();
    let below =
        (0u64..).zip(&names).flat_map(|(at, name)| (0..3).map(move |n| some(&key(name, n), at * 3 + n)));
    odd().into_iter().chain(below).collect()
}

/// The index of [`many_listed`], and its rows.
pub(super) fn many() -> &'static (Vec<u8>, Vec<Row>) {
    static MANY: OnceLock<(Vec<u8>, Vec<Row>)> = OnceLock::new();
    MANY.get_or_init(|| {
        let rows = roll_up(&many_listed());
        (index(&full(), &rows), rows)
    })
}

/// A small index of three pages with something of everything, and its rows.
pub(super) fn few() -> &'static (Vec<u8>, Vec<Row>) {
    static FEW: OnceLock<(Vec<u8>, Vec<Row>)> = OnceLock::new();
    FEW.get_or_init(|| {
        let day = 86_400_000;
        let mut listed = vec![
            current(b"a//x", 0, 3, SNAPSHOT - 40 * day),
            current(b"a/y", 2, 131_072, SNAPSHOT - 41 * day + 17),
            noncurrent(b"a//x", 2, 5),
            marker(b"y", true),
            marker(b"b/", false),
        ];
        let below = page_names(2);
        listed.extend(below.iter().map(|name| current(&[name, &b"x/y"[..]].concat(), 1, 7, SNAPSHOT - day)));
        let rows = roll_up(&listed);
        (index(&full(), &rows), rows)
    })
}

/// The same with tables.
pub(super) fn few_with_tables() -> &'static Vec<u8> {
    static FEW: OnceLock<Vec<u8>> = OnceLock::new();
    FEW.get_or_init(|| joined(true, &full(), &[&few().1]))
}

/// All rows of an index that passes `verify`.
pub(super) fn read_all(index: &[u8]) -> Result<Vec<Row>, FormatError> {
    let reader = Reader::open(index.to_vec())?;
    let rows = read_rows(&reader)?;
    verify(&reader, &mut always)?;
    Ok(rows)
}

pub(super) fn read_rows<R: ReadAt>(reader: &Reader<R>) -> Result<Vec<Row>, FormatError> {
    let mut cursor = reader.rows()?;
    let mut rows = Vec::new();
    while cursor.advance()? {
        let sums = Sums { cells: cursor.cells().to_vec(), dates: cursor.dates() };
        rows.push((cursor.key().to_vec(), sums));
    }
    Ok(rows)
}
