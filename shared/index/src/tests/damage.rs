//! Nothing that a file says makes a panic, an endless loop or a large allocation, and no damage is believed.

use proptest::prelude::*;
use proptest::sample::Index;
use s3inv_model::Measures;

use super::{Row, always, few, few_with_tables, file, full, many, read_all, read_rows, written};
use crate::forge::{Part, Parts};
use crate::{Compression, Entry, FileKind, Form, FormatError, Joiner, Reader, verify};

/// Everything that can be asked of a file, whose rows are returned if it answers.
fn exercise(bytes: &[u8], kind: FileKind) -> Result<Vec<Row>, FormatError> {
    let reader = Reader::open_kind(bytes.to_vec(), kind)?;
    let verified = verify(&reader, &mut always);
    let starts: Result<Vec<Entry>, _> = reader.page_starts().collect();
    for key in [&b""[..], b"a/", b"a/\0", b"zz/", &[0xff; 2000]] {
        let _ = reader.get(key);
        let mut cursor = reader.seek(key)?;
        // Whoever goes on after an error comes to an end, too.
        for _ in 0..3 {
            let _ = cursor.advance();
        }
    }
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    let _ = joiner.append(&reader, || always(0));
    let _ = joiner.append(&reader, || always(0));
    let _ = joiner.finish(None, Measures::default(), super::origin());
    starts?;
    let rows = read_rows(&reader)?;
    verified.map(|()| rows)
}

#[test]
fn every_byte_is_covered() {
    every_byte_is_covered_of(&few().0);
}

#[test]
fn every_byte_of_tables_is_covered() {
    every_byte_is_covered_of(few_with_tables());
}

fn every_byte_is_covered_of(index: &[u8]) {
    let rows = &few().1;
    assert_eq!(&read_all(index).unwrap(), rows);
    let mut damaged = index.to_vec();
    for at in 0..index.len() {
        for flip in [0x01, 0x80, 0xff] {
            damaged[at] ^= flip;
            assert!(read_all(&damaged).is_err(), "byte {at} of {}, flipped by {flip:#x}", index.len());
            damaged[at] ^= flip;
        }
    }
}

#[test]
fn bytes_of_a_directory_of_two_levels_are_covered() {
    let (index, _) = many();
    let mut damaged = index.clone();
    for at in (0..index.len()).step_by(53) {
        damaged[at] ^= 0x10;
        assert!(read_all(&damaged).is_err(), "byte {at} of {}", index.len());
        damaged[at] ^= 0x10;
    }
}

#[test]
fn a_file_cut_short_is_refused_at_once() {
    let (index, _) = few();
    for len in 0..index.len() {
        assert!(Reader::open(index[..len].to_vec()).is_err(), "the first {len} bytes");
        assert!(Reader::open(index[index.len() - len..].to_vec()).is_err(), "the last {len} bytes");
    }
    let (index, _) = many();
    for len in (0..index.len()).step_by(97) {
        assert!(Reader::open(index[..len].to_vec()).is_err(), "the first {len} bytes");
    }
}

/// All parts of the small index, of the larger one some.
fn parts_of(parts: &Parts) -> Vec<Part> {
    let pages = (0..parts.pages()).step_by(parts.pages().div_ceil(8));
    let blocks = 0..parts.blocks.len();
    let mut all = vec![Part::Root, Part::StoredRoot, Part::Info, Part::Trailer];
    if let Some(lots) = &parts.lots {
        all.push(Part::Lots);
        all.extend((0..lots.len()).map(Part::Table));
    }
    all.extend(pages.flat_map(|at| [Part::Page(at), Part::StoredPage(at)]));
    all.extend(blocks.flat_map(|at| [Part::Block(at), Part::StoredBlock(at)]));
    all
}

#[test]
fn the_forge_changes_nothing_by_itself() {
    for index in [&few().0, &many().0, few_with_tables()] {
        let parts = Parts::of(index, FileKind::Index);
        assert_eq!(&parts.forge(Part::Root, &|_| ()), index);
    }
    assert_eq!(Parts::of(&many().0, FileKind::Index).blocks.len(), 2);
}

#[test]
fn lengths_are_not_believed_though_their_checksums_match() {
    lengths_are_not_believed(&few().0);
    lengths_are_not_believed(few_with_tables());
}

fn lengths_are_not_believed(index: &[u8]) {
    let parts = Parts::of(index, FileKind::Index);
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for part in parts_of(&parts) {
        let len = std::cell::Cell::new(0);
        parts.forge(part, &|bytes| len.set(bytes.len()));
        for at in 0..len.get() {
            // A varint, or a field of the trailer, that says 2⁶⁴ - 1.
            let inserted = parts.forge(part, &|bytes| drop(bytes.splice(at..=at, huge)));
            assert!(exercise(&inserted, FileKind::Index).is_err() || part == Part::Info, "{part:?} at {at}");
            let written = parts.forge(part, &|bytes| bytes[at..].iter_mut().take(8).for_each(|b| *b = 0xff));
            let _ = exercise(&written, FileKind::Index);
        }
    }
}

