//! K-way merge: rows of the same prefix are added up, everything else passes by.

use std::io::Write;

use s3inv_index_format::{Form, FormatError, Info, ReadAt, Reader, Writer, is_partition_start};
use s3inv_model::{RowCounts, Schema, Sums};

use crate::inputs::Inputs;
use crate::tournament::Key;

/// A range of the order of prefixes: from the first, included, to the second, excluded. An end that
/// isn't given is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// Where it begins.
    pub from: Option<Vec<u8>>,
    /// Where it ends.
    pub until: Option<Vec<u8>>,
}

/// What a merge wrote.
pub struct Merged<W> {
    /// Where to.
    pub out: W,
    /// What the file says about itself.
    pub info: Info,
    /// Where the rest of the range begins, if the merge was to pause.
    pub next: Option<Vec<u8>>,
}

/// How a merge is interrupted.
pub struct Interrupt<'a, E> {
    /// Asked at least every 1,000 rows read: an error ends it.
    pub between: &'a dyn Fn() -> Result<(), E>,
    /// Asked where the work may be divided, which is once in some 16,384 rows: if so, what has been
    /// merged is a whole file, and the rest of the range is left.
    pub pause: &'a dyn Fn() -> bool,
}

/// Merges a range of some runs to one file, whose schema is the [union](Schema::union) of the runs'.
///
/// Rows of the inventory are counted with the range that begins at the root. Before it pauses, it has
/// merged at least one row.
pub fn merge<R: ReadAt, W: Write, E: From<FormatError>>(
    runs: &[&Reader<R>],
    range: &KeyRange,
    schema: &Schema,
    form: Form,
    out: W,
    interrupt: &Interrupt<'_, E>,
) -> Result<Merged<W>, E> {
    let mut writer = Writer::new(out, form, schema)?;
    let mut inputs = Inputs::open(runs, range, schema)?;
    let mut next = None;
    let mut sums = Sums::default();
    let mut key = Vec::new();
    let mut read = 0u64;
    while let Some(first) = inputs.first() {
        key.clear();
        key.extend_from_slice(first.bytes);
        let parent_len = first.parent_len;
        if read > 0 && is_partition_start(&key) && (interrupt.pause)() {
            next = Some(key);
            break;
        }
        let prefix = Key { bytes: &key, parent_len };
        sums.clear();
        let mut same = true;
        while same {
            same = inputs.take(prefix, &mut sums)?;
            read += 1;
            if read.is_multiple_of(1000) {
                (interrupt.between)()?;
            }
        }
        writer.push(&key, &sums.cells, sums.dates)?;
    }
    let (out, info) = writer.finish(counts(runs, range)?)?;
    Ok(Merged { out, info, next })
}

fn counts<R: ReadAt>(runs: &[&Reader<R>], range: &KeyRange) -> Result<RowCounts, FormatError> {
    if range.from.is_some() {
        return Ok(RowCounts::default());
    }
    runs.iter()
        .try_fold(RowCounts::default(), |sum, run| sum.plus(&run.info().counts))
        .ok_or_else(|| FormatError::Overflow("rows read".to_owned()))
}
