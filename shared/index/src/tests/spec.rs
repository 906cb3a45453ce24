//! The examples of SPEC.md, executed.

use std::collections::BTreeMap;

use s3inv_model::{
    AGE_BANDS, Bin, Cell, Dates, Excluded, MAX_CLASSES, Measure, Measures, RowCounts, SIZE_BANDS, Schema,
    SizeBin, Sums,
};

use super::{always, origin, read_all, schema};
use crate::block::{checksum, decompress};
use crate::lot::{MAX_LOT_ROWS, MAX_LOTS};
use crate::moment::{MAX_DATE, put_change};
use crate::page::Shape;
use crate::table::{Address, hash};
use crate::trailer::TRAILER;
use crate::{Compression, FileKind, Form, Joiner, MAX_PAGE_RAW, Reader, Writer, brief};

const SPEC: &str = include_str!("../../SPEC.md");

/// The bytes of the block of SPEC.md that is marked `hex` and `name`: lines of an offset, bytes, and what
/// they mean.
fn example(name: &str) -> Vec<u8> {
    let (_, block) = SPEC.split_once(&format!("```hex {name}\n")).unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let mut bytes = Vec::new();
    for line in block.lines() {
        let (data, _) = line.split_once('|').unwrap();
        let (offset, data) = data.split_once(' ').unwrap();
        assert_eq!(usize::from_str_radix(offset, 16).unwrap(), bytes.len(), "{line}");
        bytes.extend(data.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()));
    }
    bytes
}

fn example_schema() -> Schema {
    let measures = [Measure::Bytes, Measure::Classes, Measure::Noncurrent, Measure::Dates];
    schema(Measures::from_iter(measures), &["GLACIER", "STANDARD"])
}

fn rows() -> Vec<super::Row> {
    let cell = |bin, objects, bytes| Cell { bin, objects, bytes };
    let (oldest, newest) = (1_651_876_668_000, 1_698_825_600_500);
    let all = Sums {
        cells: vec![cell(2, 1, 300), cell(170, 1, 5), cell(254, 1, 7)],
        dates: Dates { oldest, newest },
    };
    let deep = Sums { cells: vec![cell(2, 1, 300)], dates: Dates::at(newest) };
    vec![(vec![], all.clone()), (b"a/".to_vec(), all), (b"a/b/".to_vec(), deep)]
}

fn written() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), Form::segment(false), &example_schema()).unwrap();
    for (key, Sums { cells, dates }) in rows() {
        writer.push(&key, &cells, dates).unwrap();
    }
    let counts = RowCounts { rows: 3, excluded: BTreeMap::from([(Excluded::Noncurrent, 1)]) };
    let segment = Reader::open_kind(writer.finish(counts).unwrap().0, FileKind::Segment).unwrap();
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    joiner.append(&segment, || always(0)).unwrap();
    joiner.finish(None, Measures::default(), origin()).unwrap().0
}

#[test]
fn the_writer_makes_the_example() {
    // What is compressed may look otherwise after zstd was updated: then the example is to be written anew.
    assert_eq!(hex(&written()), hex(&example("file")));
}

#[test]
fn the_reader_reads_the_example() {
    assert_eq!(read_all(&example("file")).unwrap(), rows());
}

/// Page, directory block and root block, decompressed, are what the example says.
#[test]
fn the_parts_of_the_example_are_what_it_says() {
    for (name, raw) in parts(&example("file")) {
        assert_eq!(hex(&raw), hex(&example(name)), "{name}");
    }
}

fn parts(file: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let reader = Reader::open(file.to_vec()).unwrap();
    let pages = reader.block(0).unwrap();
    let block = reader.directory().next().unwrap();
    let (at, page) = &pages[0];
    let trailer = file.len() - TRAILER;
    let field = |at: usize| u32::from_le_bytes(file[trailer + at..][..4].try_into().unwrap()) as usize;
    let block_at = *at as usize + page.len as usize;
    let root_at = block_at + block.len as usize;
    let parts = [
        ("page", *at as usize, page.len as usize, page.raw_len as usize),
        ("block", block_at, block.len as usize, block.raw_len as usize),
        ("root", root_at, field(32), field(36)),
    ];
    let raw = |(name, at, len, raw_len): (_, usize, usize, usize)| {
        let mut raw = Vec::new();
        decompress(Compression::Zstd, &file[at..at + len], raw_len, &mut raw).unwrap();
        (name, raw)
    };
    parts.into_iter().map(raw).collect()
}

#[test]
fn checksums_of_the_examples() {
    for (bytes, text) in [(&b""[..], "| (none) |"), (b"a/", "| `a/` |")] {
        says(&format!("{text} `{:016x}` |", checksum(bytes)));
    }
}

#[track_caller]
fn says(line: &str) {
    assert!(SPEC.contains(line), "SPEC.md doesn't say {line:?}");
}

/// A number as the text writes it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let from = |at: usize| (digits.len() - at).is_multiple_of(3) && at > 0;
    digits.char_indices().flat_map(|(at, digit)| from(at).then_some(',').into_iter().chain([digit])).collect()
}

