//! Gzip, at once where the result fits memory (some four times as fast) or as a stream.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor};
use memchr::memmem;

/// Header and footer of a member, without the optional fields.
const MIN_MEMBER: usize = 18;
const FOOTER: usize = 8;
/// How many places are tried as a member's end. Two occur; more are a file made to cost time.
const MAX_ENDS: usize = 4;
/// Deflate makes at most 1,032 bytes of one.
const MAX_RATIO: usize = 1032;

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

/// Decompresses whole files, with one buffer for all of them.
pub struct Inflater {
    decompressor: Decompressor,
    buffer: Vec<u8>,
    limit: usize,
}

impl Inflater {
    /// Its buffer never grows above `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { decompressor: Decompressor::new(), buffer: Vec::new(), limit }
    }

    /// The bytes of all members of `gz`, checked; `None` if they don't fit the limit or if `gz` is
    /// damaged. [`gunzip_stream`] reads the former and says what is wrong with the latter.
    pub fn whole(&mut self, gz: &[u8]) -> Option<&[u8]> {
        self.reserve(expected_len(gz))?;
        let (mut at, mut filled) = (0, 0);
        while at < gz.len() {
            let rest = gz.get(at..)?;
            let (member, len) = self.member(rest, filled)?;
            at += member;
            filled += len;
        }
        if at == 0 { None } else { self.buffer.get(..filled) }
    }

    /// Decompresses the member at the start of `gz` to `filled` of the buffer; its compressed and its
    /// decompressed length.
    fn member(&mut self, gz: &[u8], filled: usize) -> Option<(usize, usize)> {
        let guess = next_member(gz).unwrap_or(gz.len());
        if let Some(found) = self.measured(gz.get(..guess)?, filled) {
            return Some(found);
        }
        // What looked like the next header was this member's data.
        if guess < gz.len() { self.measured(gz, filled) } else { None }
    }

    /// The same, where the end of `gz` is likely the member's.
    ///
    /// libdeflate ignores what follows a member and doesn't say where that begins. But a member ends
    /// in its checksum and length: mostly these eight bytes occur at the end alone. Where they don't,
    /// the member is what decompresses without the bytes behind it.
    fn measured(&mut self, gz: &[u8], filled: usize) -> Option<(usize, usize)> {
        let len = self.decompress(gz, filled)?;
        let footer = footer(self.buffer.get(filled..filled + len)?);
        let mut from = 0;
        for nth in 0..MAX_ENDS {
            let end = from + memmem::find(gz.get(from..)?, &footer)? + FOOTER;
            let only = nth == 0 && end == gz.len();
            if only || self.decompress(gz.get(..end)?, filled) == Some(len) {
                return Some((end, len));
            }
            from = end - FOOTER + 1;
        }
        None
    }

    fn decompress(&mut self, gz: &[u8], filled: usize) -> Option<usize> {
        loop {
            let out = self.buffer.get_mut(filled..)?;
            match self.decompressor.gzip_decompress(gz, out) {
                Ok(len) => return Some(len),
                Err(DecompressionError::BadData) => return None,
                Err(DecompressionError::InsufficientSpace) => {
                    let more = self.buffer.len().saturating_mul(2).max(1 << 16).min(self.limit);
                    if more == self.buffer.len() {
                        return None;
                    }
                    self.reserve(more)?;
                }
            }
        }
    }

    /// Makes the buffer at least this long; `None` above the limit.
    fn reserve(&mut self, len: usize) -> Option<()> {
        if len > self.limit {
            return None;
        }
        if len > self.buffer.len() {
            self.buffer.reserve_exact(len - self.buffer.len());
            self.buffer.resize(len, 0);
        }
        Some(())
    }
}

/// The end of a member that decompresses to `raw`.
fn footer(raw: &[u8]) -> [u8; FOOTER] {
    let checksum = u64::from(libdeflater::crc32(raw));
    (checksum | u64::from(raw.len() as u32) << 32).to_le_bytes()
}

/// What the members' footers say: a hint, which spares decompressing what won't fit.
fn expected_len(gz: &[u8]) -> usize {
    let (mut rest, mut sum) = (gz, 0_usize);
    while !rest.is_empty() {
        let (member, others) = rest.split_at(next_member(rest).unwrap_or(rest.len()));
        let said = member.last_chunk::<4>().map_or(0, |len| u32::from_le_bytes(*len) as usize);
        if said <= member.len().saturating_mul(MAX_RATIO) {
            sum = sum.saturating_add(said);
        }
        rest = others;
    }
    sum
}

/// Where another member seems to begin: the magic and a method, flags that exist, a usual level.
fn next_member(gz: &[u8]) -> Option<usize> {
    let body = gz.get(MIN_MEMBER..)?;
    let plausible = |at: &usize| match body.get(*at..*at + 10) {
        Some(&[_, _, _, flags, _, _, _, _, level, _]) => flags & 0xe0 == 0 && matches!(level, 0 | 2 | 4),
        _ => false,
    };
    memmem::find_iter(body, b"\x1f\x8b\x08").find(plausible).map(|at| at + MIN_MEMBER)
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
