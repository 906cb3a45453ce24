use std::fmt::Write as _;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::{Column, Row};

/// Rows of a row group: few, so that small tables have several.
const GROUP: usize = 100;

/// Rows as a Parquet data file.
pub fn parquet(rows: &[Row], columns: &[Column]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&schema(columns)).unwrap());
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_data_page_row_count_limit(40)
        .set_write_batch_size(16);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build())).unwrap();
    for rows in rows.chunks(GROUP) {
        let mut group = file.next_row_group().unwrap();
        for column in columns {
            write_column(&mut group, rows, *column);
        }
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

fn schema(columns: &[Column]) -> String {
    let mut schema = "message s3.inventory {".to_owned();
    for column in columns {
        let (start, end) = match column {
            Column::Bucket | Column::Key => ("required binary", "(UTF8)"),
            Column::IsLatest | Column::IsDeleteMarker => ("optional boolean", ""),
            Column::Size => ("optional int64", ""),
            Column::LastModifiedDate => ("optional int64", "(TIMESTAMP_MILLIS)"),
            _ => ("optional binary", "(UTF8)"),
        };
        // Writing to a string can't fail.
        let _ = write!(schema, "{start} {} {end};", column.file_name());
    }
    schema + "}"
}

type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

fn write_column(group: &mut Group<'_>, rows: &[Row], column: Column) {
    let text = |text: &str| (!text.is_empty()).then(|| ByteArray::from(text));
    let told = |row: &Row| !row.lacks(column);
    match column {
        Column::Bucket => write::<ByteArrayType>(group, false, rows, |_| text("my-bucket")),
        Column::Key => write::<ByteArrayType>(group, false, rows, |row| Some(row.key.clone().into())),
        Column::VersionId => write::<ByteArrayType>(group, true, rows, |_| None),
        Column::IsLatest => write::<BoolType>(group, true, rows, |row| told(row).then_some(row.latest)),
        Column::IsDeleteMarker => write::<BoolType>(group, true, rows, |row| told(row).then_some(row.marker)),
        Column::Size => {
            write::<Int64Type>(group, true, rows, |row| told(row).then_some(row.size.cast_signed()));
        }
        Column::LastModifiedDate => {
            write::<Int64Type>(group, true, rows, |row| told(row).then_some(row.modified.cast_signed()));
        }
        Column::ETag | Column::StorageClass | Column::Tier | Column::New => {
            write::<ByteArrayType>(group, true, rows, |row| {
                told(row).then(|| text(cell(row, column))).flatten()
            });
        }
    }
}

fn cell(row: &Row, column: Column) -> &str {
    match column {
        Column::StorageClass => row.class,
        Column::Tier => row.tier,
        _ => "anything",
    }
}

/// Writes the next column; its nulls are `None`.
fn write<T: DataType>(
    group: &mut Group<'_>,
    optional: bool,
    rows: &[Row],
    cell: impl Fn(&Row) -> Option<T::T>,
) {
    let cells: Vec<Option<T::T>> = rows.iter().map(cell).collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    let mut writer = group.next_column().unwrap().unwrap();
    writer.typed::<T>().write_batch(&values, optional.then_some(&levels[..]), None).unwrap();
    writer.close().unwrap();
}
