//! Compressed, checksummed pieces of a file.

use std::io;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;
use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd::zstd_safe::{self, CCtx, CParameter, InBuffer, OutBuffer, ResetDirective};

/// Level 1: higher ones look for more repetitions, of which packed pages have few, and take what is alike by
/// chance for them; level 3 takes twice the time for one per cent less of real paths and one more of names
/// drawn by lot.
const ZSTD_LEVEL: i32 = 1;
/// What a zstd block may take besides its content.
const BLOCK_HEADER: usize = 3;

/// How the pages of a file are compressed. Directories are always zstd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Small: for what is kept.
    Zstd,
    /// Fast: for runs, which are read once.
    Lz4,
}

/// Compresses pieces one after the other, with buffers that are reused.
pub(crate) struct Compressor {
    method: Compression,
    zstd: CCtx<'static>,
    out: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new(method: Compression) -> io::Result<Self> {
        let mut zstd = CCtx::create();
        // A checksum of ours covers the piece, and its length is in its entry.
        for parameter in [
            CParameter::CompressionLevel(ZSTD_LEVEL),
            CParameter::ChecksumFlag(false),
            CParameter::ContentSizeFlag(false),
        ] {
            zstd.set_parameter(parameter).map_err(zstd_error)?;
        }
        Ok(Self { method, zstd, out: Vec::new() })
    }

    pub(crate) fn compress(&mut self, raw: &[u8]) -> io::Result<&[u8]> {
        self.compress_parts(raw, &[])
    }

    /// Compresses parts of a piece by what is frequent in each of them; they end where `ends` says, ascending,
    /// and the last one where the piece does.
    pub(crate) fn compress_parts(&mut self, raw: &[u8], ends: &[usize]) -> io::Result<&[u8]> {
        let room = match self.method {
            Compression::Zstd => zstd_safe::compress_bound(raw.len()) + BLOCK_HEADER * ends.len(),
            Compression::Lz4 => lz4_flex::block::get_maximum_output_size(raw.len()),
        };
        self.out.resize(room, 0);
        let len = match self.method {
            Compression::Zstd => {
                let len = self.zstd(raw, ends).map_err(zstd_error)?;
                len.ok_or_else(|| io::Error::other("zstd: a piece takes more room than it can"))?
            }
            Compression::Lz4 => {
                lz4_flex::block::compress_into(raw, &mut self.out).map_err(io::Error::other)?
            }
        };
        self.out.truncate(len);
        Ok(&self.out)
    }

    /// Makes one frame, whose blocks end with the parts; `None` if there is no room for it.
    fn zstd(&mut self, raw: &[u8], ends: &[usize]) -> Result<Option<usize>, usize> {
        self.zstd.reset(ResetDirective::SessionOnly)?;
        self.zstd.set_pledged_src_size(Some(raw.len() as u64))?;
        let mut out = OutBuffer::around(self.out.as_mut_slice());
        let mut from = 0;
        for &end in ends.iter().filter(|end| **end < raw.len()) {
            if end > from {
                let mut part = InBuffer::around(raw.get(from..end).unwrap_or_default());
                self.zstd.compress_stream2(&mut out, &mut part, ZSTD_EndDirective::ZSTD_e_flush)?;
                from = end;
            }
        }
        let mut rest = InBuffer::around(raw.get(from..).unwrap_or_default());
        let left = self.zstd.compress_stream2(&mut out, &mut rest, ZSTD_EndDirective::ZSTD_e_end)?;
        Ok((left == 0).then(|| out.pos()))
    }
}

fn zstd_error(code: usize) -> io::Error {
    io::Error::other(zstd_safe::get_error_name(code))
}

/// Decompresses into `raw`, which gets exactly `len` bytes; says what is wrong otherwise.
pub(crate) fn decompress(
    method: Compression,
    stored: &[u8],
    len: usize,
    raw: &mut Vec<u8>,
) -> Result<(), &'static str> {
    raw.resize(len, 0);
    let got = match method {
        Compression::Zstd => zstd::bulk::decompress_to_buffer(stored, raw).ok(),
        Compression::Lz4 => lz4_flex::block::decompress_into(stored, raw).ok(),
    };
    match got {
        Some(got) if got == len => Ok(()),
        _ => Err("does not decompress to its length"),
    }
}

/// The checksum of stored bytes: XXH3, 64 bits, seed 0.
pub(crate) fn checksum(stored: &[u8]) -> u64 {
    xxh3_64(stored)
}