#[test]
fn bands_are_those_of_the_tables() {
    for (number, (label, _)) in (0u8..).zip(SIZE_BANDS) {
        let (least, most) = SizeBin::Band(number).range();
        let most = if most == u64::MAX { "2⁶⁴ - 1".to_owned() } else { grouped(most) };
        says(&format!("| {} | `{label}` | {} | {most} |", number + 1, grouped(least)));
    }
    let mut least = 0;
    for (number, (label, days)) in (1..).zip(AGE_BANDS) {
        let below = if days == u64::MAX { "–".to_owned() } else { days.to_string() };
        says(&format!("| {number} | `{label}` | {least} | {below} |"));
        least = days;
    }
}

#[test]
fn bins_have_the_numbers_of_the_examples() {
    let objects = |class, current, size, age| Bin::Objects { class, current, size, age }.id();
    for (text, number) in [
        ("a delete marker that is not the latest version", Bin::Marker { latest: false }.id()),
        ("a delete marker that is", Bin::Marker { latest: true }.id()),
        ("class 0, current, nothing told of size and age", objects(0, true, SizeBin::Untold, None)),
        ("class 1, current, `<1MiB`, `<90d`", objects(1, true, SizeBin::Band(3), Some(1))),
        ("class 1, noncurrent, below 128 KiB, age not told", objects(1, false, SizeBin::Small, None)),
    ] {
        says(&format!("| {text} | {number} |"));
    }
    let bins = (0..=u16::MAX).filter(|&bin| Bin::exists(bin, MAX_CLASSES)).count() as u64;
    says(&format!("The bins of {MAX_CLASSES} classes are {}", grouped(bins)));
}

#[test]
fn changes_have_the_codes_of_the_examples() {
    for (from, to) in [(10_000, 10_000), (10_000, 15_000), (10_000, 4_000), (10_000, 10_001), (10_000, 9_999)]
    {
        let mut code = Vec::new();
        put_change(&mut code, from, to);
        says(&format!("| {} | {} | `{:02x}` |", grouped(from), grouped(to), code[0]));
        assert_eq!(code.len(), 1);
    }
}

#[test]
fn numbers_have_the_symbols_of_the_examples() {
    for (text, number) in [("0", 0), ("3", 3), ("7", 7), ("9", 9), ("300", 300), ("2⁶⁴ - 1", u64::MAX)] {
        let (symbol, open) = crate::packed::split(number);
        let open = open as usize;
        let bits = match open {
            0 => String::new(),
            61 => "61 times 1 ".to_owned(),
            _ => format!("{:0open$b} ", number & ((1 << open) - 1)),
        };
        says(&format!("| {text} | {symbol} | {bits}|"));
    }
}

#[test]
fn limits_are_those_of_the_table() {
    let max = |len: usize| grouped(len as u64);
    says(&format!("| raw page | {} bytes |", max(MAX_PAGE_RAW)));
    says(&format!("| stored page | {} bytes |", max(MAX_PAGE_RAW / 8 * 9)));
    says(&format!("| classes | {MAX_CLASSES} |"));
    says(&format!("| a moment | {}:", grouped(MAX_DATE)));
    says(&format!("`version`: {}", crate::trailer::VERSION));
    says(&format!("| lots | {} |", max(MAX_LOTS)));
    says(&format!("| rows of a lot | {} |", grouped(MAX_LOT_ROWS)));
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x} ").unwrap();
        text
    })
}

#[test]
fn addresses_are_those_of_the_examples() {
    for prefix in ["a/", "a/b/", "logs/2024/"] {
        let address = Address::new(hash(prefix.as_bytes()), 0);
        let (first, second) = address.buckets(1000);
        says(&format!("| `{prefix}` | `{:015x}` | {first} | {second} |", address.print));
    }
}

#[test]
fn rows_of_buckets_are_those_of_the_examples() {
    let shape = Shape::new(&super::plain());
    let of = |bin, objects, bytes| Cell { bin, objects, bytes };
    for (text, cells) in [
        ("bin 2: 1 object, 300 bytes", vec![of(2, 1, 300)]),
        ("bin 2: 3 objects, 300 bytes; bin 170: 1 object, 5 bytes", vec![of(2, 3, 300), of(170, 1, 5)]),
    ] {
        let mut row = Vec::new();
        brief::put(shape, &cells, Dates::NONE, &mut row).unwrap();
        says(&format!("| {text} | `{}` |", hex(&row).trim_end()));
    }
}

/// The table of the rows of the example, in which all are in one bucket.
#[test]
fn the_table_of_the_example_is_what_it_says() {
    let mut writer = Writer::new(Vec::new(), Form::segment(true), &example_schema()).unwrap();
    for (key, Sums { cells, dates }) in rows() {
        writer.push(&key, &cells, dates).unwrap();
    }
    let segment =
        Reader::open_kind(writer.finish(RowCounts::default()).unwrap().0, FileKind::Segment).unwrap();
    let table = segment.stored_table(&segment.lots().unwrap().all()[0]).unwrap();
    assert_eq!(hex(&table), hex(&example("table")));
}
