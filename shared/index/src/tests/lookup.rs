//! What tables answer is what pages say, and no prefix is looked for in more than is promised.

use std::fs::{self, File};
use std::io;
use std::sync::Mutex;

use proptest::prelude::*;
use s3inv_model::{Cell, Schema, Sums};
use xxhash_rust::xxh3::xxh3_128;

use super::round_trip::{a_prefix, rows, uncounted};
use super::{
    Row, always, bin, counts, few, few_with_tables, full, joined, many, origin, plain, read_all, read_rows,
    undated, written,
};
use crate::bucket::{BUCKET, Bucket, ROOM, Stored};
use crate::lot::{Lot, MAX_LOT_ROWS};
use crate::table::{Address, Hash, hash};
use crate::{FileKind, Form, FormatError, Joiner, Mapped, ReadAt, Reader, Tail, Writer, is_partition_start};

fn index() -> Form {
    Form { kind: FileKind::Index, ..Form::segment(true) }
}

fn lots<R: ReadAt>(reader: &Reader<R>) -> Vec<&Lot> {
    reader.lots().unwrap().all().iter().map(|placed| &placed.lot).collect()
}

/// Whether tables and pages say the same of these, one by one and all at once.
#[track_caller]
fn agree<R: ReadAt>(reader: &Reader<R>, keys: &[&[u8]]) {
    let of_pages: Vec<_> = keys.iter().map(|key| reader.get_from_pages(key).unwrap()).collect();
    let of_tables: Vec<_> = keys.iter().map(|key| reader.get(key).unwrap()).collect();
    assert_eq!(of_tables, of_pages);
    assert_eq!(reader.get_many(keys).unwrap(), of_pages);
}

/// A file, not in memory, and what was asked of it.
struct Asked {
    file: Vec<u8>,
    requests: Mutex<Vec<usize>>,
}

impl Asked {
    fn new(file: &[u8]) -> Self {
        Self { file: file.to_vec(), requests: Mutex::default() }
    }
}

impl ReadAt for &Asked {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        let tail = self.file.tail(len)?;
        self.requests.lock().unwrap().push(tail.bytes.len());
        Ok(tail)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.requests.lock().unwrap().push(out.len());
        self.file.read_at(offset, out)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tables_and_pages_say_the_same((schema, rows) in rows(), missing in prop::collection::vec(a_prefix(), 0..20)) {
        let file = uncounted(index(), &schema, &rows);
        let asked = Asked::new(&file);
        let keys: Vec<_> = rows.iter().map(|row| row.0.as_slice()).chain(missing.iter().map(Vec::as_slice)).collect();
        let reader = Reader::open(file.clone()).unwrap();
        agree(&reader, &keys);
        agree(&Reader::open(&asked).unwrap(), &keys);
        prop_assert_eq!(read_rows(&reader).unwrap(), rows);
    }

    #[test]
    fn an_address_is_of_two_buckets_that_are_near(hash in any::<u128>(), seed in 0u64..3, count in 1u64..200_000) {
        let (first, second) = Address::new(hash, seed).buckets(count);
        prop_assert!(first.max(second) < count);
        prop_assert!(first.abs_diff(second) <= 63);
        prop_assert!(first != second || count == 1);
    }
}

#[test]
fn what_was_built_is_sound() {
    for rows in [&few().1, &many().1] {
        let file = joined(true, &full(), &[rows]);
        assert_eq!(&read_all(&file).unwrap(), rows);
        let keys: Vec<_> = rows.iter().map(|row| row.0.as_slice()).collect();
        agree(&Reader::open(file).unwrap(), &keys);
    }
}

/// Also when another file has taken the place of the one that is mapped, as after a build.
#[test]
fn a_mapped_file_says_the_same_to_all_threads() {
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = ["b.s3inv", "other"].map(|name| folder.path().join(name));
    let rows = &many().1;
    fs::write(&path, joined(true, &full(), &[rows])).unwrap();
    let reader = Reader::open(Mapped::open(&File::open(&path).unwrap()).unwrap()).unwrap();
    fs::write(&other, &few().0).unwrap();
    fs::rename(&other, &path).unwrap();
    let keys: Vec<_> = rows.iter().map(|row| row.0.as_slice()).chain([&b"no/"[..]]).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| agree(&reader, &keys));
        }
    });
    assert_eq!(&read_rows(&reader).unwrap(), rows);
}

#[test]
fn an_empty_file_is_no_index_when_mapped_either() {
    let file = tempfile::tempfile().unwrap();
    assert!(matches!(Reader::open(Mapped::open(&file).unwrap()), Err(FormatError::NotAnIndex(_))));
}

/// Wherever the work is divided, and whether bytes pass through or are copied elsewhere.
#[test]
fn bytes_do_not_depend_on_segments() {
    let rows = &many().1;
    let whole = joined(true, &full(), &[rows]);
    let starts: Vec<_> = (1..rows.len()).filter(|&at| is_partition_start(&rows[at].0)).collect();
    for step in [1, 2, 50] {
        let mut ends: Vec<_> = starts.iter().copied().step_by(step).collect();
        ends.insert(0, 0);
        ends.push(rows.len());
        let parts: Vec<_> = ends.windows(2).map(|ends| &rows[ends[0]..ends[1]]).collect();
        assert!(joined(true, &full(), &parts) == whole, "{} segments", parts.len());
        assert!(copied(&full(), &parts) == whole, "{} segments, copied", parts.len());
    }
}

