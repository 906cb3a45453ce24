//! Chunks read with pauses anywhere come to what they come to in one go.

mod data;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;

use futures::FutureExt as _;
use md5::{Digest, Md5};
use proptest::prelude::*;
use s3inv_index_format::{FileKind, Info, Reader};
use s3inv_inventory::csv::CsvLayout;
use s3inv_inventory::{Field, Fields, OnBadRow};
use s3inv_model::{Bin, Binning, ErrorKind, Excluded, Measures};
use s3inv_rollup::TableBudget;
use s3inv_store::{Counting, MemoryStore, Store as _};
use tokio::runtime::{Builder, Runtime};

use super::position::Within;
use super::*;
use crate::memory;
use crate::plan::ColumnFormat;
use data::{Kind, Row, SCHEMA};

const SNAPSHOT: u64 = 1_700_000_000_000;

/// A chunk of files in memory.
struct Chunk {
    runtime: Runtime,
    memory: MemoryStore,
    store: Counting<MemoryStore>,
    files: Vec<Input>,
    layout: Layout,
    reading: Reading,
    verify_md5: bool,
}

/// Runs in memory.
#[derive(Default)]
struct Runs(Vec<Vec<u8>>);

impl RunSink for Runs {
    type Out = Vec<u8>;

    fn create(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn done(&mut self, out: Vec<u8>, _: Info) -> io::Result<()> {
        self.0.push(out);
        Ok(())
    }
}

impl Chunk {
    /// Files of these rows; of columns, in groups of so many rows.
    fn new(kind: Kind, files: &[Vec<Row>], group: usize) -> Self {
        let memory = MemoryStore::new();
        let store = Counting::new(memory.clone());
        let input = |(nth, rows): (usize, &Vec<Row>)| {
            let (key, bytes) = (kind.name(nth), kind.file(rows, group));
            let (size, md5) = (bytes.len() as u64, Md5::digest(&bytes).into());
            memory.put(&key, bytes);
            Input { store: Arc::new(store.clone()), key, size, md5 }
        };
        let files = files.iter().enumerate().map(input).collect();
        let fields: Fields = [Field::Size, Field::StorageClass, Field::IsLatest].into_iter().collect();
        let binning = Binning::new(&fields.measures(), SNAPSHOT);
        let layout = match kind {
            Kind::Csv | Kind::Gzip => Layout::Csv(CsvLayout::parse(SCHEMA).unwrap()),
            Kind::Parquet => Layout::Columns(ColumnFormat::Parquet),
            Kind::Orc => Layout::Columns(ColumnFormat::Orc),
        };
        Self {
            runtime: Builder::new_multi_thread().worker_threads(1).build().unwrap(),
            memory,
            store,
            files,
            layout,
            reading: Reading { binning, fields, on_bad_row: OnBadRow::Skip },
            verify_md5: false,
        }
    }

    fn read(
        &self,
        start: &Position,
        memory: IngestMemory,
        pause: &dyn Fn(usize) -> bool,
    ) -> Result<Ingested<Runs>, Cause> {
        let worker = Worker {
            runtime: self.runtime.handle(),
            cancellation: &Cancellation::never(),
            progress: &Progress::default(),
            memory,
            max_depth: None,
            verify_md5: self.verify_md5,
            layout: &self.layout,
            reading: &self.reading,
            pause,
        };
        worker.chunk(&self.files, start, Runs::default())
    }

    /// Reads all, with another memory and another number of looks at the clock each time; in how many
    /// parts that was.
    fn in_parts(&self, steps: &[(IngestMemory, usize)]) -> (Sums, usize) {
        let (mut sums, mut at, mut parts, mut more) = (Sums::default(), Position::default(), 0, 0);
        for &(memory, looks) in steps.iter().cycle() {
            let read = match self.read(&at, memory, &after(looks + more)) {
                Err(Cause::TooSlow { row, .. }) => {
                    assert_eq!(Some(row), at.within.as_ref().map(|within| within.rows));
                    more = 2 * more + 1;
                    continue;
                }
                other => other.unwrap(),
            };
            (parts, more) = (parts + 1, 0);
            sums.add(&read);
            let Some(next) = read.next else { break };
            let place = |at: &Position| (at.file, at.within.as_ref().map(|within| within.rows));
            assert!(place(&at) < place(&next), "{next:?} after {at:?}");
            // As it is stored.
            at = serde_json::from_slice(&serde_json::to_vec(&next).unwrap()).unwrap();
        }
        (sums, parts)
    }

    /// That of a file, if it is one of the chunk's.
    fn etag(&self, file: usize) -> String {
        let Some(file) = self.files.get(file) else { return String::new() };
        self.memory.head(&file.key).now_or_never().unwrap().unwrap().etag
    }

