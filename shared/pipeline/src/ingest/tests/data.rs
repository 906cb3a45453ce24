//! Data files of every format, of the same rows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use flate2::write::GzEncoder;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Gzip,
    Parquet,
    Orc,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Csv, Self::Gzip, Self::Parquet, Self::Orc];

    /// The name that a file of it has.
    pub(super) fn name(self, nth: usize) -> String {
        let end = match self {
            Self::Csv => "csv",
            Self::Gzip => "csv.gz",
            Self::Parquet => "parquet",
            Self::Orc => "orc",
        };
        format!("data/{nth}.{end}")
    }

    /// A file of these rows; of columns, in groups of so many rows.
    pub(super) fn file(self, rows: &[Row], group: usize) -> Vec<u8> {
        match self {
            Self::Csv => csv(rows),
            Self::Gzip => {
                let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(&csv(rows)).unwrap();
                gzip.finish().unwrap()
            }
            Self::Parquet => parquet(rows, group),
            Self::Orc => orc(rows, group),
        }
    }
}

/// What [`csv`] writes.
pub(super) const SCHEMA: &str = "Bucket, Key, Size, StorageClass, IsLatest";

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) key: String,
    /// Below zero, it is none.
    pub(super) size: i64,
    pub(super) class: &'static str,
    pub(super) latest: bool,
}

fn csv(rows: &[Row]) -> Vec<u8> {
    let mut text = String::new();
    for Row { key, size, class, latest } in rows {
        writeln!(text, "\"bucket\",\"{key}\",\"{size}\",\"{class}\",\"{latest}\"").unwrap();
    }
    text.into_bytes()
}

fn parquet(rows: &[Row], group: usize) -> Vec<u8> {
    let schema = "message inventory { required binary key (UTF8); optional int64 size; \
                  optional binary storage_class (UTF8); optional boolean is_latest; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_write_batch_size(16).set_data_page_row_count_limit(200);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build())).unwrap();
    for rows in rows.chunks(group) {
        let mut group = file.next_row_group().unwrap();
        column::<ByteArrayType>(&mut group, false, rows, |row| ByteArray::from(row.key.as_str()));
        column::<Int64Type>(&mut group, true, rows, |row| row.size);
        column::<ByteArrayType>(&mut group, true, rows, |row| ByteArray::from(row.class));
        column::<BoolType>(&mut group, true, rows, |row| row.latest);
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    optional: bool,
    rows: &[Row],
    cell: impl Fn(&Row) -> T::T,
) {
    let (cells, levels): (Vec<T::T>, Vec<i16>) = rows.iter().map(|row| (cell(row), 1)).unzip();
    let mut writer = group.next_column().unwrap().unwrap();
    writer.typed::<T>().write_batch(&cells, optional.then_some(&levels[..]), None).unwrap();
    writer.close().unwrap();
}

/// An uncompressed file in the format's first, plainest encodings.
fn orc(rows: &[Row], group: usize) -> Vec<u8> {
    let (mut file, mut footer) = (b"ORC".to_vec(), Vec::new());
    for rows in rows.chunks(group) {
        let (data, stripe_footer) = stripe(rows);
        let places = [(1, file.len()), (3, data.len()), (4, stripe_footer.len()), (5, rows.len())];
        footer.extend(message(3, &places.map(|(field, value)| number(field, value as u64)).concat()));
        file.extend([data, stripe_footer].concat());
    }
    let names = ["key", "size", "storage_class", "is_latest"];
    let mut root = number(1, STRUCT);
    for (nth, name) in (1..).zip(names) {
        root.extend([number(2, nth), message(3, name.as_bytes())].concat());
    }
    footer.extend(message(4, &root));
    for kind in [STRING, LONG, STRING, BOOLEAN] {
        footer.extend(message(4, &number(1, kind)));
    }
    footer.extend(number(6, rows.len() as u64));
    let postscript = [number(1, footer.len() as u64), number(2, 0), message(8000, b"ORC")].concat();
    let end = postscript.len() as u8;
    [file, footer, postscript, vec![end]].concat()
}

const BOOLEAN: u64 = 0;
const LONG: u64 = 4;
const STRING: u64 = 7;
const STRUCT: u64 = 12;

/// The streams of a stripe, and its footer.
fn stripe(rows: &[Row]) -> (Vec<u8>, Vec<u8>) {
    let (mut data, mut footer) = (Vec::new(), Vec::new());
    let mut stream = |kind: u64, column: u64, bytes: Vec<u8>| {
        let parts = [number(1, kind), number(2, column), number(3, bytes.len() as u64)];
        footer.extend(message(1, &parts.concat()));
        data.extend(bytes);
    };
    let texts = [|row: &Row| row.key.clone(), |row: &Row| row.class.to_owned()];
    for (text, column) in texts.into_iter().zip([1, 3]) {
        let texts: Vec<String> = rows.iter().map(text).collect();
        let lengths: Vec<Vec<u8>> = texts.iter().map(|text| varint(text.len() as u64)).collect();
        stream(2, column, literals(&lengths));
        stream(1, column, texts.concat().into_bytes());
    }
    let zigzag = |size: i64| (size << 1 ^ size >> 63).cast_unsigned();
    let sizes: Vec<Vec<u8>> = rows.iter().map(|row| varint(zigzag(row.size))).collect();
    stream(1, 2, literals(&sizes));
    let bits = |rows: &[Row]| {
        let bit = |(at, row): (usize, &Row)| u8::from(row.latest) << (7 - at);
        vec![rows.iter().enumerate().map(bit).sum()]
    };
    stream(1, 4, literals(&rows.chunks(8).map(bits).collect::<Vec<_>>()));
    for _ in 0..5 {
        footer.extend(message(2, &number(1, 0)));
    }
    (data, footer)
}

/// Values as they are, up to 128 behind a byte that tells their number.
fn literals(values: &[Vec<u8>]) -> Vec<u8> {
    let run = |run: &[Vec<u8>]| [vec![(256 - run.len()) as u8], run.concat()].concat();
    values.chunks(128).flat_map(run).collect()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn message(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}