fn copied(schema: &Schema, parts: &[&[Row]]) -> Vec<u8> {
    let mut joiner = Joiner::new(Vec::new()).unwrap();
    let mut pages = Vec::new();
    let mut pages_at = 0;
    for rows in parts {
        let segment = written(Form::segment(true), schema, rows);
        let reader = Reader::open_kind(segment.clone(), FileKind::Segment).unwrap();
        joiner.append_elsewhere(&reader, || always(0)).unwrap();
        let range = reader.pages();
        pages_at = range.start as usize;
        pages.extend_from_slice(&segment[pages_at..range.end as usize]);
    }
    let mut index = joiner.finish(None, s3inv_model::Measures::default(), origin()).unwrap().0;
    index.splice(pages_at..pages_at, pages);
    index
}

#[test]
fn segments_with_and_without_tables_are_not_joined() {
    for first in [true, false] {
        let mut joiner = Joiner::new(Vec::new()).unwrap();
        let segment = |lookup| {
            let file = written(Form::segment(lookup), &full(), &few().1);
            Reader::open_kind(file, FileKind::Segment).unwrap()
        };
        joiner.append(&segment(first), || always(0)).unwrap();
        let error = joiner.append(&segment(!first), || always(0)).unwrap_err();
        assert!(matches!(error, FormatError::Mismatch(_)), "{error}");
    }
}

/// Short rows, among which lots end because they have many, and not where partitions begin.
pub(super) fn short_rows(count: usize) -> Vec<Row> {
    let cells = |n: usize| vec![Cell { bin: bin(0), objects: 1 + n as u64 % 3, bytes: n as u64 }];
    let names = (0..).map(|n| format!("{n:06}/").into_bytes()).filter(|name| !is_partition_start(name));
    (0..).zip(names).map(|(n, name)| (name, undated(&cells(n)))).take(count).collect()
}

#[test]
fn lots_end_with_a_page_when_they_have_many_rows() {
    let rows = short_rows(60_000);
    let reader = Reader::open(written(index(), &plain(), &rows)).unwrap();
    let lots = lots(&reader);
    assert_eq!(lots.len(), 2);
    let starts: Vec<_> = reader.page_starts().map(|page| page.unwrap().first).collect();
    assert!(lots.iter().all(|lot| starts.contains(&lot.first)));
    assert!((32_768..=MAX_LOT_ROWS).contains(&lots[0].rows));
    let keys: Vec<_> = rows.iter().step_by(97).map(|row| row.0.as_slice()).collect();
    agree(&reader, &keys);
}

#[test]
fn one_request_answers_and_another_one_opens() {
    let rows = short_rows(70_000);
    let asked = Asked::new(&written(index(), &plain(), &rows));
    let reader = Reader::open(&asked).unwrap();
    let requests = || std::mem::take(&mut *asked.requests.lock().unwrap());
    assert_eq!(requests(), [64 << 10]);
    for (key, sums) in rows.iter().step_by(97) {
        assert_eq!(reader.get(key).unwrap().as_ref(), Some(sums));
        assert!(matches!(requests()[..], [len] if len <= 64 * BUCKET));
        assert_eq!(reader.get(&[key, &b"x/"[..]].concat()).unwrap(), None);
        assert!(matches!(requests()[..], [len] if len <= 64 * BUCKET));
    }
}

/// What doesn't fit a bucket, and what no brief row can tell, is in pages.
#[test]
fn long_rows_are_in_their_pages() {
    let many = |count: u16| (0..count).map(|n| Cell { bin: 2 + n * 7, objects: 2, bytes: 1 << 40 }).collect();
    let odd = vec![Cell { bin: 3, objects: 2, bytes: 1 }];
    let rows: Vec<Row> = [(&b""[..], many(20)), (b"a/", many(8)), (b"b/", odd), (b"c/", many(1))]
        .map(|(key, cells): (_, Vec<Cell>)| (key.to_vec(), undated(&cells)))
        .into();
    let file = written(index(), &plain(), &rows);
    let reader = Reader::open(file.clone()).unwrap();
    let table = reader.stored_table(&reader.lots().unwrap().all()[0]).unwrap();
    let entries = table.chunks(BUCKET).flat_map(|bucket| Bucket::checked(bucket).unwrap().entries());
    let stored: Vec<_> = entries.map(|entry| entry.unwrap().1).collect();
    assert_eq!(stored.iter().filter(|&&stored| stored == Stored::Elsewhere).count(), 2);
    agree(&reader, &[b"", b"a/", b"b/", b"c/", b"d/"]);
}

