//! What the tests build indexes from.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use s3inv_index_format::{FileKind, Form, FormatError, Joiner, Origin, Tail, Writer, is_partition_start};
use s3inv_model::{
    Bin, Cell, ClassId, Classes, Dates, Measure, Measures, RowCounts, Schema, SizeBin, prefix,
};
use s3inv_pipeline::RemoteSource;
use s3inv_store::{Counting, Counts, MemoryStore};

use crate::{Amount, By, Index, ReadAt, Reader};

/// What lies directly in prefixes: bytes, objects, and bytes of noncurrent objects.
pub(crate) type Listed = BTreeMap<Vec<u8>, [u64; 3]>;

/// Any prefix, of bytes that are ordered oddly.
pub(crate) fn a_prefix() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(vec![0, b'-', b'/', b'/', b'0', b'a', 0xff]);
    prop::collection::vec(byte, 0..10).prop_map(|mut bytes| {
        bytes.push(b'/');
        if bytes.len() == 1 { Vec::new() } else { bytes }
    })
}

/// Prefixes of which half begin a page wherever they stand: a few make many pages.
pub(crate) fn pool() -> &'static [Vec<u8>] {
    static POOL: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    POOL.get_or_init(|| {
        let starts = |parent: &'static str| {
            let names = (0u32..).map(move |n| format!("{parent}{n:x}/").into_bytes());
            names.filter(|key| is_partition_start(key)).take(4)
        };
        let starts = ["", "a/", "a-b/", "a/b/", "a/b/c/"].into_iter().flat_map(starts);
        let plain = ["", "a/", "a-b/", "b/", "a/b/", "a/x/", "a//", "a/b/c/", "a/b/cc/", "b/a/", "b/a/c/"];
        starts.chain(plain.iter().map(|key| key.as_bytes().to_vec())).collect()
    })
}

/// What is listed of some prefixes of the pool.
pub(crate) fn listed() -> impl Strategy<Value = Listed> {
    let amounts =
        (0..40u64, 1..5u64, 0..30u64).prop_map(|(bytes, objects, noncurrent)| [bytes, objects, noncurrent]);
    prop::collection::btree_map(prop::sample::select(pool().to_vec()), amounts, 1..25)
}

/// What is asked of the pool.
pub(crate) fn a_scope() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", "a/", "a/b/", "a", "a/b", "a/b/c", "b/", "nothing/"])
}

/// What can be asked without prices.
pub(crate) const UNPRICED: [By; 3] = [By::Bytes, By::Objects, By::Noncurrent];

/// An amount as tests have it.
pub(crate) fn plain(amount: Amount) -> [u64; 3] {
    UNPRICED.map(|by| amount.by(by).try_into().unwrap())
}

pub(crate) fn by() -> impl Strategy<Value = By> {
    prop::sample::select(UNPRICED.to_vec())
}

/// All that is in each prefix: the plain definition.
pub(crate) fn rolled_up(listed: &Listed) -> Listed {
    let mut sums = Listed::from([(Vec::new(), [0; 3])]);
    for (key, amount) in listed {
        for end in (0..=key.len()).filter(|&end| prefix::is_prefix(&key[..end])) {
            let sum = sums.entry(key[..end].to_vec()).or_default();
            *sum = [0, 1, 2].map(|at| sum[at] + amount[at]);
        }
    }
    sums
}

/// The bytes of an index. `classes` are those before the one that all objects have.
pub(crate) fn written(listed: &Listed, measures: &Measures, classes: &[&str]) -> Vec<u8> {
    let mut rows: Vec<_> = rolled_up(listed).into_iter().collect();
    rows.sort_by(|a, b| prefix::compare(&a.0, &b.0));
    written_rows(rows.into_iter(), measures, classes)
}

