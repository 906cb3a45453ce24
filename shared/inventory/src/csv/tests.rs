use std::convert::Infallible;
use std::fmt::Write as _;

use jiff::Timestamp;
use proptest::prelude::*;

use super::careful::{CarefulRow, Parsed};
use super::*;
use crate::batch::Batch;
use crate::fields::{Field, Fields};
use crate::reading::{OnBadRow, Reading};
use crate::testing::{
    self, Damage, Seen, TestRow, all, check, check_after, collect, collect_after, failure, mutate, of,
};

/// All columns, and some that don't matter.
const SCHEMA: &str = "Bucket, Key, Size, StorageClass, IntelligentTieringAccessTier, IsLatest, isdeletemarker, \
                      LastModifiedDate, ETag";

fn layout() -> CsvLayout {
    CsvLayout::parse(SCHEMA).unwrap()
}

fn whole(raw: &[u8], layout: &CsvLayout, reading: &Reading) -> Seen {
    collect(reading, |rows| read_slice(raw, layout, rows))
}

/// Gives at most so many bytes at once.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.1.min(buffer.len());
        self.0.read(&mut buffer[..len])
    }
}

fn streamed(raw: &[u8], layout: &CsvLayout, reading: &Reading, buffer: usize, drip: usize) -> Seen {
    collect(reading, |rows| read(Drip(raw, drip), buffer, layout, rows))
}

/// What comes of a file with such a schema, at once and streamed.
fn seen(schema: &str, raw: &[u8], on_bad_row: OnBadRow) -> Seen {
    let layout = CsvLayout::parse(schema).unwrap();
    let reading = of(layout.fields(), on_bad_row);
    let seen = whole(raw, &layout, &reading);
    assert_eq!(seen, streamed(raw, &layout, &reading, 0, 1009));
    seen
}

/// The error of a file with the schema `Key, Size, StorageClass`.
fn error(raw: &[u8]) -> String {
    seen("Key, Size, StorageClass", raw, OnBadRow::Fail).error.unwrap()
}

/// How a test writes its rows.
#[derive(Clone, Debug)]
struct Style {
    /// By how many places the columns are moved around.
    rotate: usize,
    /// For each field in turn, whether it goes without quotes where it can.
    bare: Vec<bool>,
    /// For each byte of a key in turn, whether it is escaped where it need not be.
    escape: Vec<bool>,
    crlf: bool,
    final_newline: bool,
}

const PLAIN: Style =
    Style { rotate: 0, bare: Vec::new(), escape: Vec::new(), crlf: false, final_newline: true };

fn style() -> impl Strategy<Value = Style> {
    let bare = prop_oneof![Just(vec![false]), prop::collection::vec(prop::bool::weighted(0.2), 1..9)];
    let escape = prop_oneof![Just(vec![true]), Just(vec![false]), prop::collection::vec(any::<bool>(), 1..9)];
    (0..9_usize, bare, escape, any::<bool>(), any::<bool>()).prop_map(
        |(rotate, bare, escape, crlf, final_newline)| Style { rotate, bare, escape, crlf, final_newline },
    )
}