/// An entry's fields.
const FIELDS: [fn(&mut Entry) -> &mut u64; 7] = [
    |e| &mut e.rows,
    |e| &mut e.len,
    |e| &mut e.raw_len,
    |e| &mut e.pages_len,
    |e| &mut e.max_objects,
    |e| &mut e.max_bytes,
    |e| &mut e.max_noncurrent,
];

#[test]
fn entries_that_contradict_each_other_are_refused() {
    let (index, _) = few();
    let parts = Parts::of(index, FileKind::Index);
    for field in FIELDS {
        for value in [0, 1, 2, 1 << 20, u64::MAX / 2 + 1, u64::MAX] {
            let of_root = parts.forge(Part::Root, &|raw| rewrite(raw, |entry| *field(entry) = value));
            let of_page = parts.forge(Part::Block(0), &|raw| rewrite(raw, |entry| *field(entry) = value));
            for forged in [of_root, of_page] {
                assert!(&forged == index || exercise(&forged, FileKind::Index).is_err());
            }
        }
    }
}

/// All levels agree, so that only the limit tells.
#[test]
fn more_rows_than_a_page_has_room_for_are_refused() {
    let (index, rows) = few();
    let mut parts = Parts::of(index, FileKind::Index);
    let page = &mut parts.page(0).0;
    let (room, more) = (page.raw_len / 2, page.raw_len / 2 + 1 - page.rows);
    page.rows = room + 1;
    parts.blocks[0].0.rows += more;
    let text = String::from_utf8(parts.info.clone()).unwrap();
    let count = |n: u64| format!("\"prefixes\":{n},");
    let text = text.replacen(&count(rows.len() as u64), &count(rows.len() as u64 + more), 1);
    parts.info = text.into_bytes();
    let reader = Reader::open(parts.forge(Part::Root, &|_| ())).unwrap();
    let error = reader.block(0).unwrap_err().to_string();
    assert!(error.contains("its pages don't add up"), "{error}");
}

#[test]
fn pages_and_blocks_that_are_too_long_are_not_read() {
    let parts = Parts::of(&few().0, FileKind::Index);
    for (part, most) in [
        (Part::Page(0), 2_097_152),
        (Part::StoredPage(0), 2_359_296),
        (Part::Block(0), 262_144),
        (Part::StoredBlock(0), 294_912),
    ] {
        let error = |len: usize| {
            let forged = parts.forge(part, &|bytes| bytes.resize(len, 0));
            exercise(&forged, FileKind::Index).unwrap_err().to_string()
        };
        assert!(error(most + 1).contains("it is too long"), "{part:?}: {}", error(most + 1));
        assert!(!error(most).contains("it is too long"), "{part:?}: {}", error(most));
    }
}

#[test]
fn an_entry_does_not_cover_more_than_64_bits() {
    let entry = |rows, pages_len| Entry { rows, pages_len, ..Entry::default() };
    assert_eq!(entry(1, 1).cover(&entry(u64::MAX - 1, u64::MAX - 1)), Some(()));
    assert_eq!(entry(1, 1).cover(&entry(u64::MAX, 1)), None);
    assert_eq!(entry(1, 1).cover(&entry(1, u64::MAX)), None);
}

/// Changes the first entry of a directory block or root.
fn rewrite(raw: &mut Vec<u8>, change: impl FnOnce(&mut Entry)) {
    let mut entries = Entry::take_all(raw, usize::MAX).unwrap();
    change(&mut entries[0]);
    raw.clear();
    let mut previous: &[u8] = &[];
    for entry in &entries {
        entry.put(previous, raw);
        previous = &entry.first;
    }
}

#[test]
fn a_directory_block_of_too_many_entries_is_refused() {
    let entry = |n: usize| Entry { first: format!("{n:04}/").into_bytes(), rows: 1, ..Entry::default() };
    let mut raw = Vec::new();
    (0..3).for_each(|n| entry(n).put(&[], &mut raw));
    assert_eq!(Entry::take_all(&raw, 3).unwrap().len(), 3);
    assert!(Entry::take_all(&raw, 2).unwrap_err().contains("more than 2 entries"));
}

