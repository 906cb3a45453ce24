//! Blocks of items, compressed one by one, and where each is at the end.

use std::convert::Infallible;
use std::io;

use minicbor::Encoder;
use minicbor::encode::Error;
use zstd::bulk::Compressor;

use crate::export::{Exporting, Sink, unfit};

const SIGNATURE: &[u8; 8] = b"\xbfncduEX1";
/// A block ends with the item that makes it as long as this: what ncdu itself begins with.
const BLOCK_BYTES: usize = 64 << 10;
/// The length of the block of the index, which has 8 bytes for each other one, is told in 28 bits.
const MAX_BLOCKS: usize = ((1 << 28) - 1 - 16) / 8;
/// The offset of a block is told in 40 bits.
const MAX_OFFSET: u64 = (1 << 40) - 1;
/// What is told of a block beside its items: type and length, number, and type and length again.
const FRAME_BYTES: usize = 12;
/// The type of the block of the index, beside its length; that of others is 0.
const INDEX: u32 = 1 << 28;
const LEVEL: i32 = 3;

/// Keys of what every item has or may have.
const KIND: u8 = 0;
const NAME: u8 = 1;
const PREV: u8 = 2;
const SUB: u8 = 12;

/// A place of an item: the number of its block, and where in it.
#[derive(Clone, Copy, Default)]
pub(super) struct Place(u64);

pub(super) struct Item<'a> {
    pub(super) kind: u8,
    pub(super) name: &'a [u8],
    /// The one before it in its directory.
    pub(super) prev: Option<Place>,
    /// Keys and what they stand for.
    pub(super) numbers: &'a [(u8, u64)],
    /// The last one in this directory.
    pub(super) sub: Option<Place>,
}

pub(super) struct Blocks<'o> {
    out: Sink<'o>,
    offset: u64,
    /// The items of this block.
    items: Encoder<Vec<u8>>,
    compressor: Compressor<'static>,
    /// Where each block is that has been written.
    index: Vec<u64>,
}

impl<'o> Blocks<'o> {
    pub(super) fn start(out: Sink<'o>) -> Result<Self, Exporting> {
        out.write_all(SIGNATURE)?;
        let compressor = Compressor::new(LEVEL)?;
        let items = Encoder::new(Vec::new());
        Ok(Self { out, offset: SIGNATURE.len() as u64, items, compressor, index: Vec::new() })
    }

    /// Writes an item.
    pub(super) fn put(&mut self, item: &Item<'_>) -> Result<Place, Exporting> {
        if self.items.writer().len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        let place = Place((self.index.len() as u64) << 24 | self.items.writer().len() as u64);
        self.encode(item, place)?;
        Ok(place)
    }

    fn encode(&mut self, item: &Item<'_>, place: Place) -> Result<(), Error<Infallible>> {
        self.items.begin_map()?.u8(KIND)?.u8(item.kind)?.u8(NAME)?.bytes(item.name)?;
        self.refer(PREV, item.prev, place)?;
        for (key, number) in item.numbers {
            self.items.u8(*key)?.u64(*number)?;
        }
        self.refer(SUB, item.sub, place)?;
        self.items.end()?.ok()
    }

    /// Tells of an item by how far before this one it is, if that is in the same block.
    fn refer(&mut self, key: u8, to: Option<Place>, from: Place) -> Result<(), Error<Infallible>> {
        let Some(to) = to else { return Ok(()) };
        self.items.u8(key)?;
        if to.0 >> 24 == from.0 >> 24 {
            self.items.i64(to.0.cast_signed() - from.0.cast_signed())?.ok()
        } else {
            self.items.u64(to.0)?.ok()
        }
    }

    fn end_block(&mut self) -> Result<(), Exporting> {
        let items = self.compressor.compress(self.items.writer())?;
        self.items.writer_mut().clear();
        let number = self.index.len();
        let len = items.len() + FRAME_BYTES;
        self.index.push(pointer(number, self.offset, len as u64)?);
        self.offset += len as u64;
        let (len, number) = (told(len)?.to_be_bytes(), told(number)?.to_be_bytes());
        for part in [&len[..], &number, &items, &len] {
            self.out.write_all(part)?;
        }
        Ok(())
    }

    /// Writes the index, which names the item that all others are in.
    pub(super) fn finish(mut self, root: Place) -> Result<(), Exporting> {
        self.end_block()?;
        let len = (INDEX | told(8 * self.index.len() + 16)?).to_be_bytes();
        self.out.write_all(&len)?;
        for pointer in self.index.iter().chain([&root.0]) {
            self.out.write_all(&pointer.to_be_bytes())?;
        }
        Ok(self.out.write_all(&len)?)
    }
}

/// Where a block is, as the index has it.
fn pointer(number: usize, offset: u64, len: u64) -> Result<u64, Exporting> {
    if number >= MAX_BLOCKS || offset > MAX_OFFSET {
        let text = "there is more than ncdu's binary format can hold: give a --prefix or a --depth";
        return Err(unfit(text.to_owned()));
    }
    Ok(offset << 24 | len)
}

/// A number of a block or in one: they have been found to be within their limits.
fn told(number: usize) -> Result<u32, Exporting> {
    u32::try_from(number).map_err(|error| io::Error::other(error).into())
}

impl From<Error<Infallible>> for Exporting {
    fn from(error: Error<Infallible>) -> Self {
        Self::Output(io::Error::other(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_refused() {
        assert_eq!(pointer(MAX_BLOCKS - 1, MAX_OFFSET, 13).unwrap(), 0xffff_ffff_ff00_000d);
        for (number, offset) in [(MAX_BLOCKS, 8), (0, MAX_OFFSET + 1)] {
            let error = pointer(number, offset, 13).unwrap_err().to_string();
            assert!(error.starts_with("there is more than ncdu's binary format can hold"), "{error}");
        }
        // So the block of the index has a length that can be told.
        const { assert!(8 * MAX_BLOCKS + 16 < 1 << 28) };
    }
}
