//! What stands in pages of runs: sets that repeat or are many, large rows, moments, and forged streams.

use s3inv_model::{Bin, Cell, Classes, Dates, Measure, Measures, Schema, SizeBin, Sums};

use super::{Row, cell, file, full, plain, read_rows, schema, undated};
use crate::forge::{Part, Parts};
use crate::{Compression, FileKind, FormatError, Reader, varint};

/// The raw bytes of a page, taken apart.
fn streams(raw: &[u8]) -> [Vec<u8>; 8] {
    let mut rest = raw;
    let lens: Vec<_> = (0..8).map(|_| varint::take_usize(&mut rest).unwrap()).collect();
    let streams: Vec<_> =
        lens.iter().map(|&len| varint::take_bytes(&mut rest, len).unwrap().to_vec()).collect();
    assert!(rest.is_empty());
    streams.try_into().unwrap()
}

fn together(streams: &[Vec<u8>; 8]) -> Vec<u8> {
    let mut raw = Vec::new();
    for stream in streams {
        varint::put(&mut raw, stream.len() as u64);
    }
    [raw, streams.concat()].concat()
}

fn raw_page(file: &[u8], kind: FileKind, at: usize) -> Vec<u8> {
    let raw = std::cell::RefCell::new(Vec::new());
    Parts::of(file, kind).forge(Part::Page(at), &|page| raw.borrow_mut().clone_from(page));
    raw.into_inner()
}

fn run(schema: &Schema, rows: &[Row]) -> Vec<u8> {
    file(FileKind::Run, Compression::Lz4, schema, rows)
}

fn read(file: Vec<u8>) -> Result<Vec<Row>, FormatError> {
    read_rows(&Reader::open_kind(file, FileKind::Run)?)
}

/// The streams of the only page of rows that are named `0000/` and so on.
#[track_caller]
fn page_of(schema: &Schema, sums: &[Sums]) -> [Vec<u8>; 8] {
    let rows: Vec<Row> =
        sums.iter().enumerate().map(|(n, sums)| (format!("{n:04}/").into_bytes(), sums.clone())).collect();
    let file = run(schema, &rows);
    assert_eq!(read(file.clone()).unwrap(), rows);
    assert_eq!(Reader::open_kind(file.clone(), FileKind::Run).unwrap().page_starts().count(), 1);
    streams(&raw_page(&file, FileKind::Run, 0))
}

#[test]
fn sets_stand_in_a_page_once() {
    let (a, b) = (undated(&[cell(0, 1, 5)]), undated(&[cell(0, 1, 5), cell(2, 2, 300)]));
    let more = undated(&[cell(0, 1, 6)]);
    let rows = [a.clone(), b.clone(), b.clone(), a.clone(), more, b, undated(&[]), undated(&[])];
    let [_, _, sets, rows, objects, bytes, oldest, spans] = page_of(&plain(), &rows);
    assert_eq!(sets, [1, 2, 2, 2, 0xcf, 2, 0], "one bin; the same and the one 335 behind it; none");
    assert_eq!(rows, [1, 2, 0, 1, 1, 2, 3, 0]);
    assert_eq!(objects, [1, 1, 2, 1, 1, 1, 2]);
    assert_eq!(bytes, [5, 5, 0xac, 2, 5, 6, 5, 0xac, 2]);
    assert!(oldest.is_empty() && spans.is_empty());
}

#[test]
fn a_page_has_hundreds_of_sets() {
    let rows: Vec<_> = (0..900u64)
        .map(|n| {
            let bins = [n * 7 % 31, 31 + n * 11 % 37, 68 + n % 29].map(|bin| bin as u16 + 2);
            undated(&bins.map(|bin| Cell { bin, objects: n, bytes: n }))
        })
        .collect();
    let [_, _, sets, ..] = page_of(&plain(), &rows);
    assert_eq!(sets.len(), 4 * 900, "all different");
    let again: Vec<_> = (0..2).flat_map(|_| rows[..450].to_vec()).collect();
    let [_, _, sets, ..] = page_of(&plain(), &again);
    assert_eq!(sets.len(), 4 * 450);
}

