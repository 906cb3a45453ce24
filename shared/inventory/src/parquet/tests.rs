use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};

use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type, Int96, Int96Type,
};
use ::parquet::file::properties::{WriterProperties, WriterVersion};
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use bytes::Bytes;
use proptest::prelude::*;
use s3inv_model::Measure;

use super::*;
use crate::batch::Batch;
use crate::fields::Field;
use crate::reading::{OnBadRow, Reading};
use crate::testing::{
    self, Damage, Seen, TestRow, all, check, check_after, collect, collect_after, failure, mutate, of,
};

/// Pages lie in several windows.
const LIMITS: Limits = Limits { window: 1000, page: 1 << 20, dictionary: 1 << 20 };

fn read(file: Vec<u8>, reading: &Reading) -> Seen {
    collect(reading, |rows| super::read(Bytes::from(file), LIMITS, rows))
}

/// The error of a file that is read for all that it has.
fn error(file: Vec<u8>) -> String {
    let file = Bytes::from(file);
    let fields = match fields(&file) {
        Ok(fields) => fields,
        Err(error) => return error.to_string(),
    };
    read(file.to_vec(), &of(fields, OnBadRow::Fail)).error.unwrap()
}

/// The ways to write a date.
const DATES: [&str; 6] = [
    "int64 last_modified_date (TIMESTAMP(MILLIS,true))",
    "int64 last_modified_date (TIMESTAMP_MILLIS)",
    "int64 last_modified_date (TIMESTAMP(MICROS,false))",
    "int64 last_modified_date (TIMESTAMP_MICROS)",
    "int64 last_modified_date (TIMESTAMP(NANOS,true))",
    "int96 last_modified_date",
];

/// How a test writes its rows.
#[derive(Clone, Debug)]
struct Style {
    /// Rows of a row group.
    group: usize,
    dictionary: bool,
    snappy: bool,
    /// Its place in [`DATES`].
    date: usize,
}

const PLAIN: Style = Style { group: 1000, dictionary: true, snappy: true, date: 0 };

fn style() -> impl Strategy<Value = Style> {
    (1..150_usize, any::<bool>(), any::<bool>(), 0..DATES.len())
        .prop_map(|(group, dictionary, snappy, date)| Style { group, dictionary, snappy, date })
}

impl Style {
    fn schema(&self, fields: Fields) -> String {
        let columns = fields.iter().map(|field| match field {
            Field::Size => "optional int64 size;".to_owned(),
            Field::IsLatest | Field::IsDeleteMarker => format!("optional boolean {};", field.column()),
            Field::LastModifiedDate => format!("optional {};", DATES[self.date]),
            _ => format!("optional binary {} (STRING);", field.column()),
        });
        let columns: String = columns.collect();
        format!(
            "message s3.inventory {{ required binary bucket (UTF8); required binary key (UTF8); {columns} }}"
        )
    }

    fn properties(&self) -> WriterProperties {
        let compression = if self.snappy { Compression::SNAPPY } else { Compression::UNCOMPRESSED };
        WriterProperties::builder()
            .set_dictionary_enabled(self.dictionary)
            .set_compression(compression)
            .set_write_batch_size(16)
            .set_data_page_row_count_limit(40)
            .build()
    }
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

fn key(row: &TestRow) -> Option<ByteArray> {
    match row.damage {
        Some(Damage::NoKey) => text(b""),
        Some(Damage::LongKey) => text(&[b'k'; 5000]),
        _ => text(&row.key),
    }
}

fn size(row: &TestRow) -> Option<i64> {
    match row.damage {
        Some(Damage::Size) => Some(-7),
        Some(Damage::NoSize) => None,
        _ => (!row.marker).then_some(row.size.cast_signed()),
    }
}

fn class(row: &TestRow) -> Option<ByteArray> {
    match row.damage {
        Some(Damage::Class) => text(b"GLA CIER"),
        Some(Damage::NoClass) => None,
        _ if row.marker => None,
        _ => text(row.class.as_bytes()),
    }
}

fn tier(row: &TestRow) -> Option<ByteArray> {
    if row.tier.is_empty() { None } else { text(row.tier.as_bytes()) }
}

fn latest(row: &TestRow) -> Option<bool> {
    if row.damage == Some(Damage::Flag) { None } else { Some(row.latest) }
}

fn modified(row: &TestRow) -> Option<i64> {
    match row.damage {
        Some(Damage::Date) => Some(-1),
        Some(Damage::NoDate) => None,
        _ => (!row.marker).then_some(row.modified.cast_signed()),
    }
}

fn int96(ms: i64) -> Int96 {
    let (days, nanos) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000) * 1_000_000);
    let mut date = Int96::new();
    date.set_data(nanos as u32, (nanos >> 32) as u32, (days + 2_440_588) as u32);
    date
}

