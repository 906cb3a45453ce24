use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::Row;

/// Rows of a row group: few, so that small tables have several.
const GROUP: usize = 100;

/// Rows as a Parquet data file, with the columns of all versions or without.
pub fn parquet(rows: &[Row], versions: bool) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&schema(versions)).unwrap());
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_data_page_row_count_limit(40)
        .set_write_batch_size(16);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build())).unwrap();
    for rows in rows.chunks(GROUP) {
        let mut group = file.next_row_group().unwrap();
        write_group(&mut group, rows, versions);
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

fn schema(versions: bool) -> String {
    let flags = "optional boolean is_latest; optional boolean is_delete_marker;";
    format!(
        "message s3.inventory {{
            required binary bucket (UTF8);
            required binary key (UTF8);
            {}
            optional int64 size;
            optional int64 last_modified_date (TIMESTAMP_MILLIS);
            optional binary storage_class (UTF8);
            optional binary intelligent_tiering_access_tier (UTF8);
        }}",
        if versions { flags } else { "" }
    )
}

type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

fn write_group(group: &mut Group<'_>, rows: &[Row], versions: bool) {
    let unless_marker = |row: &Row, text: &str| (!row.marker && !text.is_empty()).then(|| text.into());
    column::<ByteArrayType>(group, false, rows, |_| Some("my-bucket".into()));
    column::<ByteArrayType>(group, false, rows, |row| Some(ByteArray::from(row.key.clone())));
    if versions {
        column::<BoolType>(group, true, rows, |row| Some(row.latest));
        column::<BoolType>(group, true, rows, |row| Some(row.marker));
    }
    column::<Int64Type>(group, true, rows, |row| (!row.marker).then_some(row.size.cast_signed()));
    column::<Int64Type>(group, true, rows, |_| Some(1_715_035_068_000));
    column::<ByteArrayType>(group, true, rows, |row| unless_marker(row, row.class));
    column::<ByteArrayType>(group, true, rows, |row| unless_marker(row, row.tier));
}

/// Writes the next column; its nulls are `None`.
fn column<T: DataType>(
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
