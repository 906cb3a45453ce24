//! `verify` finds what checksums can't: rows that were written so, but can't be.

use std::collections::BTreeMap;

use s3inv_model::{
    Bin, BinId, Cell, Classes, Dates, Excluded, Measure, Measures, RowCounts, Schema, SizeBin,
};

use super::{Row, always, cell, few, full, many, plain, undated};
use crate::forge::{Part, Parts};
use crate::{FileKind, Form, FormatError, Reader, Writer, verify};

/// What `verify` says of an index of these rows, from which `rows` rows of the inventory were counted.
fn verified(objects: u64, rows: &[(&str, &[Cell])]) -> Result<(), FormatError> {
    let rows: Vec<_> = rows.iter().map(|(key, cells)| (*key, *cells, Dates::NONE)).collect();
    verified_of(&plain(), RowCounts { rows: objects, ..RowCounts::default() }, &rows)
}

/// The same for any schema, and with dates.
fn verified_of(
    schema: &Schema,
    counts: RowCounts,
    rows: &[(&str, &[Cell], Dates)],
) -> Result<(), FormatError> {
    let mut writer =
        Writer::new(Vec::new(), Form { kind: FileKind::Index, ..Form::segment(false) }, schema).unwrap();
    for (key, cells, dates) in rows {
        writer.push(key.as_bytes(), cells, *dates).unwrap();
    }
    let (index, _) = writer.finish(counts).unwrap();
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
    refused(with_info("\"bad_key\":3", "\"bad_key\":2"), "are not the root's objects");
    refused(with_info("\"bad_key\":3", "\"bad_key\":1000"), "are not the root's objects");
    // All rows are there, but not of what the root has.
    let swapped = with_info("\"delete_marker\":2,\"noncurrent\":1", "\"delete_marker\":1,\"noncurrent\":2");
    refused(swapped, "are not the rows that were so");
}

#[test]
fn rows_out_of_order_are_noticed() {
    let one = undated(&[cell(0, 1, 1)]);
    let rows: [Row; 3] =
        [(vec![], undated(&[cell(0, 9, 9)])), (b"a/".to_vec(), one.clone()), (b"b/".to_vec(), one)];
    let parts = Parts::of(&super::index(&plain(), &rows), FileKind::Index);
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
    refused(change(|entry| entry.max_noncurrent = 1 << 30), why);
    refused(change(|entry| entry.first.insert(0, b'!')), why);
    change(|_| ()).unwrap();
}

/// What `verify` says of an index of every measure, of which nothing was excluded, or these.
fn verified_full(excluded: &[(Excluded, u64)], rows: &[(&str, &[Cell], Dates)]) -> Result<(), FormatError> {
    let root = rows[0].1;
    let excluded = excluded.iter().copied().collect();
    let counts = RowCounts { rows: root.iter().map(|cell| cell.objects).sum(), excluded };
    verified_of(&full(), counts, rows)
}

fn of(class: u8, current: bool, size: SizeBin, age: Option<u8>) -> BinId {
    Bin::Objects { class, current, size, age }.id()
}

fn banded(band: u8, objects: u64, bytes: u64) -> Cell {
    Cell { bin: of(1, true, SizeBin::Band(band), Some(0)), objects, bytes }
}

fn between(oldest: u64, newest: u64) -> Dates {
    Dates { oldest, newest }
}

#[test]
fn noncurrent_objects_and_delete_markers_are_the_rows_that_were_so() {
    let old = Cell { bin: of(1, false, SizeBin::Untold, None), objects: 2, bytes: 9 };
    let marker = Cell { bin: 1, objects: 3, bytes: 0 };
    let rows = [("", &[marker, old][..], Dates::NONE)];
    let why = "are not the rows that were so";
    let says = |noncurrent, markers| {
        let excluded = [(Excluded::Noncurrent, noncurrent), (Excluded::DeleteMarker, markers)];
        verified_full(&excluded, &rows)
    };
    says(2, 3).unwrap();
    refused(says(3, 2), why);
    refused(says(5, 0), why);
    let without = Schema { measures: Measures::all().without(Measure::Noncurrent), ..full() };
    let counts = RowCounts { rows: 5, excluded: [(Excluded::Noncurrent, 5)].into() };
    verified_of(&without, counts.clone(), &[("", &[], Dates::NONE)]).unwrap();
    refused(verified_of(&without, counts, &rows), why);
}

