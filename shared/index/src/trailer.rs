//! The last 64 bytes of a file, from which everything else is found.

use crate::FormatError;
use crate::block::checksum;

/// How a file begins and ends.
pub(crate) const MAGIC: &[u8; 8] = b"S3INVIDX";
/// Where pages begin in a file without tables: behind the magic bytes.
pub(crate) const PAGES_AT: u64 = MAGIC.len() as u64;
/// The version that is written, and the only one that is read: those before were never released.
pub(crate) const VERSION: u32 = 4;
/// The trailer's length in bytes. It has checksums of all else: files with the same trailer are the same.
pub const TRAILER: usize = 64;
/// The directory root is read whole: a longer one, stored or decompressed, is not believed.
pub(crate) const MAX_ROOT: u32 = 64 << 20;
/// The most blocks of a directory: they list 16,777,216 pages.
pub(crate) const MAX_BLOCKS: usize = 1 << 17;
/// The info is read whole: a longer one is not believed.
pub(crate) const MAX_INFO: u32 = 1 << 20;

/// Lengths and checksums of the sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) version: u32,
    pub(crate) pages_len: u64,
    pub(crate) directory_len: u64,
    pub(crate) root_len: u32,
    pub(crate) root_raw_len: u32,
    pub(crate) root_checksum: u64,
    pub(crate) info_len: u32,
    pub(crate) info_checksum: u64,
    /// What there is besides these sections: tables, and zeros. It isn't stored, but follows from the length
    /// of the file.
    pub(crate) tables_len: u64,
}

impl Trailer {
    pub(crate) fn to_bytes(self) -> [u8; TRAILER] {
        let mut out = Vec::with_capacity(TRAILER);
        out.extend_from_slice(&self.pages_len.to_le_bytes());
        out.extend_from_slice(&self.directory_len.to_le_bytes());
        out.extend_from_slice(&self.root_checksum.to_le_bytes());
        out.extend_from_slice(&self.info_checksum.to_le_bytes());
        for value in [self.root_len, self.root_raw_len, self.info_len, self.version] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&checksum(&out).to_le_bytes());
        out.extend_from_slice(MAGIC);
        out.try_into().unwrap_or([0; TRAILER])
    }

    /// Reads the trailer of a file of `total` bytes.
    pub(crate) fn parse(bytes: &[u8; TRAILER], total: u64) -> Result<Self, FormatError> {
        let (rest, magic) = bytes.split_last_chunk::<8>().unwrap_or((&[], &[0; 8]));
        let (fields, sum) = rest.split_last_chunk::<8>().unwrap_or((&[], &[0; 8]));
        if magic != MAGIC {
            return Err(FormatError::NotAnIndex("it does not end with S3INVIDX"));
        }
        let offset = total - TRAILER as u64;
        if checksum(fields) != u64::from_le_bytes(*sum) {
            return Err(FormatError::Checksum { part: "trailer", offset });
        }
        let trailer =
            Self::fields(fields).ok_or(FormatError::damaged("trailer", offset, "it is too short"))?;
        trailer.checked(offset, total)
    }

    fn fields(mut bytes: &[u8]) -> Option<Self> {
        let mut long = || crate::varint::take_u64(&mut bytes);
        let (pages_len, directory_len, root_checksum, info_checksum) = (long()?, long()?, long()?, long()?);
        let mut short = || {
            let (taken, rest) = bytes.split_first_chunk::<4>()?;
            bytes = rest;
            Some(u32::from_le_bytes(*taken))
        };
        let (root_len, root_raw_len, info_len, version) = (short()?, short()?, short()?, short()?);
        Some(Self {
            version,
            pages_len,
            directory_len,
            root_len,
            root_raw_len,
            root_checksum,
            info_len,
            info_checksum,
            tables_len: 0,
        })
    }

    /// Whether the file has tables: then it has zeros before its pages, too.
    pub(crate) fn has_tables(&self) -> bool {
        self.tables_len > 0
    }

    fn checked(mut self, offset: u64, total: u64) -> Result<Self, FormatError> {
        if self.version != VERSION {
            return Err(FormatError::Version(self.version));
        }
        let rest = MAGIC.len() + TRAILER + self.root_len as usize + self.info_len as usize;
        let sections = self.directory_len.checked_add(self.pages_len);
        let sections = sections.and_then(|sections| sections.checked_add(rest as u64));
        self.tables_len = sections.and_then(|sections| total.checked_sub(sections)).ok_or_else(|| {
            let cause = format!("sections don't add up to {total} bytes");
            FormatError::damaged("trailer", offset, cause)
        })?;
        if self.root_len.max(self.root_raw_len) > MAX_ROOT || self.info_len > MAX_INFO {
            return Err(FormatError::damaged("trailer", offset, "a section is too long"));
        }
        Ok(self)
    }

    /// Where the directory blocks begin.
    pub(crate) fn directory_at(&self) -> u64 {
        PAGES_AT + self.pages_len + self.tables_len
    }

    /// Where the root of the directory begins.
    pub(crate) fn root_at(&self) -> u64 {
        self.directory_at() + self.directory_len
    }

    /// Where the info begins.
    pub(crate) fn info_at(&self) -> u64 {
        self.root_at() + u64::from(self.root_len)
    }

    /// How much of the end of the file root, info and trailer take.
    pub(crate) fn tail_len(&self) -> usize {
        self.root_len as usize + self.info_len as usize + TRAILER
    }
}
