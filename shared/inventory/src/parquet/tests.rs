use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::Length;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use super::*;
use crate::batch::Batch;
use crate::testing::{self, Read as Seen, TestRow, collect, expected, mutate};

const SCHEMA: &str = "message s3.inventory {
    required binary bucket (UTF8);
    required binary key (UTF8);
    optional boolean is_latest;
    optional boolean is_delete_marker;
    optional int64 size;
    optional binary storage_class (UTF8);
    optional binary intelligent_tiering_access_tier (UTF8);
}";

fn read(file: Vec<u8>) -> Seen {
    collect(|columns, counts, sink| {
        read_parquet(Bytes::from(file), columns, counts, &mut |batch: &Batch<'_>| sink(batch))
    })
}

fn error(file: Vec<u8>) -> String {
    read(file).error.unwrap()
}

/// Writes the next column; its nulls are `None`.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    optional: bool,
    cells: Vec<Option<T::T>>,
) {
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    let mut writer = group.next_column().unwrap().unwrap();
    writer.typed::<T>().write_batch(&values, optional.then_some(&levels[..]), None).unwrap();
    writer.close().unwrap();
}

#[expect(clippy::unnecessary_wraps, reason = "a cell may be null")]
fn text(text: &[u8]) -> Option<ByteArray> {
    Some(ByteArray::from(text.to_vec()))
}

fn properties(dictionary: bool, compression: Compression) -> WriterProperties {
    WriterProperties::builder()
        .set_dictionary_enabled(dictionary)
        .set_compression(compression)
        .set_write_batch_size(16)
        .set_data_page_row_count_limit(40)
        .build()
}

/// Writes rows in row groups of `group` rows.
fn write(rows: &[TestRow], group: usize, properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for rows in rows.chunks(group) {
        let mut group = file.next_row_group().unwrap();
        let of = |get: fn(&TestRow) -> Option<ByteArray>| rows.iter().map(get).collect::<Vec<_>>();
        column::<ByteArrayType>(&mut group, false, of(|_| text(b"b")));
        column::<ByteArrayType>(&mut group, false, of(|row| text(&row.key)));
        column::<BoolType>(&mut group, true, rows.iter().map(|row| Some(row.latest)).collect());
        column::<BoolType>(&mut group, true, rows.iter().map(|row| Some(row.marker)).collect());
        let size = |row: &TestRow| (!row.marker).then_some(row.size.cast_signed());
        column::<Int64Type>(&mut group, true, rows.iter().map(size).collect());
        column::<ByteArrayType>(
            &mut group,
            true,
            of(|row| if row.marker { None } else { text(row.class.as_bytes()) }),
        );
        column::<ByteArrayType>(
            &mut group,
            true,
            of(|row| if row.tier.is_empty() { None } else { text(row.tier.as_bytes()) }),
        );
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn rows_come_out_as_they_were_written(
        rows in testing::rows(200), group in 1..150_usize, dictionary in any::<bool>(), snappy in any::<bool>(),
    ) {
        let compression = if snappy { Compression::SNAPPY } else { Compression::UNCOMPRESSED };
        let seen = read(write(&rows, group, properties(dictionary, compression)));
        let (counted, counts) = expected(&rows);
        prop_assert_eq!(&seen.error, &None);
        prop_assert_eq!(&seen.rows, &counted);
        prop_assert_eq!(&seen.counts, &counts);
    }

    #[test]
    fn no_mutation_panics(
        rows in testing::rows(30), dictionary in any::<bool>(), at in any::<usize>(), to in any::<u8>(), cut in any::<bool>(),
    ) {
        let file = write(&rows, 20, properties(dictionary, Compression::UNCOMPRESSED));
        let seen = read(mutate(&file, at, to, cut));
        prop_assert!(seen.error.is_none_or(|error| !error.contains('\n')));
    }
}

fn plain(key: &str) -> TestRow {
    TestRow { key: key.into(), size: 5, class: "STANDARD", tier: "", latest: true, marker: false }
}

/// Every byte in turn: footer, page headers, levels and values. Checksums are off, or they would
/// catch most of it before the decoders see it.
#[test]
fn no_byte_can_make_it_panic() {
    let rows: Vec<TestRow> = (0..40).map(|nth| plain(&format!("a/{}%+", nth / 3))).collect();
    let file = write(&rows, 25, properties(true, Compression::SNAPPY));
    for at in 0..file.len() {
        for to in [0, 0x7f, 0xff, file[at] ^ 1, file[at].wrapping_add(0x10)] {
            read(mutate(&file, at, to, false));
        }
        assert!(read(mutate(&file, at, 0, true)).error.is_some(), "cut at {at}");
    }
}

#[test]
fn full_batches() {
    let rows: Vec<TestRow> = (0..5000).map(|nth| plain(&format!("k{nth}"))).collect();
    for (group, batches) in
        [(5000, vec![1024, 1024, 1024, 1024, 904]), (1500, vec![1024, 476, 1024, 476, 1024, 476, 500])]
    {
        let seen = read(write(&rows, group, WriterProperties::builder().build()));
        assert_eq!((seen.batches, seen.error), (batches, None));
        assert_eq!(seen.rows, expected(&rows).0);
    }
    let mut asked = 0;
    let file = Bytes::from(write(&rows, 5000, WriterProperties::builder().build()));
    let result =
        read_parquet(file, &mut Columns::default(), &mut RowCounts::default(), &mut |_: &Batch<'_>| {
            asked += 1;
            Err("enough")
        });
    assert!(matches!(result, Err(ReadError::Sink("enough"))), "{result:?}");
    assert_eq!(asked, 1);
}