/// An index whose tables were made with another hash.
fn hashed(hash: Hash, rows: &[Row]) -> Reader<Vec<u8>> {
    let mut writer = Writer::new(Vec::new(), index(), &plain()).unwrap().hashed_by(hash);
    for (key, Sums { cells, dates }) in rows {
        writer.push(key, cells, *dates).unwrap();
    }
    let mut reader = Reader::open(writer.finish(counts(&plain(), rows)).unwrap().0).unwrap();
    reader.hash = hash;
    reader
}

#[test]
fn prefixes_that_are_alike_are_hashed_another_way() {
    let rows = short_rows(2000);
    let keys: Vec<_> = rows.iter().map(|row| row.0.as_slice()).chain([&b"x/"[..], b"y/"]).collect();
    let all_prints_alike: Hash = |key| xxh3_128(key) >> 64 << 64;
    let all_places_alike: Hash = |key| xxh3_128(key) & u128::from(u64::MAX);
    for (hash, seed) in [(hash as Hash, 0), (all_prints_alike, 1), (all_places_alike, 1)] {
        let reader = hashed(hash, &rows);
        assert_eq!(lots(&reader)[0].seed, seed);
        assert!(lots(&reader)[0].buckets > 0);
        agree(&reader, &keys);
    }
}

#[test]
fn prefixes_that_stay_alike_are_looked_for_in_pages() {
    let rows = short_rows(40);
    let keys: Vec<_> = rows.iter().map(|row| row.0.as_slice()).chain([&b"x/"[..], b"y/"]).collect();
    let few_bits: Hash = |key| xxh3_128(key) & 0x3f;
    let reader = hashed(few_bits, &rows);
    assert_eq!((lots(&reader)[0].buckets, lots(&reader)[0].seed), (0, 0));
    agree(&reader, &keys);
}

/// A missing prefix may be alike with one that is there only in more than 60 bits.
#[test]
fn a_print_has_sixty_bits() {
    assert_eq!(Address::new(u128::MAX, 0).print, (1 << 60) - 1);
    let (a, b) = (Address::new(0, 0).print, Address::new(1 << 4, 0).print);
    assert_ne!(a, b);
}

/// Every byte of both buckets of a prefix, and of the row that it leads to.
#[test]
fn what_is_touched_is_checked() {
    let (file, rows) = (few_with_tables(), &few().1);
    let reader = Reader::open(file.clone()).unwrap();
    let placed = &reader.lots().unwrap().all()[0];
    let (table, end) = (placed.table_at as usize, (placed.table_at + placed.lot.table_len()) as usize);
    let mut refused = 0;
    for at in table..end {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        let damaged = Reader::open(damaged).unwrap();
        for (key, sums) in rows {
            match damaged.get(key) {
                Ok(found) => assert_eq!(found.as_ref(), Some(sums)),
                Err(FormatError::Checksum { part: "bucket", offset }) => {
                    let bucket = offset as usize..offset as usize + BUCKET;
                    assert!(bucket.contains(&at));
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    let lot_rows = placed.lot.rows as usize;
    assert!(refused >= (end - table) * lot_rows / placed.lot.buckets as usize / 2, "{refused}");
}

#[test]
fn tables_are_packed() {
    let rows = short_rows(10_000);
    let reader = Reader::open(written(index(), &plain(), &rows)).unwrap();
    let (mut used, mut room) = (0, 0);
    for placed in reader.lots().unwrap().all() {
        for bucket in reader.stored_table(placed).unwrap().chunks(BUCKET) {
            let bucket = Bucket::checked(bucket).unwrap();
            used += bucket.entries().map(|entry| entry.unwrap().1.len()).sum::<usize>();
            room += ROOM;
        }
    }
    assert!(used * 100 >= room * 85, "{used} of {room} bytes");
}

/// Of a table alone, with what it says of a lot: what is missing from it, in it too often, or not its own.
#[test]
fn tables_of_other_rows_are_refused() {
    use crate::forge::{Part, Parts};
    let parts = Parts::of(few_with_tables(), FileKind::Index);
    let refused = |part, change: &dyn Fn(&mut Vec<u8>), why: &str| {
        let error = read_all(&parts.forge(part, change)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    // An entry that is no longer counted.
    refused(Part::Table(0), &|table| empty_a_bucket(table), "is not there as it is in its page");
    // What stands behind the rows of a bucket.
    refused(Part::Table(0), &|table| *table.last_mut().unwrap() = 1, "something behind its rows");
    // More entries than a bucket has room for.
    refused(Part::Table(0), &|table| table[4] = 16, "rows can't be read");
    for at in 0..4 {
        let lots = |raw: &mut Vec<u8>| change_lot(raw, at);
        refused(Part::Lots, &lots, "damaged index");
    }
}

fn empty_a_bucket(table: &mut [u8]) {
    let bucket = table.chunks_mut(BUCKET).find(|bucket| bucket[4] > 0).unwrap();
    bucket[4..].fill(0);
}

/// Changes a number of the first lot: it begins with the root, which takes two bytes.
fn change_lot(raw: &mut [u8], field: usize) {
    let mut at = 2;
    for _ in 0..field {
        at += raw[at..].iter().position(|&byte| byte < 0x80).unwrap() + 1;
    }
    raw[at] ^= 1;
}