/// A column, by its name and by what it says of a row.
type Column = (&'static str, Option<Field>);

fn columns(fields: Fields, style: &Style) -> Vec<Column> {
    let mut columns: Vec<Column> = vec![("Bucket", None), ("Key", None), ("ETag", None)];
    columns.extend(fields.iter().map(|field| (field.name(), Some(field))));
    let by = style.rotate % columns.len();
    columns.rotate_left(by);
    columns
}

fn as_aws_orders_them(fields: Fields) -> Vec<Column> {
    let order = ["Key", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate", "ETag"];
    let mut columns = columns(fields, &PLAIN);
    columns.sort_by_key(|(name, _)| match *name {
        "Bucket" => 0,
        name => 1 + order.iter().position(|known| *known == name).unwrap_or(order.len()),
    });
    columns
}

fn cell(row: &TestRow, (name, field): Column, style: &Style) -> Vec<u8> {
    let Some(field) = field else {
        return if name == "Key" { key(row, style) } else { b"b".to_vec() };
    };
    let text = match (field, row.damage) {
        (Field::Size, Some(Damage::Size)) => "12x".to_owned(),
        (Field::StorageClass, Some(Damage::Class)) => "GLA CIER".to_owned(),
        (Field::LastModifiedDate, Some(Damage::Date)) => "2024-02-30T00:00:00.000Z".to_owned(),
        (Field::IsLatest, Some(Damage::Flag)) => "yes".to_owned(),
        (Field::Size, Some(Damage::NoSize))
        | (Field::StorageClass, Some(Damage::NoClass))
        | (Field::LastModifiedDate, Some(Damage::NoDate)) => String::new(),
        (Field::IsLatest, _) => row.latest.to_string(),
        (Field::IsDeleteMarker, _) => row.marker.to_string(),
        // A delete marker has nothing else.
        _ if row.marker => String::new(),
        (Field::Size, _) => row.size.to_string(),
        (Field::StorageClass, _) => row.class.to_owned(),
        (Field::IntelligentTieringAccessTier, _) => row.tier.to_owned(),
        (Field::LastModifiedDate, _) => {
            format!("{:.3}", Timestamp::from_millisecond(row.modified.cast_signed()).unwrap())
        }
    };
    text.into_bytes()
}

fn key(row: &TestRow, style: &Style) -> Vec<u8> {
    match row.damage {
        Some(Damage::NoKey) => Vec::new(),
        Some(Damage::LongKey) => vec![b'k'; 1025],
        Some(Damage::Escape) => b"a%4".to_vec(),
        _ => encode(&row.key, style),
    }
}

/// The rows as a file of these columns.
fn write(rows: &[TestRow], columns: &[Column], style: &Style) -> Vec<u8> {
    let mut bare = [false].iter().chain(&style.bare).copied().cycle();
    let mut lines = Vec::new();
    for row in rows {
        let mut cells: Vec<Vec<u8>> =
            columns.iter().map(|&column| quote(&cell(row, column, style), bare.next().unwrap())).collect();
        match row.damage {
            Some(Damage::Columns) => cells.push(b"\"more\"".to_vec()),
            Some(Damage::Quotes) => cells[row.size as usize % columns.len()].extend(b"\"x"),
            _ => {}
        }
        lines.push(cells.join(&b','));
    }
    let newline: &[u8] = if style.crlf { b"\r\n" } else { b"\n" };
    let mut raw = lines.join(newline);
    if style.final_newline && !rows.is_empty() {
        raw.extend_from_slice(newline);
    }
    raw
}

fn encode(key: &[u8], style: &Style) -> Vec<u8> {
    let mut out = String::new().into_bytes();
    for (byte, escape) in key.iter().zip([true].iter().chain(&style.escape).cycle()) {
        let plain = byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
        match byte {
            b' ' if *escape => out.push(b'+'),
            b'%' | b'+' => write!(Text(&mut out), "%{byte:02X}").unwrap(),
            _ if !plain && *escape => write!(Text(&mut out), "%{byte:02x}").unwrap(),
            _ => out.push(*byte),
        }
    }
    out
}

struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn quote(field: &[u8], bare: bool) -> Vec<u8> {
    if bare && !field.iter().any(|byte| b"\",\r\n".contains(byte)) {
        return field.to_vec();
    }
    let doubled = field.iter().flat_map(|&byte| std::iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 }));
    std::iter::once(b'"').chain(doubled).chain([b'"']).collect()
}