#[test]
fn moments_are_changes_of_the_row_before() {
    let at = |oldest, newest| Sums { cells: vec![cell(0, 2, 0)], dates: Dates { oldest, newest } };
    let marker = undated(&[Cell { bin: 0, objects: 1, bytes: 0 }]);
    let rows = [
        at(10_000, 15_000),
        marker.clone(),
        at(4_000, 4_000),
        at(4_001, 5_001),
        marker,
        at(3_001, 253_402_300_799_999),
        at(0, 7),
    ];
    let dated = Schema { measures: plain().measures.with(Measure::Dates), ..plain() };
    let [.., oldest, spans] = page_of(&dated, &rows);
    let mut expected = vec![10 << 2, 6 << 2 | 1, 1 << 2 | 2, 1 << 2 | 1];
    varint::put(&mut expected, 3001 << 2 | 3);
    assert_eq!(oldest, expected);
    let mut expected = vec![5 << 2, 0, 1 << 2];
    varint::put(&mut expected, (253_402_300_799_999 - 3001) << 2 | 2);
    expected.push(7 << 2 | 2);
    assert_eq!(spans, expected);
}

#[test]
fn what_is_not_measured_takes_no_byte() {
    let cells = [Cell { bin: 1, objects: 3, bytes: 0 }, cell(0, 2, 9)];
    let untold = Schema { measures: Measures::default(), classes: Classes::untold() };
    let without = cells.map(|cell| Cell { bytes: 0, ..cell });
    let [_, _, _, _, objects, bytes, oldest, spans] = page_of(&untold, &[undated(&without)]);
    assert_eq!((objects, bytes, oldest, spans), (vec![3, 2], vec![], vec![], vec![]));
    let full = Sums { cells: cells.to_vec(), dates: Dates::at(1000) };
    let [_, _, _, _, objects, bytes, oldest, spans] = page_of(&super::full(), &[full]);
    assert_eq!((objects, bytes, oldest, spans), (vec![3, 2], vec![9], vec![4], vec![0]));
}