/// Writes rows with these fields.
fn write(rows: &[TestRow], fields: Fields, style: &Style) -> Vec<u8> {
    write_with(rows, fields, style, style.properties())
}

fn write_with(rows: &[TestRow], fields: Fields, style: &Style, properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&style.schema(fields)).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for rows in rows.chunks(style.group) {
        let mut group = file.next_row_group().unwrap();
        let texts = |of: fn(&TestRow) -> Option<ByteArray>| rows.iter().map(of).collect::<Vec<_>>();
        column::<ByteArrayType>(&mut group, false, texts(|_| text(b"b")));
        column::<ByteArrayType>(&mut group, false, texts(key));
        for field in fields.iter() {
            match field {
                Field::Size => column::<Int64Type>(&mut group, true, rows.iter().map(size).collect()),
                Field::StorageClass => column::<ByteArrayType>(&mut group, true, texts(class)),
                Field::IntelligentTieringAccessTier => column::<ByteArrayType>(&mut group, true, texts(tier)),
                Field::IsLatest => column::<BoolType>(&mut group, true, rows.iter().map(latest).collect()),
                Field::IsDeleteMarker => {
                    column::<BoolType>(&mut group, true, rows.iter().map(|row| Some(row.marker)).collect());
                }
                Field::LastModifiedDate => dates(&mut group, rows.iter().map(modified), style.date),
            }
        }
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

fn dates(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    dates: impl Iterator<Item = Option<i64>>,
    style: usize,
) {
    // Whatever is finer than a millisecond is cut off.
    let scaled = |units: i64| move |ms: Option<i64>| ms.map(|ms| ms * units + units - 1);
    match style {
        0 | 1 => column::<Int64Type>(group, true, dates.collect()),
        2 | 3 => column::<Int64Type>(group, true, dates.map(scaled(1000)).collect()),
        4 => column::<Int64Type>(group, true, dates.map(scaled(1_000_000)).collect()),
        _ => column::<Int96Type>(group, true, dates.map(|date| date.map(int96)).collect()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Rows that were damaged on purpose are named or counted; all others come out as they were written.
    #[test]
    fn rows_come_out_as_they_were_written(
        rows in testing::rows(200, Damage::COMMON), style in style(), reading in testing::reading(),
    ) {
        let rows: Vec<TestRow> = rows.iter().map(|row| row.told(reading.fields)).collect();
        let file = write(&rows, reading.fields, &style);
        prop_assert_eq!(fields(&Bytes::from(file.clone())).unwrap(), reading.fields);
        check(&read(file, &reading), &rows, &reading)?;
    }

    #[test]
    fn rows_that_are_known_are_passed_over(
        rows in testing::rows(200, Damage::COMMON), style in style(), reading in testing::reading(),
        known in 0..201_usize,
    ) {
        let rows: Vec<TestRow> = rows.iter().map(|row| row.told(reading.fields)).collect();
        let file = Bytes::from(write(&rows, reading.fields, &style));
        let seen = collect_after(known, &reading, |rows| super::read(file, LIMITS, rows));
        check_after(known, &seen, &rows, &reading)?;
    }

    #[test]
    fn no_mutation_panics(
        rows in testing::rows(30, Damage::COMMON), style in style(), reading in testing::reading(),
        at in any::<usize>(), to in any::<u8>(), cut in any::<bool>(), known in 0..40_usize,
    ) {
        let file = write(&rows, reading.fields, &Style { group: 20, snappy: false, ..style });
        let file = mutate(&file, at, to, cut);
        let _ = fields(&Bytes::from(file.clone()));
        let seen = collect_after(known, &reading, |rows| super::read(Bytes::from(file.clone()), LIMITS, rows));
        for error in [seen.error, read(file, &reading).error] {
            prop_assert!(error.is_none_or(|error| !error.contains('\n')));
        }
    }
}

fn named(count: usize) -> Vec<TestRow> {
    (0..count).map(|nth| TestRow::plain(&format!("k{nth}"))).collect()
}

/// Every byte in turn: footer, page headers, levels and values. Checksums are off, or they would
/// catch most of it before the decoders see it.
#[test]
fn no_byte_can_make_it_panic() {
    let rows: Vec<TestRow> = (0..40).map(|nth| TestRow::plain(&format!("a/{}%+", nth / 3))).collect();
    let reading = all(OnBadRow::Skip);
    let file = write(&rows, reading.fields, &Style { group: 25, ..PLAIN });
    for at in 0..file.len() {
        for to in [0, 0x7f, 0xff, file[at] ^ 1, file[at].wrapping_add(0x10)] {
            read(mutate(&file, at, to, false), &reading);
        }
        assert!(read(mutate(&file, at, 0, true), &reading).error.is_some(), "cut at {at}");
    }
}

#[test]
fn full_batches() {
    let (rows, reading) = (named(5000), all(OnBadRow::Fail));
    for (group, batches) in
        [(5000, vec![1024, 1024, 1024, 1024, 904]), (1500, vec![1024, 476, 1024, 476, 1024, 476, 500])]
    {
        let style = Style { group, ..PLAIN };
        let seen = read(write_with(&rows, reading.fields, &style, WriterProperties::default()), &reading);
        check(&seen, &rows, &reading).unwrap();
        assert_eq!(seen.batches, batches);
    }
    let mut asked = 0;
    let mut sink = |_: &Batch<'_>| {
        asked += 1;
        Err("enough")
    };
    let file = Bytes::from(write(&rows, reading.fields, &Style { group: 5000, ..PLAIN }));
    let error = failure(&mut sink, |rows| super::read(file, LIMITS, rows));
    assert!(matches!(error, ReadError::Sink("enough")), "{error:?}");
    assert_eq!(asked, 1);
}

#[test]
fn zstd_and_second_version_pages_are_read() {
    let (rows, reading) = (named(300), all(OnBadRow::Fail));
    let builder = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    let properties =
        builder.set_writer_version(WriterVersion::PARQUET_2_0).set_encoding(Encoding::PLAIN).build();
    let style = Style { group: 100, ..PLAIN };
    check(&read(write_with(&rows, reading.fields, &style, properties), &reading), &rows, &reading).unwrap();
    let delta =
        WriterProperties::builder().set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BYTE_ARRAY);
    let file = write_with(&rows, Fields::default(), &style, delta.build());
    assert_eq!(error(file), "column key: the encoding DELTA_BYTE_ARRAY isn't understood");
}

/// The error of a file of keys that is read within these limits.
fn limited(file: &[u8], limits: Limits) -> Option<String> {
    let file = Bytes::copy_from_slice(file);
    collect(&of(Fields::default(), OnBadRow::Fail), |rows| super::read(file, limits, rows)).error
}

#[test]
fn what_does_not_fit_the_memory_is_refused() {
    let rows: Vec<_> =
        (0..1000).map(|nth| TestRow::plain(&format!("a/key/of/some/length/{nth:08}"))).collect();
    for dictionary in [true, false] {
        let builder = WriterProperties::builder().set_dictionary_enabled(dictionary);
        let properties = builder.set_compression(Compression::SNAPPY).build();
        let file = write_with(&rows, Fields::default(), &PLAIN, properties);
        // Each key with its length: as a page, and as one of a dictionary with 32 bytes more.
        let (page, texts) = (1000 * 33, 1000 * (33 + 32));
        let limits = Limits { page, dictionary: texts, ..LIMITS };
        assert_eq!(limited(&file, limits), None);
        let error = limited(&file, Limits { page: page - 1, ..limits }).unwrap();
        assert_eq!(error, format!("a page of {page} bytes doesn't fit the memory budget"));
        let error = limited(&file, Limits { dictionary: texts - 1, ..limits });
        let cause = format!("a dictionary of more than {} bytes doesn't fit the memory budget", texts - 1);
        assert_eq!(error, dictionary.then(|| format!("column key: {cause}")));
    }
}

/// Changes the one place where these bytes are.
fn replaced(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<_> = (0..file.len()).filter(|&at| file[at..].starts_with(from)).collect();
    let [at] = places[..] else { panic!("{places:?}") };
    [&file[..at], to, &file[at + from.len()..]].concat()
}

#[test]
fn compressions_that_are_not_understood_are_named() {
    let file = write(&named(3), Fields::default(), &Style { snappy: false, ..PLAIN });
    // The column's path, and its compression.
    let with = |number: u8| {
        replaced(&file, b"\x19\x18\x03key\x15\0", &[b"\x19\x18\x03key\x15", &[number * 2][..]].concat())
    };
    assert_eq!(limited(&with(0), LIMITS), None);
    for (number, name) in [(2, "gzip"), (3, "lzo"), (4, "brotli"), (5, "lz4"), (7, "lz4_raw")] {
        let error = limited(&with(number), LIMITS).unwrap();
        assert_eq!(error, format!("column key: {name} compression isn't understood"));
    }
}

#[test]
fn columns_that_are_encrypted_are_told() {
    let file = write(&named(3), Fields::default(), &PLAIN);
    let (start, _) = file.split_at(file.len() - 8);
    let len = u32::from_le_bytes(file[file.len() - 8..][..4].try_into().unwrap());
    // A field far behind the others': 8 is 1 behind the column orders.
    let mut encrypted = start.to_vec();
    assert_eq!(encrypted.pop(), Some(0));
    encrypted.extend([0x1c, 0, 0]);
    let encrypted = [&encrypted[..], &(len + 2).to_le_bytes(), b"PAR1"].concat();
    assert_eq!(error(encrypted), "an encrypted parquet file isn't understood");
}

/// A day's last nanosecond, and times that no day has.
#[test]
fn int96_nanoseconds_are_those_of_a_day() {
    let schema = "message m { required binary key; required int96 last_modified_date; }";
    for (nanos, error) in [
        (86_399_999_999_999_u64, None),
        (86_400_000_000_000, Some("row 1: date 9223372036854775807 isn't before 9999-12-30T22:00:00Z")),
        (u64::MAX, Some("row 1: date 9223372036854775807 isn't before 9999-12-30T22:00:00Z")),
    ] {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
        let mut group = file.next_row_group().unwrap();
        column::<ByteArrayType>(&mut group, false, vec![text(b"k")]);
        let mut date = Int96::new();
        date.set_data(nanos as u32, (nanos >> 32) as u32, 2_440_589);
        column::<Int96Type>(&mut group, false, vec![Some(date)]);
        group.close().unwrap();
        let reading = of([Field::LastModifiedDate].into_iter().collect(), OnBadRow::Fail);
        assert_eq!(read(file.into_inner().unwrap(), &reading).error.as_deref(), error);
    }
}

fn bad(damage: Damage) -> String {
    let mut rows = named(2);
    rows[1].damage = Some(damage);
    error(write(&rows, Field::ALL.into_iter().collect(), &PLAIN))
}

#[test]
fn errors_name_the_row_and_the_cause() {
    assert_eq!(bad(Damage::NoSize), "row 2: Size is missing");
    assert_eq!(bad(Damage::Size), "row 2: size -7 is negative");
    assert_eq!(bad(Damage::NoClass), "row 2: StorageClass is missing");
    assert_eq!(
        bad(Damage::Class),
        "row 2: storage class \"GLA CIER\" is not 1 to 64 letters, digits, `_` or `-`"
    );
    assert_eq!(bad(Damage::NoDate), "row 2: LastModifiedDate is missing");
    assert_eq!(bad(Damage::Date), "row 2: date -1 is negative");
    assert_eq!(bad(Damage::Flag), "row 2: IsLatest is missing");
    assert_eq!(bad(Damage::NoKey), "row 2: a key of 0 bytes: 1 to 1024 are possible");
    assert_eq!(bad(Damage::LongKey), "row 2: a key of 5000 bytes: 1 to 1024 are possible");
}

/// A file of these columns without rows.
fn empty(columns: &str) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message m {{ {columns} }}")).unwrap());
    SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap().into_inner().unwrap()
}

