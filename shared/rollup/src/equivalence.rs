//! Rows through tables, runs, rounds and partitions, against the plain definition: a map (I1).

use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;
use s3inv_index_format::{FileKind, Form, FormatError, Info, Joiner, Origin, Reader, verify};
use s3inv_model::{
    Bin, Binning, Classes, Dates, Excluded, Measure, Measures, Object, RowCounts, Schema, Stats, prefix,
};

use crate::{Interrupt, KeyRange, Merged, Rollup, RunSink, TableBudget, first_round, merge, partitions};

const SNAPSHOT: u64 = 1_700_000_000_000;
const DAY: u64 = 86_400_000;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Current,
    Noncurrent,
    Marker { latest: bool },
}

#[derive(Clone, Debug)]
struct Row {
    key: Vec<u8>,
    class: &'static str,
    size: u64,
    modified: u64,
    version: Version,
}

/// What is said of a prefix, by the plainest means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Plain {
    /// Objects, bytes; objects and bytes below 128 KiB where it matters.
    classes: BTreeMap<String, [u64; 4]>,
    noncurrent: BTreeMap<String, [u64; 4]>,
    markers: [u64; 2],
    age: [[u64; 2]; 6],
    size: [[u64; 2]; 9],
    dates: Option<(u64, u64)>,
}

type Map = BTreeMap<Vec<u8>, Plain>;

impl Plain {
    fn add(&mut self, row: &Row) {
        let small = u64::from(row.class.ends_with("_IA") && row.size < 131_072);
        let add = |sums: &mut [u64; 4]| {
            for (sum, n) in sums.iter_mut().zip([1, row.size, small, small * row.size]) {
                *sum += n;
            }
        };
        match row.version {
            Version::Marker { latest } => self.markers[usize::from(latest)] += 1,
            Version::Noncurrent => add(self.noncurrent.entry(row.class.to_owned()).or_default()),
            Version::Current => {
                add(self.classes.entry(row.class.to_owned()).or_default());
                let days = SNAPSHOT.saturating_sub(row.modified) / DAY;
                let age = [30, 90, 180, 365, 730].iter().position(|&limit| days < limit).unwrap_or(5);
                let limits = [1, 1024, 131_072, 1 << 20, 16 << 20, 128 << 20, 1 << 30, 5 << 30];
                let size = limits.iter().position(|&limit| row.size < limit).unwrap_or(8);
                for sums in [&mut self.age[age], &mut self.size[size]] {
                    *sums = [sums[0] + 1, sums[1] + row.size];
                }
                let (oldest, newest) = self.dates.unwrap_or((row.modified, row.modified));
                self.dates = Some((oldest.min(row.modified), newest.max(row.modified)));
            }
        }
    }

    /// The same of what an index says.
    fn of(stats: &Stats<'_>) -> Self {
        let classes = |classes: &BTreeMap<&str, s3inv_model::ClassCount>| {
            let counts = classes.iter().map(|(name, count)| {
                let (all, small) = (count.all, count.small);
                ((*name).to_owned(), [all.objects, all.bytes, small.objects, small.bytes])
            });
            counts.collect()
        };
        Self {
            classes: classes(&stats.classes),
            noncurrent: classes(&stats.noncurrent_classes),
            markers: [stats.delete_markers - stats.latest_delete_markers, stats.latest_delete_markers],
            age: stats.age.map(|count| [count.objects, count.bytes]),
            size: stats.size.map(|count| [count.objects, count.bytes]),
            dates: (!stats.dates.is_none()).then_some((stats.dates.oldest, stats.dates.newest)),
        }
    }

    /// Without what is not measured.
    fn only(mut self, measures: &Measures) -> Self {
        if !measures.has(Measure::Noncurrent) {
            (self.noncurrent, self.markers) = (BTreeMap::new(), [0; 2]);
        }
        if !measures.has(Measure::Age) {
            self.age = [[0; 2]; 6];
        }
        if !measures.has(Measure::Size) {
            self.size = [[0; 2]; 9];
        }
        if !measures.has(Measure::Dates) {
            self.dates = None;
        }
        if !measures.has(Measure::Cost) {
            let all = self.classes.values_mut().chain(self.noncurrent.values_mut());
            all.for_each(|sums| sums[2..].fill(0));
        }
        self
    }
}

fn plain(rows: &[Row], max_depth: Option<usize>, measures: &Measures) -> Map {
    let mut map = Map::from([(Vec::new(), Plain::default())]);
    for row in rows.iter().filter(|row| is_counted(row, measures)) {
        let slashes = row.key.iter().enumerate().filter(|&(_, &b)| b == b'/').map(|(at, _)| at + 1);
        for end in std::iter::once(0).chain(slashes.take(max_depth.unwrap_or(usize::MAX))) {
            map.entry(row.key[..end].to_vec()).or_default().add(row);
        }
    }
    map.into_iter().map(|(prefix, plain)| (prefix, plain.only(measures))).collect()
}

