//! Random access to a data file for the readers of columns. Nothing is kept: what a reader asks for is
//! what is fetched.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use s3inv_cancel::Cancellation;
use s3inv_inventory::RangeRead;
use tokio::runtime::Handle;

use super::fetch::head;
use crate::Cause;
use crate::plan::Input;

/// A data file, read by ranges; all of them of the same object.
pub(crate) struct Ranges {
    file: Input,
    etag: String,
    runtime: Handle,
    cancellation: Cancellation,
    failure: Failure,
}

/// Why a range could not be had: an `io::Error` can't say it.
#[derive(Clone, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<Cause>>>);

impl Failure {
    pub(crate) fn take(&self) -> Option<Cause> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn set(&self, cause: Cause) -> io::Error {
        let text = cause.to_string();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
        io::Error::other(text)
    }
}

impl Ranges {
    /// Checks the file's length.
    pub(crate) fn open(file: &Input, runtime: &Handle, cancellation: &Cancellation) -> Result<Self, Cause> {
        let etag = runtime.block_on(cancellation.guard(head(file)))??;
        Ok(Self {
            file: file.clone(),
            etag,
            runtime: runtime.clone(),
            cancellation: cancellation.clone(),
            failure: Failure::default(),
        })
    }

    pub(super) fn etag(&self) -> &str {
        &self.etag
    }

    /// Where to look when reading failed.
    pub(crate) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    fn fetch(&self, range: Range<u64>) -> Result<Bytes, Cause> {
        let read = self.file.store.read(&self.file.key, range, Some(&self.etag));
        Ok(self.runtime.block_on(self.cancellation.guard(read))??)
    }
}

impl RangeRead for Ranges {
    fn len(&self) -> u64 {
        self.file.size
    }

    fn read(&self, at: u64, len: usize) -> io::Result<Bytes> {
        let end = at.checked_add(len as u64).filter(|end| *end <= self.file.size);
        let range = at..end.ok_or(io::ErrorKind::UnexpectedEof)?;
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.fetch(range).map_err(|cause| self.failure.set(cause))
    }
}

#[cfg(test)]
mod tests {
    use s3inv_cancel::Stop;
    use s3inv_store::{Counting, MemoryStore, StoreErrorKind};
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn file() -> (MemoryStore, Counting<MemoryStore>, Input, Runtime) {
        let memory = MemoryStore::new();
        memory.put("file", vec![7; 100]);
        let store = Counting::new(memory.clone());
        let file = Input { store: Arc::new(store.clone()), key: "file".to_owned(), size: 100, md5: [0; 16] };
        (memory, store, file, Builder::new_current_thread().build().unwrap())
    }

    #[test]
    fn just_what_is_asked_for_is_fetched() {
        let (_, store, file, runtime) = file();
        let ranges = Ranges::open(&file, runtime.handle(), &Cancellation::never()).unwrap();
        assert_eq!(ranges.read(0, 100).unwrap().len(), 100);
        assert_eq!(ranges.read(90, 10).unwrap(), vec![7; 10]);
        assert_eq!(ranges.read(100, 0).unwrap(), Bytes::new());
        assert_eq!((store.counts().read, store.counts().bytes_read), (2, 110));
        for (at, len) in [(90, 11), (101, 0), (101, 5), (u64::MAX, 1), (u64::MAX, usize::MAX)] {
            assert_eq!(ranges.read(at, len).unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{at} {len}");
        }
        assert!(ranges.failure().take().is_none(), "a reader that asks for too much is not a failure of S3");
    }

    #[test]
    fn failures_are_kept() {
        let (memory, _, file, runtime) = file();
        let cancellation = Cancellation::never().child();
        let ranges = Ranges::open(&file, runtime.handle(), &cancellation).unwrap();
        memory.put("file", vec![8; 100]);
        assert!(ranges.read(0, 5).is_err());
        let Some(Cause::Store(error)) = ranges.failure().take() else { panic!("it changed") };
        assert_eq!(error.kind(), StoreErrorKind::Changed);
        cancellation.cancel();
        assert!(ranges.read(0, 5).is_err());
        let failure = ranges.failure().take();
        assert!(matches!(failure, Some(Cause::Stop(Stop::Cancelled))), "{failure:?}");
    }

    #[test]
    fn a_file_of_another_length_is_refused() {
        let (_, _, file, runtime) = file();
        let file = Input { size: 101, ..file };
        let error = Ranges::open(&file, runtime.handle(), &Cancellation::never()).err().unwrap();
        assert!(error.to_string().contains("is 100 bytes, but the manifest says 101"), "{error}");
    }
}