#[test]
fn bytes_that_a_size_band_cannot_hold_are_noticed() {
    let day = Dates::at(5);
    let why = "has bytes that its size bands can't hold";
    let root = |cell| verified_full(&[], &[("", &[cell], day)]);
    for (band, least, most) in [(0, 0, 0), (1, 1, 1023), (2, 1024, 131_071), (7, 1 << 30, (5 << 30) - 1)] {
        root(banded(band, 3, 3 * least)).unwrap();
        root(banded(band, 3, 3 * most)).unwrap();
        refused(root(banded(band, 3, 3 * most + 1)), why);
        if least > 0 {
            refused(root(banded(band, 3, 3 * least - 1)), why);
        }
    }
    root(banded(8, 1, u64::MAX)).unwrap();
    let small = |size, bytes| {
        let cell = Cell { bin: of(2, false, size, None), objects: 2, bytes };
        verified_full(&[(Excluded::Noncurrent, 2)], &[("", &[cell], Dates::NONE)])
    };
    small(SizeBin::Small, 262_142).unwrap();
    small(SizeBin::Large, 262_144).unwrap();
    refused(small(SizeBin::Small, 262_143), why);
    refused(small(SizeBin::Large, 262_143), why);
}

#[test]
fn bytes_beside_the_children_are_of_their_size_band_too() {
    let rows = |child| {
        verified_full(&[], &[("", &[banded(1, 3, 30)], between(5, 6)), ("a/", &[child], between(5, 6))])
    };
    rows(banded(1, 2, 29)).unwrap();
    refused(rows(banded(1, 2, 30)), "beside its children's, that its size bands can't hold");
    refused(rows(banded(1, 3, 29)), "has bytes of no object");
}

#[test]
fn bins_that_do_not_tell_what_is_measured_are_noticed() {
    let why = "has bins that are not of the measures";
    let all = [Measure::Size, Measure::Age, Measure::Cost, Measure::Noncurrent, Measure::Classes];
    let check = |measures: &[Measure], (class, current, size, age)| {
        let measures: Measures = measures.iter().copied().collect();
        let named = measures.has(Measure::Classes);
        let classes = if named { full().classes } else { Classes::untold() };
        let cell = Cell { bin: of(class, current, size, age), objects: 1, bytes: 0 };
        let excluded = if current { BTreeMap::new() } else { [(Excluded::Noncurrent, 1)].into() };
        let rows = [("", &[cell][..], Dates::NONE)];
        verified_of(&Schema { measures, classes }, RowCounts { rows: 1, excluded }, &rows)
    };
    let without = |one: Measure| all.into_iter().filter(|&measure| measure != one).collect::<Vec<_>>();
    let band = SizeBin::Band(2);
    check(&all, (2, true, band, Some(1))).unwrap();
    check(&all, (2, false, SizeBin::Small, None)).unwrap();
    check(&all, (1, false, SizeBin::Untold, None)).unwrap();
    check(&without(Measure::Size), (2, true, SizeBin::Large, Some(1))).unwrap();
    check(&[], (0, true, SizeBin::Untold, None)).unwrap();
    for (measures, bin) in [
        (all.to_vec(), (2, true, band, None)),
        (all.to_vec(), (2, true, SizeBin::Untold, Some(1))),
        (all.to_vec(), (2, true, SizeBin::Small, Some(1))),
        (all.to_vec(), (2, false, band, None)),
        (all.to_vec(), (2, false, SizeBin::Small, Some(1))),
        (without(Measure::Size), (2, true, band, Some(1))),
        (without(Measure::Age), (2, true, band, Some(1))),
        (without(Measure::Cost), (2, false, SizeBin::Small, None)),
        (vec![], (0, true, SizeBin::Large, None)),
    ] {
        refused(check(&measures, bin), why);
    }
    // A class where none is measured, and none where they are.
    let one = |named: &Schema, classes: &Schema| {
        let schema = Schema { measures: named.measures.clone(), classes: classes.classes.clone() };
        verified_of(
            &schema,
            RowCounts { rows: 1, ..RowCounts::default() },
            &[("", &[cell(0, 1, 0)], Dates::NONE)],
        )
    };
    let untold = Schema { measures: Measures::default(), classes: Classes::untold() };
    one(&plain(), &plain()).unwrap();
    one(&untold, &untold).unwrap();
    refused(one(&plain(), &untold), why);
    refused(one(&untold, &plain()), why);
}

