//! What is written is what is read.

use std::collections::BTreeSet;

use proptest::prelude::*;
use s3inv_model::{Bin, BinId, Cell, Classes, Dates, Measure, Measures, RowCounts, Schema, Sums, prefix};

use super::{
    CLASSES, Row, always, cell, file, full, index, index_of, many, plain, read_all, read_rows, schema,
    undated,
};
use crate::{Compression, FileKind, Form, FormatError, Joiner, Reader, Writer, verify};

pub(super) fn a_prefix() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        3 => prop::sample::select(vec![&b"a"[..], b"a-b", b"", b"\xff", b"\0", b"logs"]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..9),
        1 => (0usize..1024, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ];
    prop::collection::vec(name, 0..6).prop_map(|names| {
        let mut key: Vec<u8> = names.into_iter().flat_map(|name| [name, b"/".to_vec()].concat()).collect();
        if key.len() > prefix::MAX_KEY {
            key.truncate(prefix::MAX_KEY - 1);
            key.push(b'/');
        }
        key
    })
}

/// Classes, or the one that stands for none, and any measures.
fn schemas() -> impl Strategy<Value = Schema> {
    let measures = prop::sample::subsequence(Measure::ALL.to_vec(), 0..=7).prop_map(Measures::from_iter);
    let classes = prop_oneof![
        4 => (0..6usize).prop_map(|count| {
            let names: Vec<_> = (0..count).map(|n| format!("C{n}")).collect();
            schema(Measures::default(), &names.iter().map(String::as_str).collect::<Vec<_>>()).classes
        }),
        1 => Just(Classes::untold()),
    ];
    (measures, classes).prop_map(|(measures, classes)| Schema { measures, classes })
}

/// Any bins, markers included: which of them make sense together only `verify` asks.
fn some_bins(classes: usize) -> impl Strategy<Value = BTreeSet<BinId>> {
    let all = 2 + classes as u16 * 168;
    let few = prop::collection::btree_set(0..all, 0..6);
    prop_oneof![4 => few, 1 => prop::collection::btree_set(0..all, 0..=40), 1 => Just((0..all).collect())]
}

fn moment() -> impl Strategy<Value = u64> {
    let last = 253_402_300_799_999;
    prop_oneof![
        4 => (0..2_000_000_000u64).prop_map(|seconds| seconds * 1000),
        1 => 0..=last,
        1 => Just(0),
        1 => Just(last),
    ]
}

/// Sums that fit 64 bits together, up to the edge.
fn some_sums(schema: &Schema) -> impl Strategy<Value = Sums> + use<> {
    let number =
        || prop_oneof![0u64..4, any::<u64>().prop_map(|n| n >> 9), Just(u64::MAX), Just(u64::MAX >> 1)];
    let numbers = prop::collection::vec((number(), number()), 1..9);
    let (sized, with_dates) = (schema.measures.has(Measure::Bytes), schema.measures.has(Measure::Dates));
    (some_bins(schema.classes.len()), numbers, (moment(), moment())).prop_map(
        move |(bins, numbers, (a, b))| {
            let mut left = (u64::MAX, u64::MAX);
            let take = |left: &mut u64, wanted: u64| {
                let taken = wanted.min(*left);
                *left -= taken;
                taken
            };
            let cell = |(bin, &(objects, size)): (BinId, &(u64, u64))| Cell {
                bin,
                objects: take(&mut left.0, objects),
                bytes: if sized && !Bin::is_marker(bin) { take(&mut left.1, size) } else { 0 },
            };
            let cells: Vec<_> = bins.into_iter().zip(numbers.iter().cycle()).map(cell).collect();
            let is_dated = with_dates && cells.iter().any(|cell| Bin::is_current(cell.bin));
            let dates = if is_dated { Dates { oldest: a.min(b), newest: a.max(b) } } else { Dates::NONE };
            Sums { cells, dates }
        },
    )
}

/// Rows of which many have what others have.
pub(super) fn rows() -> impl Strategy<Value = (Schema, Vec<Row>)> {
    schemas().prop_flat_map(|schema| {
        let sums = prop::collection::vec(some_sums(&schema), 1..8);
        let picks = prop::collection::vec((a_prefix(), any::<prop::sample::Index>()), 0..40);
        (sums, picks).prop_map(move |(sums, picks)| {
            let mut rows: Vec<Row> =
                picks.into_iter().map(|(key, pick)| (key, pick.get(&sums).clone())).collect();
            rows.sort_by(|a, b| prefix::compare(&a.0, &b.0));
            rows.dedup_by(|a, b| a.0 == b.0);
            (schema.clone(), rows)
        })
    })
}

