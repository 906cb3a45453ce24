//! All rows of a scope, in the formats of other programs.

mod columns;
mod csv;
mod ddl;
mod jsonl;
mod ncdu;
mod output;
mod parquet;
mod rows;

use std::io;

use s3inv::{FormatError, ReadAt};
use s3inv_cancel::Stop;

pub(crate) use ddl::ddl;
pub(crate) use output::{Output, Sink};
pub(crate) use rows::Rows;

use crate::args::ExportFormat;
use crate::failure::Failure;
use crate::text;

/// Why an export ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Exporting {
    /// The index can't be read.
    #[error(transparent)]
    Index(#[from] FormatError),
    /// What is exported can't be written.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// A signal came.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// Something else, as it will be told.
    #[error(transparent)]
    Failed(Failure),
}

/// Writes rows; how many there were.
pub(crate) fn write<R: ReadAt>(
    format: ExportFormat,
    rows: &mut Rows<'_, R>,
    out: Sink<'_>,
) -> Result<u64, Exporting> {
    match format {
        ExportFormat::Jsonl => jsonl::write(rows, out),
        ExportFormat::Csv => csv::write(rows, out),
        ExportFormat::Parquet => parquet::write(rows, out),
        ExportFormat::Ncdu => ncdu::write(rows, out),
    }
}

/// A number as formats have it that know no larger ones than 2^63 - 1.
fn signed(number: u64, key: &[u8]) -> Result<i64, Exporting> {
    let text = || {
        let prefix = text::printable(&String::from_utf8_lossy(key));
        format!("{prefix:?}: {number} is more than this format can hold: take jsonl or csv")
    };
    i64::try_from(number).map_err(|_| unfit(text()))
}

/// What the format can't hold.
fn unfit(text: String) -> Exporting {
    Exporting::Failed(Failure::Other(text))
}
