//! Small fixed inputs of the hot paths, alike in all to what real inventories have.

use std::fmt::Write as _;

use libdeflater::{CompressionLvl, Compressor};
use s3inv_index_format::{Form, FormatError, Info, Reader, Writer};
use s3inv_inventory::csv::{self, CsvLayout};
use s3inv_inventory::{Batch, OnBadRow, ReadError, Reading, Rows};
use s3inv_model::{Binning, Classes, Measure, Measures, RowCounts, Schema};
use s3inv_rollup::{Rollup, RunSink, TableBudget};

/// The rows of each input.
pub const ROWS: usize = 8192;

const SCHEMA: &str = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, \
    ReplicationStatus, EncryptionStatus, IntelligentTieringAccessTier";
const SNAPSHOT_MS: u64 = 1_750_000_000_000;

/// In which order keys come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As S3 writes most files.
    Sorted,
    /// As hashes have them.
    Shuffled,
}

/// A hash: the same on every machine.
fn mixed(nth: usize) -> u64 {
    let mut word = (nth as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    word ^= word >> 29;
    word = word.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word ^ word >> 32
}

/// A data file as AWS writes it, before it is compressed: some twenty objects a directory.
#[must_use]
pub fn csv_file(order: Order) -> Vec<u8> {
    let mut rows: Vec<usize> = (0..ROWS).collect();
    if order == Order::Shuffled {
        rows.sort_by_key(|&row| mixed(row));
    }
    let mut text = String::new();
    for row in rows {
        let (hash, directory) = (mixed(row), row / 20);
        let class = if hash.is_multiple_of(5) { "STANDARD_IA" } else { "STANDARD" };
        let _ = writeln!(
            text,
            "\"my-bucket\",\"usr/share/doc/package-{:03}/html/v{directory}/page-{row:06}.html\",\"{}\",\
             \"2024-{:02}-{:02}T{:02}:30:{:02}.000Z\",\"{hash:016x}{:016x}\",\"{class}\",\"false\",\"\",\"SSE-S3\",\"\"",
            directory / 8,
            hash % 1_000_000,
            directory % 12 + 1,
            directory % 28 + 1,
            directory % 24,
            hash % 60,
            mixed(row + ROWS),
        );
    }
    text.into_bytes()
}

/// The same, compressed.
#[must_use]
pub fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut bytes = vec![0; compressor.gzip_compress_bound(text.len())];
    let len = compressor.gzip_compress(text, &mut bytes).unwrap_or_default();
    bytes.truncate(len);
    bytes
}

/// How a file is read, and rolled up.
pub struct Setting {
    layout: CsvLayout,
    reading: Reading,
    table: usize,
}

impl Setting {
    /// Of files as [`csv_file`] makes them: with all measures that they have, or with objects, bytes, classes
    /// and cost alone. All rows fit the rollup's memory.
    ///
    /// # Panics
    ///
    /// Never: the schema is one.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "the schema above is one")]
    pub fn new(all: bool) -> Self {
        let layout = CsvLayout::parse(SCHEMA).unwrap();
        let measures = if all { layout.fields().measures() } else { few() };
        Self::of(layout, &measures, SNAPSHOT_MS, 4 << 20)
    }

    /// Of files with these columns: what is measured, when the inventory was begun, in milliseconds since 1970,
    /// and the bytes of memory that a rollup has.
    #[must_use]
    pub fn of(layout: CsvLayout, measures: &Measures, snapshot_ms: u64, table: usize) -> Self {
        let fields = layout.fields();
        let reading =
            Reading { binning: Binning::new(measures, snapshot_ms), fields, on_bad_row: OnBadRow::Fail };
        Self { layout, reading, table }
    }

    /// Reads a file, and hands its rows to nobody. How many there were.
    pub fn read(&self, text: &[u8]) -> Result<u64, ReadError<FormatError>> {
        let (mut classes, mut counts) = (self.reading.classes(), RowCounts::default());
        let mut sink = |_: &Batch<'_>| Ok::<(), FormatError>(());
        let mut rows = Rows::new(&self.reading, &mut classes, &mut counts, &mut sink);
        csv::read_slice(text, &self.layout, &mut rows)?;
        Ok(counts.rows)
    }

    /// A rollup that has nothing yet.
    #[must_use]
    pub fn total(&self) -> Total {
        let measures = self.reading.binning.measures().clone();
        let table = TableBudget::new(self.table, &measures);
        Total {
            rollup: Rollup::new(table, None, measures, Memory::default()),
            classes: self.reading.classes(),
            counts: RowCounts::default(),
        }
    }

    /// Reads a file into a rollup.
    pub fn roll_up(&self, text: &[u8], total: &mut Total) -> Result<(), ReadError<FormatError>> {
        let Total { rollup, classes, counts } = total;
        let mut sink =
            |batch: &Batch<'_>| rollup.add::<FormatError>(batch.iter(), batch.classes(), &|| Ok(()));
        let mut rows = Rows::new(&self.reading, classes, counts, &mut sink);
        csv::read_slice(text, &self.layout, &mut rows)
    }
}

/// The measures objects, bytes, classes and cost.
#[must_use]
pub fn few() -> Measures {
    [Measure::Bytes, Measure::Classes, Measure::Cost].into_iter().collect()
}

/// What has been read of some files.
pub struct Total {
    rollup: Rollup<Memory>,
    classes: Classes,
    counts: RowCounts,
}

impl Total {
    /// Writes it as runs: one, where the memory was enough.
    pub fn finish(self) -> Result<Vec<Vec<u8>>, FormatError> {
        Ok(self.rollup.finish::<FormatError>(&self.classes, &self.counts, &|| Ok(()))?.0)
    }
}

/// Keeps runs in memory.
#[derive(Default)]
struct Memory(Vec<Vec<u8>>);

impl RunSink for Memory {
    type Out = Vec<u8>;

    fn create(&mut self) -> std::io::Result<Vec<u8>> {
        Ok(Vec::with_capacity(1 << 20))
    }

    fn done(&mut self, out: Vec<u8>, _: Info) -> std::io::Result<()> {
        self.0.push(out);
        Ok(())
    }
}

/// The rows of a run as an index.
///
/// # Panics
///
/// Never, of a run that [`Total::finish`] made.
#[must_use]
#[expect(clippy::unwrap_used, reason = "the run was made here")]
pub fn index_of(run: &Reader<Vec<u8>>) -> Vec<u8> {
    let schema: &Schema = &run.info().schema;
    let mut writer = Writer::new(Vec::with_capacity(1 << 20), Form::segment(false), schema).unwrap();
    let mut rows = run.rows().unwrap();
    while rows.advance().unwrap() {
        writer.push(rows.key(), rows.cells(), rows.dates()).unwrap();
    }
    writer.finish(run.info().counts.clone()).unwrap().0
}