fn is_counted(row: &Row, measures: &Measures) -> bool {
    row.version == Version::Current || measures.has(Measure::Noncurrent)
}

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

fn runs_of(rows: &[Row], budget: usize, max_depth: Option<usize>, measures: &Measures) -> Vec<Vec<u8>> {
    let binning = Binning::new(measures, SNAPSHOT);
    let (mut classes, mut counts) = (Classes::default(), RowCounts::default());
    let mut rollup =
        Rollup::new(TableBudget::new(budget, measures), max_depth, measures.clone(), Memory::default());
    for chunk in rows.chunks(150) {
        let mut objects = Vec::new();
        for row in chunk {
            counts.rows += 1;
            let class = classes.add(row.class.as_bytes(), b"").unwrap();
            let (bin, size, dates) = match row.version {
                Version::Current => {
                    let dates =
                        if measures.has(Measure::Dates) { Dates::at(row.modified) } else { Dates::NONE };
                    (binning.current(&classes, class, row.size, row.modified), row.size, dates)
                }
                Version::Noncurrent => {
                    counts.exclude(Excluded::Noncurrent);
                    (binning.noncurrent(&classes, class, row.size), row.size, Dates::NONE)
                }
                Version::Marker { latest } => {
                    counts.exclude(Excluded::DeleteMarker);
                    (Bin::Marker { latest }.id(), 0, Dates::NONE)
                }
            };
            if is_counted(row, measures) {
                objects.push(Object::new(&row.key, bin, size, dates));
            }
        }
        rollup.add(objects.into_iter(), &classes, &always).unwrap();
    }
    for _ in 0..3 {
        counts.rows += 1;
        counts.exclude(Excluded::BadKey);
    }
    rollup.finish(&classes, &counts, &always).unwrap().0
}

fn open(runs: &[Vec<u8>]) -> Vec<Reader<Vec<u8>>> {
    runs.iter().map(|run| Reader::open_kind(run.clone(), FileKind::Run).unwrap()).collect()
}

fn schema_of(runs: &[Reader<Vec<u8>>]) -> Schema {
    Schema::union(runs.iter().map(|run| &run.info().schema)).unwrap()
}

/// A range merged, in as many files as can be where it pauses.
fn merged(
    runs: &[&Reader<Vec<u8>>],
    range: &KeyRange,
    schema: &Schema,
    form: Form,
    pauses: bool,
) -> Vec<Vec<u8>> {
    let interrupt = Interrupt { between: &always, pause: &|| pauses };
    let (mut files, mut range) = (Vec::new(), range.clone());
    loop {
        let Merged { out, next, .. } = merge(runs, &range, schema, form, Vec::new(), &interrupt).unwrap();
        files.push(out);
        match next {
            Some(next) => range.from = Some(next),
            None => return files,
        }
    }
}

/// The index of some runs, and how many rounds and partitions it took.
fn index_of(mut runs: Vec<Vec<u8>>, fan_in: usize, parts: usize) -> (Vec<u8>, usize, usize) {
    let mut rounds = 1;
    while runs.len() > fan_in {
        let readers = open(&runs);
        let schema = schema_of(&readers);
        let mut next = Vec::new();
        let groups = first_round(runs.len(), fan_in);
        let rest = groups.last().unwrap().end;
        for group in groups {
            let group: Vec<_> = readers[group].iter().collect();
            let form = Form::RUN;
            next.extend(merged(&group, &KeyRange::default(), &schema, form, false));
        }
        next.extend_from_slice(&runs[rest..]);
        runs = next;
        rounds += 1;
    }
    let readers = open(&runs);
    let schema = schema_of(&readers);
    let readers: Vec<_> = readers.iter().collect();
    let ranges = partitions(&readers, parts).unwrap();
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    for range in &ranges {
        let form = Form::segment(true);
        for segment in merged(&readers, range, &schema, form, true) {
            joiner.append(&Reader::open_kind(segment, FileKind::Segment).unwrap(), always).unwrap();
        }
    }
    let origin = Origin {
        source_bucket: "b".into(),
        snapshot_ms: SNAPSHOT,
        manifest_md5: String::new(),
        data_files: 1,
    };
    (joiner.finish(None, Measures::default(), origin).unwrap().0, rounds, ranges.len())
}

