use std::convert::Infallible;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::batch::Batch;
use crate::testing::{self, Read as Seen, TestRow, collect, expected, mutate};

const SCHEMA: &str =
    "Bucket, Key, IsLatest, isdeletemarker, Size, ETag, StorageClass, IntelligentTieringAccessTier";

fn layout() -> CsvLayout {
    CsvLayout::parse(SCHEMA).unwrap()
}

fn whole(raw: &[u8], layout: &CsvLayout) -> Seen {
    collect(|columns, counts, sink| read_slice(raw, layout, columns, counts, &mut |b: &Batch<'_>| sink(b)))
}

/// Gives at most so many bytes at once.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.1.min(buffer.len());
        self.0.read(&mut buffer[..len])
    }
}

fn streamed(raw: &[u8], layout: &CsvLayout, buffer: usize, drip: usize) -> Seen {
    collect(|columns, counts, sink| {
        read(Drip(raw, drip), buffer, layout, columns, counts, &mut |b: &Batch<'_>| sink(b))
    })
}

/// The error of a file with the schema `Key, Size, StorageClass`.
fn error(raw: &[u8]) -> String {
    let layout = CsvLayout::parse("Key, Size, StorageClass").unwrap();
    let seen = whole(raw, &layout);
    assert_eq!(seen, streamed(raw, &layout, 0, 3));
    seen.error.unwrap()
}

/// How a test writes its rows.
#[derive(Clone, Debug)]
struct Style {
    /// For each field in turn, whether it goes without quotes where it can.
    bare: Vec<bool>,
    /// For each byte of a key in turn, whether it is escaped where it need not be.
    escape: Vec<bool>,
    crlf: bool,
    final_newline: bool,
}

fn style() -> impl Strategy<Value = Style> {
    let bare = prop_oneof![Just(vec![false]), prop::collection::vec(prop::bool::weighted(0.2), 1..9)];
    let escape = prop_oneof![Just(vec![true]), Just(vec![false]), prop::collection::vec(any::<bool>(), 1..9)];
    (bare, escape, any::<bool>(), any::<bool>()).prop_map(|(bare, escape, crlf, final_newline)| Style {
        bare,
        escape,
        crlf,
        final_newline,
    })
}

fn write(rows: &[TestRow], style: &Style) -> Vec<u8> {
    let mut bare = style.bare.iter().cycle();
    let mut lines = Vec::new();
    for row in rows {
        let size = if row.marker { String::new() } else { row.size.to_string() };
        let class = if row.marker { "" } else { row.class };
        let (latest, marker) = (row.latest.to_string(), row.marker.to_string());
        let key = encode(&row.key, style);
        let fields = [
            b"b",
            &key[..],
            latest.as_bytes(),
            marker.as_bytes(),
            size.as_bytes(),
            b"e",
            class.as_bytes(),
            row.tier.as_bytes(),
        ];
        lines.push(fields.map(|field| quote(field, *bare.next().unwrap())).join(&b','));
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
    for (byte, escape) in key.iter().zip(style.escape.iter().cycle()) {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rows_come_out_as_they_were_written(rows in testing::rows(60), style in style(), drip in 1..300_usize) {
        let raw = write(&rows, &style);
        let seen = whole(&raw, &layout());
        let (counted, counts) = expected(&rows);
        prop_assert_eq!(&seen.error, &None);
        prop_assert_eq!(&seen.rows, &counted);
        prop_assert_eq!(&seen.counts, &counts);
        prop_assert_eq!(&seen, &streamed(&raw, &layout(), 0, drip));
    }

    #[test]
    fn no_mutation_panics_or_tells_slice_and_stream_apart(
        rows in testing::rows(20), style in style(), at in any::<usize>(), to in any::<u8>(), cut in any::<bool>(),
    ) {
        let raw = mutate(&write(&rows, &style), at, to, cut);
        let seen = whole(&raw, &layout());
        prop_assert_eq!(&seen, &streamed(&raw, &layout(), 0, 7));
        prop_assert!(seen.error.is_none_or(|error| !error.contains('\n')));
    }

    #[test]
    fn the_plain_path_gives_what_the_careful_one_gives(rows in testing::rows(20), style in style()) {
        let raw = write(&rows, &style);
        let mut seen = 0;
        let mut careful = careful::CarefulRow::default();
        let mut at = 0;
        while at < raw.len() {
            let quotes: Vec<u32> = (at..raw.len()).filter(|&at| raw[at] == b'"').map(|at| at as u32).collect();
            let len = careful::parse(&raw[at..], true, &layout(), &mut careful).unwrap().unwrap();
            if let Some(quotes) = quotes.get(..2 * layout().fields)
                && let Some(end) = window::plain_end(&raw, at, quotes)
            {
                prop_assert_eq!(end, at + len);
            }
            at += len;
            seen += 1;
        }
        prop_assert_eq!(seen, rows.len());
    }
}

/// Many windows: rows lie across their borders, and batches are full.
#[test]
fn windows_and_batches_do_not_show() {
    let row = |nth: usize| TestRow {
        key: format!("logs/{}/{}=1", nth / 100, "x".repeat(nth % 97 + 1)).into_bytes(),
        size: nth as u64,
        class: "STANDARD",
        tier: "",
        latest: !nth.is_multiple_of(7),
        marker: nth.is_multiple_of(11),
    };
    let rows: Vec<TestRow> = (0..20_000).map(row).collect();
    let style = Style { bare: vec![false], escape: vec![true], crlf: false, final_newline: true };
    let raw = write(&rows, &style);
    assert!(raw.len() > 4 * MAX_ROW);
    let seen = whole(&raw, &layout());
    let (counted, counts) = expected(&rows);
    assert_eq!((&seen.rows, &seen.counts, &seen.error), (&counted, &counts, &None));
    for (buffer, drip) in [(0, 4096), (MAX_ROW + 2, 1 << 30), (1 << 20, 100_003)] {
        assert_eq!(seen, streamed(&raw, &layout(), buffer, drip), "buffer {buffer}, {drip} at once");
    }
}

#[test]
fn a_sink_is_asked_every_1024_rows_also_where_all_are_excluded() {
    let raw = "b,k,false,false,1,e,STANDARD,\n".repeat(3000);
    let seen = whole(raw.as_bytes(), &layout());
    assert_eq!((seen.batches.iter().sum::<usize>(), seen.counts.rows), (0, 3000));
    assert!(seen.batches.len() >= 3);
    let mut asked = 0;
    let result = read_slice(
        raw.as_bytes(),
        &layout(),
        &mut Columns::default(),
        &mut RowCounts::default(),
        &mut |_: &Batch<'_>| {
            asked += 1;
            Err("enough")
        },
    );
    assert!(matches!(result, Err(ReadError::Sink("enough"))), "{result:?}");
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
    let result =
        read(Failing, 0, &layout(), &mut Columns::default(), &mut RowCounts::default(), &mut |_: &Batch<
            '_,
        >| {
            Ok::<(), Infallible>(())
        });
    let Err(ReadError::Input(InputError::Io(error))) = result else { panic!("{result:?}") };
    assert_eq!((error.kind(), error.to_string().as_str()), (std::io::ErrorKind::TimedOut, "too slow"));
}

#[test]
fn errors_name_the_row_and_the_cause() {
    for (raw, message) in [
        ("\"k\",\"12x\",\"S\"\n", "row 1: size \"12x\" isn't a whole number"),
        ("k,,S\n", "row 1: size \"\" isn't a whole number"),
        ("k,1,S\nk,2\n", "row 2: 2 fields, expected 3"),
        ("k,1,S\n\nk,1,S\n", "row 2: 1 field, expected 3"),
        ("k,1,S\n\n", "row 2: 1 field, expected 3"),
        ("k,1,S,\n", "row 1: 4 fields, expected 3"),
        ("\"k\",\"1\",\"S\",\"x\"\n", "row 1: 4 fields, expected 3"),
        ("\"k\",\"1\",\"S\"\n\"k%4\",\"1\",\"S\"\n", "row 2: key \"k%4\" has a malformed % escape"),
        ("\"\",\"1\",\"S\"\n", "row 1: a key of 0 bytes: 1 to 1024 are possible"),
        ("\"k\",\"1\",\"\"\n", "row 1: storage class \"\" is not 1 to 64 letters, digits, `_` or `-`"),
        ("\"k\",\"1\",\"S\n", "row 1: a quoted field that doesn't end"),
        ("\"k\",\"1\",\"S\"x\n", "row 1: field 3 is quoted only in part"),
        ("k\"k,1,S\n", "row 1: field 1 is quoted only in part"),
        ("\"k\",\"1\",\"S\"\r", "row 1: field 3 is quoted only in part"),
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
    let seen = whole(b"b,k,yes,false,1,e,S,\n", &layout());
    assert_eq!(seen.error.unwrap(), "row 1: IsLatest \"yes\" is neither true nor false");
}

#[test]
fn rows_up_to_the_longest_are_read() {
    let row = |len: usize| format!("k,1,S,\"{}\"\nl,2,S,\n", "x".repeat(len - 9)).into_bytes();
    let layout = CsvLayout::parse("Key, Size, StorageClass, ObjectAccessControlList").unwrap();
    for (len, rows) in [(WINDOW, 2), (WINDOW + 1, 2), (MAX_ROW, 2), (MAX_ROW + 1, 0)] {
        let seen = whole(&row(len), &layout);
        assert_eq!(seen.rows.len(), rows, "{len}: {:?}", seen.error);
        assert_eq!(seen.error.is_some(), rows == 0);
        assert_eq!(seen, streamed(&row(len), &layout, 0, 10_000));
    }
    assert_eq!(whole(&row(MAX_ROW + 1), &layout).error.unwrap(), "row 1: longer than 262144 bytes");
}

#[test]
fn schemas() {
    assert!(CsvLayout::parse("key,SIZE , storageclass").is_ok());
    for (schema, message) in [
        ("Bucket, Size, StorageClass", "fileSchema has no column Key: is it the schema of a CSV inventory?"),
        (
            "Key, StorageClass",
            "fileSchema has no column Size: add Size to the inventory configuration's optional fields",
        ),
        (
            "Key, Size",
            "fileSchema has no column StorageClass: add StorageClass to the inventory configuration's optional fields",
        ),
        ("Key, Size, StorageClass, size", "fileSchema has the column \"size\" twice"),
    ] {
        assert_eq!(CsvLayout::parse(schema).unwrap_err().to_string(), message);
    }
}

#[test]
fn an_empty_file_has_no_rows() {
    assert_eq!(whole(b"", &layout()), Seen::default());
    assert_eq!(streamed(b"", &layout(), 0, 1), Seen::default());
}
