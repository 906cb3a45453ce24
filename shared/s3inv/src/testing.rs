//! What the tests build indexes from.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use s3inv_index_format::{FileKind, Form, Tail, Writer, is_partition_start};
use s3inv_model::{
    Bin, Cell, ClassId, Classes, Dates, Measure, Measures, RowCounts, Schema, SizeBin, prefix,
};

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
    let mut classes = Classes::default();
    for name in others.iter().chain(&["STANDARD"]) {
        classes.add(name.as_bytes(), b"").unwrap();
    }
    let schema = Schema { measures: measures.clone(), classes };
    let form = Form { kind: FileKind::Index, ..Form::segment(false) };
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
    let set = |set: u64| format!("set={set:04}/").into_bytes();
    let sum = |set| (0..1000).map(|day| bytes(set, day)).sum::<u64>();
    let root = (Vec::new(), [(0..sets).map(sum).sum(), 1000 * sets, 0]);
    let of_sets = (0..sets).map(|n| (set(n), [sum(n), 1000, 0]));
    let of_days = (0..sets).flat_map(|n| (0..1000).map(move |day| (n, day))).map(|(n, day)| {
        let key = [set(n), format!("day={day:04}/").into_bytes()].concat();
        (key, [bytes(n, day), 1, 0])
    });
    let measures = [Measure::Bytes, Measure::Classes].into_iter().collect();
    written_rows(std::iter::once(root).chain(of_sets).chain(of_days), &measures, &[])
}

pub(crate) fn all_measures() -> Measures {
    [Measure::Bytes, Measure::Classes, Measure::Noncurrent].into_iter().collect()
}

/// An index, and what counts how often it is read.
pub(crate) fn counted(bytes: Vec<u8>) -> (Index<Arc<Counted>>, Arc<Counted>) {
    let counted = Arc::new(Counted { bytes, reads: AtomicU64::new(0) });
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

/// Bytes, and how often they were read. Directories are near the end, and read at once: what is read besides is
/// pages.
pub(crate) struct Counted {
    bytes: Vec<u8>,
    reads: AtomicU64,
}

impl Counted {
    /// How often was read since this was asked before.
    pub(crate) fn take(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

impl ReadAt for Counted {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        self.bytes.tail(len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.read_at(offset, out)
    }
}