/// The same of rows in their order.
pub(crate) fn written_rows(
    rows: impl Iterator<Item = (Vec<u8>, [u64; 3])>,
    measures: &Measures,
    others: &[&str],
) -> Vec<u8> {
    written_as(FileKind::Index, rows, measures, others)
}

fn written_as(
    kind: FileKind,
    rows: impl Iterator<Item = (Vec<u8>, [u64; 3])>,
    measures: &Measures,
    others: &[&str],
) -> Vec<u8> {
    let mut classes = Classes::default();
    for name in others.iter().chain(&["STANDARD"]) {
        classes.add(name.as_bytes(), b"").unwrap();
    }
    let schema = Schema { measures: measures.clone(), classes };
    let form = Form { kind, ..Form::segment(false) };
    let mut writer = Writer::new(Vec::new(), form, &schema).unwrap();
    let bin = |current| {
        let class = others.len() as ClassId;
        Bin::Objects { class, current, size: SizeBin::Untold, age: None }.id()
    };
    for (key, [bytes, objects, noncurrent]) in rows {
        let known = |by: By, amount: u64| if by.is_known(measures) { amount } else { 0 };
        let current = Cell { bin: bin(true), objects, bytes: known(By::Bytes, bytes) };
        let old = Cell { bin: bin(false), objects: 1, bytes: known(By::Noncurrent, noncurrent) };
        let cells = [current, old];
        let some = if measures.has(Measure::Noncurrent) { 2 } else { 1 };
        writer.push(&key, &cells[..some], Dates::NONE).unwrap();
    }
    writer.finish(RowCounts::default()).unwrap().0
}

/// An index of so many directories with a thousand in each, one object in each of those.
pub(crate) fn a_thousand_each(sets: u64, bytes: impl Fn(u64, u64) -> u64) -> Vec<u8> {
    let measures = [Measure::Bytes, Measure::Classes].into_iter().collect();
    a_thousand_with(sets, &measures, |set, day| [bytes(set, day), 0])
}

/// The same, of bytes and of those of noncurrent objects.
pub(crate) fn a_thousand_with(
    sets: u64,
    measures: &Measures,
    bytes: impl Fn(u64, u64) -> [u64; 2],
) -> Vec<u8> {
    let set = |set: u64| format!("set={set:04}/").into_bytes();
    let plus = |a: [u64; 2], b: [u64; 2]| [a[0] + b[0], a[1] + b[1]];
    let row = |[bytes, noncurrent]: [u64; 2], objects| [bytes, objects, noncurrent];
    let sum = |set| (0..1000).map(|day| bytes(set, day)).fold([0; 2], plus);
    let root = (Vec::new(), row((0..sets).map(sum).fold([0; 2], plus), 1000 * sets));
    let of_sets = (0..sets).map(|n| (set(n), row(sum(n), 1000)));
    let of_days = (0..sets).flat_map(|n| (0..1000).map(move |day| (n, day))).map(|(n, day)| {
        let key = [set(n), format!("day={day:04}/").into_bytes()].concat();
        (key, row(bytes(n, day), 1))
    });
    written_rows(std::iter::once(root).chain(of_sets).chain(of_days), measures, &[])
}

pub(crate) fn all_measures() -> Measures {
    [Measure::Bytes, Measure::Classes, Measure::Noncurrent].into_iter().collect()
}

/// What readers ask for first.
const FIRST_TAIL: usize = 64 << 10;
/// Less than the directories of large indexes have, and more than a trailer.
pub(crate) const LITTLE: usize = 4 << 10;

/// An index, and what counts how often it is read.
pub(crate) fn counted(bytes: Vec<u8>) -> (Index<Arc<Counted>>, Arc<Counted>) {
    counted_from(bytes, usize::MAX)
}

/// The same, where no more than some bytes of its end are read at first: of the directory, blocks are read one by one.
pub(crate) fn counted_from(bytes: Vec<u8>, first: usize) -> (Index<Arc<Counted>>, Arc<Counted>) {
    let counted = Arc::new(Counted { bytes, first, reads: AtomicU64::new(0) });
    (Index::new("i".to_owned(), Reader::open(Arc::clone(&counted)).unwrap()), counted)
}