#[test]
fn columns_are_checked() {
    let expect = |columns: &str, message: &str| assert_eq!(error(empty(columns)), message);
    expect("required binary bucket;", "column key: is missing: is it a file of an inventory?");
    expect("required int64 key;", "column key: is INT64, expected BYTE_ARRAY");
    expect("required binary key; required double size;", "column size: is DOUBLE, expected INT64 or INT32");
    expect("repeated binary key;", "column key: is repeated: one value a row was expected");
    expect("required binary key; required binary Key;", "column key: is there twice");
    expect(
        "required group g { required binary key; }",
        "column key: is missing: is it a file of an inventory?",
    );
    expect(
        "required binary key; required binary is_latest;",
        "column is_latest: is BYTE_ARRAY, expected BOOLEAN",
    );
    expect(
        "required binary key; required int32 last_modified_date (DATE);",
        "column last_modified_date: is INT32, expected INT64 or INT96",
    );
    for other in ["", "(TIME(MICROS,true))", "(INTEGER(64,true))"] {
        expect(
            &format!("required binary key; required int64 last_modified_date {other};"),
            "column last_modified_date: is INT64, but not a timestamp of milli-, micro- or nanoseconds",
        );
    }
}

#[test]
fn only_what_is_needed_has_to_be_readable() {
    let reading = Reading {
        binning: s3inv_model::Binning::new(&s3inv_model::Measures::default(), 0),
        fields: [Field::Size, Field::LastModifiedDate].into_iter().collect(),
        on_bad_row: OnBadRow::Fail,
    };
    let file = empty("required binary key; required double size; required int64 last_modified_date;");
    assert_eq!(read(file, &reading).error, None);
}