    fn in_one_go(&self) -> Sums {
        let mut sums = Sums::default();
        sums.add(&self.read(&Position::default(), plenty(), &|_| false).unwrap());
        sums
    }

    /// Where it stands when the time is over after so many looks at the clock.
    fn left_after(&self, looks: usize) -> Position {
        self.read(&Position::default(), plenty(), &after(looks)).unwrap().next.unwrap()
    }

    /// Why it can't be gone on at a position.
    fn error_at(&self, at: &Position, looks: usize) -> Cause {
        self.read(at, plenty(), &after(looks)).err().expect("an error")
    }
}

/// Time that is over after so many looks at the clock.
fn after(looks: usize) -> impl Fn(usize) -> bool {
    let left = Cell::new(looks);
    move |_| left.replace(left.get().saturating_sub(1)) == 0
}

fn plenty() -> IngestMemory {
    memory::ingest(64 << 20, 1, &Measures::all())
}

/// What runs add up to, by prefix, class and whether it is of current versions: objects and bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    cells: BTreeMap<(Vec<u8>, String, bool), [u64; 2]>,
    counts: RowCounts,
}

impl Sums {
    fn add_cell(&mut self, prefix: &[u8], class: &str, current: bool, [objects, bytes]: [u64; 2]) {
        let sum = self.cells.entry((prefix.to_vec(), class.to_owned(), current)).or_default();
        *sum = [sum[0] + objects, sum[1] + bytes];
    }

    fn add(&mut self, read: &Ingested<Runs>) {
        let mut counts = RowCounts::default();
        for run in &read.sink.0 {
            let run = Reader::open_kind(run.clone(), FileKind::Run).unwrap();
            counts = counts.plus(&run.info().counts).unwrap();
            let mut rows = run.rows().unwrap();
            while rows.advance().unwrap() {
                for cell in rows.cells() {
                    let Bin::Objects { class, current, .. } = Bin::of(cell.bin) else { panic!("{cell:?}") };
                    let class = run.info().schema.classes.name(class).unwrap();
                    self.add_cell(rows.key(), class, current, [cell.objects, cell.bytes]);
                }
            }
        }
        assert_eq!(counts, read.counts, "the runs say what was read");
        self.counts = self.counts.plus(&counts).unwrap();
    }

    /// By the plainest means.
    fn plain(files: &[Vec<Row>]) -> Self {
        let mut sums = Self::default();
        for Row { key, size, class, latest } in files.iter().flatten() {
            sums.counts.rows += 1;
            let Ok(size) = u64::try_from(*size) else {
                sums.counts.exclude(Excluded::BadSize);
                continue;
            };
            if !latest {
                sums.counts.exclude(Excluded::Noncurrent);
            }
            for end in std::iter::once(0).chain(key.match_indices('/').map(|(at, _)| at + 1)) {
                sums.add_cell(&key.as_bytes()[..end], class, *latest, [1, size]);
            }
        }
        sums
    }
}

/// Files of so many rows each, some bad, some not current, with a class that only the later ones have.
fn rows(files: &[usize], seed: u64) -> Vec<Vec<Row>> {
    let mut state = seed;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut row = |nth: usize| Row {
        key: format!("d{}/e{}/k{nth}", random(7), random(40)),
        size: if random(50) == 0 { -1 } else { random(1 << 20).cast_signed() },
        class: if nth > 700 && random(9) == 0 { "GLACIER" } else { "STANDARD" },
        latest: random(10) > 0,
    };
    files.iter().map(|&count| (0..count).map(&mut row).collect()).collect()
}