fn layout_of(columns: &[Column]) -> CsvLayout {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    CsvLayout::parse(&names.join(", ")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Rows that were damaged on purpose are named or counted; all others come out as they were written.
    #[test]
    fn rows_come_out_as_they_were_written(
        rows in testing::rows(60, Damage::CSV), style in style(), reading in testing::reading(), drip in 1..300_usize,
    ) {
        let rows: Vec<TestRow> = rows.iter().map(|row| row.told(reading.fields)).collect();
        let columns = columns(reading.fields, &style);
        let layout = layout_of(&columns);
        prop_assert_eq!(layout.fields(), reading.fields);
        let raw = write(&rows, &columns, &style);
        let seen = whole(&raw, &layout, &reading);
        check(&seen, &rows, &reading)?;
        prop_assert_eq!(&seen, &streamed(&raw, &layout, &reading, 0, drip));
    }

    #[test]
    fn rows_that_are_known_are_passed_over(
        rows in testing::rows(60, Damage::CSV), style in style(), reading in testing::reading(), known in 0..61_usize,
    ) {
        let rows: Vec<TestRow> = rows.iter().map(|row| row.told(reading.fields)).collect();
        let columns = columns(reading.fields, &style);
        let raw = write(&rows, &columns, &style);
        let seen = collect_after(known, &reading, |rows| read_slice(&raw, &layout_of(&columns), rows));
        check_after(known, &seen, &rows, &reading)?;
    }

    #[test]
    fn no_mutation_panics_or_tells_slice_and_stream_apart(
        rows in testing::rows(20, Damage::CSV), style in style(), reading in testing::reading(),
        at in any::<usize>(), to in any::<u8>(), cut in any::<bool>(),
    ) {
        let columns = columns(reading.fields, &style);
        let raw = mutate(&write(&rows, &columns, &style), at, to, cut);
        let seen = whole(&raw, &layout_of(&columns), &reading);
        prop_assert_eq!(&seen, &streamed(&raw, &layout_of(&columns), &reading, 0, 7));
        prop_assert!(seen.error.is_none() || reading.on_bad_row == OnBadRow::Fail);
        prop_assert!(seen.error.is_none_or(|error| !error.contains('\n')));
    }

    /// With a column of their own, no two rows end alike: each is cut along its quotes.
    #[test]
    fn rows_that_are_alike_are_read_as_those_that_are_not(
        rows in testing::rows(80, &[Damage::NoSize, Damage::Size, Damage::Date, Damage::Escape, Damage::LongKey]),
        reading in testing::reading(), escape in prop_oneof![Just(vec![false]), Just(vec![true]), Just(vec![false, false, true])],
        sorted in any::<bool>(),
    ) {
        let mut rows: Vec<TestRow> = rows.iter().map(|row| row.told(reading.fields)).collect();
        if sorted {
            rows.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let columns = as_aws_orders_them(reading.fields);
        let style = Style { escape, ..PLAIN };
        let alike = write(&rows, &columns, &style);
        let each = rows.iter().enumerate().flat_map(|(nth, row)| {
            let row = write(std::slice::from_ref(row), &columns, &style);
            [&row[..row.len() - 1], format!(",\"{nth}\"\n").as_bytes()].concat()
        });
        let apart: Vec<u8> = each.collect();
        let layout = layout_of(&columns);
        let wider = layout_of(&[columns, vec![("Nth", None)]].concat());
        prop_assert_eq!(whole(&alike, &layout, &reading), whole(&apart, &wider, &reading));
    }

    #[test]
    fn the_plain_path_gives_what_the_careful_one_gives(rows in testing::rows(20, &[Damage::NoSize]), style in style()) {
        let layout = layout();
        let raw = write(&rows, &columns(layout.fields(), &PLAIN), &style);
        let mut seen = 0;
        let mut careful = CarefulRow::default();
        let mut at = 0;
        while at < raw.len() {
            let rest = &raw[at..];
            let quotes: Vec<u32> = (0..rest.len()).filter(|&at| rest[at] == b'"').map(|at| at as u32).collect();
            let Parsed::Row(len) = careful::parse(rest, true, &layout, &mut careful) else { panic!("{at}") };
            if let Some(quotes) = quotes.get(..2 * layout.columns)
                && let Some(end) = window::plain_end(rest, quotes)
            {
                prop_assert_eq!(end, len);
            }
            at += len;
            seen += 1;
        }
        prop_assert_eq!(seen, rows.len());
    }
}

/// The sink compares each directory with what is before the key's last slash.
#[test]
fn a_slash_may_be_written_as_an_escape() {
    let names = ["x", "y", "z", "b%2Fc", "d", "%2f", "+", "e%2F", "%2Ff", "g+h", "i%3D2f"];
    let rows = |keys: Vec<String>| -> Vec<Vec<u8>> {
        let lines: Vec<String> = keys.iter().map(|key| format!("\"{key}\",\"1\",\"STANDARD\"\n")).collect();
        let seen = seen("Key, Size, StorageClass", lines.concat().as_bytes(), OnBadRow::Fail);
        assert_eq!(seen.error, None);
        seen.rows.into_iter().map(|row| row.key).collect()
    };
    let apart = names.iter().flat_map(|name| [format!("a/{name}"), format!("a%3D1%2F/b+c/{name}")]);
    assert_eq!(rows(apart.collect())[6..8], [b"a/b/c".to_vec(), b"a=1//b c/b/c".to_vec()]);
    let beside = names.iter().map(|name| format!("a%3D/{name}"));
    assert_eq!(rows(beside.collect())[3..5], [b"a=/b/c".to_vec(), b"a=/d".to_vec()]);
}

/// Many windows: rows lie across their borders, and batches are full.
#[test]
fn windows_and_batches_do_not_show() {
    let row = |nth: usize| TestRow {
        key: format!("logs/{}/{}=1", nth / 100, "x".repeat(nth % 97 + 1)).into_bytes(),
        size: nth as u64,
        latest: !nth.is_multiple_of(7),
        marker: nth.is_multiple_of(11),
        damage: nth.is_multiple_of(1001).then_some(Damage::CSV[nth / 1001 % Damage::CSV.len()]),
        ..TestRow::plain("")
    };
    let rows: Vec<TestRow> = (0..20_000).map(row).collect();
    let reading = all(OnBadRow::Skip);
    let columns = columns(reading.fields, &PLAIN);
    let layout = layout_of(&columns);
    let raw = write(&rows, &columns, &PLAIN);
    assert!(raw.len() > 4 * MAX_ROW);
    let seen = whole(&raw, &layout, &reading);
    check(&seen, &rows, &reading).unwrap();
    for (buffer, drip) in [(0, 4096), (MAX_ROW + 2, 1 << 30), (1 << 20, 100_003)] {
        assert_eq!(seen, streamed(&raw, &layout, &reading, buffer, drip), "buffer {buffer}, {drip} at once");
    }
    for known in [1, 1023, 1024, 1025, 7777, 19_999, 20_000, 20_001] {
        let seen = collect_after(known, &reading, |rows| read_slice(&raw, &layout, rows));
        check_after(known, &seen, &rows, &reading).unwrap();
    }
}

#[test]
fn a_sink_is_asked_every_1024_rows_also_where_all_are_excluded() {
    let schema = "Key, IsLatest, Size";
    for raw in ["k,false,1\n".repeat(3000), "k,no,1\n".repeat(3000)] {
        let layout = CsvLayout::parse(schema).unwrap();
        let mut reading = of(layout.fields(), OnBadRow::Skip);
        reading.binning = s3inv_model::Binning::new(&s3inv_model::Measures::default(), 0);
        let seen = whole(raw.as_bytes(), &layout, &reading);
        assert_eq!((seen.batches.iter().sum::<usize>(), seen.counts.rows), (0, 3000));
        assert!(seen.batches.len() >= 3);
    }
    let raw = "b,k,1,S,,false,false,,e\n".repeat(3000);
    let mut asked = 0;
    let mut sink = |_: &Batch<'_>| {
        asked += 1;
        Err("enough")
    };
    let error = failure(&mut sink, |rows| read_slice(raw.as_bytes(), &layout(), rows));
    assert!(matches!(error, ReadError::Sink("enough")), "{error:?}");
    assert_eq!(asked, 1);
}

#[test]
fn a_failing_source_comes_out_unchanged() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "too slow"))
        }
    }
    let mut sink = |_: &Batch<'_>| Ok::<(), Infallible>(());
    let error = failure(&mut sink, |rows| read(Failing, 0, &layout(), rows));
    let ReadError::Input(InputError::Io(error)) = error else { panic!("{error:?}") };
    assert_eq!((error.kind(), error.to_string().as_str()), (std::io::ErrorKind::TimedOut, "too slow"));
}

