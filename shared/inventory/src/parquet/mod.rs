//! Parquet data files. Their keys are raw.

mod chunk;
mod flat;
mod footer;
mod group;
mod guard;
mod schema;
mod thrift;

use std::sync::Arc;

use parquet::file::metadata::RowGroupMetaData;

use crate::batch::{MAX_BATCH, Sink};
use crate::columns::ColumnBatch;
use crate::error::{InputError, ReadError};
use crate::fields::Fields;
use crate::ranges::RangeRead;
use crate::rows::Rows;
use chunk::File;
use group::Group;
use guard::{Failure, damaged};
use schema::{Needed, Schema};

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
    rows.begin(0);
    let footer = footer::read(&file)?;
    let needed = Schema::find(footer.file_metadata().schema_descr())?.needed(rows.reading())?;
    let failure = Failure::default();
    let file = Arc::new(File { inner: file, limits, failure: failure.clone() });
    for group in footer.row_groups() {
        read_group(&file, group, &needed, &failure, rows)?;
    }
    let said = footer.file_metadata().num_rows();
    if u64::try_from(said) != Ok(rows.row()) {
        return Err(damaged(&format!("{} rows, but the footer says {said}", rows.row())).into());
    }
    Ok(())
}

fn read_group<R: RangeRead + 'static, S: Sink>(
    file: &Arc<File<R>>,
    group: &RowGroupMetaData,
    needed: &Needed,
    failure: &Failure,
    rows: &mut Rows<'_, S>,
) -> Result<(), ReadError<S::Error>> {
    let said = group.num_rows();
    let mut left = usize::try_from(said).map_err(|_| damaged(&format!("a row group of {said} rows")))?;
    let mut group = failure.caught(|| Group::open(file, group, needed))?;
    let mut batch = ColumnBatch::default();
    while left > 0 {
        let len = left.min(MAX_BATCH);
        failure.caught(|| group.fill(len, &mut batch))?;
        batch.add_to(rows)?;
        left -= len;
    }
    Ok(failure.caught(|| group.ended())?)
}

#[cfg(test)]
mod tests;
