//! Runs and segments where they are: read in windows, since they are read from one end to the other.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use s3inv_cancel::Cancellation;
use s3inv_index_format::{FileKind, FormatError, ReadAt, Reader, Tail};
use s3inv_store::{Bucket, ObjectMeta, StoreError, StoreErrorKind};
use tokio::runtime::Handle;

use super::record::StoredFile;
use super::work::Work;
use crate::Cause;
use crate::build::side_by_side;
use crate::ingest::Failure;

/// Files that are opened at once: each waits for S3 two or three times.
const OPENED_AT_ONCE: usize = 16;
/// No window is longer: it is enough for a fast connection.
pub(super) const LARGEST_WINDOW: usize = 8 << 20;

/// A file in the scratch. It stays the same object while it is read.
pub(super) struct RemoteFile {
    bucket: Arc<dyn Bucket>,
    key: String,
    /// Known from the first request on, which is for the end of the file.
    meta: OnceLock<ObjectMeta>,
    runtime: Handle,
    cancellation: Cancellation,
    failure: Failure,
    /// Bytes that are fetched at once.
    ahead: usize,
    windows: Mutex<Windows>,
}

/// What has been fetched, from where on: of the pages, and of the directory, which are read in turn. What
/// lies behind the directory is little, so both together are hardly longer than one.
#[derive(Default)]
struct Windows {
    fetched: [(u64, Bytes); 2],
    /// The one that was used last.
    last: usize,
}

impl Windows {
    /// Bytes that have been fetched.
    fn find(&mut self, offset: u64, len: usize) -> Option<Bytes> {
        let found = self.fetched.iter().enumerate().find_map(|(nth, (at, bytes))| {
            let from = usize::try_from(offset.checked_sub(*at)?).ok()?;
            let end = from.checked_add(len).filter(|end| *end <= bytes.len())?;
            Some((nth, bytes.slice(from..end)))
        });
        let (nth, bytes) = found?;
        self.last = nth;
        Some(bytes)
    }

    /// Makes room for what is fetched from there on: in place of what it follows, or else of what was not
    /// used last. Its memory is given back.
    fn make_room(&mut self, offset: u64) {
        let follows = |(at, bytes): &(u64, Bytes)| !bytes.is_empty() && *at + bytes.len() as u64 == offset;
        self.last = self.fetched.iter().position(follows).unwrap_or(1 - self.last);
        self.put(offset, Bytes::new());
    }

    fn put(&mut self, offset: u64, bytes: Bytes) {
        if let Some(window) = self.fetched.get_mut(self.last) {
            *window = (offset, bytes);
        }
    }
}

impl RemoteFile {
    fn new(work: &Work<'_>, key: &str, ahead: usize, failure: &Failure) -> Self {
        Self {
            bucket: Arc::clone(&work.bucket),
            key: key.to_owned(),
            meta: OnceLock::new(),
            runtime: work.invocation.runtime.clone(),
            cancellation: work.cancellation.clone(),
            failure: failure.clone(),
            ahead,
            windows: Mutex::default(),
        }
    }

    fn wait<T>(&self, request: impl Future<Output = Result<T, StoreError>>) -> io::Result<T> {
        let done = self.runtime.block_on(self.cancellation.guard(request));
        let done = done.map_err(Cause::from).and_then(|done| Ok(done?));
        done.map_err(|cause| self.failure.set(cause))
    }

    fn fetch(&self, from: u64, len: usize) -> io::Result<Bytes> {
        let meta = self.meta.get();
        let total = meta.map_or(u64::MAX, |meta| meta.size);
        let until = from.saturating_add(len.max(self.ahead) as u64).min(total);
        self.wait(self.bucket.read(&self.key, from..until, meta.map(|meta| meta.etag.as_str())))
    }
}

impl ReadAt for RemoteFile {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        let (bytes, meta) = self.wait(self.bucket.read_tail(&self.key, len as u64))?;
        let total = meta.size;
        self.meta.get_or_init(|| meta);
        Ok(Tail { bytes: bytes.into(), total })
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = if let Some(bytes) = windows.find(offset, out.len()) {
            bytes
        } else {
            windows.make_room(offset);
            let fetched = self.fetch(offset, out.len())?;
            windows.put(offset, fetched);
            windows.find(offset, out.len()).ok_or(io::ErrorKind::UnexpectedEof)?
        };
        out.copy_from_slice(&bytes);
        Ok(())
    }
}

/// Files of one kind, open, and where to look when reading one fails.
pub(super) struct Opened {
    pub(super) readers: Vec<Reader<RemoteFile>>,
    failure: Failure,
    /// What all their keys begin with.
    place: String,
}

impl Opened {
    /// Opens files, each with a window of its own, as long as `window` says.
    pub(super) fn new(
        work: &Work<'_>,
        files: &[StoredFile],
        kind: FileKind,
        window: impl Fn(&StoredFile) -> usize + Sync,
    ) -> Result<Self, Cause> {
        let failure = Failure::default();
        let opened = side_by_side(&work.cancellation, files.len(), OPENED_AT_ONCE, |at, _| {
            let file = files.get(at).ok_or_else(|| Cause::Bug("a file too many".to_owned()))?;
            let opened = Reader::open_kind(RemoteFile::new(work, &file.key, window(file), &failure), kind);
            opened.map_err(|error| misread(&work.bucket.uri(&file.key), error.into()))
        });
        match opened {
            Ok(readers) => Ok(Self { readers, failure, place: work.bucket.uri(work.keys.prefix()) }),
            Err(cause) => Err(failure.take().unwrap_or(cause)),
        }
    }

    /// What happened, where the store knows more than the reader.
    pub(super) fn explain<T>(&self, done: Result<T, Cause>) -> Result<T, Cause> {
        done.map_err(|cause| self.failure.take().unwrap_or_else(|| misread(&self.place, cause)))
    }
}

/// What another try may read as it was written: a step before this one has read it so, or wrote it just now.
fn misread(uri: &str, cause: Cause) -> Cause {
    match cause {
        Cause::Format(
            error @ (FormatError::Checksum { .. } | FormatError::Damaged { .. } | FormatError::NotAnIndex(_)),
        ) => StoreError::new(uri, StoreErrorKind::Retryable, &error.to_string()).into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file of so many bytes as a merge does, and counts what is fetched.
    fn fetched(reads: &[(u64, usize)], ahead: u64, total: u64) -> Vec<u64> {
        let (mut windows, mut fetched) = (Windows::default(), Vec::new());
        for &(offset, len) in reads {
            if windows.find(offset, len).is_none() {
                windows.make_room(offset);
                let until = (offset + ahead.max(len as u64)).min(total);
                windows.put(offset, (offset..until).map(|at| at as u8).collect::<Vec<_>>().into());
                fetched.push(offset);
            }
            let bytes = windows.find(offset, len).unwrap();
            assert!(bytes.iter().enumerate().all(|(nth, &byte)| byte == (offset + nth as u64) as u8));
        }
        fetched
    }

    #[test]
    fn the_directory_does_not_displace_the_pages() {
        let pages = (0..90).map(|nth| (nth * 10, 10));
        let reads: Vec<_> = pages.flat_map(|page| [page, (900 + page.0 / 100 * 10, 10)]).collect();
        assert_eq!(fetched(&reads, 300, 1000), [0, 900, 300, 600]);
    }

    #[test]
    fn a_long_read_is_fetched_whole() {
        assert_eq!(fetched(&[(0, 50), (50, 500), (550, 10), (0, 10)], 100, 1000), [0, 50, 550]);
    }
}
