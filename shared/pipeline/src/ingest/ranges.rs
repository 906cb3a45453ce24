//! Random access to a data file for the Parquet reader: a few windows of it are kept, so that columns
//! that are read side by side don't fetch the same bytes again.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};
use s3inv_cancel::Cancellation;
use tokio::runtime::Handle;

use super::fetch::head;
use crate::Cause;
use crate::plan::Input;

/// One for each column that is read, and one for the footer.
const WINDOWS: usize = 7;

/// A data file, read by ranges; all of them of the same object.
pub(super) struct Ranges {
    file: Input,
    etag: String,
    window: u64,
    windows: Mutex<Vec<(u64, Bytes)>>,
    runtime: Handle,
    cancellation: Cancellation,
    failure: Failure,
}

/// Why a range could not be had: what the Parquet reader makes of it can't say.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<Cause>>>);

impl Failure {
    pub(super) fn take(&self) -> Option<Cause> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, cause: Cause) -> ParquetError {
        let text = cause.to_string();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
        ParquetError::General(text)
    }
}

impl Ranges {
    /// Checks the file's length; `window` is how many bytes are fetched at once at least.
    pub(super) fn open(
        file: &Input,
        window: usize,
        runtime: &Handle,
        cancellation: &Cancellation,
    ) -> Result<Self, Cause> {
        let etag = runtime.block_on(cancellation.guard(head(file)))??;
        Ok(Self {
            file: file.clone(),
            etag,
            window: window as u64,
            windows: Mutex::default(),
            runtime: runtime.clone(),
            cancellation: cancellation.clone(),
            failure: Failure::default(),
        })
    }

    /// Where to look when reading failed.
    pub(super) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    /// The bytes from `at` on, at least `len` of them; fewer only at the end of the file.
    fn bytes_from(&self, at: u64, len: usize) -> ParquetResult<Bytes> {
        if at > self.file.size {
            return Err(ParquetError::EOF(format!("byte {at} is beyond the end")));
        }
        let end = at.saturating_add(len as u64).min(self.file.size);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let found = windows.iter().position(|(from, bytes)| *from <= at && end <= from + bytes.len() as u64);
        let window = match found {
            Some(found) => windows.remove(found),
            None => (at, self.fetch(at, end.max(at.saturating_add(self.window)))?),
        };
        let bytes = window.1.slice((at - window.0) as usize..);
        // The last one used stands last; the first one goes.
        if windows.len() == WINDOWS {
            windows.remove(0);
        }
        windows.push(window);
        Ok(bytes)
    }

    fn fetch(&self, from: u64, until: u64) -> ParquetResult<Bytes> {
        let range = from..until.min(self.file.size);
        let read = self.file.store.read(&self.file.key, range, Some(&self.etag));
        let read = self.runtime.block_on(self.cancellation.guard(read));
        let read = read.map_err(Cause::from).and_then(|read| Ok(read?));
        read.map_err(|cause| self.failure.set(cause))
    }
}

impl Length for Ranges {
    fn len(&self) -> u64 {
        self.file.size
    }
}

impl ChunkReader for Ranges {
    type T = From;

    fn get_read(&self, start: u64) -> ParquetResult<From> {
        // Page headers are read this way: short, and of a length not known before.
        let bytes = self.bytes_from(start, HEADER)?;
        Ok(From(bytes))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let bytes = self.bytes_from(start, length)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("{length} bytes at byte {start} are beyond the end")));
        }
        Ok(bytes.slice(..length))
    }
}

/// More than the header of a page takes, the statistics in it included.
const HEADER: usize = 64 << 10;

/// Bytes of the file from some place on.
pub(super) struct From(Bytes);

impl Read for From {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.0.len().min(out.len());
        self.0.copy_to_slice(out.get_mut(..len).unwrap_or_default());
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use s3inv_store::MemoryStore;

    use super::*;

    #[test]
    fn what_is_beyond_the_end_is_an_error() {
        let store = MemoryStore::new();
        store.put("file", vec![7; 100]);
        let file = Input { store: Arc::new(store), key: "file".to_owned(), size: 100, md5: [0; 16] };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ranges = Ranges::open(&file, 10, runtime.handle(), &Cancellation::never()).unwrap();
        // A window that an offset far behind it must not be looked for in.
        assert_eq!(ranges.get_bytes(0, 100).unwrap().len(), 100);
        assert_eq!(ranges.get_bytes(90, 10).unwrap(), vec![7; 10]);
        assert_eq!(ranges.get_bytes(100, 0).unwrap(), Bytes::new());
        for (at, len) in [(90, 11), (101, 0), (101, 5), (u64::MAX, 1), (u64::MAX, usize::MAX)] {
            assert!(matches!(ranges.get_bytes(at, len), Err(ParquetError::EOF(_))), "{at} {len}");
        }
        assert!(ranges.get_read(101).is_err());
    }
}