#[test]
fn errors_name_the_row_and_the_cause() {
    for (raw, message) in [
        ("\"k\",\"12x\",\"S\"\n", "row 1: size \"12x\" isn't a whole number"),
        ("k,,S\n", "row 1: Size is missing"),
        ("k,1,S\nk,2\n", "row 2: 2 fields, expected 3"),
        ("k,1,S\n\nk,1,S\n", "row 2: 1 field, expected 3"),
        ("k,1,S\n\n", "row 2: 1 field, expected 3"),
        ("k,1,S,\n", "row 1: 4 fields, expected 3"),
        ("\"k\",\"1\",\"S\",\"x\"\n", "row 1: 4 fields, expected 3"),
        ("\"k\",\"1\",\"S\"\n\"k%4\",\"1\",\"S\"\n", "row 2: key \"k%4\" has a malformed % escape"),
        ("\"\",\"1\",\"S\"\n", "row 1: a key of 0 bytes: 1 to 1024 are possible"),
        ("\"k\",\"1\",\"\"\n", "row 1: StorageClass is missing"),
        ("k,1,A B\n", "row 1: storage class \"A B\" is not 1 to 64 letters, digits, `_` or `-`"),
        ("\"k\",\"1\",\"S\n", "row 1: a quoted field that doesn't end"),
        ("\"k\",\"1\",\"S\"x\n", "row 1: field 3 is quoted only in part"),
        ("k\"k,1,S\n", "row 1: field 1 is quoted only in part"),
        ("\"k\",\"1\",\"S\"\r", "row 1: ends in \\r without \\n"),
        ("\u{feff}\"k\",\"1\",\"S\"\n", "row 1: field 1 is quoted only in part"),
    ] {
        assert_eq!(error(raw.as_bytes()), message, "{raw:?}");
    }
    let long = "x".repeat(100);
    assert_eq!(
        error(format!("k,{long},S\n").as_bytes()),
        format!("row 1: size \"{}…\" isn't a whole number", &long[..64])
    );
    assert_eq!(
        error(format!("{},1,S\n", "k".repeat(1025)).as_bytes()),
        "row 1: a key of 1025 bytes: 1 to 1024 are possible"
    );
    for (raw, message) in [
        (&b"k,yes,"[..], "row 1: IsLatest \"yes\" is neither true nor false"),
        (b"k,,", "row 1: IsLatest \"\" is neither true nor false"),
        (b"k,true,", "row 1: LastModifiedDate is missing"),
        (b"k,true,now", "row 1: date \"now\" isn't one since 1970, as in 2024-05-06T22:37:48.000Z"),
    ] {
        assert_eq!(seen("Key, IsLatest, LastModifiedDate", raw, OnBadRow::Fail).error.unwrap(), message);
    }
}

