//! One compressed block.

use super::error::{Result, damaged};
use crate::error::InputError;

/// How a file's streams are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Zlib,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    /// By its number in the postscript.
    pub(super) fn from_number(number: u64) -> Result<Self> {
        match number {
            0 => Ok(Self::None),
            1 => Ok(Self::Zlib),
            2 => Ok(Self::Snappy),
            3 => Err(InputError::Unsupported("lzo compression isn't understood".to_owned())),
            4 => Ok(Self::Lz4),
            5 => Ok(Self::Zstd),
            other => Err(InputError::Unsupported(format!("compression {other} isn't known"))),
        }
    }
}

/// A decompressor of one kind of blocks.
pub(super) enum Codec {
    /// Raw deflate.
    Zlib(libdeflater::Decompressor),
    Snappy(snap::raw::Decoder),
    Lz4,
    Zstd(zstd::bulk::Decompressor<'static>),
}

impl Codec {
    /// `None` for streams that aren't cut into blocks.
    pub(super) fn new(compression: Compression) -> Result<Option<Self>> {
        Ok(match compression {
            Compression::None => None,
            Compression::Zlib => Some(Self::Zlib(libdeflater::Decompressor::new())),
            Compression::Snappy => Some(Self::Snappy(snap::raw::Decoder::new())),
            Compression::Lz4 => Some(Self::Lz4),
            Compression::Zstd => Some(Self::Zstd(zstd::bulk::Decompressor::new().map_err(InputError::Io)?)),
        })
    }

    /// Decompresses a block into the start of `to`, which is as long as a block can be. Gives the
    /// number of bytes.
    pub(super) fn decompress(&mut self, block: &[u8], to: &mut [u8]) -> Result<usize> {
        let most = to.len();
        let bad = |cause: &dyn std::fmt::Display| {
            damaged(format!("a block that can't be decompressed to at most {most} bytes: {cause}"))
        };
        match self {
            Self::Zlib(codec) => codec.deflate_decompress(block, to).map_err(|e| bad(&e)),
            Self::Snappy(codec) => codec.decompress(block, to).map_err(|e| bad(&e)),
            Self::Lz4 => lz4_flex::block::decompress_into(block, to).map_err(|e| bad(&e)),
            Self::Zstd(codec) => codec.decompress_to_buffer(block, to).map_err(|e| bad(&e)),
        }
    }
}
