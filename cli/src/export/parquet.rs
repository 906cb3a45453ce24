//! Parquet, by its writer without Arrow: rows are gathered to a row group, which is written column by column.
//!
//! Rows come by parent and name, so a row group has few parents, and the least and the largest prefix that are
//! told of each row group let readers leave out most of them. No column is sorted over all of the file, and
//! the metadata don't say that one is.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use s3inv::ReadAt;

use super::columns::{Columns, PREFIX, PREFIX_B64};
use super::{Exporting, Rows, Sink, signed};
use crate::row::Key;
use crate::text;

/// Rows of a row group: as many as `DuckDB` makes it, which gives each to one thread.
const GROUP_ROWS: usize = 122_880;
/// The most bytes that the rows of a row group take in memory: where there are many classes, it has fewer.
const GROUP_BYTES: usize = 32 << 20;
/// What a prefix takes in memory beside its bytes and those of its numbers, allocation included.
const PREFIX_BYTES: usize = size_of::<ByteArray>() + 16 + size_of::<i16>();

pub(super) fn write<R: ReadAt>(rows: &mut Rows<'_, R>, out: Sink<'_>) -> Result<u64, Exporting> {
    let columns = Columns::new(&rows.info().schema);
    let names = columns.names();
    let schema = parse_message_type(&schema(&names))?;
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties(rows)?))?;
    let (mut count, mut numbers, mut group) = (0, Vec::new(), Group::new(names.len()));
    while rows.advance()? {
        columns.numbers(rows.key(), &rows.stats(), &mut numbers);
        group.push(rows.key(), &numbers)?;
        count += 1;
        if group.is_full() {
            group.write(&mut file)?;
        }
    }
    group.write(&mut file)?;
    file.close()?;
    Ok(count)
}

fn schema(numbers: &[String]) -> String {
    let mut schema = format!("message prefixes {{ optional binary {PREFIX} (STRING);");
    for name in numbers {
        // Writing to a string can't fail.
        let _ = write!(schema, " required int64 {name};");
    }
    schema + &format!(" optional binary {PREFIX_B64} (STRING); }}")
}

fn properties<R: ReadAt>(rows: &Rows<'_, R>) -> Result<WriterProperties, ParquetError> {
    let mut metadata = Vec::new();
    let mut tell = |name: &str, value: String| metadata.push(KeyValue::new(format!("s3inv.{name}"), value));
    if let Some(origin) = &rows.info().origin {
        tell("bucket", origin.source_bucket.clone());
        tell("snapshot", text::moment(origin.snapshot_ms));
    }
    tell("prefix", String::from_utf8_lossy(rows.scope().text()).into_owned());
    Ok(WriterProperties::builder()
        .set_created_by(concat!("s3inv-index version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(metadata))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        // No two prefixes are equal.
        .set_column_dictionary_enabled(ColumnPath::from(PREFIX), false)
        // Prefixes may have more in common than the 64 bytes that are usually told.
        .set_statistics_truncate_length(None)
        .build())
}

/// The rows of a row group, by column.
struct Group {
    texts: Vec<ByteArray>,
    /// 1 for each row whose prefix is in `texts`.
    is_text: Vec<i16>,
    numbers: Vec<Vec<i64>>,
    /// Prefixes that are not UTF-8.
    b64: Vec<ByteArray>,
    bytes: usize,
}

impl Group {
    fn new(numbers: usize) -> Self {
        let numbers = vec![Vec::new(); numbers];
        Self { texts: Vec::new(), is_text: Vec::new(), numbers, b64: Vec::new(), bytes: 0 }
    }

    fn push(&mut self, key: &[u8], numbers: &[u64]) -> Result<(), Exporting> {
        let Key { prefix, prefix_b64 } = Key::new(key);
        self.is_text.push(i16::from(prefix.is_some()));
        self.texts.extend(prefix.map(ByteArray::from));
        // One and a third times as long as the prefix.
        self.bytes += PREFIX_BYTES + 2 * key.len() + size_of_val(numbers);
        self.b64.extend(prefix_b64.as_deref().map(ByteArray::from));
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(signed(*number, key)?);
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.is_text.len() == GROUP_ROWS || self.bytes >= GROUP_BYTES
    }

    /// Writes the row group, and is empty afterwards. One without rows is none.
    fn write(&mut self, file: &mut SerializedFileWriter<Sink<'_>>) -> Result<(), ParquetError> {
        if self.is_text.is_empty() {
            return Ok(());
        }
        let mut group = file.next_row_group()?;
        column::<ByteArrayType>(&mut group, &mut self.texts, Some(&self.is_text))?;
        for numbers in &mut self.numbers {
            column::<Int64Type>(&mut group, numbers, None)?;
        }
        self.is_text.iter_mut().for_each(|level| *level = 1 - *level);
        column::<ByteArrayType>(&mut group, &mut self.b64, Some(&self.is_text))?;
        group.close()?;
        self.is_text.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Writes the next column, and empties it. Which rows have a value is said of those that may have none.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Sink<'_>>,
    values: &mut Vec<T::T>,
    present: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("a column is missing".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, present, None)?;
    values.clear();
    column.close()
}

impl From<ParquetError> for Exporting {
    fn from(error: ParquetError) -> Self {
        Self::Output(match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => *error,
                Err(error) => io::Error::other(error),
            },
            error => io::Error::other(error),
        })
    }
}