/// The keys that were counted, and how many rows were excluded for each reason.
fn skipped(raw: &str) -> (String, String) {
    let seen = seen("Key, Size, StorageClass", raw.as_bytes(), OnBadRow::Skip);
    assert_eq!(seen.error, None);
    assert_eq!(seen.counts.current(), Some(seen.rows.len() as u64));
    let keys: Vec<_> = seen.rows.iter().map(|row| String::from_utf8_lossy(&row.key).into_owned()).collect();
    let excluded: Vec<_> =
        seen.counts.excluded.iter().map(|(reason, n)| format!("{} {n}", reason.name())).collect();
    (keys.join(" "), excluded.join(", "))
}

#[test]
fn reading_goes_on_behind_a_bad_row() {
    for (raw, keys, excluded) in [
        ("a,1,S\nb,x,S\nc,1,S\n", "a c", "bad_size 1"),
        ("a,1,S\nb,x,S", "a", "bad_size 1"),
        // Quotes that are fine tell where a row ends.
        ("a,1,S\n\"b\nb\",1\nc,1,S\n", "a c", "bad_fields 1"),
        ("a,1,S\n\nc,1,S\n", "a c", "bad_fields 1"),
        // A quote too many hides no row behind it.
        ("a,1,S\nb,\"1,S\nc,1,S\n\"d\",\"1\",\"S\"\n", "a c d", "bad_fields 1"),
        ("a,1,S\nb,1,\"S\"x\nc,1,S\n", "a c", "bad_fields 1"),
        ("a,1,S\nb,1,\"S", "a", "bad_fields 1"),
        ("a,1,S\n\"b,1,S\n\"c\",1,S\n", "a c", "bad_fields 1"),
        ("%,1,S\n+%zz,1,S\nb+c,1,S\n,1,S", "b c", "bad_key 3"),
    ] {
        assert_eq!(skipped(raw), (keys.to_owned(), excluded.to_owned()), "{raw:?}");
    }
}