/// Any limits that work: files are gathered or streamed, runs are written now and then.
fn any_memory() -> impl Strategy<Value = IngestMemory> {
    let part = prop::sample::select(&[1000, 20_000, 1 << 20][..]);
    let compressed = prop::sample::select(&[0, 30_000, 1 << 20][..]);
    let decompressed = prop::sample::select(&[0, 60_000, 1 << 20][..]);
    let table = prop::sample::select(&[4 << 10, 32 << 10, 1 << 20][..]);
    let window = prop::sample::select(&[500, 5000, 1 << 20][..]);
    (part, compressed, decompressed, table, window).prop_map(
        |(part, compressed, decompressed, table, window)| {
            let mut memory = plenty();
            (memory.part, memory.compressed, memory.decompressed) = (part, compressed, decompressed);
            memory.table = TableBudget::new(table, &Measures::all());
            (memory.parquet.window, memory.orc.window) = (window, window);
            memory
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn pauses_do_not_show(
        kind in prop::sample::select(&Kind::ALL[..]), files in prop::collection::vec(0..4000_usize, 1..4),
        group in 1..2500_usize, seed in any::<u64>(), verify_md5 in any::<bool>(),
        steps in prop::collection::vec((any_memory(), 0..6_usize), 1..4),
    ) {
        let rows = rows(&files, seed);
        let chunk = Chunk { verify_md5, ..Chunk::new(kind, &rows, group) };
        let whole = chunk.in_one_go();
        prop_assert_eq!(&whole, &Sums::plain(&rows));
        prop_assert_eq!(&chunk.in_parts(&steps).0, &whole);
    }

    /// Positions come from documents of our own, but whatever they say, there is an answer.
    #[test]
    fn no_position_panics(
        kind in prop::sample::select(&Kind::ALL[..]), file in 0..4_usize, rows_read in 0..3000_u64, huge in any::<bool>(),
        whose in 0..3_usize, looks in 0..4_usize, memory in any_memory(),
    ) {
        let chunk = Chunk::new(kind, &rows(&[1500, 1500], 1), 700);
        let (file, rows) = if huge { (usize::MAX - file, u64::MAX - rows_read) } else { (file, rows_read) };
        let at = Position { file, within: Some(Within { rows, etag: chunk.etag(whose) }) };
        let known = whose == file && rows <= 1500;
        match chunk.read(&at, memory, &after(looks)) {
            Ok(read) => prop_assert!(known && read.counts.rows <= 3000 - rows),
            Err(Cause::TooSlow { row, .. }) => prop_assert!(known || row == rows),
            Err(Cause::Bug(_)) => prop_assert!(file >= 2),
            Err(error) => prop_assert!(!known && error.kind() == ErrorKind::BadInput, "{error}"),
        }
    }
}

/// Each part is one batch, or one file.
#[test]
fn a_chunk_may_take_any_number_of_parts() {
    let rows = rows(&[3000; 12], 7);
    for kind in Kind::ALL {
        let chunk = Chunk::new(kind, &rows, 1100);
        // A look before a file that is gone on in, and one behind each batch that is passed over.
        let (sums, parts) = chunk.in_parts(&[(plenty(), 4)]);
        assert_eq!(sums, Sums::plain(&rows), "{kind:?}");
        assert!(parts > 10, "{kind:?}: {parts}");
    }
}

#[test]
fn a_file_that_was_replaced_is_not_gone_on_in() {
    for kind in Kind::ALL {
        let files = rows(&[3000], 3);
        let chunk = Chunk::new(kind, &files, 1100);
        let at = chunk.left_after(1);
        let Some(Within { rows, .. }) = at.within else { panic!("{at:?}") };
        let mut other = kind.file(&files[0], 1100);
        other.reverse();
        chunk.memory.put(&chunk.files[0].key, other);
        let streaming = IngestMemory { compressed: 0, ..plenty() };
        for memory in [plenty(), streaming] {
            let error = chunk.read(&at, memory, &|_| false).err().unwrap();
            let expected = format!(
                "memory:{}: changed since the first {rows} of its rows were read",
                chunk.files[0].key
            );
            assert_eq!((error.to_string(), error.kind()), (expected, ErrorKind::BadInput), "{kind:?}");
        }
    }
}

#[test]
fn a_file_with_fewer_rows_than_were_read_is_not_the_same() {
    for kind in Kind::ALL {
        let chunk = Chunk::new(kind, &rows(&[500, 20], 3), 90);
        let at = |file, rows| Position { file, within: Some(Within { rows, etag: chunk.etag(file) }) };
        let error = chunk.error_at(&at(0, 501), 100);
        let expected = "changed since the first 501 of its rows were read: it has only 500";
        assert!(error.to_string().ends_with(expected), "{kind:?}: {error}");
        assert_eq!(error.kind(), ErrorKind::BadInput);
        let rest = chunk.read(&at(0, 500), plenty(), &|_| false).unwrap();
        assert_eq!((rest.counts.rows, rest.next), (20, None), "{kind:?}");
        let error = chunk.error_at(&at(2, 0), 100).to_string();
        assert_eq!(error, "internal error: going on at file 2 of 2: please report it");
    }
}

#[test]
fn time_that_is_over_before_anything_new_is_an_error() {
    for kind in Kind::ALL {
        let chunk = Chunk::new(kind, &rows(&[5000, 5000], 3), 5000);
        let at = chunk.left_after(3);
        let Some(Within { rows, .. }) = at.within else { panic!("{at:?}") };
        let error = chunk.error_at(&at, 1);
        let expected = format!(
            "memory:{}: one invocation's time isn't enough to read it up to row {rows} again: give the \
             function more time or memory",
            chunk.files[0].key
        );
        assert_eq!((error.to_string(), error.kind()), (expected, ErrorKind::DeadlineExceeded), "{kind:?}");
        // At the start of a file nothing is passed over, and a batch is read whatever the time.
        let read = chunk.read(&Position { file: 1, within: None }, plenty(), &|_| true).unwrap();
        assert!((1..=1024).contains(&read.counts.rows), "{kind:?}: {}", read.counts.rows);
    }
}

#[test]
fn a_file_that_has_been_read_is_done() {
    for kind in Kind::ALL {
        let chunk = Chunk::new(kind, &rows(&[1000, 1000], 3), 1000);
        let read = chunk.read(&Position::default(), plenty(), &|_| true).unwrap();
        let second = Position { file: 1, within: None };
        assert_eq!((read.counts.rows, &read.next), (1000, &Some(second.clone())), "{kind:?}");
        let read = chunk.read(&second, plenty(), &|_| true).unwrap();
        assert_eq!((read.counts.rows, read.next), (1000, None), "{kind:?}: no call for nothing");
    }
}

/// What has been read is saved rather than lost to a download.
#[test]
fn a_pause_comes_while_the_next_file_is_fetched() {
    let chunk = Chunk::new(Kind::Csv, &rows(&[1000, 1000], 3), 1000);
    let memory = IngestMemory { part: 10_000, ..plenty() };
    let parts = chunk.files[0].size.div_ceil(10_000) as usize;
    // Behind each part of the first file, before the second, and behind its first part.
    let read = chunk.read(&Position::default(), memory, &after(parts + 1)).unwrap();
    let within = Within { rows: 0, etag: chunk.etag(1) };
    assert_eq!((read.counts.rows, read.next), (1000, Some(Position { file: 1, within: Some(within) })));
}

#[test]
fn a_pause_knows_what_is_in_memory() {
    let rows = rows(&[9000], 3);
    let chunk = Chunk::new(Kind::Orc, &rows, 9000);
    let held = RefCell::new(Vec::new());
    let watched = |bytes| {
        held.borrow_mut().push(bytes);
        false
    };
    chunk.read(&Position::default(), plenty(), &watched).unwrap();
    let held = held.into_inner();
    assert!(held.len() == 8 && held[0] > 1000 && held.is_sorted(), "{held:?}");
    let next = chunk.read(&Position::default(), plenty(), &|bytes| bytes >= held[3]).unwrap().next.unwrap();
    let first = held.iter().position(|&bytes| bytes == held[3]).unwrap();
    assert_eq!(next.within.map(|within| within.rows), Some(1024 * (first as u64 + 1)));
}

/// Only what is read on is fetched again: of columns, beside the footer.
#[test]
fn what_was_read_of_columns_is_not_fetched_again() {
    for (kind, verify_md5) in
        [(Kind::Parquet, false), (Kind::Parquet, true), (Kind::Orc, false), (Kind::Orc, true)]
    {
        let rows = rows(&[20_000], 5);
        let chunk = Chunk { verify_md5, ..Chunk::new(kind, &rows, 1000) };
        // Ends of files are fetched with what they may hold.
        let (size, footers) = (chunk.files[0].size, 80 << 10);
        assert!(size > 4 * footers, "{size}");
        let at = Position { file: 0, within: Some(Within { rows: 15_000, etag: chunk.etag(0) }) };
        chunk.store.take();
        let read = chunk.read(&at, plenty(), &|_| false).unwrap();
        let fetched = chunk.store.take().bytes_read;
        assert!(fetched < size / 4 + footers, "{kind:?}: {fetched} of {size}");
        assert_eq!(read.counts.rows, 5000);
    }
}

#[test]
fn columns_are_compared_before_they_are_read() {
    for kind in [Kind::Parquet, Kind::Orc] {
        let mut chunk = Chunk { verify_md5: true, ..Chunk::new(kind, &rows(&[3000, 3000], 5), 1000) };
        chunk.files[1].md5[0] ^= 1;
        // Looks: while the file is compared, and behind each of its row groups or stripes.
        let at = chunk.left_after(2);
        assert_eq!((at.file, at.within.as_ref().map(|within| within.rows)), (0, Some(2000)));
        let error = chunk.error_at(&at, 100).to_string();
        assert!(error.starts_with(&format!("memory:{}: its MD5 is ", kind.name(1))), "{error}");
    }
}

#[test]
fn a_position_of_another_version_is_none() {
    let old = r#"{"file":0,"rows":1024,"counts":{"rows":1024,"excluded":{}}}"#;
    assert!(serde_json::from_str::<Position>(old).is_err());
}
