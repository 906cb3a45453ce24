//! The examples of SPEC.md, executed.

use std::collections::BTreeMap;

use s3inv_model::{Excluded, RowCounts};

use super::{always, cell, columns, origin, read_all};
use crate::block::{checksum, decompress};
use crate::trailer::TRAILER;
use crate::{Compression, FileKind, Joiner, Reader, Writer};

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

fn rows() -> Vec<super::Row> {
    let both = vec![cell(0, 1, 300), cell(1, 1, 5)];
    vec![(vec![], both.clone()), (b"a/".to_vec(), both), (b"a/b/".to_vec(), vec![cell(0, 1, 300)])]
}

fn written() -> Vec<u8> {
    let columns = columns(&["GLACIER", "STANDARD"]);
    let mut writer = Writer::new(Vec::new(), FileKind::Segment, Compression::Zstd, &columns).unwrap();
    for (key, cells) in rows() {
        writer.push(&key, &cells).unwrap();
    }
    let counts = RowCounts { rows: 3, excluded: BTreeMap::from([(Excluded::Noncurrent, 1)]) };
    let segment = Reader::open_kind(writer.finish(counts).unwrap().0, FileKind::Segment).unwrap();
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    joiner.append(&segment, || always(0)).unwrap();
    joiner.finish(None, origin()).unwrap().0
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
    let file = example("file");
    let reader = Reader::open(file.clone()).unwrap();
    let pages = reader.block(0).unwrap();
    let block = reader.root_entries().next().unwrap();
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
    for (name, at, len, raw_len) in parts {
        let mut raw = Vec::new();
        decompress(Compression::Zstd, &file[at..at + len], raw_len, &mut raw).unwrap();
        assert_eq!(hex(&raw), hex(&example(name)), "{name}");
    }
}

#[test]
fn checksums_of_the_examples() {
    for (bytes, text) in [(&b""[..], "| (none) |"), (b"a/", "| `a/` |")] {
        let line = format!("{text} `{:016x}` |", checksum(bytes));
        assert!(SPEC.contains(&line), "{line}");
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x} ").unwrap();
        text
    })
}