#[test]
fn an_info_that_makes_no_sense_is_refused() {
    let parts = Parts::of(&few().0, FileKind::Index);
    let text = String::from_utf8(parts.info.clone()).unwrap();
    let refused = |from: &str, to: &str, why: &str| {
        assert!(text.contains(from), "{from} in {text}");
        let changed = text.replacen(from, to, 1).into_bytes();
        let forged = parts.forge(Part::Info, &|info| info.clone_from(&changed));
        let error = exercise(&forged, FileKind::Index).unwrap_err().to_string();
        assert!(error.contains(why), "{to:.80}: {error}");
    };
    refused("GLACIER", "STANDARD", "does not come after");
    refused("GLACIER", "TOO_HIGH", "does not come after");
    refused("GLACIER", "", "is not 1 to 64 letters");
    refused("GLACIER", "GLA CIER", "is not 1 to 64 letters");
    refused("\"dates\"", "\"prices\"", "unknown variant");
    refused("\"unknown\":[", "\"unknown\":[\"prices\"", "unknown variant");
    refused("\"bad_key\"", "\"bad_luck\"", "unknown variant");
    refused("\"measures\"", "\"measured\"", "missing field");
    refused("\"classes\":", "\"klasses\":", "missing field");
    refused("\"zstd\"", "\"brotli\"", "unknown variant");
    refused("\"zstd\"", "\"lz4\"", "does not decompress");
    refused("\"index\"", "\"run\"", "this is a run, not an index");
    refused("\"rows\":", "\"rows\":-", "invalid value");
    refused("\"rows\":", "\"rows\":18446744073709551615", "invalid");
    refused("\"prefixes\":", "\"prefixes\":1", "rows don't add up");
    refused("{", &format!("{{\"x\":{}", "[".repeat(100_000)), "recursion limit");
    refused("{", &format!("{{\"x\":\"{}\",", "x".repeat(1 << 20)), "too long");
    let names: Vec<_> = (0..62).map(|n| format!("\"C{n:02}\",")).collect();
    refused("\"GLACIER\"", &format!("{}\"GLACIER\"", names.concat()), "more than 64");
}

#[test]
fn newer_and_older_versions_are_told_apart() {
    let parts = Parts::of(&few().0, FileKind::Index);
    let version = |n: u8| {
        let forged = parts.forge(Part::Trailer, &|fields| fields[44] = n);
        Reader::open(forged).map(drop).unwrap_err()
    };
    for (number, hint) in [(0, "build the index again"), (3, "build the index again"), (5, "update")] {
        let error = version(number);
        assert!(matches!(error, FormatError::Version(v) if v == u32::from(number)), "{error}");
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn segments_that_count_too_much_are_not_joined() {
    let rows = few().1.as_slice();
    let segment = file(FileKind::Segment, Compression::Zstd, &full(), rows);
    let mut parts = Parts::of(&segment, FileKind::Segment);
    let text = String::from_utf8(parts.info.clone()).unwrap();
    let half = u64::MAX / 2 + 1;
    parts.info = text
        .replacen(&format!("\"prefixes\":{}", rows.len()), &format!("\"prefixes\":{half}"), 1)
        .into_bytes();
    let forged = parts.forge(Part::Root, &|raw| rewrite(raw, |entry| entry.rows = half));
    let reader = Reader::open_kind(forged, FileKind::Segment).unwrap();
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    assert!(joiner.append(&reader, || always(0)).is_err());
    assert!(joiner.append(&reader, || always(0)).is_err());
}

/// What is done to some bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Remove(Index, u8),
    Insert(Index, Vec<u8>),
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        match self {
            Self::Set(at, byte) if len > 0 => bytes[at.index(len)] = *byte,
            Self::Remove(at, count) if len > 0 => {
                let from = at.index(len);
                bytes.drain(from..len.min(from + usize::from(*count)));
            }
            Self::Insert(at, new) => {
                let from = at.index(len + 1);
                bytes.splice(from..from, new.iter().copied());
            }
            _ => {}
        }
    }
}

fn forms() -> impl Strategy<Value = Form> {
    let index = |lookup| Form { kind: FileKind::Index, ..Form::segment(lookup) };
    prop::sample::select(vec![Form::RUN, index(false), index(true)])
}

fn change() -> impl Strategy<Value = Change> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(vec![0, 1, 2, 0x7f, 0x80, 0xff, b'/'])];
    prop_oneof![
        4 => (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => (any::<Index>(), 1u8..20).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (any::<Index>(), prop::collection::vec(byte, 1..12)).prop_map(|(at, new)| Change::Insert(at, new)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// The result may be right or wrong: a writer may have meant it. It only comes to an end.
    #[test]
    fn forged_files_do_no_harm(part in any::<Index>(), changes in prop::collection::vec(change(), 1..4), form in forms()) {
        let kind = form.kind;
        let parts = Parts::of(&written(form, &full(), &few().1), kind);
        let parts_of = parts_of(&parts);
        let forged = parts.forge(parts_of[part.index(parts_of.len())], &|bytes| changes.iter().for_each(|c| c.make(bytes)));
        let _ = exercise(&forged, kind);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(exercise(&bytes, FileKind::Index).is_err());
        prop_assert!(exercise(&[&bytes[..], crate::trailer::MAGIC].concat(), FileKind::Index).is_err());
    }
}
