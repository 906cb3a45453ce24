//! What stands in packed pages: parents, sums, names by position, and forged streams.

use s3inv_model::{Bin, Cell, Dates, Measure, Measures, Schema, Sums};

use super::pages::largest_row;
use super::{Row, cell, full, index, plain, read_all, read_rows, undated, written};
use crate::packed::PackedRows;
use crate::page::Shape;
use crate::{FileKind, Form, MAX_PAGE_RAW, Reader, varint};

const GROUPS: usize = 0;
const COUNTS: usize = 1;
const SHARES: usize = 2;
const NAMES: usize = 3;
const FIXED: usize = 4;
const BINS: usize = 5;
const SETS: usize = 6;
const ROWS: usize = 7;
const OBJECTS: usize = 8;
const BYTES: usize = 9;
const BITS: usize = 10;

type Streams = [Vec<u8>; 13];

fn together(streams: &Streams) -> Vec<u8> {
    let mut raw = Vec::new();
    for stream in streams {
        varint::put(&mut raw, stream.len() as u64);
    }
    [raw, streams.concat()].concat()
}

/// The rows of a page of these streams, if it makes sense.
fn read(schema: &Schema, streams: &Streams, count: u64) -> Option<Vec<Row>> {
    let mut rows = PackedRows::new(Shape::new(schema));
    *rows.buffer() = together(streams);
    rows.start(count)?;
    let mut all = Vec::new();
    while rows.advance()? {
        all.push((rows.key().to_vec(), undated(rows.cells())));
    }
    Some(all)
}

fn segment(schema: &Schema, rows: &[Row]) -> Reader<Vec<u8>> {
    Reader::open_kind(written(Form::segment(false), schema, rows), FileKind::Segment).unwrap()
}

fn raw_len(reader: &Reader<Vec<u8>>) -> Vec<u64> {
    reader.page_starts().map(|page| page.unwrap().raw_len).collect()
}

/// The root, `a/` with an object of its own, and `a/b/`.
fn three() -> (Vec<Row>, Streams) {
    let row = |key: &[u8], objects, bytes| (key.to_vec(), undated(&[cell(1, objects, bytes)]));
    let rows = vec![row(b"", 2, 305), row(b"a/", 2, 305), row(b"a/b/", 1, 300)];
    let streams = [
        vec![4, 1, 0],
        vec![0, 0],
        vec![0, 0],
        b"a/b/".to_vec(),
        vec![],
        vec![0xaa, 1],
        vec![1, 1],
        vec![0, 0],
        vec![1, 1],
        vec![5, 28],
        vec![0b10_1100],
        vec![],
        vec![],
    ];
    (rows, streams)
}

#[test]
fn three_rows_are_as_the_next_tests_think() {
    let (rows, streams) = three();
    assert_eq!(read(&plain(), &streams, 3), Some(rows.clone()));
    let reader = segment(&plain(), &rows);
    assert_eq!(read_rows(&reader).unwrap(), rows);
    assert_eq!(raw_len(&reader), [together(&streams).len() as u64]);
}

#[test]
fn streams_that_make_no_sense_are_refused() {
    let (_, good) = three();
    assert!(read(&plain(), &good, 3).is_some());
    assert!(read(&plain(), &good, 2).is_none());
    assert!(read(&plain(), &good, 4).is_none());
    for (at, stream, why) in [
        (GROUPS, &[4, 5, 0][..], "a kind that is not there"),
        (GROUPS, &[4, 9, 0], "a candidate that is not there"),
        (GROUPS, &[4, 1, 8], "a row that was passed"),
        (GROUPS, &[4, 1], "too few groups"),
        (GROUPS, &[4, 1, 0, 0], "too many groups"),
        (GROUPS, &[4, 1, 3, 1, 0], "a share of no parent"),
        (GROUPS, &[4, 1, 3, 0, 1], "a parent that does not end in a slash"),
        (COUNTS, &[0, 2], "more rows than names"),
        (COUNTS, &[0, 1, 0], "names of no bytes"),
        (COUNTS, &[0, 1, 1], "names that are not there"),
        (SHARES, &[0, 1], "a share of no name"),
        (NAMES, b"a/b", "a name without an end"),
        (NAMES, b"a/b/c/", "more names than rows"),
        (FIXED, b"a", "more names than rows"),
        (BINS, &[0xfb, 3], "a bin that does not exist"),
        (SETS, &[4, 1, 1, 1, 1], "more sets than rows"),
        (SETS, &[1, 2], "a bin that is not in the page"),
        (SETS, &[1, 1, 1], "more masks than sets"),
        (ROWS, &[0, 1], "a set that is not there"),
        (ROWS, &[0], "too few sets"),
        (ROWS, &[0, 0, 0], "too many sets"),
        (OBJECTS, &[1], "too few objects"),
        (OBJECTS, &[1, 1, 1], "too many objects"),
        (OBJECTS, &[1, 252], "a symbol that is not there"),
        (BYTES, &[5, 252], "a symbol that is not there"),
        (BITS, &[], "too few bits"),
        (BITS, &[0b110_1100], "bits that are not used up"),
        (BITS, &[0b10_1100, 0], "bits that are not used up"),
        (11, &[0], "dates that are not measured"),
    ] {
        let mut streams = good.clone();
        streams[at] = stream.to_vec();
        assert_eq!(read(&plain(), &streams, 3), None, "{why}");
    }
}

