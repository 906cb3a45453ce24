//! Parquet data files. Their keys are raw.

mod columns;
mod guard;
mod schema;

use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use s3inv_model::{Columns, Excluded, RowCounts};

use crate::assembler::{Assembler, Fields, Key};
use crate::batch::{MAX_BATCH, Sink};
use crate::error::{ReadError, RowError};
use columns::Group;
use guard::{Failure, Guard, damaged};
use schema::Schema;

pub use guard::MAX_PAGE;

/// Reads the rows of a Parquet file: of its columns only those that are used, pages of at most
/// [`MAX_PAGE`] bytes, one row group after another.
///
/// Failures of `reader` come out as [`InputError::Io`](crate::InputError::Io). A panic of the parquet crate on malformed
/// input comes out as [`InputError::Parquet`](crate::InputError::Parquet); the process's panic hook sees it first.
pub fn read_parquet<R: ChunkReader + 'static, S: Sink>(
    reader: R,
    columns: &mut Columns,
    counts: &mut RowCounts,
    sink: &mut S,
) -> Result<(), ReadError<S::Error>> {
    let failure = Failure::default();
    let guard = Guard::new(reader, failure.clone());
    let file = failure.caught(|| SerializedFileReader::new(guard))?;
    let schema = Schema::find(file.metadata().file_metadata().schema_descr())?;
    let mut rows = Assembler::new(columns, counts, sink);
    for nth in 0..file.metadata().num_row_groups() {
        read_group(&file, nth, &schema, &failure, &mut rows)?;
    }
    let said = file.metadata().file_metadata().num_rows();
    if u64::try_from(said) != Ok(rows.row) {
        return Err(damaged(&format!("{} rows, but the footer says {said}", rows.row)).into());
    }
    Ok(())
}

fn read_group<R: ChunkReader + 'static, S: Sink>(
    file: &SerializedFileReader<R>,
    nth: usize,
    schema: &Schema,
    failure: &Failure,
    rows: &mut Assembler<'_, S>,
) -> Result<(), ReadError<S::Error>> {
    let said = file.metadata().row_group(nth).num_rows();
    let mut left = usize::try_from(said).map_err(|_| damaged(&format!("a row group of {said} rows")))?;
    let mut group = failure.caught(|| Group::open(file.get_row_group(nth)?.as_ref(), schema))?;
    while left > 0 {
        let len = left.min(MAX_BATCH);
        failure.caught(|| group.fill(len))?;
        for row in 0..len {
            rows.begin();
            take(rows, &group, row).map_err(|cause| rows.at_row(cause))?;
        }
        rows.flush(&group.key.bytes)?;
        left -= len;
    }
    Ok(failure.caught(|| group.ended())?)
}

/// Counts a row, or excludes it: then its key, size and class are not looked at.
fn take<S: Sink>(rows: &mut Assembler<'_, S>, group: &Group, row: usize) -> Result<(), RowError> {
    let latest = group.latest.as_ref().map_or(Some(true), |flags| flags.flag(row));
    let latest = latest.ok_or(RowError::Null("is_latest"))?;
    let marker = group.marker.as_ref().map_or(Some(false), |flags| flags.flag(row));
    if marker.ok_or(RowError::Null("is_delete_marker"))? {
        rows.exclude(Excluded::DeleteMarker);
        return Ok(());
    }
    if !latest {
        rows.exclude(Excluded::Noncurrent);
        return Ok(());
    }
    let (start, len) = group.key.place(row).ok_or(RowError::Null("key"))?;
    let size = group.size.number(row).ok_or(RowError::Null("size"))?;
    let size = u64::try_from(size).map_err(|_| RowError::NegativeSize(size))?;
    let class = group.class.text(row).ok_or(RowError::Null("storage_class"))?;
    let tier = group.tier.as_ref().and_then(|tiers| tiers.text(row)).unwrap_or_default();
    rows.count(Fields { key: Key::Raw(start, len), class, tier, size })
}

#[cfg(test)]
mod tests;