#[test]
fn zstd_and_second_version_pages_are_read() {
    let rows: Vec<TestRow> = (0..300).map(|nth| plain(&format!("k{nth}"))).collect();
    let builder = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    let seen = read(write(
        &rows,
        100,
        builder.set_writer_version(WriterVersion::PARQUET_2_0).set_encoding(Encoding::PLAIN).build(),
    ));
    assert_eq!((seen.rows, seen.error), (expected(&rows).0, None));
    let delta =
        WriterProperties::builder().set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BYTE_ARRAY);
    let schema = "message m { required binary key; required int64 size; required binary storage_class; }";
    let file = three(
        schema,
        delta.set_column_encoding("size".into(), Encoding::PLAIN).build(),
        &["k"],
        &[Some(1)],
        &[Some("S")],
    );
    assert_eq!(
        error(file),
        "damaged parquet file: a page in the encoding DELTA_BYTE_ARRAY, which inventories don't have"
    );
}

/// Writes a file of three columns: key, size, class.
fn three(
    schema: &str,
    properties: WriterProperties,
    keys: &[&str],
    sizes: &[Option<i64>],
    classes: &[Option<&str>],
) -> Vec<u8> {
    let optional = schema.contains("optional");
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    let mut group = file.next_row_group().unwrap();
    column::<ByteArrayType>(&mut group, false, keys.iter().map(|key| text(key.as_bytes())).collect());
    column::<Int64Type>(&mut group, optional, sizes.to_vec());
    column::<ByteArrayType>(
        &mut group,
        optional,
        classes.iter().map(|class| class.and_then(|c| text(c.as_bytes()))).collect(),
    );
    group.close().unwrap();
    file.into_inner().unwrap()
}

fn bad(keys: &[&str], sizes: &[Option<i64>], classes: &[Option<&str>]) -> String {
    let schema = "message m { required binary KEY; optional int64 Size; optional binary storage_class; }";
    error(three(schema, WriterProperties::default(), keys, sizes, classes))
}

#[test]
fn errors_name_the_row_and_the_cause() {
    assert_eq!(bad(&["a", "b"], &[Some(1), None], &[Some("S"); 2]), "row 2: size is null");
    assert_eq!(bad(&["a", "b"], &[Some(1); 2], &[Some("S"), None]), "row 2: storage_class is null");
    assert_eq!(bad(&["a"], &[Some(-7)], &[Some("S")]), "row 1: size -7 is negative");
    assert_eq!(bad(&[""], &[Some(1)], &[Some("S")]), "row 1: a key of 0 bytes: 1 to 1024 are possible");
    let long = "k".repeat(5000);
    assert_eq!(bad(&[&long], &[Some(1)], &[Some("S")]), "row 1: a key of 5000 bytes: 1 to 1024 are possible");
    assert!(bad(&["a"], &[Some(1)], &[Some(&long)]).starts_with("row 1: storage class \"kkk"));
}

#[test]
fn columns_are_checked() {
    let file = |columns: &str| {
        let schema = Arc::new(parse_message_type(&format!("message m {{ {columns} }}")).unwrap());
        let file = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
        error(file.into_inner().unwrap())
    };
    let missing = "is missing: add it to the inventory configuration's optional fields";
    assert_eq!(
        file("required binary key; required binary storage_class;"),
        format!("column size: {missing}")
    );
    assert_eq!(file("required binary key; required int64 size;"), format!("column storage_class: {missing}"));
    assert_eq!(file("required int64 key;"), "column key: is INT64, expected BYTE_ARRAY");
    assert_eq!(
        file("required binary key; required double size;"),
        "column size: is DOUBLE, expected INT64 or INT32"
    );
    assert_eq!(file("repeated binary key;"), "column key: is repeated: one value a row was expected");
    assert_eq!(file("required binary key; required binary Key;"), "column key: is there twice");
    assert!(file("required group g { required binary key; }").starts_with("column key: is missing"));
}

#[test]
fn whole_numbers_may_be_narrow() {
    let schema = "message m { required binary key; required int32 size; required binary storage_class; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    column::<ByteArrayType>(&mut group, false, vec![text(b"k")]);
    column::<parquet::data_type::Int32Type>(&mut group, false, vec![Some(7)]);
    column::<ByteArrayType>(&mut group, false, vec![text(b"NEW")]);
    group.close().unwrap();
    let seen = read(file.into_inner().unwrap());
    assert_eq!((seen.rows, seen.error), (vec![(b"k".to_vec(), "NEW".to_owned(), 7)], None));
}

/// A source of which everything can be read but what comes after `good` calls.
struct Failing(Bytes, std::sync::atomic::AtomicUsize);

impl Length for Failing {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl ChunkReader for Failing {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let left = self.1.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "too slow").into());
        }
        self.0.get_bytes(start, length)
    }
}

#[test]
fn a_failing_source_comes_out_unchanged() {
    let file = Bytes::from(write(&[plain("k")], 10, WriterProperties::default()));
    for good in 0..4 {
        let result = read_parquet(
            Failing(file.clone(), good.into()),
            &mut Columns::default(),
            &mut RowCounts::default(),
            &mut |_: &Batch<'_>| Ok::<(), std::convert::Infallible>(()),
        );
        let Err(ReadError::Input(crate::InputError::Io(error))) = result else {
            panic!("{good}: {result:?}")
        };
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::TimedOut, "too slow"));
    }
}

#[test]
fn what_is_no_parquet_file_is_an_error() {
    for file in [&b""[..], b"PAR1", b"PAR1PAR1", b"\"b\",\"k\",\"1\",\"STANDARD\"\n", &[0; 100]] {
        let error = error(file.to_vec());
        assert!(error.starts_with("damaged parquet file: "), "{error}");
    }
}
