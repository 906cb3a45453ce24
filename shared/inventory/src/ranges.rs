use std::io;

use bytes::Bytes;

/// A file that is read by ranges: what formats with a footer need.
pub trait RangeRead: Send + Sync {
    /// The file's length, in bytes.
    fn len(&self) -> u64;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Exactly `len` bytes from `at` on; an error of the kind
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the file has fewer.
    fn read(&self, at: u64, len: usize) -> io::Result<Bytes>;
}

/// A file in memory.
impl RangeRead for Bytes {
    fn len(&self) -> u64 {
        Bytes::len(self) as u64
    }

    fn read(&self, at: u64, len: usize) -> io::Result<Bytes> {
        let start = usize::try_from(at).ok();
        match start.and_then(|start| Some(start..start.checked_add(len)?)) {
            Some(range) if range.end <= Bytes::len(self) => Ok(self.slice(range)),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Reads, and checks that the source gave as much as was asked for.
pub(crate) fn read_exact<R: RangeRead + ?Sized>(file: &R, at: u64, len: usize) -> io::Result<Bytes> {
    let got = file.read(at, len)?;
    if got.len() == len {
        return Ok(got);
    }
    let text = format!("{} bytes instead of {len} at {at}", got.len());
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_end_is_an_error() {
        let file = Bytes::from_static(&[7; 100]);
        assert_eq!(file.read(90, 10).unwrap(), vec![7; 10]);
        assert_eq!(file.read(100, 0).unwrap(), Bytes::new());
        for (at, len) in [(90, 11), (101, 0), (101, 5), (u64::MAX, 1), (u64::MAX, usize::MAX)] {
            assert_eq!(file.read(at, len).unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{at} {len}");
        }
    }
}
