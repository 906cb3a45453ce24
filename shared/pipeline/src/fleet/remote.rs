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
    window: Mutex<(u64, Bytes)>,
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
            window: Mutex::default(),
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
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let there = |(at, bytes): &(u64, Bytes)| {
            let from = usize::try_from(offset.checked_sub(*at)?).ok()?;
            bytes.get(from..from.checked_add(out.len())?).map(|_| from)
        };
        let from = if let Some(from) = there(&window) {
            from
        } else {
            // Its memory is given back before the next one is fetched.
            *window = (offset, Bytes::new());
            *window = (offset, self.fetch(offset, out.len())?);
            0
        };
        let bytes = window.1.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
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
    /// Opens files, each with a window of its own.
    pub(super) fn new(
        work: &Work<'_>,
        files: &[StoredFile],
        kind: FileKind,
        window: usize,
    ) -> Result<Self, Cause> {
        let failure = Failure::default();
        let opened = side_by_side(&work.cancellation, files.len(), OPENED_AT_ONCE, |at, _| {
            let key = files.get(at).map_or("", |file| &file.key);
            let opened = Reader::open_kind(RemoteFile::new(work, key, window, &failure), kind);
            opened.map_err(|error| misread(&work.bucket.uri(key), error.into()))
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
