//! The part of writing that a [`Writer`](crate::Writer) and a [`Joiner`](crate::Joiner) share: pages
//! one after the other, then the directory over them, the info and the trailer.

use std::io::Write;

use crate::block::{Compressor, checksum};
use crate::entry::Entry;
use crate::lot::{LOTS_AT, Lot, MAX_LOTS};
use crate::table::Table;
use crate::trailer::{MAGIC, MAX_BLOCKS, MAX_INFO, MAX_ROOT, Trailer, VERSION};
use crate::{Compression, FormatError, Info, varint};

/// Entries of a directory block: some 5 KB, compressed, for the pages of a quarter million prefixes.
pub(crate) const BLOCK_ENTRIES: usize = 128;

/// A file as far as it is written.
pub(crate) struct Body<W> {
    out: W,
    pages_len: u64,
    compressor: Compressor,
    /// The directory block that is being filled, and what the root says of it.
    block: Vec<u8>,
    block_entries: usize,
    block_entry: Entry,
    last_first: Vec<u8>,
    /// Directory blocks that are full, compressed, and the root over them.
    directory: Vec<u8>,
    root: Vec<u8>,
    blocks: usize,
    last_block_first: Vec<u8>,
    /// What there is of lots, in a file with tables.
    lots: Option<LotList>,
}

/// The lots of a file as far as it is written.
#[derive(Default)]
struct LotList {
    raw: Vec<u8>,
    count: usize,
    /// The lot that is being filled, and the first prefix of the one before it.
    lot: Lot,
    last_first: Vec<u8>,
}

impl<W: Write> Body<W> {
    pub(crate) fn new(mut out: W) -> Result<Self, FormatError> {
        out.write_all(MAGIC)?;
        Ok(Self {
            out,
            pages_len: 0,
            compressor: Compressor::new(Compression::Zstd)?,
            block: Vec::new(),
            block_entries: 0,
            block_entry: Entry::default(),
            last_first: Vec::new(),
            directory: Vec::new(),
            root: Vec::new(),
            blocks: 0,
            last_block_first: Vec::new(),
            lots: None,
        })
    }

    /// Makes it a file with tables; nothing has been appended yet.
    pub(crate) fn begin_lots(&mut self) -> Result<(), FormatError> {
        self.lots = Some(LotList::default());
        put_zeros(&mut self.out, LOTS_AT - MAGIC.len() as u64)
    }

    pub(crate) fn has_lots(&self) -> bool {
        self.lots.is_some()
    }

    /// Whether there are pages that no table follows yet.
    pub(crate) fn is_within_lot(&self) -> bool {
        self.lots.as_ref().is_some_and(|lots| lots.lot.rows > 0)
    }

    /// Appends a page as it is stored, with its complete entry.
    pub(crate) fn page(&mut self, stored: &[u8], entry: &Entry) -> Result<(), FormatError> {
        self.out.write_all(stored)?;
        self.page_elsewhere(entry)
    }

    /// Lists a page that somebody else puts in its place.
    pub(crate) fn page_elsewhere(&mut self, entry: &Entry) -> Result<(), FormatError> {
        self.pages_len += entry.len;
        if let Some(LotList { lot, .. }) = &mut self.lots {
            if lot.rows == 0 {
                lot.first.clone_from(&entry.first);
            }
            lot.rows += entry.rows;
            lot.pages_len += entry.len;
        }
        entry.put(&self.last_first, &mut self.block);
        self.last_first.clone_from(&entry.first);
        self.block_entry.cover(entry).ok_or(FormatError::TooLarge("its pages"))?;
        self.block_entries += 1;
        if self.block_entries == BLOCK_ENTRIES { self.end_block() } else { Ok(()) }
    }

    /// Ends a lot with its table.
    pub(crate) fn table(&mut self, Table { buckets, seed, bytes }: &Table) -> Result<(), FormatError> {
        let padding = self.lots.as_ref().map_or(0, |lots| lots.lot.padding());
        put_zeros(&mut self.out, padding)?;
        self.out.write_all(bytes)?;
        self.table_elsewhere(*buckets, *seed);
        Ok(())
    }

    /// Ends a lot with a table that somebody else puts in its place.
    pub(crate) fn table_elsewhere(&mut self, buckets: u64, seed: u64) {
        let Some(LotList { raw, count, lot, last_first }) = &mut self.lots else { return };
        let lot = Lot { buckets, seed, ..std::mem::take(lot) };
        lot.put(last_first, raw);
        *count += 1;
        *last_first = lot.first;
    }

    fn end_block(&mut self) -> Result<(), FormatError> {
        let stored = self.compressor.compress(&self.block)?;
        let mut entry = std::mem::take(&mut self.block_entry);
        entry.len = stored.len() as u64;
        entry.raw_len = self.block.len() as u64;
        entry.checksum = checksum(stored);
        self.directory.extend_from_slice(stored);
        entry.put(&self.last_block_first, &mut self.root);
        self.blocks += 1;
        self.last_block_first = entry.first;
        self.block.clear();
        self.block_entries = 0;
        self.last_first.clear();
        Ok(())
    }

    /// Writes what comes behind the pages.
    pub(crate) fn finish(mut self, info: &Info) -> Result<W, FormatError> {
        if self.block_entries > 0 {
            self.end_block()?;
        }
        let info = serde_json::to_vec(info).map_err(std::io::Error::from)?;
        let raw_root = raw_root(self.root, self.lots)?;
        let root = self.compressor.compress(&raw_root)?;
        if self.blocks > MAX_BLOCKS {
            return Err(FormatError::TooLarge("its directory"));
        }
        let trailer = Trailer {
            version: VERSION,
            pages_len: self.pages_len,
            directory_len: self.directory.len() as u64,
            root_len: within(root.len(), MAX_ROOT, "its directory")?,
            root_raw_len: within(raw_root.len(), MAX_ROOT, "its directory")?,
            root_checksum: checksum(root),
            info_len: within(info.len(), MAX_INFO, "its info")?,
            info_checksum: checksum(&info),
            tables_len: 0,
        };
        for part in [&self.directory, root, &info, trailer.to_bytes().as_slice()] {
            self.out.write_all(part)?;
        }
        Ok(self.out)
    }
}

fn put_zeros(out: &mut impl Write, count: u64) -> Result<(), FormatError> {
    Ok(out.write_all(&vec![0; count as usize])?)
}

/// The root block: of a file with tables, it has the lots behind its entries.
fn raw_root(entries: Vec<u8>, lots: Option<LotList>) -> Result<Vec<u8>, FormatError> {
    let Some(lots) = lots else { return Ok(entries) };
    if lots.count > MAX_LOTS {
        return Err(FormatError::TooLarge("its lots"));
    }
    let mut raw = Vec::new();
    varint::put(&mut raw, entries.len() as u64);
    Ok([raw, entries, lots.raw].concat())
}

/// A length that readers believe.
fn within(len: usize, most: u32, part: &'static str) -> Result<u32, FormatError> {
    u32::try_from(len).ok().filter(|len| *len <= most).ok_or(FormatError::TooLarge(part))
}