/// Counts play no part here: `verify` is not asked.
pub(super) fn uncounted(form: Form, schema: &Schema, rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), form, schema).unwrap();
    for (key, Sums { cells, dates }) in rows {
        writer.push(key, cells, *dates).unwrap();
    }
    writer.finish(RowCounts::default()).unwrap().0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rows_come_back((schema, rows) in rows(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..3)) {
        for compression in [Compression::Zstd, Compression::Lz4] {
            let run = Reader::open_kind(uncounted(Form { compression, ..Form::RUN }, &schema, &rows), FileKind::Run).unwrap();
            prop_assert_eq!(&read_rows(&run).unwrap(), &rows);
            prop_assert_eq!(run.info().prefixes, rows.len() as u64);
        }
        let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(rows.len() + 1)).collect();
        at.extend([0, rows.len()]);
        at.sort_unstable();
        let mut joiner = Joiner::new(Vec::new()).unwrap();
        for ends in at.windows(2) {
            let segment = uncounted(Form::segment(false), &schema, &rows[ends[0]..ends[1]]);
            joiner.append(&Reader::open_kind(segment, FileKind::Segment).unwrap(), || always(0)).unwrap();
        }
        let (index, info) = joiner.finish(Some(7), Measures::all().minus(&schema.measures), super::origin()).unwrap();
        let index = Reader::open(index).unwrap();
        prop_assert_eq!(index.info(), &info);
        prop_assert_eq!(&read_rows(&index).unwrap(), &rows);
        for (key, sums) in &rows {
            prop_assert_eq!(index.get(key).unwrap(), Some(sums.clone()));
        }
    }
}

#[test]
fn many_pages_come_back_and_verify() {
    let (index, rows) = many();
    assert_eq!(&read_all(index).unwrap(), rows);
    let reader = Reader::open(index.clone()).unwrap();
    assert_eq!(reader.blocks(), 2);
    assert!(reader.page_starts().count() > 140);
}

#[test]
fn runs_verify_too() {
    let rows = &many().1;
    let run = file(FileKind::Run, Compression::Lz4, &full(), rows);
    let run = Reader::open_kind(run, FileKind::Run).unwrap();
    verify(&run, &mut always).unwrap();
    assert_eq!(&read_rows(&run).unwrap(), rows);
}

#[test]
fn segments_cut_where_pages_begin_make_the_same_pages() {
    let (whole, rows) = many();
    let starts: Vec<_> = (0..rows.len()).filter(|&at| crate::is_partition_start(&rows[at].0)).collect();
    for cut in [starts[0], starts[70], *starts.last().unwrap()] {
        let mut joined = index_of(&full(), &[&rows[..cut], &[], &rows[cut..]]);
        assert_eq!(joined.len(), whole.len());
        joined.truncate(whole.len());
        assert_eq!(&joined, whole);
    }
}

#[test]
fn pages_end_at_their_size_however_alike_their_rows_are() {
    let rows: Vec<Row> = std::iter::once((Vec::new(), undated(&[cell(0, 90_000, 90_000)])))
        .chain((0..90_000).map(|n| (format!("{n:08}/").into_bytes(), undated(&[cell(0, 1, 1)]))))
        .collect();
    let index = index(&plain(), &rows);
    let reader = Reader::open(index).unwrap();
    verify(&reader, &mut always).unwrap();
    let rows: Vec<u64> = reader.page_starts().map(|page| page.unwrap().rows).collect();
    assert!(rows.len() > 3, "{rows:?}");
    assert!(rows.iter().all(|&rows| rows <= 262_144 / 25 + 1), "{rows:?}");
}

#[test]
fn an_index_of_nothing_is_a_root() {
    let index = index(&full(), &super::roll_up(&[]));
    assert_eq!(read_all(&index).unwrap(), [(Vec::new(), undated(&[]))]);
    let none = file(FileKind::Segment, Compression::Zstd, &schema(Measures::all(), &[]), &[]);
    let none = Reader::open_kind(none, FileKind::Segment).unwrap();
    assert_eq!(read_rows(&none).unwrap(), []);
    assert_eq!(none.get(b"").unwrap(), None);
}

/// What a writer of this schema says of a root with these sums.
fn pushed(schema: &Schema, cells: &[Cell], dates: Dates) -> Result<(), FormatError> {
    Writer::new(Vec::new(), Form::RUN, schema).unwrap().push(b"", cells, dates)
}

