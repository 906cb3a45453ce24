//! Gzip, at once where the result fits memory (some four times as fast) or as a stream.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use memmap2::MmapMut;

mod members;

use members::Members;

/// What is wrong with gzip bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GzipError {
    /// The end is missing.
    #[error("truncated gzip")]
    Truncated,
    /// Not gzip, not only gzip, or a checksum that is wrong.
    #[error("damaged gzip: {0}")]
    Damaged(String),
}

/// Whether a file that begins with these bytes is gzipped. No CSV inventory begins so, and two bytes
/// are enough.
#[must_use]
pub fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
}

/// Where a member's header has its flags.
const FLAGS: usize = 3;
/// The flag of a header that has a checksum: `FHCRC` of RFC 1952.
const HEADER_CHECKSUM: u8 = 1 << 1;

/// Decompresses whole files, with one buffer for all of them.
pub struct Inflater {
    members: Members,
    buffer: MmapMut,
}

impl Inflater {
    /// One for what decompresses to at most `limit` bytes. Its buffer has them all from the start, but
    /// takes memory only as far as it is used.
    pub fn new(limit: usize) -> io::Result<Self> {
        let buffer = MmapMut::map_anon(limit)?;
        // Where the system has large pages, it is asked for one in 512 of the usual ones: each takes it longer
        // than decompressing half a page does. Where it has none, nothing is lost.
        #[cfg(target_os = "linux")]
        let _ = buffer.advise(memmap2::Advice::HugePage);
        Ok(Self { members: Members::new(), buffer })
    }

    /// The bytes of all members of `gz`, checked; `None` if they don't fit the limit, if a header has a checksum
    /// of its own (few have, and libdeflate doesn't compare it), or if `gz` is damaged. [`gunzip_stream`] reads the
    /// others and says what is wrong with damaged ones.
    pub fn whole(&mut self, gz: &[u8]) -> Option<&[u8]> {
        // What the last member says of its length spares decompressing what won't fit.
        let (_, said) = gz.split_last_chunk::<4>()?;
        if u32::from_le_bytes(*said) as usize > self.buffer.len() {
            return None;
        }
        let (mut rest, mut filled) = (gz, 0);
        while !rest.is_empty() {
            if rest.get(FLAGS).is_some_and(|flags| flags & HEADER_CHECKSUM != 0) {
                return None;
            }
            let (used, made) = self.members.decompress(rest, self.buffer.get_mut(filled..)?)?;
            rest = rest.get(used..).filter(|_| used > 0)?;
            filled += made;
        }
        self.buffer.get(..filled)
    }
}

/// Decompresses all members of a stream. Damage comes out as an error of the kind
/// [`InvalidData`](io::ErrorKind::InvalidData) around a [`GzipError`]; errors of `source` itself
/// come out unchanged.
pub fn gunzip_stream<R: Read>(source: R) -> impl Read {
    Gunzip(MultiGzDecoder::new(Source { inner: source, failed: false }))
}

struct Gunzip<R>(MultiGzDecoder<Source<R>>);

/// Tells the errors of a source from those of the decoder.
struct Source<R> {
    inner: R,
    failed: bool,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        self.failed = read.is_err();
        read
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| if self.0.get_ref().failed { error } else { explain(&error) })
    }
}

fn explain(error: &io::Error) -> io::Error {
    let cause = match error.kind() {
        io::ErrorKind::UnexpectedEof => GzipError::Truncated,
        _ => GzipError::Damaged(error.to_string()),
    };
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

#[cfg(test)]
mod tests;
