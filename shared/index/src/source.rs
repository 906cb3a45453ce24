use std::error::Error;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use s3inv_model::ErrorKind;

/// The end of a file, and how long the file is.
#[derive(Debug)]
pub struct Tail {
    /// Its last bytes: as many as were asked for, or all.
    pub bytes: Vec<u8>,
    /// The length of the whole file in bytes.
    pub total: u64,
}

/// Why a source can't be read, where that tells what the one who sees it should do: it is within an [`io::Error`] then.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct SourceError {
    /// What to do.
    pub kind: ErrorKind,
    /// Why.
    pub error: Box<dyn Error + Send + Sync>,
}

impl SourceError {
    /// What an error says that may have one of these in it: else it is one of storage.
    #[must_use]
    pub fn kind_of(error: &io::Error) -> ErrorKind {
        let known = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        known.map_or(ErrorKind::Storage, |known| known.kind)
    }
}

impl From<SourceError> for io::Error {
    fn from(error: SourceError) -> Self {
        Self::other(error)
    }
}

/// Something that can be read at any place. Threads share it. Errors may have a [`SourceError`] in them.
pub trait ReadAt: Send + Sync {
    /// The last `len` bytes, or all of a shorter file.
    fn tail(&self, len: usize) -> io::Result<Tail>;

    /// Fills `out` with the bytes at `offset`; fewer are an error.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// The bytes at `offset`, where they are in memory in any case.
    #[inline]
    fn slice(&self, _offset: u64, _len: usize) -> Option<&[u8]> {
        None
    }

    /// Whether reading waits for requests, so that it is worth the work to say what
    /// [will be read](Self::will_read).
    #[inline]
    fn is_remote(&self) -> bool {
        false
    }

    /// Fetches what is going to be read soon, all at once. These bytes are in the file.
    fn will_read(&self, _ranges: &[Range<u64>]) -> io::Result<()> {
        Ok(())
    }
}

impl ReadAt for File {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        let total = self.metadata()?.len();
        let len = usize::try_from(total).unwrap_or(usize::MAX).min(len);
        let mut bytes = vec![0; len];
        self.read_exact_at(&mut bytes, total - len as u64)?;
        Ok(Tail { bytes, total })
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(out, offset)
    }
}

impl ReadAt for [u8] {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        let bytes = self.get(self.len().saturating_sub(len)..).unwrap_or_default().to_vec();
        Ok(Tail { bytes, total: self.len() as u64 })
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        out.copy_from_slice(self.slice(offset, out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    #[inline]
    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let at = usize::try_from(offset).ok()?;
        self.get(at..at.checked_add(len)?)
    }
}

impl ReadAt for Vec<u8> {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        self.as_slice().tail(len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, out)
    }

    #[inline]
    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        self.as_slice().slice(offset, len)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for Arc<T> {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        T::tail(self, len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        T::read_at(self, offset, out)
    }

    #[inline]
    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        T::slice(self, offset, len)
    }

    #[inline]
    fn is_remote(&self) -> bool {
        T::is_remote(self)
    }

    fn will_read(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        T::will_read(self, ranges)
    }
}
