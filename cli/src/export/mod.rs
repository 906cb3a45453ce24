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
        ExportFormat::Ncdu => ncdu::json(rows, out),
        ExportFormat::NcduBinary => ncdu::binary(rows, out),
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

#[cfg(test)]
mod testing {
    use s3inv::{Cell, Dates, Index, Measure, Reader, Schema};
    use s3inv_index_format::{FileKind, Form, Writer};
    use s3inv_model::{Bin, Classes, RowCounts, SizeBin};

    /// An index of prefixes with their objects and bytes, whether they add up or not.
    pub(super) fn index<'a>(rows: impl IntoIterator<Item = (&'a str, u64, u64)>) -> Index<Vec<u8>> {
        let measures = [Measure::Bytes].into_iter().collect();
        let schema = Schema { measures, classes: Classes::untold() };
        let form = Form { kind: FileKind::Index, ..Form::segment(false) };
        let mut writer = Writer::new(Vec::new(), form, &schema).unwrap();
        let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Untold, age: None }.id();
        for (key, objects, bytes) in rows {
            writer.push(key.as_bytes(), &[Cell { bin, objects, bytes }], Dates::NONE).unwrap();
        }
        let bytes = writer.finish(RowCounts::default()).unwrap().0;
        Index::new("test".to_owned(), Reader::open(bytes).unwrap())
    }
}

#[cfg(test)]
mod tests {
    use s3inv::Scope;
    use s3inv_cancel::Cancellation;

    use super::*;

    fn written(format: ExportFormat, rows: &[(&str, u64, u64)]) -> Result<String, String> {
        let index = testing::index(rows.iter().copied());
        let mut rows = Rows::new(&index, Scope::new(""), None, &Cancellation::never()).unwrap().unwrap();
        let mut out = Vec::new();
        write(format, &mut rows, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn what_a_format_has_no_number_for_is_an_error() {
        let rows = [("", 1, u64::MAX), ("a/", 1, u64::MAX)];
        let told = "18446744073709551615 is more than this format can hold: take jsonl or csv";
        assert_eq!(written(ExportFormat::Parquet, &rows), Err(format!("\"\": {told}")));
        assert_eq!(written(ExportFormat::Ncdu, &rows), Err(format!("\"a/\": {told}")));
        let binary = written(ExportFormat::NcduBinary, &rows).unwrap();
        assert!(binary.starts_with("\u{fffd}ncduEX1"), "{binary}");
        assert!(written(ExportFormat::Csv, &rows).unwrap().contains("\na/,1,1,18446744073709551615,\n"));
    }

    #[test]
    fn sums_that_do_not_add_up_are_not_shown() {
        let told = "\"a/\" has less than its children: see what `verify` says of this index";
        let rows = [("", 2, 2), ("a/", 1, 1), ("a/b/", 2, 2)];
        for format in [ExportFormat::Ncdu, ExportFormat::NcduBinary] {
            assert_eq!(written(format, &rows), Err(told.to_owned()));
        }
    }
}