#[test]
fn sums_fit_64_bits() {
    let (_, mut streams) = three();
    streams[OBJECTS] = vec![251, 1];
    streams[BYTES] = vec![4, 28];
    streams[BITS] = [vec![0xff; 7], vec![0b1001_1111, 0b101]].concat();
    assert_eq!(read(&plain(), &streams, 3), None);
    streams[BITS][0] = 0xfe;
    let rows = read(&plain(), &streams, 3).unwrap();
    assert_eq!(rows[0].1.cells[0].objects, u64::MAX);
}

/// What is not in the parent is not taken off it.
#[test]
fn children_that_have_more_than_their_parent_come_back() {
    let max = u64::MAX;
    for (parent, children) in [
        (vec![cell(0, 1, 1)], vec![vec![cell(0, 2, 1)]]),
        (vec![cell(0, 1, 1)], vec![vec![cell(0, 1, 2)]]),
        (vec![cell(0, 1, 1)], vec![vec![cell(1, 1, 1)]]),
        (vec![cell(0, 1, 1)], vec![vec![cell(0, 1, 1), cell(2, 0, 0)]]),
        (vec![], vec![vec![cell(0, 0, 0)]]),
        (vec![cell(0, 0, 0), cell(1, 1, 1)], vec![vec![cell(1, 1, 1)]]),
        (vec![cell(0, 0, 0)], vec![vec![cell(0, 0, 0)]]),
        (vec![cell(0, max, max)], vec![vec![cell(0, max, 1)], vec![cell(0, 1, max)]]),
        (vec![cell(0, max, max)], vec![vec![cell(0, max, 0)], vec![cell(0, 0, max)]]),
    ] {
        let mut rows: Vec<Row> = vec![(b"p/".to_vec(), undated(&parent))];
        let name = |nth: usize| format!("p/{nth}/").into_bytes();
        rows.extend(children.iter().enumerate().map(|(nth, cells)| (name(nth), undated(cells))));
        assert_eq!(read_rows(&segment(&plain(), &rows)).unwrap(), rows);
    }
}

/// A chain of directories costs its names, whatever is in it.
#[test]
fn a_row_that_is_the_sum_of_its_children_takes_no_cells() {
    let cells: Vec<Cell> = (0..200).map(|at| Cell { bin: 2 + at, objects: 1000, bytes: 1 << 40 }).collect();
    let rows: Vec<Row> = (0..40).map(|depth| (b"d/".repeat(depth), undated(&cells))).collect();
    let reader = segment(&Schema { measures: plain().measures, ..full() }, &rows);
    assert_eq!(read_rows(&reader).unwrap(), rows);
    assert!(raw_len(&reader).iter().sum::<u64>() < 2500, "{:?}", raw_len(&reader));
}