#[test]
fn all_files_have_the_fields_of_the_first() {
    let error =
        |columns: &str| read(empty(columns), &of([Field::Size].into_iter().collect(), OnBadRow::Skip)).error;
    assert_eq!(error("required binary KEY; required int64 Size;"), None);
    assert_eq!(
        error("required binary key;").unwrap(),
        "column size: is missing, but the inventory's first file has it"
    );
    assert_eq!(
        error("required binary key; required int64 size; required boolean is_latest;").unwrap(),
        "column is_latest: is there, but the inventory's first file lacks it"
    );
}

#[test]
fn whole_numbers_may_be_narrow() {
    let schema = "message m { required binary key; required int32 size; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    column::<ByteArrayType>(&mut group, false, vec![text(b"k")]);
    column::<Int32Type>(&mut group, false, vec![Some(7)]);
    group.close().unwrap();
    let seen = read(file.into_inner().unwrap(), &of([Field::Size].into_iter().collect(), OnBadRow::Fail));
    assert_eq!((seen.rows[0].size, seen.error), (7, None));
}

/// A file that notes what is read of it, from where on and how much at once, and fails after so many calls.
struct Counting {
    file: Bytes,
    reads: Arc<Mutex<Vec<(u64, usize)>>>,
    good: usize,
}

