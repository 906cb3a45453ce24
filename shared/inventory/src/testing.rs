//! What the formats' tests share: rows, and a sink that keeps what it gets.

use std::convert::Infallible;

use proptest::prelude::*;
use s3inv_model::prefix::MAX_KEY;
use s3inv_model::{Columns, Excluded, RowCounts};

use crate::batch::{Batch, MAX_BATCH};
use crate::error::ReadError;

/// A row as a test writes it.
#[derive(Clone, Debug)]
pub(crate) struct TestRow {
    pub(crate) key: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) class: &'static str,
    pub(crate) tier: &'static str,
    pub(crate) latest: bool,
    pub(crate) marker: bool,
}

/// A counted row as a test sees it: its key, its column's name, its size.
pub(crate) type Counted = (Vec<u8>, String, u64);

/// What a reader made of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) rows: Vec<Counted>,
    pub(crate) batches: Vec<usize>,
    pub(crate) counts: RowCounts,
    pub(crate) error: Option<String>,
}

/// Runs a reader, and keeps what it gives.
pub(crate) fn collect(
    read: impl FnOnce(
        &mut Columns,
        &mut RowCounts,
        &mut dyn FnMut(&Batch<'_>) -> Result<(), Infallible>,
    ) -> Result<(), ReadError<Infallible>>,
) -> Read {
    let (mut columns, mut out, mut counts) = (Columns::default(), Read::default(), RowCounts::default());
    let mut rows = Vec::new();
    let result = read(&mut columns, &mut counts, &mut |batch| {
        assert_eq!(batch.len(), batch.iter().len());
        assert_eq!(batch.get(0), batch.iter().next());
        assert!(batch.len() <= MAX_BATCH);
        out.batches.push(batch.len());
        rows.extend(batch.iter().map(|(key, column, size)| (key.to_vec(), column, size)));
        Ok(())
    });
    let name = |column: u16| columns.as_slice()[usize::from(column)].name.clone();
    out.rows = rows.into_iter().map(|(key, column, size)| (key, name(column), size)).collect();
    out.counts = counts;
    out.error = result.err().map(|error| error.to_string());
    out
}

/// What a reader has to make of these rows: the plain definition.
pub(crate) fn expected(rows: &[TestRow]) -> (Vec<Counted>, RowCounts) {
    let (mut counted, mut counts) = (Vec::new(), RowCounts::default());
    for row in rows {
        counts.rows += 1;
        let mut name = row.class.to_owned();
        if row.class == "INTELLIGENT_TIERING" {
            name = format!("{name}_{}", if row.tier.is_empty() { "FREQUENT" } else { row.tier });
        }
        match (row.marker, row.latest) {
            (true, _) => counts.exclude(Excluded::DeleteMarker),
            (false, false) => counts.exclude(Excluded::Noncurrent),
            (false, true) => counted.push((row.key.clone(), name, row.size)),
        }
    }
    (counted, counts)
}

pub(crate) fn rows(most: usize) -> impl Strategy<Value = Vec<TestRow>> {
    prop::collection::vec(row(), 0..most)
}

fn row() -> impl Strategy<Value = TestRow> {
    let key = prop_oneof![
        8 => "[a-z]{1,8}(/[a-z0-9=._-]{0,12}){0,4}".prop_map(String::into_bytes),
        3 => prop::collection::vec(any::<u8>(), 1..40),
        3 => "[\"%+,\r\n a]{1,10}".prop_map(String::into_bytes),
        1 => Just(vec![b'%'; MAX_KEY]),
    ];
    let class =
        prop::sample::select(&["STANDARD", "STANDARD", "INTELLIGENT_TIERING", "GLACIER", "NEW-1"][..]);
    let tier = prop::sample::select(&["", "INFREQUENT", "ARCHIVE"][..]);
    let flags = (prop::bool::weighted(0.9), prop::bool::weighted(0.1));
    let size = prop_oneof![4 => 0..1_000_000_u64, 1 => 0..=i64::MAX as u64];
    (key, size, class, tier, flags).prop_map(|(key, size, class, tier, (latest, marker))| TestRow {
        key,
        size,
        class,
        tier,
        latest,
        marker,
    })
}

/// Bytes with one of them changed, or with their end cut off.
pub(crate) fn mutate(bytes: &[u8], at: usize, to: u8, cut: bool) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = at % bytes.len().max(1);
    if cut {
        bytes.truncate(at);
    } else if let Some(byte) = bytes.get_mut(at) {
        *byte = to;
    }
    bytes
}