#[test]
fn sums_that_could_not_be_read_are_not_written() {
    let one = |class| cell(class, 1, 1);
    let marker = |bytes| Cell { bin: 0, objects: 1, bytes };
    let dates = Dates { oldest: 1, newest: 253_402_300_799_999 };
    let later = Dates { oldest: 1, newest: dates.newest + 1 };
    let with_dates = Schema { measures: plain().measures.with(Measure::Dates), ..plain() };
    let sizeless = Schema { measures: plain().measures.without(Measure::Bytes), ..plain() };
    let last = |bin| Cell { bin, objects: 1, bytes: 1 };
    pushed(&plain(), &[marker(0), one(1), one(2), last(505)], Dates::NONE).unwrap();
    pushed(&with_dates, &[one(1)], dates).unwrap();
    pushed(&with_dates, &[marker(0)], Dates::NONE).unwrap();
    pushed(&sizeless, &[cell(1, 1, 0)], Dates::NONE).unwrap();
    for (schema, cells, dates, why) in [
        (plain(), vec![last(506)], Dates::NONE, "ascending bins"),
        (plain(), vec![one(1), one(1)], Dates::NONE, "ascending bins"),
        (plain(), vec![one(2), one(0)], Dates::NONE, "ascending bins"),
        (plain(), vec![marker(1)], Dates::NONE, "not measured"),
        (sizeless, vec![one(1)], Dates::NONE, "not measured"),
        (plain(), vec![one(1)], dates, "dates are of current objects"),
        (with_dates.clone(), vec![one(1)], Dates::NONE, "dates are of current objects"),
        (with_dates.clone(), vec![marker(0)], dates, "dates are of current objects"),
        (with_dates, vec![one(1)], later, "not believable"),
    ] {
        let error = pushed(&schema, &cells, dates).unwrap_err();
        assert!(matches!(&error, FormatError::Row(key, _) if key.is_empty()), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    let most = cell(0, 1, u64::MAX);
    assert!(matches!(pushed(&plain(), &[most, one(1)], Dates::NONE), Err(FormatError::Overflow(_))));
    let both = [marker(0), Cell { objects: u64::MAX, ..one(1) }];
    assert!(matches!(pushed(&plain(), &both, Dates::NONE), Err(FormatError::Overflow(_))));
}

#[test]
fn prefixes_that_could_not_be_read_are_not_written() {
    let new = || Writer::new(Vec::new(), Form::RUN, &plain()).unwrap();
    let long = [vec![b'a'; prefix::MAX_KEY], b"/".to_vec()].concat();
    for key in [&b"a"[..], &long] {
        assert!(matches!(new().push(key, &[], Dates::NONE), Err(FormatError::Row(..))), "{key:?}");
    }
    for (first, second) in [(&b"b/"[..], &b"b/"[..]), (b"a/", b"a-b/")] {
        let mut writer = new();
        writer.push(first, &[], Dates::NONE).unwrap();
        let error = writer.push(second, &[], Dates::NONE).unwrap_err();
        assert!(matches!(error, FormatError::OutOfOrder { .. }), "`-` is before `/`: {error}");
    }
}

#[test]
fn only_segments_of_one_kind_are_joined() {
    let rows = &super::few().1;
    let open = |kind, compression, names: &[&str]| {
        Reader::open_kind(file(kind, compression, &schema(Measures::all(), names), rows), kind).unwrap()
    };
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    let mut append = |reader: &Reader<Vec<u8>>| joiner.append(reader, || always(0));
    let run = open(FileKind::Run, Compression::Zstd, &CLASSES);
    assert!(matches!(append(&run), Err(FormatError::Kind { found: "run", expected: "segment" })));
    let segment = open(FileKind::Segment, Compression::Zstd, &CLASSES);
    append(&segment).unwrap();
    assert!(matches!(append(&segment), Err(FormatError::OutOfOrder { .. })));
    let lz4 = open(FileKind::Segment, Compression::Lz4, &CLASSES);
    assert!(matches!(append(&lz4), Err(FormatError::Mismatch(_))));
    let other = open(FileKind::Segment, Compression::Zstd, &["A", "B", "C"]);
    assert!(matches!(append(&other), Err(FormatError::Mismatch(_))));
    let measures = schema(Measures::all().without(Measure::Age), &CLASSES);
    let other = file(FileKind::Segment, Compression::Zstd, &measures, rows);
    let other = Reader::open_kind(other, FileKind::Segment).unwrap();
    assert!(matches!(append(&other), Err(FormatError::Mismatch(_))));
    let nothing = Joiner::new(Vec::new()).unwrap().finish(None, Measures::default(), super::origin());
    assert!(matches!(nothing, Err(FormatError::Mismatch(_))));
}