impl RangeRead for Counting {
    fn len(&self) -> u64 {
        self.file.len() as u64
    }

    fn read(&self, at: u64, len: usize) -> io::Result<Bytes> {
        let mut reads = self.reads.lock().unwrap();
        if reads.len() == self.good {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "too slow"));
        }
        reads.push((at, len));
        RangeRead::read(&self.file, at, len)
    }
}

#[test]
fn a_failing_source_comes_out_unchanged() {
    let file = Bytes::from(write(&named(1), Field::ALL.into_iter().collect(), &PLAIN));
    for good in 0..4 {
        let file = Counting { file: file.clone(), reads: Arc::default(), good };
        let mut sink = |_: &Batch<'_>| Ok::<(), Infallible>(());
        let ReadError::Input(InputError::Io(error)) =
            failure(&mut sink, |rows| super::read(file, LIMITS, rows))
        else {
            panic!("{good}")
        };
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::TimedOut, "too slow"));
    }
}

/// Of the row groups before the one that is gone on in, not a byte.
#[test]
fn row_groups_that_are_known_are_not_fetched() {
    let (rows, reading) = (named(5000), all(OnBadRow::Fail));
    let style = Style { group: 1000, dictionary: false, snappy: false, date: 0 };
    let file = Bytes::from(write(&rows, reading.fields, &style));
    let start = |group: usize| {
        let footer = footer::read(&file).unwrap();
        footer.row_groups().get(group).map_or(file.len() as u64, |group| group.column(0).byte_range().0)
    };
    for (known, group) in [(0, 0), (999, 0), (1000, 1), (1001, 1), (3500, 3), (4999, 4), (5000, 5), (6000, 5)]
    {
        let reads = Arc::<Mutex<Vec<(u64, usize)>>>::default();
        let counted = Counting { file: file.clone(), reads: Arc::clone(&reads), good: usize::MAX };
        let seen = collect_after(known, &reading, |rows| super::read(counted, LIMITS, rows));
        check_after(known, &seen, &rows, &reading).unwrap();
        // The first fetch is of the file's end.
        let reads = reads.lock().unwrap();
        let first = reads[1..].iter().map(|&(at, _)| at).min();
        // Its first column, the bucket, nobody needs.
        assert!(first.is_none_or(|at| at > start(group)), "{known}: {first:?}, expected {}", start(group));
        assert_eq!(first.is_none(), group == 5, "{known}");
    }
}

