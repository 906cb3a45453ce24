//! Rows through tables, runs, rounds and partitions, against the plain definition: a map (I1).

use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;
use s3inv_index_format::{Compression, FileKind, FormatError, Info, Joiner, Origin, Reader, verify};
use s3inv_model::{Columns, Excluded, RowCounts, prefix};

use crate::{KeyRange, Rollup, RunSink, TableBudget, first_round, merge, partitions};

/// An object: key, class, size.
type Object = (Vec<u8>, &'static str, u64);
/// Prefix to class to (objects, bytes).
type Plain = BTreeMap<Vec<u8>, BTreeMap<String, (u64, u64)>>;

#[derive(Default)]
struct Memory(Vec<Vec<u8>>);

impl RunSink for Memory {
    type Out = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn done(&mut self, out: Vec<u8>, _: Info) -> io::Result<()> {
        self.0.push(out);
        Ok(())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of what is asked between rows")]
fn always() -> Result<(), FormatError> {
    Ok(())
}

fn plain(objects: &[Object], max_depth: Option<usize>) -> Plain {
    let mut map = Plain::from([(Vec::new(), BTreeMap::new())]);
    for (key, class, size) in objects {
        let slashes = key.iter().enumerate().filter(|&(_, &b)| b == b'/').map(|(at, _)| at + 1);
        for end in std::iter::once(0).chain(slashes.take(max_depth.unwrap_or(usize::MAX))) {
            let sums = map.entry(key[..end].to_vec()).or_default().entry((*class).to_owned()).or_default();
            *sums = (sums.0 + 1, sums.1 + size);
        }
    }
    map
}

fn runs_of(objects: &[Object], budget: usize, max_depth: Option<usize>) -> Vec<Vec<u8>> {
    let mut columns = Columns::default();
    let mut rollup = Rollup::new(TableBudget::new(budget), max_depth, Memory::default());
    for chunk in objects.chunks(150) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|(key, class, size)| (key.as_slice(), columns.class(class.as_bytes(), b"").unwrap(), *size))
            .collect();
        rollup.add(rows.into_iter(), &columns, &always).unwrap();
    }
    let mut excluded = RowCounts { rows: 3, ..RowCounts::default() };
    excluded.excluded.insert(Excluded::Noncurrent, 3);
    rollup.finish(&columns, &excluded, &always).unwrap().0
}

fn open(runs: &[Vec<u8>]) -> Vec<Reader<Vec<u8>>> {
    runs.iter().map(|run| Reader::open_kind(run.clone(), FileKind::Run).unwrap()).collect()
}

fn columns_of(runs: &[Reader<Vec<u8>>]) -> Columns {
    let lists: Vec<_> = runs.iter().map(|run| Columns::from_list(run.info().columns.clone())).collect();
    Columns::union(&lists).unwrap()
}

/// The index of some runs, and how many rounds and partitions it took.
fn index_of(mut runs: Vec<Vec<u8>>, fan_in: usize, parts: usize) -> (Vec<u8>, usize, usize) {
    let mut rounds = 1;
    while runs.len() > fan_in {
        let readers = open(&runs);
        let columns = columns_of(&readers);
        let mut next = Vec::new();
        let groups = first_round(runs.len(), fan_in);
        let rest = groups.last().unwrap().end;
        for group in groups {
            let group: Vec<_> = readers[group].iter().collect();
            let how = (FileKind::Run, Compression::Lz4);
            next.push(merge(&group, &KeyRange::default(), &columns, how, Vec::new(), &always).unwrap().0);
        }
        next.extend_from_slice(&runs[rest..]);
        runs = next;
        rounds += 1;
    }
    let readers = open(&runs);
    let columns = columns_of(&readers);
    let readers: Vec<_> = readers.iter().collect();
    let ranges = partitions(&readers, parts).unwrap();
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    for range in &ranges {
        let how = (FileKind::Segment, Compression::Zstd);
        let (segment, _) = merge(&readers, range, &columns, how, Vec::new(), &always).unwrap();
        joiner.append(&Reader::open_kind(segment, FileKind::Segment).unwrap(), always).unwrap();
    }
    let origin =
        Origin { source_bucket: "b".into(), snapshot_ms: 1, manifest_md5: String::new(), data_files: 1 };
    (joiner.finish(None, origin).unwrap().0, rounds, ranges.len())
}

fn check(index: &[u8], expected: &Plain) {
    let reader = Reader::open(index.to_vec()).unwrap();
    verify(&reader, &mut |_| always()).unwrap();
    let classes = &reader.info().columns;
    let mut rows = reader.rows().unwrap();
    let mut got = Plain::new();
    let mut order = Vec::new();
    while rows.advance().unwrap() {
        let sums =
            rows.cells().iter().map(|c| (classes[usize::from(c.column)].name.clone(), (c.objects, c.bytes)));
        order.push(rows.key().to_vec());
        got.insert(rows.key().to_vec(), sums.collect());
    }
    assert!(order.is_sorted_by(|a, b| prefix::compare(a, b).is_lt()));
    assert_eq!(&got, expected);
    for prefix in expected.keys() {
        assert!(reader.get(prefix).unwrap().is_some());
        assert!(reader.get(&[prefix.as_slice(), b"\0not-there/"].concat()).unwrap().is_none());
    }
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => prop::sample::select(vec![&b"a"[..], b"b", b"logs", b"a-b", b"a b", b"%2F", b"+", b"\x01", b"\xff\x00"])
            .prop_map(<[u8]>::to_vec),
        1 => Just(Vec::new()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop_oneof![
        20 => prop::collection::vec(part, 1..8).prop_map(|parts| parts.join(&b'/')),
        1 => Just([b"d/".repeat(500), b"x".to_vec()].concat()),
        1 => Just([b"long/".to_vec(), vec![b'k'; 1018], b"/".to_vec()].concat()),
    ]
    .prop_filter("keys have a byte", |key| !key.is_empty())
}

fn objects() -> impl Strategy<Value = Vec<Object>> {
    let class = prop::sample::select(vec!["STANDARD", "GLACIER", "BRAND_NEW", "STANDARD_IA"]);
    prop::collection::vec((key(), class, 0u64..1 << 40), 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_index_is_the_plain_map(
        objects in objects(),
        chunks in 1usize..6,
        budget in (4usize << 10)..(64 << 10),
        fan_in in 2usize..5,
        max_depth in prop::option::of(0usize..6),
    ) {
        let size = objects.len() / chunks + 1;
        let chunked: Vec<_> = if objects.is_empty() { vec![&objects[..]] } else { objects.chunks(size).collect() };
        let runs = chunked.iter().flat_map(|chunk| runs_of(chunk, budget, max_depth)).collect();
        let (index, ..) = index_of(runs, fan_in, 3);
        check(&index, &plain(&objects, max_depth));
        let (whole, rounds, _) = index_of(runs_of(&objects, 8 << 20, max_depth), 100, 1);
        assert_eq!(rounds, 1);
        prop_assert_eq!(pages(&whole), pages(&index));
    }
}

/// The pages and directory of an index: all but the info and the trailer.
fn pages(index: &[u8]) -> Vec<(u64, u64)> {
    let reader = Reader::open(index.to_vec()).unwrap();
    reader.page_starts().map(|page| page.unwrap()).map(|page| (page.checksum, page.rows)).collect()
}

#[test]
fn spills_rounds_and_partitions_change_nothing() {
    let objects: Vec<Object> = (0..300_000u64)
        .map(|n| {
            let scattered = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let class = ["STANDARD", "GLACIER"][(n % 7 / 6) as usize];
            (format!("data/{:02x}/{scattered:x}/object", scattered % 256).into_bytes(), class, n)
        })
        .collect();
    let runs = runs_of(&objects, 1 << 20, None);
    assert!(runs.len() > 20, "{} runs", runs.len());
    let (index, rounds, parts) = index_of(runs, 4, 5);
    assert!(rounds > 2, "{rounds} rounds");
    assert_eq!(parts, 5);
    check_counts(&index, &objects);
    let (whole, rounds, parts) = index_of(runs_of(&objects, 256 << 20, None), 4, 1);
    assert_eq!((rounds, parts), (1, 1));
    assert_eq!(whole, index, "the whole file is the same");
}

fn check_counts(index: &[u8], objects: &[Object]) {
    let expected = plain(objects, None);
    let reader = Reader::open(index.to_vec()).unwrap();
    verify(&reader, &mut |_| always()).unwrap();
    assert_eq!(reader.info().prefixes, expected.len() as u64);
    assert_eq!(reader.info().counts.rows, objects.len() as u64 + 3);
    assert!(reader.page_starts().count() > 50);
    let cells = reader.get(b"").unwrap().unwrap();
    assert_eq!(cells.iter().map(|c| c.bytes).sum::<u64>(), objects.iter().map(|o| o.2).sum::<u64>());
}

#[test]
fn no_rows_make_an_index_of_a_root_of_zero() {
    let (index, ..) = index_of(runs_of(&[], 1 << 20, None), 2, 4);
    check(&index, &plain(&[], None));
}