#[test]
fn dates_outside_of_the_parents_are_noticed() {
    let (two, one) = ([banded(1, 2, 2)], [banded(1, 1, 1)]);
    let why = "has objects older or newer than its parent has";
    let child = |dates| verified_full(&[], &[("", &two, between(5, 9)), ("a/", &one, dates)]);
    child(Dates::at(5)).unwrap();
    child(Dates::at(9)).unwrap();
    refused(child(Dates::at(4)), why);
    refused(child(Dates::at(10)), why);
}

#[test]
fn dates_of_no_object_are_noticed() {
    let why = "has dates of no object";
    let of = |count, dates, children: &[(&'static str, u64, Dates)]| {
        let cells = |count| [banded(1, count, count)];
        let children: Vec<_> =
            children.iter().map(|&(key, count, dates)| (key, cells(count), dates)).collect();
        let root = cells(count);
        let mut rows: Vec<(&str, &[Cell], Dates)> = vec![("", &root, dates)];
        rows.extend(children.iter().map(|(key, cells, dates)| (*key, cells.as_slice(), *dates)));
        verified_full(&[], &rows)
    };
    // One object has one date.
    of(1, Dates::at(5), &[]).unwrap();
    of(2, between(5, 9), &[]).unwrap();
    refused(of(1, between(5, 9), &[]), why);
    // What no child has, an object of the parent itself has.
    of(2, between(5, 9), &[("a/", 1, Dates::at(5)), ("b/", 1, Dates::at(9))]).unwrap();
    refused(of(2, between(5, 9), &[("a/", 2, between(5, 8))]), why);
    refused(of(2, between(5, 9), &[("a/", 2, between(6, 9))]), why);
    of(3, between(5, 9), &[("a/", 2, between(5, 8))]).unwrap();
    refused(of(3, between(5, 9), &[("a/", 2, between(6, 8))]), why);
    of(4, between(5, 9), &[("a/", 2, between(6, 8))]).unwrap();
    // And not deeper than the child that has it.
    let deep = [("a/", 2, between(5, 9)), ("a/x/", 2, between(5, 8))];
    refused(of(2, between(5, 9), &deep), "\"a/\" has dates of no object");
}

#[test]
fn it_can_be_stopped() {
    let rows: Vec<(String, Vec<Cell>)> =
        (0..2500).map(|n| (format!("{n:05}/"), vec![cell(0, 1, 0)])).collect();
    let root = [cell(0, 2500, 0)];
    let mut writer =
        Writer::new(Vec::new(), Form { kind: FileKind::Index, ..Form::segment(false) }, &plain()).unwrap();
    writer.push(b"", &root, Dates::NONE).unwrap();
    for (key, cells) in &rows {
        writer.push(key.as_bytes(), cells, Dates::NONE).unwrap();
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