/// Whoever has got all rows of a group may pass it by next time: what is wrong with it has to be told before.
#[test]
fn a_group_is_checked_before_its_last_rows_are_handed_over() {
    let (rows, reading) = (named(40), all(OnBadRow::Fail));
    let file = write(&rows, reading.fields, &PLAIN);
    // As zigzag numbers: wherever it may say that it has 40 rows, let it say 39.
    let said = (0..file.len()).filter(|&at| file[at] == 80);
    let seen: Vec<Seen> = said.map(|at| read(mutate(&file, at, 78, false), &reading)).collect();
    let more = "damaged parquet file: column key has more rows than its row group";
    let more: Vec<&Seen> = seen.iter().filter(|seen| seen.error.as_deref() == Some(more)).collect();
    assert!(!more.is_empty() && more.iter().all(|seen| seen.batches.is_empty()), "{more:?}");
}

/// The bytes of a file's columns.
fn chunk_lens(file: &Bytes) -> Vec<usize> {
    let footer = footer::read(file).unwrap();
    footer.row_group(0).columns().iter().map(|chunk| chunk.byte_range().1 as usize).collect()
}

#[test]
fn only_the_columns_that_are_needed_are_fetched() {
    const WIDE: Limits = Limits { window: 20_000, ..LIMITS };
    let key = |nth: u64| TestRow::plain(&format!("{nth}/{}", "k".repeat(nth as usize % 7)));
    let rows: Vec<TestRow> =
        (0..30_000).map(|nth| TestRow { size: nth * 7919, modified: nth * 104_729, ..key(nth) }).collect();
    let fields: Fields = [Field::Size, Field::LastModifiedDate].into_iter().collect();
    let style = Style { group: 30_000, dictionary: false, snappy: false, date: 0 };
    let builder = WriterProperties::builder().set_dictionary_enabled(false).set_data_page_size_limit(8000);
    let file = Bytes::from(write_with(&rows, fields, &style, builder.set_write_batch_size(64).build()));
    let lens = chunk_lens(&file);
    for (measures, columns) in [
        (&[][..], &[1][..]),
        (&[Measure::Bytes], &[1, 2]),
        (&[Measure::Dates], &[1, 3]),
        (&[Measure::Bytes, Measure::Age], &[1, 2, 3]),
    ] {
        let binning = s3inv_model::Binning::new(&measures.iter().copied().collect(), 0);
        let reading = Reading { binning, ..of(fields, OnBadRow::Fail) };
        let reads = Arc::<Mutex<Vec<(u64, usize)>>>::default();
        let file = Counting { file: file.clone(), reads: Arc::clone(&reads), good: usize::MAX };
        let seen = collect(&reading, |rows| super::read(file, WIDE, rows));
        assert_eq!((seen.rows.len(), seen.error), (30_000, None));
        let reads: Vec<usize> = reads.lock().unwrap().iter().map(|&(_, len)| len).collect();
        // The footer's part of the file comes first; headers are looked for in windows of their size.
        let (tail, needed) = (reads[0], columns.iter().map(|&at: &usize| lens[at]).sum::<usize>());
        assert!(tail <= 64 << 10);
        assert_eq!(reads.iter().sum::<usize>() - tail, needed, "{measures:?}");
        assert!(reads.len() <= needed / WIDE.window + columns.len() + 1, "{} reads of {needed}", reads.len());
    }
}

