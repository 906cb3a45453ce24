//! What is written is what is read.

use proptest::prelude::*;
use s3inv_model::{Cell, RowCounts, prefix};

use super::{CLASSES, Row, always, columns, file, index, index_of, many, read_all, read_rows};
use crate::{Compression, FileKind, FormatError, Joiner, Reader, Writer, verify};

fn a_prefix() -> impl Strategy<Value = Vec<u8>> {
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

/// Cells whose sums over all columns fit 64 bits, up to the edge.
fn some_cells(columns: u16) -> impl Strategy<Value = Vec<Cell>> {
    let number =
        || prop_oneof![0u64..4, any::<u64>().prop_map(|n| n >> 9), Just(u64::MAX), Just(u64::MAX >> 1)];
    let cells = prop::collection::btree_map(0..columns, (number(), number()), 0..=usize::from(columns));
    cells.prop_map(|cells| {
        let mut left = (u64::MAX, u64::MAX);
        let take = |left: &mut u64, wanted: u64| {
            let taken = wanted.min(*left);
            *left -= taken;
            taken
        };
        let cell = |(column, (objects, bytes))| Cell {
            column,
            objects: take(&mut left.0, objects),
            bytes: take(&mut left.1, bytes),
        };
        cells.into_iter().map(cell).collect()
    })
}

fn rows() -> impl Strategy<Value = (u16, Vec<Row>)> {
    (1u16..6).prop_flat_map(|columns| {
        let rows = prop::collection::vec((a_prefix(), some_cells(columns)), 0..40);
        rows.prop_map(move |mut rows| {
            rows.sort_by(|a, b| prefix::compare(&a.0, &b.0));
            rows.dedup_by(|a, b| a.0 == b.0);
            (columns, rows)
        })
    })
}

/// Counts play no part here: `verify` is not asked.
fn written(kind: FileKind, compression: Compression, columns: u16, rows: &[Row]) -> Vec<u8> {
    let names: Vec<_> = (0..columns).map(|n| format!("C{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut writer = Writer::new(Vec::new(), kind, compression, &super::columns(&names)).unwrap();
    for (key, cells) in rows {
        writer.push(key, cells).unwrap();
    }
    writer.finish(RowCounts::default()).unwrap().0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rows_come_back((columns, rows) in rows(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..3)) {
        for compression in [Compression::Zstd, Compression::Lz4] {
            let run = Reader::open_kind(written(FileKind::Run, compression, columns, &rows), FileKind::Run).unwrap();
            prop_assert_eq!(&read_rows(&run).unwrap(), &rows);
            prop_assert_eq!(run.info().prefixes, rows.len() as u64);
        }
        let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(rows.len() + 1)).collect();
        at.extend([0, rows.len()]);
        at.sort_unstable();
        let mut joiner = Joiner::new(Vec::new()).unwrap();
        for ends in at.windows(2) {
            let segment = written(FileKind::Segment, Compression::Zstd, columns, &rows[ends[0]..ends[1]]);
            joiner.append(&Reader::open_kind(segment, FileKind::Segment).unwrap(), || always(0)).unwrap();
        }
        let (index, info) = joiner.finish(Some(7), super::origin()).unwrap();
        let index = Reader::open(index).unwrap();
        prop_assert_eq!(index.info(), &info);
        prop_assert_eq!(&read_rows(&index).unwrap(), &rows);
        for (key, cells) in &rows {
            prop_assert_eq!(index.get(key).unwrap(), Some(cells.clone()));
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
    let run = file(FileKind::Run, Compression::Lz4, &columns(&CLASSES), rows);
    let run = Reader::open_kind(run, FileKind::Run).unwrap();
    verify(&run, &mut always).unwrap();
    assert_eq!(&read_rows(&run).unwrap(), rows);
}

#[test]
fn segments_cut_where_pages_begin_make_the_same_pages() {
    let (whole, rows) = many();
    let starts: Vec<_> = (0..rows.len()).filter(|&at| crate::is_partition_start(&rows[at].0)).collect();
    for cut in [starts[0], starts[70], *starts.last().unwrap()] {
        let mut joined = index_of(&columns(&CLASSES), &[&rows[..cut], &[], &rows[cut..]]);
        assert_eq!(joined.len(), whole.len());
        joined.truncate(whole.len());
        assert_eq!(&joined, whole);
    }
}

#[test]
fn pages_end_at_their_size_however_alike_their_rows_are() {
    let rows: Vec<Row> = std::iter::once((Vec::new(), vec![super::cell(0, 90_000, 90_000)]))
        .chain((0..90_000).map(|n| (format!("{n:08}/").into_bytes(), vec![super::cell(0, 1, 1)])))
        .collect();
    let index = index(&rows);
    let reader = Reader::open(index).unwrap();
    verify(&reader, &mut always).unwrap();
    let raw: Vec<u64> = reader.page_starts().map(|page| page.unwrap().raw_len).collect();
    assert!(raw.len() > 3, "{raw:?}");
    assert!(raw.iter().all(|&len| len < 66_000), "{raw:?}");
}

#[test]
fn an_index_of_nothing_is_a_root() {
    let index = index(&super::roll_up(&[]));
    assert_eq!(read_all(&index).unwrap(), [(Vec::new(), Vec::new())]);
    let none = file(FileKind::Segment, Compression::Zstd, &columns(&[]), &[]);
    let none = Reader::open_kind(none, FileKind::Segment).unwrap();
    assert_eq!(read_rows(&none).unwrap(), []);
    assert_eq!(none.get(b"").unwrap(), None);
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let columns = columns(&CLASSES);
    let new = || Writer::new(Vec::new(), FileKind::Run, Compression::Lz4, &columns).unwrap();
    let one = |column| super::cell(column, 1, 1);
    let long = [vec![b'a'; prefix::MAX_KEY], b"/".to_vec()].concat();
    for (key, cells) in [
        (&b"a"[..], vec![]),
        (&long, vec![]),
        (b"", vec![one(3)]),
        (b"", vec![one(1), one(1)]),
        (b"", vec![one(2), one(0)]),
    ] {
        assert!(matches!(new().push(key, &cells), Err(FormatError::Row(..))), "{key:?} {cells:?}");
    }
    let most = super::cell(0, 1, u64::MAX);
    assert!(matches!(new().push(b"", &[most, one(1)]), Err(FormatError::Overflow(_))));
    let mut writer = new();
    writer.push(b"b/", &[]).unwrap();
    assert!(matches!(writer.push(b"b/", &[]), Err(FormatError::OutOfOrder { .. })));
    let mut writer = new();
    writer.push(b"a/", &[]).unwrap();
    assert!(matches!(writer.push(b"a-b/", &[]), Err(FormatError::OutOfOrder { .. })), "`-` is before `/`");
}

#[test]
fn only_segments_of_one_kind_are_joined() {
    let rows = &super::few().1;
    let open = |kind, compression, names: &[&str]| {
        Reader::open_kind(file(kind, compression, &columns(names), rows), kind).unwrap()
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
    let nothing = Joiner::new(Vec::new()).unwrap().finish(None, super::origin());
    assert!(matches!(nothing, Err(FormatError::Mismatch(_))));
}
