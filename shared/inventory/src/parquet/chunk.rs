//! A column chunk, fetched window by window.

use std::collections::VecDeque;
use std::io::Cursor;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::Limits;
use super::guard::{Failure, check_header, too_long};
use crate::ranges::{RangeRead, read_exact};

/// More than the header of a page takes, the statistics in it included.
const MAX_HEADER: u64 = 64 << 10;

/// A file of which chunks are read.
pub(super) struct File<R> {
    pub(super) inner: R,
    pub(super) limits: Limits,
    pub(super) failure: Failure,
}

/// The bytes of one column in one row group, read from its start to its end: not more than a page at
/// once, and none outside of it.
pub(super) struct Chunk<R> {
    file: Arc<File<R>>,
    range: Range<u64>,
    held: Mutex<Held>,
}

impl<R: RangeRead> Chunk<R> {
    pub(super) fn new(file: &Arc<File<R>>, start: u64, len: u64) -> Result<Self> {
        let end = start.checked_add(len).filter(|&end| end <= file.inner.len());
        let end = end.ok_or_else(|| beyond(start, len, file.inner.len()))?;
        Ok(Self { file: Arc::clone(file), range: start..end, held: Mutex::default() })
    }

    /// Bytes that were checked to lie within the chunk.
    fn bytes(&self, start: u64, len: usize) -> Result<Bytes> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.begin_at(start);
        while held.len < len {
            let from = start + held.len as u64;
            let wanted = self.file.limits.window.max(len - held.len) as u64;
            let wanted = wanted.min(self.range.end - from) as usize;
            let window = read_exact(&self.file.inner, from, wanted);
            held.push(window.map_err(|error| self.file.failure.keep(error))?);
        }
        Ok(held.first(len))
    }

    /// How many bytes there are from `start` on.
    fn left(&self, start: u64) -> Result<u64> {
        let left = self.range.end.checked_sub(start).filter(|_| start >= self.range.start);
        left.ok_or_else(|| beyond(start, 0, self.range.end))
    }
}

impl<R: RangeRead> Length for Chunk<R> {
    fn len(&self) -> u64 {
        self.file.inner.len()
    }
}

impl<R: RangeRead> ChunkReader for Chunk<R> {
    type T = Cursor<Bytes>;

    /// The parquet crate reads page headers through this, whose length is not known before, and
    /// nothing else.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let header = self.bytes(start, self.left(start)?.min(MAX_HEADER) as usize)?;
        check_header(&header, self.file.limits.page)?;
        Ok(Cursor::new(header))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if length as u64 > self.left(start)? {
            return Err(beyond(start, length as u64, self.range.end));
        }
        // Compression can make random bytes a little longer.
        if length > self.file.limits.page.saturating_add(self.file.limits.page / 4) {
            return Err(too_long(length as u64));
        }
        self.bytes(start, length)
    }
}

fn beyond(start: u64, len: u64, end: u64) -> ParquetError {
    ParquetError::EOF(format!("{len} bytes at {start} of {end}"))
}

/// What is fetched and not yet passed: mostly one window, and two where a page lies in both.
#[derive(Default)]
struct Held {
    at: u64,
    len: usize,
    windows: VecDeque<Bytes>,
}

impl Held {
    /// Lets go of what lies before `at`; of all, if `at` doesn't lie within.
    fn begin_at(&mut self, at: u64) {
        let passed = at.checked_sub(self.at).filter(|&passed| passed <= self.len as u64);
        let mut passed = passed.map_or(self.len, |passed| passed as usize);
        (self.at, self.len) = (at, self.len - passed);
        while let Some(window) = self.windows.front_mut() {
            let part = passed.min(window.len());
            window.advance(part);
            passed -= part;
            if !window.is_empty() {
                break;
            }
            self.windows.pop_front();
        }
    }

    fn push(&mut self, window: Bytes) {
        self.len += window.len();
        self.windows.push_back(window);
    }

    /// The first bytes: a piece of a window, or put together where it lies in several.
    fn first(&self, len: usize) -> Bytes {
        let Some(first) = self.windows.front() else { return Bytes::new() };
        if len <= first.len() {
            return first.slice(..len);
        }
        let mut joined = Vec::with_capacity(len);
        for window in &self.windows {
            let part = window.len().min(len - joined.len());
            joined.extend_from_slice(&window[..part]);
        }
        joined.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(window: usize) -> Limits {
        Limits { window, page: 1 << 20, dictionary: 1 << 20 }
    }

    /// Reads pieces of these lengths one behind another, each asked for with more than it has first, as
    /// headers are. Gives what was fetched.
    fn pieces(window: usize, lens: &[usize]) -> Vec<(u64, usize)> {
        let bytes: Bytes = (0..=255).cycle().take(10_000).collect();
        let log = Arc::new(Mutex::new(Vec::new()));
        let inner = Logged(bytes.clone(), Arc::clone(&log));
        let file = Arc::new(File { inner, limits: limits(window), failure: Failure::default() });
        let chunk = Chunk::new(&file, 1000, 5000).unwrap();
        let mut at = 1000;
        for &len in lens {
            let header = len.max(7).min(6000 - at);
            assert_eq!(chunk.bytes(at as u64, header).unwrap(), bytes[at..at + header]);
            assert_eq!(chunk.bytes(at as u64, len).unwrap(), bytes[at..at + len]);
            at += len;
        }
        std::mem::take(&mut log.lock().unwrap())
    }

    struct Logged(Bytes, Arc<Mutex<Vec<(u64, usize)>>>);

    impl RangeRead for Logged {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn read(&self, at: u64, len: usize) -> std::io::Result<Bytes> {
            self.1.lock().unwrap().push((at, len));
            RangeRead::read(&self.0, at, len)
        }
    }

    #[test]
    fn every_byte_is_fetched_once() {
        assert_eq!(pieces(100_000, &[1, 2, 4997]), [(1000, 5000)]);
        let windows: Vec<_> = (0..5).map(|nth| (1000 + nth * 1000, 1000)).collect();
        for lens in [&[500; 10][..], &[300; 16], &[1000; 5], &[7; 714], &[999, 2, 999, 999, 2]] {
            assert_eq!(pieces(1000, lens), windows[..lens.iter().sum::<usize>().div_ceil(1000)], "{lens:?}");
        }
        // What is missing of long ones comes at once.
        assert_eq!(pieces(100, &[50, 4050, 900])[..2], [(1000, 100), (1100, 4000)]);
    }

    #[test]
    fn nothing_is_fetched_outside_of_a_chunk() {
        let inner = Bytes::from_static(&[0; 100]);
        let file = Arc::new(File { inner, limits: limits(10), failure: Failure::default() });
        for (start, len) in [(0, 101), (101, 0), (u64::MAX, 2)] {
            assert!(Chunk::new(&file, start, len).is_err(), "{start} {len}");
        }
        let chunk = Chunk::new(&file, 20, 30).unwrap();
        assert_eq!(chunk.get_bytes(45, 5).unwrap().len(), 5);
        assert_eq!(chunk.get_bytes(20, 30).unwrap().len(), 30);
        for (start, len) in [(19, 1), (45, 6), (51, 0), (u64::MAX, 1)] {
            assert!(chunk.get_bytes(start, len).is_err(), "{start} {len}");
        }
    }
}