#[test]
fn what_is_no_parquet_file_is_an_error() {
    for file in [&b""[..], b"PAR1", b"PAR1PAR1", b"\"b\",\"k\",\"1\",\"STANDARD\"\n", &[0; 100]] {
        let error = error(file.to_vec());
        assert!(error.starts_with("damaged parquet file: "), "{error}");
    }
}

/// Footers of all lengths: fetched with the file's end, or by themselves.
#[test]
fn a_footer_is_fetched_as_far_as_it_goes() {
    let (rows, reading) = (named(3000), all(OnBadRow::Fail));
    let style = Style { group: 1, ..PLAIN };
    for count in [1, 50, 100, 3000] {
        let rows = &rows[..count];
        check(&read(write(rows, reading.fields, &style), &reading), rows, &reading).unwrap();
    }
}

#[test]
fn footers_are_checked_before_they_are_read() {
    let with_len = |len: u32| error([&[0; 100][..], &len.to_le_bytes(), b"PAR1"].concat());
    assert_eq!(with_len(101), "damaged parquet file: a footer of 101 bytes in 108");
    assert_eq!(
        with_len(u32::MAX),
        "damaged parquet file: a footer of 4294967295 bytes: at most 33554432 are read"
    );
    assert_eq!(with_len(3), "damaged parquet file: Required field version is missing");
    assert_eq!(
        error(b"\x15\x02\x19\xfc\xff\xff\x03\x07\0\0\0PAR1".to_vec()),
        "damaged parquet file: its footer has too many columns"
    );
    assert_eq!(error(b"\0\x01\0\0\0PARE".to_vec()), "an encrypted parquet file isn't understood");
    assert_eq!(error(b"\0\x01\0\0\0PAR2".to_vec()), "damaged parquet file: it doesn't end as one");
}
