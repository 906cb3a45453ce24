//! What the formats' tests share: rows, damage, ways to read, and a sink that keeps what it gets.

use std::convert::Infallible;

use proptest::prelude::*;
use s3inv_model::prefix::{MAX_KEY, own_directory};
use s3inv_model::{Bin, Binning, Classes, Dates, Excluded, Measure, Measures, RowCounts};

use crate::batch::{Batch, MAX_BATCH, Sink};
use crate::error::ReadError;
use crate::fields::{Field, Fields};
use crate::reading::{OnBadRow, Reading};
use crate::rows::Rows;

pub(crate) const SNAPSHOT: u64 = 1_700_000_000_000;

/// A row as a test writes it.
#[derive(Clone, Debug)]
pub(crate) struct TestRow {
    pub(crate) key: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) class: &'static str,
    pub(crate) tier: &'static str,
    pub(crate) modified: u64,
    pub(crate) latest: bool,
    pub(crate) marker: bool,
    pub(crate) damage: Option<Damage>,
}

/// What a test does to a row so that it can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    NoKey,
    LongKey,
    Escape,
    Columns,
    Quotes,
    Size,
    NoSize,
    Class,
    NoClass,
    Date,
    NoDate,
    Flag,
}

impl Damage {
    /// What every format can have.
    pub(crate) const COMMON: &[Self] = &[
        Self::NoKey,
        Self::LongKey,
        Self::Size,
        Self::NoSize,
        Self::Class,
        Self::NoClass,
        Self::Date,
        Self::NoDate,
        Self::Flag,
    ];
    pub(crate) const CSV: &[Self] = &[
        Self::NoKey,
        Self::LongKey,
        Self::Escape,
        Self::Columns,
        Self::Quotes,
        Self::Size,
        Self::NoSize,
        Self::Class,
        Self::NoClass,
        Self::Date,
        Self::NoDate,
        Self::Flag,
    ];
}

impl TestRow {
    pub(crate) fn plain(key: &str) -> Self {
        Self {
            key: key.into(),
            size: 5,
            class: "STANDARD",
            tier: "",
            modified: SNAPSHOT,
            latest: true,
            marker: false,
            damage: None,
        }
    }

    /// The row without what an inventory of these fields can't say.
    pub(crate) fn told(&self, fields: Fields) -> Self {
        Self {
            latest: self.latest || !fields.has(Field::IsLatest),
            marker: self.marker && fields.has(Field::IsDeleteMarker),
            tier: if fields.has(Field::IntelligentTieringAccessTier) { self.tier } else { "" },
            ..self.clone()
        }
    }

    /// As what the row is excluded because it can't be read: only what is looked at can be bad.
    fn bad(&self, reading: &Reading) -> Option<Excluded> {
        let current = self.latest && !self.marker;
        let counts = current || reading.binning.measures().has(Measure::Noncurrent);
        let object = counts && !self.marker;
        let (reason, seen) = match self.damage? {
            Damage::Columns | Damage::Quotes => (Excluded::BadFields, true),
            Damage::NoKey | Damage::LongKey | Damage::Escape => (Excluded::BadKey, counts),
            Damage::Size | Damage::NoSize => (Excluded::BadSize, object && reading.needs(Field::Size)),
            Damage::Class | Damage::NoClass => {
                (Excluded::BadClass, object && reading.needs(Field::StorageClass))
            }
            Damage::Date | Damage::NoDate => {
                (Excluded::BadDate, current && reading.needs(Field::LastModifiedDate))
            }
            Damage::Flag => (Excluded::BadFlag, reading.fields.has(Field::IsLatest)),
        };
        seen.then_some(reason)
    }
}

/// A counted row as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) key: Vec<u8>,
    /// Its bin, with the name of its class.
    pub(crate) bin: String,
    pub(crate) size: u64,
    pub(crate) dates: Dates,
}

fn bin_name(bin: u16, classes: &Classes) -> String {
    match Bin::of(bin) {
        Bin::Marker { latest } => format!("marker, latest: {latest}"),
        Bin::Objects { class, current, size, age } => {
            format!("{}, current: {current}, size: {size:?}, age: {age:?}", classes.name(class).unwrap())
        }
    }
}

/// What a reader made of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) rows: Vec<Counted>,
    pub(crate) batches: Vec<usize>,
    /// Of each batch, whether it is said to be the file's last.
    pub(crate) lasts: Vec<bool>,
    pub(crate) counts: RowCounts,
    pub(crate) error: Option<String>,
}

/// A sink that keeps what it gets.
#[derive(Default)]
pub(crate) struct Keep {
    rows: Vec<Counted>,
    batches: Vec<usize>,
    lasts: Vec<bool>,
}