#[test]
fn a_row_that_is_too_long_is_skipped_if_it_ends() {
    // An opening quote that closes far behind.
    let open = format!("a,1,S\nb,1,\"S\n{}d,1,S\n", "c,1,S\n".repeat(MAX_ROW / 6 + 10));
    let (keys, excluded) = skipped(&open);
    assert_eq!(excluded, "bad_fields 1");
    assert_eq!(
        (keys.len(), &keys[..4], &keys[keys.len() - 4..]),
        (2 * (MAX_ROW / 6 + 12) - 1, "a c ", " c d")
    );
    let endless = format!("a,1,S\nb,1,{}", "S".repeat(MAX_ROW + 10));
    let seen = seen("Key, Size, StorageClass", endless.as_bytes(), OnBadRow::Skip);
    assert_eq!(seen.error.unwrap(), "row 2: longer than 262144 bytes");
}

#[test]
fn rows_up_to_the_longest_are_read() {
    let row = |len: usize| format!("k,1,S,\"{}\"\nl,2,S,\n", "x".repeat(len - 9)).into_bytes();
    for (len, rows) in [(WINDOW, 2), (WINDOW + 1, 2), (MAX_ROW, 2), (MAX_ROW + 1, 0)] {
        let seen = seen("Key, Size, StorageClass, ObjectAccessControlList", &row(len), OnBadRow::Fail);
        assert_eq!(seen.rows.len(), rows, "{len}: {:?}", seen.error);
        let error = (rows == 0).then(|| "row 1: longer than 262144 bytes".to_owned());
        assert_eq!(seen.error, error);
    }
}

#[test]
fn schemas() {
    let all: Fields = Field::ALL.into_iter().collect();
    assert_eq!(layout().fields(), all);
    let fields = |schema: &str| CsvLayout::parse(schema).unwrap().fields().to_string();
    assert_eq!(fields("key,SIZE , storageclass"), "Key, Size, StorageClass");
    assert_eq!(fields("LastModifiedDate, Key, Bucket"), "Key, LastModifiedDate");
    for (schema, message) in [
        ("Bucket, Size, StorageClass", "fileSchema has no column Key: is it the schema of a CSV inventory?"),
        ("Key, Size, StorageClass, size", "fileSchema has the column \"size\" twice"),
    ] {
        assert_eq!(CsvLayout::parse(schema).unwrap_err().to_string(), message);
    }
}

#[test]
fn an_empty_file_has_no_rows() {
    assert_eq!(seen(SCHEMA, b"", OnBadRow::Fail), Seen::default());
}
