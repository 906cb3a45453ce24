//! Parquet data files. Their keys are raw.

mod chunk;
mod flat;
mod footer;
mod group;
mod guard;
mod schema;
mod thrift;

use std::sync::Arc;

use crate::batch::{MAX_BATCH, Sink};
use crate::columns::ColumnBatch;
use crate::error::{InputError, ReadError};
use crate::fields::Fields;
use crate::ranges::RangeRead;
use crate::rows::Rows;
use chunk::File;
use group::Group;
use guard::{Failure, damaged};
use schema::Schema;

pub use footer::MAX_FOOTER;
pub use guard::MAX_PAGE;

/// The fields that a Parquet file has. Only its footer is read.
pub fn fields(file: &impl RangeRead) -> Result<Fields, InputError> {
    let footer = footer::read(file)?;
    Ok(Schema::find(footer.file_metadata().schema_descr())?.fields())
}

/// How much memory reading may take, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What is fetched of a column at once, and held; of pages that are longer, the whole page. A page
    /// that lies in two windows takes the memory of both, and its own.
    pub window: usize,
    /// The longest page, decompressed; at most [`MAX_PAGE`]. Files with a longer one can't be read.
    pub page: usize,
    /// The largest dictionary of texts, with what each text takes besides its bytes. Files with a larger
    /// one can't be read.
    pub dictionary: usize,
}

/// Reads the rows of a Parquet file: of its columns only those that are needed, one row group after
/// another. It must have the fields that `rows` are read with.
///
/// Failures of `file` come out as [`InputError::Io`]. A panic of the parquet crate on malformed input
/// comes out as [`InputError::Parquet`]; the process's panic hook sees it first.
pub fn read<R: RangeRead + 'static, S: Sink>(
    file: R,
    limits: Limits,
    rows: &mut Rows<'_, S>,
) -> Result<(), ReadError<S::Error>> {
    rows.begin();
    let footer = footer::read(&file)?;
    let needed = Schema::find(footer.file_metadata().schema_descr())?.needed(rows.reading())?;
    let failure = Failure::default();
    let file = Arc::new(File { inner: file, limits, failure: failure.clone() });
    let said = footer.file_metadata().num_rows();
    let end = u64::try_from(said).ok();
    for group in footer.row_groups() {
        let count = group.num_rows();
        let count = u64::try_from(count).map_err(|_| damaged(&format!("a row group of {count} rows")))?;
        if !rows.pass(count) {
            let group = failure.caught(|| Group::open(&file, group, &needed))?;
            read_group(group, count, &failure, end, rows)?;
        }
    }
    if end != Some(rows.row()) {
        return Err(damaged(&format!("{} rows, but the footer says {said}", rows.row())).into());
    }
    Ok(())
}

/// Reads a row group of `count` rows, in a file of `end` rows.
fn read_group<S: Sink>(
    mut group: Group,
    count: u64,
    failure: &Failure,
    end: Option<u64>,
    rows: &mut Rows<'_, S>,
) -> Result<(), ReadError<S::Error>> {
    let (mut left, mut batch) = (count, ColumnBatch::default());
    loop {
        let len = left.min(MAX_BATCH as u64) as usize;
        failure.caught(|| group.fill(len, &mut batch))?;
        left -= len as u64;
        if left == 0 {
            // Before its last rows are handed over: whoever has got all of them may pass it by next time.
            failure.caught(|| group.ended())?;
        }
        batch.add_to(rows, end)?;
        if left == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
