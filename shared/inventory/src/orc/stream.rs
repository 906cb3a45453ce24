//! A stream of a stripe: fetched in windows, decompressed block by block.

use bytes::Bytes;

use super::codec::{Codec, Compression};
use super::error::{Result, damaged};
use crate::error::InputError;
use crate::ranges::{RangeRead, read_exact};

/// The largest block that the three bytes in front of it can tell the length of, in bytes.
pub(super) const MAX_BLOCK: usize = (1 << 23) - 1;

/// The least that is fetched at once, in bytes.
const MIN_WINDOW: usize = 4096;

/// How much of an uncompressed stream is looked at as one block, in bytes.
const UNCOMPRESSED_BLOCK: usize = 64 << 10;

/// How a file's streams are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) compression: Compression,
    /// What a block decompresses to at most, in bytes; at most [`MAX_BLOCK`].
    pub(super) block: usize,
    /// How much is fetched at once, in bytes.
    pub(super) window: usize,
}

/// The bytes of a stream, in its order.
pub(super) struct Stream<'a> {
    file: &'a dyn RangeRead,
    /// What is still to be fetched.
    at: u64,
    end: u64,
    fetch: usize,
    /// Fetched, and not yet decompressed.
    window: Bytes,
    codec: Option<Codec>,
    /// As long as the largest block, once the first one is read.
    block: Vec<u8>,
    longest: usize,
    /// Of `block`: where reading is, and where the block ends.
    pos: usize,
    filled: usize,
    /// Where a piece that two blocks share is put together.
    joined: Vec<u8>,
}

impl<'a> Stream<'a> {
    /// The stream in bytes `at..end` of the file, which were checked to lie within it.
    pub(super) fn new(file: &'a dyn RangeRead, layout: Layout, at: u64, end: u64) -> Result<Self> {
        let codec = Codec::new(layout.compression)?;
        let longest = if codec.is_some() { layout.block } else { UNCOMPRESSED_BLOCK };
        Ok(Self {
            file,
            at,
            end,
            fetch: layout.window.max(MIN_WINDOW),
            window: Bytes::new(),
            codec,
            block: Vec::new(),
            longest,
            pos: 0,
            filled: 0,
            joined: Vec::new(),
        })
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8> {
        while self.pos == self.filled {
            self.next_block()?;
        }
        let byte = self.block.get(self.pos).copied().ok_or_else(ends_early)?;
        self.pos += 1;
        Ok(byte)
    }

    /// A number in groups of seven bits, the lowest first.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        Err(damaged("a number of more than 64 bits"))
    }

    /// The next `len` bytes, of which there are few.
    pub(super) fn slice(&mut self, len: usize) -> Result<&[u8]> {
        if self.filled - self.pos < len {
            let mut joined = std::mem::take(&mut self.joined);
            joined.clear();
            let appended = self.append(len, &mut joined);
            self.joined = joined;
            return appended.map(|()| self.joined.as_slice());
        }
        let start = self.pos;
        self.pos += len;
        self.block.get(start..self.pos).ok_or_else(ends_early)
    }

    /// Appends the next `len` bytes to `to`; the caller sees to it that they aren't too many.
    pub(super) fn append(&mut self, len: usize, to: &mut Vec<u8>) -> Result<()> {
        self.each_part(len as u64, |part| to.extend_from_slice(part))
    }

    pub(super) fn skip(&mut self, len: u64) -> Result<()> {
        self.each_part(len, |_| ())
    }

    fn each_part(&mut self, len: u64, mut take: impl FnMut(&[u8])) -> Result<()> {
        let mut left = len;
        while left > 0 {
            if self.pos == self.filled {
                self.next_block()?;
            }
            let part = usize::try_from(left).map_or(self.filled, |left| left.min(self.filled - self.pos));
            let part = self.block.get(self.pos..self.filled).and_then(|rest| rest.get(..part));
            let part = part.ok_or_else(ends_early)?;
            take(part);
            self.pos += part.len();
            left -= part.len() as u64;
        }
        Ok(())
    }

    /// All bytes, which must be at most `most`.
    pub(super) fn read_all(&mut self, most: usize) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        while !self.at_end()? {
            let part = self.filled - self.pos;
            if all.len() + part > most {
                return Err(damaged(format!("more than {most} bytes")));
            }
            self.append(part, &mut all)?;
        }
        Ok(all)
    }

    /// Whether no byte is left.
    pub(super) fn at_end(&mut self) -> Result<bool> {
        while self.pos == self.filled {
            if self.window.is_empty() && self.at == self.end {
                return Ok(true);
            }
            self.next_block()?;
        }
        Ok(false)
    }

    /// Goes on to the next block, which may be empty.
    #[cold]
    fn next_block(&mut self) -> Result<()> {
        if self.window.is_empty() {
            self.fetch()?;
        }
        (self.pos, self.filled) = (0, 0);
        if self.block.is_empty() {
            // Zeroed memory is only taken where it is written to: a large block size costs nothing.
            self.block = vec![0; self.longest];
        }
        self.filled = match self.codec {
            None => {
                let part = self.window.len().min(UNCOMPRESSED_BLOCK);
                let part = self.raw(part)?;
                self.store(&part)?
            }
            Some(_) => self.compressed_block()?,
        };
        Ok(())
    }

    fn compressed_block(&mut self) -> Result<usize> {
        let head = self.raw(3)?;
        let head = head.iter().rev().fold(0, |head, &byte| head << 8 | usize::from(byte));
        // Writers store what doesn't become shorter.
        if head >> 1 > self.longest {
            return Err(self.too_long(head >> 1));
        }
        let block = self.raw(head >> 1)?;
        match &mut self.codec {
            Some(codec) if head & 1 == 0 => codec.decompress(&block, &mut self.block),
            _ => self.store(&block),
        }
    }

    /// Takes a block that isn't compressed.
    fn store(&mut self, block: &[u8]) -> Result<usize> {
        match self.block.get_mut(..block.len()) {
            Some(to) => to.copy_from_slice(block),
            None => return Err(self.too_long(block.len())),
        }
        Ok(block.len())
    }

    fn too_long(&self, len: usize) -> InputError {
        damaged(format!("a block of {len} bytes, expected at most {}", self.longest))
    }

    /// The next `len` bytes as they are in the file.
    fn raw(&mut self, len: usize) -> Result<Bytes> {
        if len <= self.window.len() {
            return Ok(self.window.split_to(len));
        }
        if (len - self.window.len()) as u64 > self.end - self.at {
            return Err(ends_early());
        }
        let mut joined = Vec::with_capacity(len);
        while joined.len() < len {
            if self.window.is_empty() {
                self.fetch()?;
            }
            let part = self.window.len().min(len - joined.len());
            joined.extend_from_slice(&self.window.split_to(part));
        }
        Ok(joined.into())
    }

    fn fetch(&mut self) -> Result<()> {
        let left = self.end - self.at;
        let len = usize::try_from(left).map_or(self.fetch, |left| left.min(self.fetch));
        if len == 0 {
            return Err(ends_early());
        }
        self.window = read_exact(self.file, self.at, len).map_err(InputError::Io)?;
        self.at += len as u64;
        Ok(())
    }
}

fn ends_early() -> InputError {
    damaged("ends early")
}