/// All bins of 64 classes, each with as many objects and bytes as fit together: no row takes more.
pub(super) fn largest_row() -> (Schema, Sums) {
    let names: Vec<_> = (0..64).map(|n| format!("C{n:02}")).collect();
    let schema = schema(Measures::all(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let longer = 170;
    let number = |bin: u16| if bin < 2 + longer { 1 << 56 } else { 1 << 49 };
    let cells = (0..2 + 64 * 168).map(|bin| Cell {
        bin,
        objects: number(bin),
        bytes: if Bin::is_marker(bin) { 0 } else { number(bin) },
    });
    (schema, Sums { cells: cells.collect(), dates: Dates { oldest: 1, newest: 253_402_300_799_999 } })
}

/// What a plain page may come to: a smaller part of what readers take.
const PLAIN: u64 = 256 << 10;

#[test]
fn a_page_is_never_longer_than_its_limit() {
    let (schema, largest) = largest_row();
    // 63 rows of 1,020 bytes and more, and one that fills the page up to the size at which it ends.
    let small = Sums { cells: vec![cell(0, 1, 1)], dates: Dates::at(0) };
    let name = |n: u64| [format!("{n:05}").into_bytes(), vec![b'x'; 1018], b"/".to_vec()].concat();
    let ends_no_page = |key: &Vec<u8>| crate::block::checksum(key) & 1023 != 0;
    let names: Vec<_> = (0..).map(name).filter(ends_no_page).take(63).collect();
    let rows = |filling: usize| {
        let mut rows: Vec<Row> = names.iter().map(|key| (key.clone(), small.clone())).collect();
        rows.push(([vec![b'y'; filling], b"/".to_vec()].concat(), small.clone()));
        rows.push(([vec![b'z'; 1023], b"/".to_vec()].concat(), largest.clone()));
        rows
    };
    let longest = (600..1000).map(|filling| {
        let reader = Reader::open_kind(run(&schema, &rows(filling)), FileKind::Run).unwrap();
        reader.page_starts().map(|page| page.unwrap().raw_len).max().unwrap()
    });
    let longest = longest.max().unwrap();
    assert!((249_000..=PLAIN).contains(&longest), "{longest}");
}

#[test]
fn the_largest_row_comes_back() {
    let (schema, largest) = largest_row();
    let rows: Vec<Row> = (0..5).map(|n| (format!("{n}/").into_bytes(), largest.clone())).collect();
    assert_eq!(read(run(&schema, &rows)).unwrap(), rows);
    let mut more = largest.clone();
    more.cells[200].objects = 1 << 56;
    let mut changing = vec![rows[0].clone(), (b"1/".to_vec(), more)];
    changing.push((b"2/".to_vec(), largest));
    for (compression, pages) in [(Compression::Zstd, 2), (Compression::Lz4, 3)] {
        let file = file(FileKind::Segment, compression, &schema, &changing);
        let reader = Reader::open_kind(file, FileKind::Segment).unwrap();
        assert_eq!(read_rows(&reader).unwrap(), changing);
        assert_eq!(reader.page_starts().count(), pages);
    }
}

/// A run of one page of two rows, the second of them with noncurrent objects, and its streams.
fn two_rows() -> (Parts, [Vec<u8>; 8]) {
    let old = Bin::Objects { class: 1, current: false, size: SizeBin::Untold, age: None }.id();
    let second = vec![cell(0, 2, 9), Cell { bin: old, objects: 1, bytes: 4 }];
    let rows = [
        (b"a/".to_vec(), Sums { cells: vec![cell(0, 1, 5)], dates: Dates::at(9000) }),
        (b"b/".to_vec(), Sums { cells: second, dates: Dates { oldest: 8000, newest: 9500 } }),
    ];
    let file = run(&full(), &rows);
    let streams = streams(&raw_page(&file, FileKind::Run, 0));
    (Parts::of(&file, FileKind::Run), streams)
}

const SETS: usize = 2;
const ROWS: usize = 3;
const OBJECTS: usize = 4;
const BYTES: usize = 5;
const OLDEST: usize = 6;
const SPANS: usize = 7;

fn numbers(values: &[u64]) -> Vec<u8> {
    let mut stream = Vec::new();
    for &value in values {
        varint::put(&mut stream, value);
    }
    stream
}

/// Reads the two rows with other streams.
fn forged(changes: &[(usize, &[u64])]) -> Result<Vec<Row>, FormatError> {
    let (parts, mut streams) = two_rows();
    for &(at, values) in changes {
        streams[at] = numbers(values);
    }
    let page = together(&streams);
    read(parts.forge(Part::Page(0), &|raw| raw.clone_from(&page)))
}

#[test]
fn two_rows_are_as_the_next_tests_think() {
    let (_, streams) = two_rows();
    assert_eq!(streams[SETS], numbers(&[1, 2, 2, 2, 251]));
    assert_eq!(streams[ROWS], [1, 2]);
    assert_eq!(streams[OBJECTS], [1, 2, 1]);
    assert_eq!(streams[BYTES], [5, 9, 4]);
    assert_eq!(streams[OLDEST], numbers(&[9 << 2, 1 << 2 | 1]));
    assert_eq!(streams[SPANS], numbers(&[0, 1500 << 2 | 2]));
    assert_eq!(forged(&[]).unwrap().len(), 2);
}

#[test]
fn sets_that_are_not_there_are_refused() {
    for (sets, rows) in [
        (&[1, 2, 2, 2, 251][..], &[2, 1][..]),
        (&[1, 2, 2, 2, 251], &[1, 3]),
        (&[1, 2, 2, 2, 251], &[1, u64::MAX]),
        (&[1, 2, 2, 2, 251], &[1, 1]),
        (&[1, 2, 2, 2, 251], &[0, 1]),
        (&[1, 2], &[1, 2]),
        (&[1, 2, 2, 2, 251, 0], &[1, 2]),
        (&[1, 2, 2, 2], &[1, 2]),
        (&[], &[1, 1]),
    ] {
        assert!(forged(&[(SETS, sets), (ROWS, rows)]).is_err(), "{sets:?} {rows:?}");
    }
}

#[test]
fn bins_that_do_not_exist_are_refused() {
    let open = |bin| forged(&[(SETS, &[1, 2, 2, 2, bin - 3])]);
    assert_eq!(open(505).unwrap()[1].1.cells[1].bin, 505, "the last one of three classes");
    for bin in [506, 65_535, 65_536, 1 << 32, u64::MAX] {
        assert!(open(bin).is_err(), "{bin}");
    }
    let many: Vec<u64> = std::iter::once(600).chain([0; 600]).collect();
    assert!(forged(&[(SETS, &many), (ROWS, &[1, 0])]).is_err());
    assert!(forged(&[(SETS, &[u64::MAX, 0])]).is_err());
}

#[test]
fn sums_of_a_row_fit_64_bits() {
    const MAX: u64 = u64::MAX;
    let open = |objects: [u64; 3], bytes: [u64; 3]| forged(&[(OBJECTS, &objects), (BYTES, &bytes)]);
    assert!(open([MAX, MAX - 1, 1], [MAX, 0, MAX]).is_ok());
    assert!(open([1, MAX, 1], [1, 1, 1]).is_err());
    assert!(open([1, 1, 1], [1, MAX, 1]).is_err());
}

#[test]
fn streams_are_used_up_and_no_longer() {
    for (at, values) in [
        (ROWS, &[1, 2, 0][..]),
        (ROWS, &[1]),
        (OBJECTS, &[1, 2]),
        (OBJECTS, &[1, 2, 1, 0]),
        (BYTES, &[5, 9]),
        (BYTES, &[5, 9, 4, 0]),
        (OLDEST, &[36]),
        (OLDEST, &[36, 5, 0]),
        (SPANS, &[0]),
        (SPANS, &[0, 0, 0]),
    ] {
        assert!(forged(&[(at, values)]).is_err(), "{at}: {values:?}");
    }
}

#[test]
fn dates_that_make_no_sense_are_refused() {
    const MAX: u64 = 253_402_300_799_999;
    let open = |oldest: [u64; 2], spans: [u64; 2]| forged(&[(OLDEST, &oldest), (SPANS, &spans)]);
    let dates = open([MAX << 2 | 2, 0], [0, 0]).unwrap()[1].1.dates;
    assert_eq!(dates, Dates::at(MAX));
    for (oldest, spans, why) in [
        ([(MAX + 1) << 2 | 2, 0], [0, 0], "oldest after the last moment"),
        ([MAX << 2 | 2, 1 << 2 | 2], [0, 0], "the same, by a change"),
        ([MAX << 2 | 2, 0], [4, 0], "newest after the last moment"),
        ([0, 1 << 2 | 1], [0, 0], "before 1970"),
        ([u64::MAX, 0], [0, 0], "before 1970"),
        ([u64::MAX - 3, 0], [0, 0], "seconds that do not fit"),
        ([4, 0], [5, 0], "newest before oldest"),
        ([4, 0], [1 << 2 | 3, 0], "newest a millisecond before oldest"),
    ] {
        assert!(open(oldest, spans).is_err(), "{why}");
    }
}

#[test]
fn a_first_row_like_the_one_before_it_has_no_cells() {
    let changes: [(usize, &[u64]); 6] =
        [(SETS, &[]), (ROWS, &[0, 0]), (OBJECTS, &[]), (BYTES, &[]), (OLDEST, &[]), (SPANS, &[])];
    let rows = forged(&changes).unwrap();
    assert!(rows.iter().all(|(_, sums)| *sums == undated(&[])), "{rows:?}");
}

/// An empty set takes a byte, and so does each bin: a page has no room for more than it has bytes.
#[test]
fn sets_take_no_more_room_than_their_stream() {
    let (parts, mut streams) = two_rows();
    streams[SETS] = vec![0; 260_000];
    let page = together(&streams);
    let file = parts.forge(Part::Page(0), &|raw| raw.clone_from(&page));
    assert!(read(file).is_err());
    let rows: Vec<Row> = vec![(vec![], undated(&[]))];
    let parts = Parts::of(&run(&full(), &rows), FileKind::Run);
    for streams in [
        [vec![0, 0], vec![], numbers(&[200_000, 0]), vec![1], vec![], vec![], vec![], vec![]],
        [vec![0, 0], vec![], numbers(&[u64::MAX]), vec![1], vec![], vec![], vec![], vec![]],
    ] {
        let page = together(&streams);
        let forged = parts.forge(Part::Page(0), &|raw| raw.clone_from(&page));
        assert!(read(forged).is_err());
    }
}
