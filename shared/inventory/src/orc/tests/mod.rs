mod crafted;
mod damage;
mod encodings;
mod files;
mod python;
mod read;

use std::io;
use std::sync::Mutex;

use bytes::Bytes;
use s3inv_model::prefix::MAX_KEY;

use super::*;
use crate::batch::MAX_BATCH;
use crate::columns::{ColumnBatch, Texts};
use crate::error::InputError;
use crate::reading::OnBadRow;
use crate::testing::of;

/// A row: key and its true length, class, tier, size, time, flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    key: Option<(Vec<u8>, usize)>,
    class: Option<Vec<u8>>,
    tier: Option<Vec<u8>>,
    size: Option<i64>,
    modified: Option<i64>,
    latest: Option<bool>,
    marker: Option<bool>,
}

fn row_of(batch: &ColumnBatch, row: usize) -> Row {
    let text = |texts: &Option<Texts>| texts.as_ref().and_then(|texts| texts.text(row)).map(<[u8]>::to_vec);
    let number = |numbers: &Option<Vec<Option<i64>>>| numbers.as_ref().and_then(|numbers| numbers[row]);
    let flag = |flags: &Option<Vec<Option<bool>>>| flags.as_ref().and_then(|flags| flags[row]);
    let key = batch.key.text(row).map(<[u8]>::to_vec);
    Row {
        key: key.zip(batch.key.cells[row].map(|(_, len)| len)),
        class: text(&batch.class),
        tier: text(&batch.tier),
        size: number(&batch.size),
        modified: number(&batch.modified),
        latest: flag(&batch.latest),
        marker: flag(&batch.marker),
    }
}

/// A source that notes what it is asked for, and fails after `good` reads.
struct Watched {
    bytes: Bytes,
    good: usize,
    reads: Mutex<Vec<(u64, usize)>>,
}

impl Watched {
    fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), good: usize::MAX, reads: Mutex::default() }
    }
}

impl RangeRead for &Watched {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, at: u64, len: usize) -> io::Result<Bytes> {
        let mut reads = self.reads.lock().unwrap();
        if reads.len() == self.good {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "too slow"));
        }
        reads.push((at, len));
        RangeRead::read(&self.bytes, at, len)
    }
}

fn limits(window: usize) -> Limits {
    Limits { window, block: MAX_BLOCK, key_dictionary: 1 << 20 }
}

/// Reads all rows, and gives what was read before an error.
fn read_all(bytes: impl Into<Bytes>, window: usize) -> (Vec<Row>, Option<InputError>) {
    let file = Watched::new(bytes);
    let mut rows = Vec::new();
    let error = read_into(&file, window, &mut rows).err();
    for (at, len) in file.reads.into_inner().unwrap() {
        assert!(len <= window.max(32 << 10), "{len} bytes from {at} on");
    }
    (rows, error)
}

/// All columns that a file has.
fn columns<R: RangeRead>(file: &OrcFile<R>) -> Result<Columns> {
    file.needed(&of(file.tail.types.fields()?, OnBadRow::Fail))
}

fn read_into(file: &Watched, window: usize, rows: &mut Vec<Row>) -> Result<()> {
    let file = OrcFile::open(file, limits(window))?;
    let columns = columns(&file)?;
    for nth in 0..file.stripes().len() {
        let mut stripe = file.stripe(nth, &columns)?;
        while let Some(batch) = stripe.next_batch()? {
            assert!((1..=MAX_BATCH).contains(&batch.rows) && batch.key.cells.len() == batch.rows);
            rows.extend((0..batch.rows).map(|row| row_of(batch, row)));
            // A stripe may say that it has any number of rows: the values have to be there.
            assert!(rows.len() < 4 << 20, "too many rows");
        }
    }
    Ok(())
}

fn error_of(bytes: impl Into<Bytes>) -> String {
    let (_, error) = read_all(bytes, 4096);
    let text = error.expect("an error").to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}