impl Sink for Keep {
    type Error = Infallible;

    fn batch(&mut self, batch: &Batch<'_>) -> Result<(), Infallible> {
        assert_eq!(batch.len(), batch.iter().len());
        assert!(batch.len() <= MAX_BATCH);
        self.batches.push(batch.len());
        self.lasts.push(batch.is_last());
        for (at, object) in batch.iter().enumerate() {
            assert_eq!(object.directory, own_directory(object.key));
            assert_eq!(batch.get(at), Some(object));
        }
        self.rows.extend(batch.iter().map(|object| Counted {
            key: object.key.to_vec(),
            bin: bin_name(object.bin, batch.classes()),
            size: object.size,
            dates: object.dates,
        }));
        Ok(())
    }
}

/// Runs a reader, and keeps what it gives.
pub(crate) fn collect(
    reading: &Reading,
    read: impl FnOnce(&mut Rows<'_, Keep>) -> Result<(), ReadError<Infallible>>,
) -> Seen {
    collect_after(0, reading, read)
}

/// The same behind a file's first `known` rows.
pub(crate) fn collect_after(
    known: usize,
    reading: &Reading,
    read: impl FnOnce(&mut Rows<'_, Keep>) -> Result<(), ReadError<Infallible>>,
) -> Seen {
    let (mut classes, mut counts, mut keep) = (reading.classes(), RowCounts::default(), Keep::default());
    let result = read(&mut Rows::new(reading, &mut classes, &mut counts, &mut keep).after(known as u64));
    let Keep { rows, batches, lasts } = keep;
    Seen { rows, batches, lasts, counts, error: result.err().map(|error| error.to_string()) }
}

/// The error of a reader that only fails.
pub(crate) fn failure<S: Sink>(
    sink: &mut S,
    read: impl FnOnce(&mut Rows<'_, S>) -> Result<(), ReadError<S::Error>>,
) -> ReadError<S::Error> {
    let reading = all(OnBadRow::Fail);
    let (mut classes, mut counts) = (reading.classes(), RowCounts::default());
    read(&mut Rows::new(&reading, &mut classes, &mut counts, sink)).err().unwrap()
}

/// All fields, all measures.
pub(crate) fn all(on_bad_row: OnBadRow) -> Reading {
    of(Field::ALL.into_iter().collect(), on_bad_row)
}

/// Some fields, and all that can be measured of them.
pub(crate) fn of(fields: Fields, on_bad_row: OnBadRow) -> Reading {
    Reading { binning: Binning::new(&fields.measures(), SNAPSHOT), fields, on_bad_row }
}

/// Any fields, and any measures of them that make sense together.
pub(crate) fn reading() -> impl Strategy<Value = Reading> {
    let fields = prop_oneof![
        Just(Field::ALL.to_vec()),
        prop::sample::subsequence(Field::ALL.to_vec(), 0..=Field::ALL.len())
    ];
    let measures = prop_oneof![
        Just(Measure::ALL.to_vec()),
        prop::sample::subsequence(Measure::ALL.to_vec(), 0..=Measure::ALL.len())
    ];
    let on_bad_row = prop::sample::select(&[OnBadRow::Fail, OnBadRow::Skip][..]);
    (fields, measures, on_bad_row).prop_map(|(fields, measures, on_bad_row)| {
        let fields: Fields = fields.into_iter().collect();
        let measures: Measures = measures.into_iter().collect();
        Reading { binning: Binning::new(&fields.measures().and(&measures), SNAPSHOT), fields, on_bad_row }
    })
}

/// Compares what a reader made of rows with the plain definition of what it has to.
pub(crate) fn check(seen: &Seen, rows: &[TestRow], reading: &Reading) -> Result<(), TestCaseError> {
    check_after(0, seen, rows, reading)
}

/// The same of a reader that passed the first `known` rows over.
pub(crate) fn check_after(
    known: usize,
    seen: &Seen,
    rows: &[TestRow],
    reading: &Reading,
) -> Result<(), TestCaseError> {
    let (counted, counts, bad) = expected(rows.get(known..).unwrap_or_default(), reading);
    let error = bad.map(|row| format!("row {}: ", known + row));
    match (&seen.error, error) {
        (Some(seen), Some(start)) => prop_assert!(seen.starts_with(&start), "{seen}, expected {start}"),
        (seen_error, error) => {
            prop_assert_eq!(seen_error, &error);
            prop_assert_eq!(&seen.rows, &counted);
            prop_assert_eq!(&seen.counts, &counts);
            let last = seen.lasts.iter().position(|&is_last| is_last).map(|at| at + 1);
            prop_assert_eq!(
                last.unwrap_or(0),
                seen.batches.len(),
                "the last batch, and no other, is the last"
            );
        }
    }
    Ok(())
}

/// What a reader has to make of these rows: what is counted, and the number of the row it fails at.
fn expected(rows: &[TestRow], reading: &Reading) -> (Vec<Counted>, RowCounts, Option<usize>) {
    let measures = reading.binning.measures();
    let (mut counted, mut counts, mut classes) = (Vec::new(), RowCounts::default(), reading.classes());
    for (nth, row) in rows.iter().enumerate() {
        counts.rows += 1;
        if let Some(reason) = row.bad(reading) {
            if reading.on_bad_row == OnBadRow::Fail {
                return (counted, counts, Some(nth + 1));
            }
            counts.exclude(reason);
            continue;
        }
        let current = row.latest && !row.marker;
        if !current {
            counts.exclude(if row.marker { Excluded::DeleteMarker } else { Excluded::Noncurrent });
            if !measures.has(Measure::Noncurrent) {
                continue;
            }
        }
        let size = if reading.needs(Field::Size) { row.size } else { 0 };
        let mut class = 0;
        if measures.has(Measure::Classes) && !row.marker {
            class = classes.add(row.class.as_bytes(), row.tier.as_bytes()).unwrap();
        }
        let bin = match (row.marker, current) {
            (true, _) => Bin::Marker { latest: row.latest }.id(),
            (false, true) => reading.binning.current(&classes, class, size, row.modified),
            (false, false) => reading.binning.noncurrent(&classes, class, size),
        };
        counted.push(Counted {
            key: row.key.clone(),
            bin: bin_name(bin, &classes),
            size: if measures.has(Measure::Bytes) && !row.marker { size } else { 0 },
            dates: if current && measures.has(Measure::Dates) {
                Dates::at(row.modified)
            } else {
                Dates::NONE
            },
        });
    }
    (counted, counts, None)
}

/// Rows that can be read, mostly or all.
pub(crate) fn rows(most: usize, damage: &'static [Damage]) -> impl Strategy<Value = Vec<TestRow>> {
    let damaged = prop_oneof![6 => Just(None), 1 => prop::sample::select(damage).prop_map(Some)];
    let damaged = prop_oneof![Just(vec![None; most]), prop::collection::vec(damaged, most),];
    (prop::collection::vec(row(), 0..most), damaged).prop_map(|(mut rows, damaged)| {
        for (row, damage) in rows.iter_mut().zip(damaged) {
            row.damage = damage;
            if damage.is_some() {
                // A newline within a row with broken quotes would end it.
                row.key = b"damaged/key".to_vec();
            }
        }
        rows
    })
}

fn row() -> impl Strategy<Value = TestRow> {
    // Neighbours in directories with and without escapes, of less than a block and more.
    let directory = prop::sample::select(
        &["", "/", "a/", "a/b=1/", "a b/c/", "one/directory/of/more/than/some/thirty/bytes/", "%2F/"][..],
    );
    let beside = (directory, "[a-z]{0,40}|[a-z=+%/]{0,20}");
    let key = prop_oneof![
        8 => beside.prop_map(|(directory, name)| format!("{directory}{name}x").into_bytes()),
        8 => "[a-z]{1,8}(/[a-z0-9=._-]{0,12}){0,4}".prop_map(String::into_bytes),
        3 => prop::collection::vec(any::<u8>(), 1..40),
        3 => "[\"%+,\r\n a]{1,10}".prop_map(String::into_bytes),
        1 => Just(vec![b'%'; MAX_KEY]),
    ];
    let class =
        prop::sample::select(&["STANDARD", "STANDARD", "INTELLIGENT_TIERING", "GLACIER", "NEW-1"][..]);
    let tier = prop::sample::select(&["", "INFREQUENT", "ARCHIVE"][..]);
    let flags = (prop::bool::weighted(0.8), prop::bool::weighted(0.2));
    let size = prop_oneof![2 => 0..200_000_u64, 2 => 0..1_u64 << 36, 1 => 0..=i64::MAX as u64];
    let modified = prop_oneof![SNAPSHOT - 100_000_000_000..SNAPSHOT + 1000, 0..4_000_000_000_000_u64];
    (key, size, class, tier, modified, flags).prop_map(
        |(key, size, class, tier, modified, (latest, marker))| TestRow {
            key,
            size,
            class,
            tier,
            modified,
            latest,
            marker,
            damage: None,
        },
    )
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