pub(crate) fn index(listed: &Listed) -> Index<Arc<Counted>> {
    index_with(listed, &all_measures())
}

pub(crate) fn index_with(listed: &Listed, measures: &Measures) -> Index<Arc<Counted>> {
    counted(written(listed, measures, &[])).0
}

/// The number of its pages.
pub(crate) fn pages(index: &Index<Arc<Counted>>) -> u64 {
    index.reader().page_starts().count() as u64
}

/// Bytes, and how often they were read. Directories are near the end, and read at once unless it is said otherwise: what
/// is read besides is pages.
pub(crate) struct Counted {
    bytes: Vec<u8>,
    first: usize,
    reads: AtomicU64,
}

impl Counted {
    /// How often was read since this was asked before.
    pub(crate) fn take(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

/// An index in a store, and what counts how it is asked.
pub(crate) fn remote(bytes: Vec<u8>) -> (Index<Arc<Remote>>, Arc<Remote>) {
    let memory = MemoryStore::new();
    memory.put("i.s3inv", bytes);
    let store = Counting::new(memory);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let source = RemoteSource::new(Arc::new(store.clone()), "i.s3inv".to_owned(), runtime);
    let remote = Arc::new(Remote { source, store, waits: AtomicU64::new(0) });
    let index = Index::new("i".to_owned(), Reader::open(Arc::clone(&remote)).unwrap());
    remote.take();
    (index, remote)
}

/// An object in a store, which is asked as one in S3 is.
pub(crate) struct Remote {
    source: RemoteSource,
    store: Counting<MemoryStore>,
    waits: AtomicU64,
}

/// How a store was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// How often somebody waited for requests, be they one or many at the same time.
    pub(crate) waits: u64,
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
}

impl Remote {
    /// How it was asked since this was asked before.
    pub(crate) fn take(&self) -> Asked {
        let Counts { read, bytes_read, .. } = self.store.take();
        Asked { waits: self.waits.swap(0, Ordering::Relaxed), requests: read, bytes: bytes_read }
    }

    fn waiting<T>(&self, ask: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let before = self.store.counts().read;
        let answer = ask();
        self.waits.fetch_add(u64::from(self.store.counts().read > before), Ordering::Relaxed);
        answer
    }
}

impl ReadAt for Remote {
    /// Little of it comes at first, so that blocks of the directory take requests of their own.
    fn tail(&self, len: usize) -> io::Result<Tail> {
        self.source.tail(if len == FIRST_TAIL { LITTLE } else { len })
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.waiting(|| self.source.read_at(offset, out))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn will_read(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        self.waiting(|| self.source.will_read(ranges))
    }
}

/// The bytes of an index that is cut at a depth.
pub(crate) fn cut_at(depth: u64, listed: &Listed) -> Vec<u8> {
    let sums = rolled_up(listed).into_iter().filter(|(key, _)| prefix::depth(key) as u64 <= depth);
    let mut rows: Vec<_> = sums.collect();
    rows.sort_by(|a, b| prefix::compare(&a.0, &b.0));
    let segment = written_as(FileKind::Segment, rows.into_iter(), &all_measures(), &[]);
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    let segment = Reader::open_kind(segment, FileKind::Segment).unwrap();
    joiner.append(&segment, || Ok::<_, FormatError>(())).unwrap();
    let origin =
        Origin { source_bucket: "b".into(), snapshot_ms: 0, manifest_md5: "0".repeat(32), data_files: 1 };
    joiner.finish(Some(depth), Measures::default(), origin).unwrap().0
}

impl ReadAt for Counted {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        self.bytes.tail(if len == FIRST_TAIL { len.min(self.first) } else { len })
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.read_at(offset, out)
    }
}
