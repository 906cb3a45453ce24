//! `verify` finds what checksums can't: rows that were written so, but can't be.

use s3inv_model::{Cell, RowCounts};

use super::forge::{Part, Parts};
use super::{CLASSES, Row, always, cell, columns, few, many};
use crate::{Compression, FileKind, FormatError, Reader, Writer, verify};

/// What `verify` says of an index of these rows, from which `rows` rows of the inventory were counted.
fn verified(objects: u64, rows: &[(&str, &[Cell])]) -> Result<(), FormatError> {
    let mut writer = Writer::new(Vec::new(), FileKind::Index, Compression::Zstd, &columns(&CLASSES)).unwrap();
    for (key, cells) in rows {
        writer.push(key.as_bytes(), cells).unwrap();
    }
    let (index, _) = writer.finish(RowCounts { rows: objects, ..RowCounts::default() }).unwrap();
    verify(&Reader::open(index).unwrap(), &mut always)
}

#[track_caller]
fn refused(result: Result<(), FormatError>, why: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn sums_that_agree_pass() {
    let all = [cell(0, 1, 0), cell(2, 3, 9)];
    verified(
        4,
        &[("", &all), ("a/", &[cell(2, 2, 9)]), ("b/", &[cell(0, 1, 0)]), ("a/x/", &[cell(2, 1, 9)])],
    )
    .unwrap();
    verified(0, &[("", &[])]).unwrap();
    verified(2, &[("", &[cell(1, 2, 5)]), ("a/", &[cell(1, 2, 5)]), ("a/b/", &[cell(1, 2, 5)])]).unwrap();
    let most = [cell(0, 1, u64::MAX - 1), cell(1, u64::MAX - 1, 1)];
    verified(u64::MAX, &[("", &most), ("a/", &most)]).unwrap();
}

#[test]
fn a_missing_ancestor_is_noticed() {
    let one = [cell(0, 1, 1)];
    refused(verified(0, &[]), "the root is missing");
    refused(verified(1, &[("a/", &one)]), "the root is missing");
    refused(verified(1, &[("", &one), ("a/b/", &one)]), "\"a/\" has children, but is missing");
    refused(
        verified(1, &[("", &one), ("a/", &one), ("a/b/c/", &one)]),
        "\"a/b/\" has children, but is missing",
    );
    refused(verified(1, &[("", &one), ("b/", &one), ("a/x/", &one)]), "\"a/\" has children, but is missing");
    refused(verified(1, &[("", &one), ("a/", &one), ("b/x/", &one)]), "\"b/\" has children, but is missing");
    refused(
        verified(2, &[("", &[cell(0, 2, 2)]), ("a/", &one), ("b/", &one), ("a//x/", &one)]),
        "\"a//\" has",
    );
}

#[test]
fn children_that_hold_more_are_noticed() {
    let parent = [cell(0, 2, 10)];
    let of = |children: &[(&'static str, Cell)]| {
        let rows: Vec<(&str, Vec<Cell>)> = children.iter().map(|(key, cell)| (*key, vec![*cell])).collect();
        let mut all: Vec<(&str, &[Cell])> = vec![("", &parent)];
        all.extend(rows.iter().map(|(key, cells)| (*key, cells.as_slice())));
        verified(2, &all)
    };
    let why = "hold more than their parent";
    refused(of(&[("a/", cell(0, 3, 1))]), why);
    refused(of(&[("a/", cell(0, 1, 11))]), why);
    refused(of(&[("a/", cell(0, 1, 6)), ("b/", cell(0, 1, 5))]), why);
    refused(of(&[("a/", cell(0, 2, 6)), ("b/", cell(0, 1, 1))]), why);
    refused(of(&[("a/", cell(1, 1, 1))]), why);
    refused(of(&[("a/", cell(0, 1, 5)), ("a/x/", cell(0, 1, 6))]), why);
    refused(of(&[("a/", cell(0, u64::MAX, 1))]), why);
    of(&[("a/", cell(0, 1, 6)), ("b/", cell(0, 1, 4))]).unwrap();
}

#[test]
fn bytes_of_no_object_are_noticed() {
    // At a leaf, between a parent and its children, and in a class of its own.
    refused(verified(1, &[("", &[cell(0, 1, 5)]), ("a/", &[cell(0, 0, 5)])]), "without an object");
    refused(verified(1, &[("", &[cell(0, 1, 5)]), ("a/", &[cell(0, 1, 4)])]), "has bytes of no object");
    refused(verified(1, &[("", &[cell(0, 1, 5), cell(1, 0, 0)])]), "without an object");
    refused(verified(1, &[("", &[cell(0, 1, 5)]), ("a/", &[])]), "without an object");
}

#[test]
fn counts_that_do_not_fit_the_root_are_noticed() {
    refused(verified(2, &[("", &[cell(0, 1, 5)])]), "are not the root's objects");
    refused(verified(0, &[("", &[cell(0, 1, 5)])]), "are not the root's objects");
}

/// The small index with its info changed.
fn with_info(from: &str, to: &str) -> Result<(), FormatError> {
    let parts = Parts::of(&few().0, FileKind::Index);
    let text = String::from_utf8(parts.info.clone()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    let changed = text.replacen(from, to, 1).into_bytes();
    verify(&Reader::open(parts.forge(Part::Info, &|info| info.clone_from(&changed)))?, &mut always)
}

#[test]
fn an_info_that_claims_something_else_is_noticed() {
    let prefixes = few().1.len();
    refused(
        with_info(&format!("\"prefixes\":{prefixes}"), &format!("\"prefixes\":{}", prefixes + 1)),
        "don't add up",
    );
    refused(with_info("\"depth\":2", "\"depth\":3"), "prefixes to depth 2");
    refused(with_info("\"depth\":2", "\"depth\":2,\"max_depth\":1"), "cut at 1");
    with_info("\"depth\":2", "\"depth\":2,\"max_depth\":2").unwrap();
    with_info("\"depth\":2", "\"depth\":2,\"later\":{\"more\":[1]}").unwrap();
    refused(with_info("\"noncurrent\":2", "\"noncurrent\":1"), "are not the root's objects");
    refused(with_info("\"noncurrent\":2", "\"noncurrent\":1000"), "are not the root's objects");
}

#[test]
fn rows_out_of_order_are_noticed() {
    let one = vec![cell(0, 1, 1)];
    let rows: [Row; 3] =
        [(vec![], vec![cell(0, 9, 9)]), (b"a/".to_vec(), one.clone()), (b"b/".to_vec(), one)];
    let parts = Parts::of(&super::index(&rows), FileKind::Index);
    for (name, why) in [(b'c', "does not come after"), (b'b', "does not come after")] {
        // The page's names are `a/` and `b`, the slash of `b/` is one of them too.
        let forged =
            parts.forge(Part::Page(0), &|raw| *raw.iter_mut().find(|byte| **byte == b'a').unwrap() = name);
        refused(verify(&Reader::open(forged).unwrap(), &mut always), why);
    }
}

#[test]
fn pages_in_another_order_are_noticed() {
    let mut parts = Parts::of(&many().0, FileKind::Index);
    // Each page keeps its checksum, and takes the other's place under the other's first prefix.
    let (a, b) = (parts.page(7).clone(), parts.page(8).clone());
    parts.page(7).1 = b.1;
    parts.page(8).1 = a.1;
    (parts.page(7).0.raw_len, parts.page(8).0.raw_len) = (b.0.raw_len, a.0.raw_len);
    (parts.page(7).0.rows, parts.page(8).0.rows) = (b.0.rows, a.0.rows);
    let forged = parts.forge(Part::Root, &|_| ());
    assert!(verify(&Reader::open(forged).unwrap(), &mut always).is_err());
}

#[test]
fn a_directory_that_says_something_else_is_noticed() {
    let why = "its rows are not what the directory says";
    let change = |change: fn(&mut crate::Entry)| {
        let mut parts = Parts::of(&few().0, FileKind::Index);
        assert_eq!((parts.blocks.len(), parts.pages()), (1, 3));
        change(&mut parts.page(1).0);
        change(&mut parts.blocks[0].0);
        parts.blocks[0].0.first.clear();
        verify(&Reader::open(parts.forge(Part::Root, &|_| ())).unwrap(), &mut always)
    };
    refused(change(|entry| entry.max_objects = 1 << 30), why);
    refused(change(|entry| entry.max_bytes = 1 << 30), why);
    refused(change(|entry| entry.first.insert(0, b'!')), why);
    change(|_| ()).unwrap();
}

#[test]
fn it_can_be_stopped() {
    let rows: Vec<(String, Vec<Cell>)> =
        (0..2500).map(|n| (format!("{n:05}/"), vec![cell(0, 1, 0)])).collect();
    let root = [cell(0, 2500, 0)];
    let mut writer = Writer::new(Vec::new(), FileKind::Index, Compression::Zstd, &columns(&CLASSES)).unwrap();
    writer.push(b"", &root).unwrap();
    for (key, cells) in &rows {
        writer.push(key.as_bytes(), cells).unwrap();
    }
    let (index, _) = writer.finish(RowCounts { rows: 2500, ..RowCounts::default() }).unwrap();
    let reader = Reader::open(index).unwrap();
    let mut asked = Vec::new();
    verify(&reader, &mut |rows| {
        asked.push(rows);
        always(rows)
    })
    .unwrap();
    assert_eq!(asked, [1000, 2000]);
    let stop = |_| Err(FormatError::Mismatch("stopped"));
    refused(verify(&reader, &mut { stop }), "stopped");
}