#[test]
fn long_names_of_one_length_stand_by_position() {
    let name =
        |n: u64| format!("{:016x}{:016x}/", n << 40, n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes();
    let rows = |count: u64, odd: &[u8]| -> Vec<Row> {
        let mut rows: Vec<Row> = vec![(vec![], undated(&[cell(0, count + 1, count + 1)]))];
        rows.extend((0..count).map(|n| (name(n), undated(&[cell(0, 1, 1)]))));
        rows.push((odd.to_vec(), undated(&[cell(0, 1, 1)])));
        rows
    };
    let len = |rows: &[Row]| {
        let file = index(&plain(), rows);
        assert_eq!(read_all(&file).unwrap(), rows);
        file.len()
    };
    let (same, other) =
        (len(&rows(2000, &[b"f".repeat(32), b"/".to_vec()].concat())), len(&rows(2000, b"f/")));
    assert!(same + 2000 < other, "{same} {other}");
    // Too few, and too short.
    len(&rows(6, &[b"f".repeat(32), b"/".to_vec()].concat()));
    len(&rows(0, b"f/"));
}

#[test]
fn a_page_is_never_longer_than_its_limit() {
    let (schema, largest) = largest_row();
    let dates = Dates { oldest: 1, newest: 253_402_300_799_999 };
    let many = |n: u64| Cell { bin: 2 + (n % 10_000) as u16, objects: 1 << 62, bytes: 1 << 62 };
    let mut rows: Vec<Row> = (0..60_000u64)
        .map(|n| (format!("{n:05x}/").into_bytes(), Sums { cells: vec![many(n)], dates }))
        .filter(|(key, sums)| crate::block::checksum(key) & 1023 != 0 && Bin::is_current(sums.cells[0].bin))
        .collect();
    // As many as do not end a page yet: the largest row is in it, too.
    rows.truncate(262_143 / (8 + 6 + 8));
    rows.push((b"x/".to_vec(), largest));
    let reader = segment(&schema, &rows);
    assert_eq!(read_rows(&reader).unwrap(), rows);
    let lens = raw_len(&reader);
    assert!(matches!(lens[..], [len] if (500_000..=MAX_PAGE_RAW as u64).contains(&len)), "{lens:?}");
}

/// Parents that stand in pages before take four times what the rule counts of them.
#[test]
fn a_page_of_long_parents_is_not_longer_than_its_limit() {
    let name = |n: u32| {
        [format!("{:08x}", n.wrapping_mul(0x9e37_79b9)).repeat(125).into_bytes(), b"/".to_vec()].concat()
    };
    let mut names: Vec<_> = (0..3000).map(name).collect();
    names.sort();
    let of = |key: Vec<u8>| (key, undated(&[cell(0, 1, 1)]));
    let mut rows: Vec<Row> = names.iter().cloned().map(of).collect();
    rows.extend(names.iter().map(|name| of([&name[..], b"c/"].concat())));
    let reader = segment(&plain(), &rows);
    assert_eq!(read_rows(&reader).unwrap(), rows);
    let longest = raw_len(&reader).into_iter().max().unwrap();
    assert!((900_000..1_050_000).contains(&longest), "{longest}");
}

/// Rows that repeat much are told in few bytes: what they come to is limited.
#[test]
fn what_is_told_in_few_bytes_takes_no_room_without_limit() {
    let (schema, _) = largest_row();
    let schema = Schema { measures: Measures::default().with(Measure::Classes), ..schema };
    let bins: usize = 2 + 64 * 168;
    let ones = |mut left: usize, out: &mut Vec<u8>| {
        while left > 0 {
            out.push((0xffu16 >> 8usize.saturating_sub(left).min(8)) as u8);
            left = left.saturating_sub(8);
        }
    };
    let mut masks = vec![1];
    for level in (0..5).rev() {
        ones(bins.div_ceil(8usize.pow(level)), &mut masks);
    }
    let chain = |rows: usize| -> Streams {
        let groups = [vec![4], vec![1; rows - 1]].concat();
        let (counts, names) = (vec![0; rows - 1], b"d/".repeat(rows - 1));
        let told = [vec![0; bins], masks.clone(), vec![0], vec![1; bins]];
        let [bins, sets, ids, objects] = told;
        let shares = counts.clone();
        [groups, counts, shares, names, vec![], bins, sets, ids, objects, vec![], vec![], vec![], vec![]]
    };
    let rows = read(&schema, &chain(12), 12).unwrap();
    assert!(rows.iter().all(|row| row.1.cells.len() == bins));
    assert_eq!(read(&schema, &chain(13), 13), None);
    let names = |rows: usize| -> Streams {
        let long = [vec![b'n'; 1000], b"/".to_vec(), vec![b'/'; rows - 1]].concat();
        let mut shares = vec![0];
        (1..rows).for_each(|_| varint::put(&mut shares, 1000));
        let mut counts = Vec::new();
        varint::put(&mut counts, 2 * (rows as u64 - 1));
        let none = Vec::new;
        let told = [vec![3, 0, 0], counts, shares, long];
        let [groups, counts, shares, names] = told;
        let (sets, ids) = (vec![1], vec![0; rows]);
        [groups, counts, shares, names, none(), none(), sets, ids, none(), none(), none(), none(), none()]
    };
    assert_eq!(read(&schema, &names(523), 523).unwrap().len(), 523);
    assert_eq!(read(&schema, &names(524), 524), None);
    let parents = |rows: usize| -> Streams {
        let mut groups = vec![3, 0];
        varint::put(&mut groups, 1001);
        (1..rows).for_each(|_| [3, 1001, 0].iter().for_each(|&n| varint::put(&mut groups, n)));
        let text = [vec![b'n'; 1000], b"/".to_vec(), b"a/".repeat(rows)].concat();
        let none = Vec::new;
        let (zeros, sets) = (vec![0; rows], vec![1]);
        let ids = zeros.clone();
        [
            groups,
            zeros.clone(),
            zeros,
            text,
            none(),
            none(),
            sets,
            ids,
            none(),
            none(),
            none(),
            none(),
            none(),
        ]
    };
    assert_eq!(read(&schema, &parents(2095), 2095).unwrap().len(), 2095);
    assert_eq!(read(&schema, &parents(2096), 2096), None);
}

#[test]
fn a_clone_goes_on_from_the_same_row() {
    let (rows, _) = three();
    let mut all = rows;
    all.extend((0..20_000).map(|n| (format!("a/b/{n:06}/").into_bytes(), undated(&[cell(1, 0, 0)]))));
    let reader = segment(&plain(), &all);
    assert!(reader.page_starts().count() > 1);
    let mut cursor = reader.rows().unwrap();
    for at in 0..all.len() {
        assert!(cursor.advance().unwrap());
        if at % 3000 == 2 {
            let mut other = cursor.clone();
            for row in &all[at..(at + 12_000).min(all.len())] {
                assert_eq!((other.key(), other.cells()), (row.0.as_slice(), row.1.cells.as_slice()));
                let _ = other.advance().unwrap();
            }
        }
        assert_eq!(cursor.key(), all[at].0);
    }
}
