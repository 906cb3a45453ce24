//! Looking for what is there, and for what is not.

use std::io;
use std::sync::Mutex;

use s3inv_model::prefix;

use super::{Row, many};
use crate::{ReadAt, Reader, Tail, Within};

fn reader() -> (Reader<Vec<u8>>, &'static [Row]) {
    let (index, rows) = many();
    (Reader::open(index.clone()).unwrap(), rows)
}

#[test]
fn every_row_is_found() {
    let (reader, rows) = reader();
    for (at, (key, sums)) in rows.iter().enumerate() {
        assert_eq!(reader.get(key).unwrap().as_ref(), Some(sums), "{key:?}");
        let mut cursor = reader.seek(key).unwrap();
        for (key, sums) in &rows[at..rows.len().min(at + 3)] {
            assert!(cursor.advance().unwrap());
            assert_eq!((cursor.key(), cursor.cells()), (key.as_slice(), sums.cells.as_slice()));
            assert_eq!(cursor.dates(), sums.dates);
        }
    }
}

/// Just before a row, just behind it, at its children: the first row that isn't before is the next one.
#[test]
fn what_is_not_there_leads_to_what_follows() {
    let (reader, rows) = reader();
    for (key, _) in rows {
        let before = key.split_last().map(|(_, name)| name.to_vec()).unwrap_or_default();
        let behind = [key.as_slice(), b"\0"].concat();
        let beyond = [key.as_slice(), b"\xff\xff"].concat();
        for key in [before, behind, beyond] {
            let next =
                rows.iter().find(|row| prefix::compare(&row.0, &key).is_ge()).map(|row| row.0.as_slice());
            let mut cursor = reader.seek(&key).unwrap();
            let got = cursor.advance().unwrap().then(|| cursor.key());
            assert_eq!(got, next, "from {key:?} on");
        }
    }
}

#[test]
fn the_end_stays_the_end() {
    let (reader, _) = reader();
    let mut cursor = reader.seek(b"\xff\xff/\xff/").unwrap();
    assert!(!cursor.advance().unwrap());
    assert!(!cursor.advance().unwrap());
}

#[test]
fn what_is_no_prefix_is_not_there() {
    let (reader, _) = reader();
    for key in [&b"a"[..], b"a/b", b"at-the-root", b"\0", &[b'/'; 1025], &[b'x'; 5000], b"a/b/c/d/e"] {
        assert_eq!(reader.get(key).unwrap(), None, "{} bytes", key.len());
    }
    let longest = [vec![b'x'; prefix::MAX_KEY - 1], b"/".to_vec()].concat();
    assert_eq!(reader.get(&longest).unwrap(), None);
}

#[test]
fn clones_go_their_own_way() {
    let (reader, rows) = reader();
    let mut cursor = reader.rows().unwrap();
    assert!(cursor.advance().unwrap());
    let mut clone = cursor.clone();
    for (key, _) in &rows[1..] {
        assert!(cursor.advance().unwrap());
        assert_eq!(cursor.key(), key);
    }
    for (key, sums) in &rows[1..] {
        assert!(clone.advance().unwrap());
        assert_eq!((clone.key(), clone.cells()), (key.as_slice(), sums.cells.as_slice()));
        assert_eq!(clone.dates(), sums.dates);
    }
}

/// Remembers which ranges were read.
struct Watched(Vec<u8>, Mutex<Vec<(u64, usize)>>);

impl ReadAt for Watched {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        let tail = self.0.tail(len)?;
        self.1.lock().unwrap().push((tail.total - tail.bytes.len() as u64, tail.bytes.len()));
        Ok(tail)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.1.lock().unwrap().push((offset, out.len()));
        self.0.read_at(offset, out)
    }
}

#[test]
fn a_look_up_reads_the_end_and_one_page() {
    let (index, rows) = many();
    let reads = |key: &[u8]| {
        let reader = Reader::open(Watched(index.clone(), Mutex::default())).unwrap();
        reader.get(key).unwrap();
        reader.into_source().1.into_inner().unwrap()
    };
    let last = &rows.last().unwrap().0;
    for key in [&b""[..], last] {
        let reads = reads(key);
        assert_eq!(reads.len(), 2, "{reads:?}");
        assert_eq!(reads[0].0 + reads[0].1 as u64, index.len() as u64);
    }
    assert_eq!(reads(b"a").len(), 1, "what is no prefix is not looked for");
}

#[test]
fn parts_one_by_one_have_all_rows() {
    let (reader, rows) = reader();
    let mut expected = rows.iter();
    for block in reader.parts() {
        let Ok(Within::Pages(pages)) = reader.open_part(&block) else { panic!("a block has pages") };
        assert_eq!(pages[0].entry().first, block.entry().first);
        for page in pages {
            assert!(page.is_page() && !block.is_page());
            let Ok(Within::Rows(mut read)) = reader.open_part(&page) else { panic!("a page has rows") };
            for nth in 0..page.entry().rows {
                assert!(read.advance().unwrap());
                let (key, sums) = expected.next().unwrap();
                assert_eq!((read.key(), read.cells()), (key.as_slice(), sums.cells.as_slice()));
                assert!(nth > 0 || page.entry().first == *key);
            }
            assert!(!read.advance().unwrap());
        }
    }
    assert!(expected.next().is_none());
}