fn check(index: &[u8], expected: &Map) {
    let reader = Reader::open(index.to_vec()).unwrap();
    verify(&reader, &mut |_| always()).unwrap();
    let mut rows = reader.rows().unwrap();
    let mut got = Map::new();
    let mut order = Vec::new();
    while rows.advance().unwrap() {
        order.push(rows.key().to_vec());
        got.insert(rows.key().to_vec(), Plain::of(&rows.stats()));
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

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let class = prop::sample::select(vec!["STANDARD", "GLACIER", "STANDARD_IA", "ONEZONE_IA"]);
    let size = prop_oneof![
        0u64..1 << 40,
        prop::sample::select(vec![0, 1, 1023, 1024, 131_071, 131_072, 1 << 30, 5 << 30])
    ];
    let modified = prop_oneof![
        SNAPSHOT - 1000 * DAY..SNAPSHOT + 5000,
        prop::sample::select(vec![30u64, 90, 180, 365, 730]).prop_map(|days| SNAPSHOT - days * DAY),
        (0u64..2000).prop_map(|days| SNAPSHOT / 1000 * 1000 - days * DAY),
        Just(0),
    ];
    let version = prop_oneof![
        6 => Just(Version::Current),
        1 => Just(Version::Noncurrent),
        1 => any::<bool>().prop_map(|latest| Version::Marker { latest }),
    ];
    let row = (key(), class, size, modified, version);
    let row =
        row.prop_map(|(key, class, size, modified, version)| Row { key, class, size, modified, version });
    prop::collection::vec(row, 0..300)
}

fn measures() -> impl Strategy<Value = Measures> {
    let optional = vec![Measure::Cost, Measure::Noncurrent, Measure::Dates, Measure::Age, Measure::Size];
    let some = prop::sample::subsequence(optional, 0..=5);
    let some = some
        .prop_map(|some| some.into_iter().chain([Measure::Bytes, Measure::Classes]).collect::<Measures>());
    prop_oneof![some, Just(Measures::all())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_index_is_the_plain_map(
        rows in rows(),
        measures in measures(),
        chunks in 1usize..6,
        budget in (4usize << 10)..(64 << 10),
        fan_in in 2usize..5,
        max_depth in prop::option::of(0usize..6),
    ) {
        let size = rows.len() / chunks + 1;
        let chunked: Vec<_> = if rows.is_empty() { vec![&rows[..]] } else { rows.chunks(size).collect() };
        let runs = chunked.iter().flat_map(|chunk| runs_of(chunk, budget, max_depth, &measures)).collect();
        let (index, ..) = index_of(runs, fan_in, 3);
        check(&index, &plain(&rows, max_depth, &measures));
        let (whole, rounds, _) = index_of(runs_of(&rows, 8 << 20, max_depth, &measures), 100, 1);
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
    let rows: Vec<Row> = (0..300_000u64)
        .map(|n| {
            let scattered = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let class = ["STANDARD", "GLACIER"][(n % 7 / 6) as usize];
            let key = format!("data/{:02x}/{scattered:x}/object", scattered % 256).into_bytes();
            let version = if n % 11 == 0 { Version::Noncurrent } else { Version::Current };
            Row { key, class, size: n * 17, modified: SNAPSHOT - (n % 900) * DAY, version }
        })
        .collect();
    let measures = Measures::all();
    let runs = runs_of(&rows, 1 << 20, None, &measures);
    assert!(runs.len() > 20, "{} runs", runs.len());
    let (index, rounds, parts) = index_of(runs, 4, 5);
    assert!(rounds > 2, "{rounds} rounds");
    assert_eq!(parts, 5);
    check_counts(&index, &rows);
    let (whole, rounds, parts) = index_of(runs_of(&rows, 256 << 20, None, &measures), 4, 1);
    assert_eq!((rounds, parts), (1, 1));
    assert_eq!(whole, index, "the whole file is the same");
}

fn check_counts(index: &[u8], rows: &[Row]) {
    let expected = plain(rows, None, &Measures::all());
    let reader = Reader::open(index.to_vec()).unwrap();
    verify(&reader, &mut |_| always()).unwrap();
    assert_eq!(reader.info().prefixes, expected.len() as u64);
    assert_eq!(reader.info().counts.rows, rows.len() as u64 + 3);
    assert!(reader.page_starts().count() > 50);
    let root = reader.stats(b"").unwrap().unwrap();
    assert_eq!(Plain::of(&root), expected[&b""[..]]);
}

#[test]
fn no_rows_make_an_index_of_a_root_of_zero() {
    let measures = Measures::all();
    let (index, ..) = index_of(runs_of(&[], 1 << 20, None, &measures), 2, 4);
    check(&index, &plain(&[], None, &measures));
}
