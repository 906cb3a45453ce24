//! Ranges of rows are what their definitions say, and take no more pages than they must.

use std::io;
use std::ops::Range;
use std::sync::Mutex;

use proptest::prelude::*;
use s3inv_model::{Bin, Sums, prefix};

use super::round_trip::{a_prefix, rows, uncounted};
use super::{Row, full, joined, many};
use crate::{FileKind, Form, Least, Place, ReadAt, Reader, Span, Tail};

fn form() -> Form {
    Form { kind: FileKind::Index, ..Form::segment(false) }
}

fn keys<R: ReadAt>(reader: &Reader<R>, span: &Span) -> Vec<Vec<u8>> {
    let mut rows = reader.span(span).unwrap();
    let mut keys = Vec::new();
    while rows.advance().unwrap() {
        keys.push(rows.key().to_vec());
    }
    assert!(!rows.advance().unwrap(), "the end stays the end");
    keys
}

/// The children of all texts, and what is below them, by their definitions.
fn check<R: ReadAt>(reader: &Reader<R>, rows: &[Row], text: &[u8]) {
    let (parent, start) = text.split_at(prefix::own_directory(text).len());
    let of = |is: &dyn Fn(&[u8], &[u8]) -> bool| -> Vec<Vec<u8>> {
        let all = rows.iter().map(|row| row.0.clone()).filter(|key| !key.is_empty());
        all.filter(|key| is(prefix::split(key).0, prefix::split(key).1)).collect()
    };
    let children = of(&|of, name| of == parent && name.starts_with(start));
    let below = of(&|of, _| of.starts_with(text));
    for (span, expected) in [(Span::children(parent, start), children), (Span::below(text), below)] {
        assert_eq!(keys(reader, &span), expected, "{span:?}");
        assert_eq!(reader.count(&span).unwrap(), expected.len() as u64, "{span:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn spans_are_what_their_definitions_say(
        (schema, rows) in rows(),
        texts in prop::collection::vec(a_prefix(), 1..10),
        cut in 0usize..8,
    ) {
        let reader = Reader::open(uncounted(form(), &schema, &rows)).unwrap();
        let of_rows = rows.iter().map(|row| &row.0).take(10);
        for text in texts.iter().chain(of_rows) {
            check(&reader, &rows, text);
            check(&reader, &rows, &text[..text.len().min(cut)]);
        }
    }

    /// One span after the other, in order, gives what each alone does: be it left early or not.
    #[test]
    fn spans_go_on_in_one_another(
        (schema, rows) in rows(),
        texts in prop::collection::vec(a_prefix(), 0..10),
        most in prop::collection::vec(0usize..4, 30),
    ) {
        let reader = Reader::open(uncounted(form(), &schema, &rows)).unwrap();
        let mut parents: Vec<_> = texts.iter().chain(rows.iter().map(|row| &row.0).take(20)).collect();
        parents.sort();
        parents.dedup();
        let spans: Vec<_> = parents.into_iter().map(|parent| Span::children(parent, b"")).collect();
        let mut cursor = spans.first().map(|first| reader.span(first).unwrap());
        for (at, (span, most)) in spans.iter().zip(most).enumerate() {
            let cursor = cursor.as_mut().unwrap();
            if at > 0 {
                cursor.go_on(span).unwrap();
            }
            let expected = keys(&reader, span);
            for key in expected.iter().take(if most == 3 { usize::MAX } else { most }) {
                prop_assert!(cursor.advance().unwrap());
                prop_assert_eq!(cursor.key(), key);
            }
            prop_assert!(most < 3 && expected.len() >= most || !cursor.advance().unwrap());
        }
    }

    #[test]
    fn pages_are_left_out_only_if_they_have_nothing(
        mut text in a_prefix(),
        cut in 0usize..8,
        mut keys in prop::collection::vec(a_prefix(), 2..20),
    ) {
        let row = Span::row(&text);
        text.truncate(cut);
        keys.sort_by(|a, b| prefix::compare(a, b));
        keys.dedup();
        let (next, page) = keys.split_last().unwrap();
        prop_assume!(!page.is_empty());
        let (parent, start) = text.split_at(prefix::own_directory(&text).len());
        for span in [row, Span::children(parent, start), Span::below(&text), Span::all()] {
            let has = page.iter().any(|key| span.has(key));
            prop_assert!(!has || span.meets(&keys[0], Some(next)) && span.meets(&keys[0], None));
            let over = span.end.as_ref().is_some_and(|end| !end.is_behind(&keys[0]));
            let before = span.from.is_behind(next) || span.from.pair() == prefix::split(next);
            prop_assert_eq!(span.meets(&keys[0], Some(next)), !over && !before);
        }
    }
}

#[test]
fn nothing_is_behind_what_begins_with_the_last_byte() {
    assert!(Place::behind_below(b"\xff").is_none());
}

#[test]
fn spans_of_many_pages() {
    let (index, rows) = many();
    let reader = Reader::open(index.clone()).unwrap();
    let some = rows.iter().map(|row| row.0.as_slice()).step_by(7);
    for text in some.chain([&b""[..], b"a", b"\xff", b"\xff\xff\xff", b"deep/", b"zzz/"]) {
        check(&reader, rows, text);
        check(&reader, rows, text.strip_suffix(b"/").unwrap_or(text));
    }
    let all: Vec<_> = rows.iter().map(|row| row.0.clone()).collect();
    assert_eq!(keys(&reader, &Span::all()), all);
    for key in all.iter().step_by(11) {
        assert_eq!(keys(&reader, &Span::row(key)), std::slice::from_ref(key));
        assert_eq!(keys(&reader, &Span::row(&[key, &b"none/"[..]].concat())), Vec::<Vec<u8>>::new());
    }
}

/// What is skipped to is what a search finds, near and far, whether a row is there or not.
#[test]
fn rows_can_be_left_out() {
    let (index, rows) = many();
    let reader = Reader::open(index.clone()).unwrap();
    let keys = rows.iter().map(|row| row.0.as_slice());
    let mut places: Vec<_> = keys.flat_map(|key| [prefix::split(key), (key, &b""[..])]).collect();
    places.sort_unstable();
    for step in [1, 2, 13, 50, 200, 400] {
        let mut cursor = reader.rows().unwrap();
        for place in places.iter().step_by(step) {
            cursor.skip_to(*place).unwrap();
            let mut here = cursor.clone();
            let found = here.advance().unwrap().then(|| here.key());
            let expected = rows.iter().map(|row| row.0.as_slice()).find(|key| prefix::split(key) >= *place);
            assert_eq!(found, expected, "{place:?}");
        }
        cursor.skip_to((b"\xff\xff/", b"")).unwrap();
        assert!(!cursor.advance().unwrap());
    }
}

/// A source whose reads are requests: what was said, and what was read.
struct Remote {
    file: Vec<u8>,
    told: Mutex<Vec<Range<u64>>>,
    read: Mutex<Vec<Range<u64>>>,
}

impl Remote {
    fn open(file: &[u8]) -> Reader<Self> {
        let source = Self { file: file.to_vec(), told: Mutex::default(), read: Mutex::default() };
        Reader::open(source).unwrap()
    }

    fn take(&self) -> (Vec<Range<u64>>, Vec<Range<u64>>) {
        (std::mem::take(&mut self.told.lock().unwrap()), std::mem::take(&mut self.read.lock().unwrap()))
    }
}

impl ReadAt for Remote {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        self.file.tail(len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read.lock().unwrap().push(offset..offset + out.len() as u64);
        self.file.read_at(offset, out)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn will_read(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        self.told.lock().unwrap().extend_from_slice(ranges);
        Ok(())
    }
}

#[test]
fn a_remote_source_is_told_what_will_be_read_and_nothing_else() {
    for lookup in [false, true] {
        let (_, rows) = many();
        let reader = Remote::open(&joined(lookup, &full(), &[rows]));
        let spans = [Span::all(), Span::below(b"a"), Span::children(b"", b""), Span::children(b"", b"2")];
        for span in &spans {
            reader.source().take();
            keys(&reader, span);
            let (told, read) = reader.source().take();
            assert_eq!(told, read, "{span:?}");
            reader.will_read(std::slice::from_ref(span)).unwrap();
            let (told, _) = reader.source().take();
            assert_eq!(told, read, "{span:?}: all at once");
        }
        let some: Vec<_> = rows.iter().map(|row| row.0.as_slice()).step_by(9).collect();
        reader.get_many(&some).unwrap();
        let (told, read) = reader.source().take();
        let untold: Vec<_> = read.iter().filter(|range| !told.contains(range)).collect();
        // Rows that are too long for a table are looked for in their pages.
        assert!(untold.len() <= if lookup { 3 } else { 0 }, "{untold:?}");
        let unread: Vec<_> = told.iter().filter(|range| !read.contains(range)).collect();
        assert_eq!(unread, [&(0..0); 0]);
    }
}

/// Rows that have as much come as without it; pages that have none are neither said nor read.
#[test]
fn pages_of_less_are_left_out() {
    let (_, rows) = many();
    let reader = Remote::open(&joined(false, &full(), &[rows]));
    let count = |sums: &Sums| {
        let current = || sums.cells.iter().filter(|cell| Bin::is_current(cell.bin));
        (current().map(|cell| cell.objects).sum::<u64>(), current().map(|cell| cell.bytes).sum::<u64>())
    };
    let counts: Vec<_> = rows.iter().map(|(_, sums)| count(sums)).collect();
    let pages: Vec<_> = reader.page_starts().map(Result::unwrap).collect();
    let mut left_out = 0;
    for nth in (0..counts.len()).step_by(counts.len() / 40) {
        let least = Least { objects: counts[nth].0, bytes: counts[nth].1 };
        let is_wanted = |(objects, bytes): (u64, u64)| objects >= least.objects && bytes >= least.bytes;
        for span in [Span::below(b""), Span::children(b"", b""), Span::below(b"a")] {
            let mut cursor = reader.span(&span).unwrap().only(least);
            reader.source().take();
            let mut found = Vec::new();
            while cursor.advance().unwrap() {
                found.push(cursor.key().to_vec());
            }
            let expected = || {
                let wanted =
                    rows.iter().zip(&counts).filter(|((key, _), count)| span.has(key) && is_wanted(**count));
                wanted.map(|((key, _), _)| key)
            };
            assert!(expected().all(|key| found.contains(key)), "{span:?} {least:?}");
            assert!(
                found.iter().all(|key| span.has(key))
                    && found.is_sorted_by(|a, b| prefix::compare(a, b).is_lt())
            );
            let may = pages
                .iter()
                .filter(|page| page.max_objects >= least.objects && page.max_bytes >= least.bytes);
            let (_, read) = reader.source().take();
            assert!(read.len() <= may.count(), "{span:?} {least:?}: {read:?}");
            left_out += pages.len() - read.len();
        }
    }
    assert!(left_out > 0);
}

#[test]
fn counting_reads_the_pages_at_the_ends() {
    let (index, rows) = many();
    let reader = Remote::open(index);
    for span in [Span::below(b""), Span::children(b"", b""), Span::below(b"a/")] {
        reader.source().take();
        assert!(reader.count(&span).unwrap() > 0);
        let (_, mut read) = reader.source().take();
        read.dedup();
        assert!(read.len() <= 2, "{span:?}: {read:?}");
    }
    assert_eq!(reader.count(&Span::below(b"")).unwrap(), rows.len() as u64 - 1);
}
