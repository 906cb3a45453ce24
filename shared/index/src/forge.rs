//! Files whose checksums match, though what they cover was changed: what a broken or hostile writer makes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "it only serves tests and fuzzing")]

use crate::block::{Compressor, checksum, decompress};
use crate::bucket::{self, BUCKET};
use crate::entry::Entry;
use crate::lot::{LOTS_AT, Lot};
use crate::trailer::{MAGIC, TRAILER, Trailer};
use crate::{Compression, FileKind, Reader, varint};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A page, decompressed.
    Page(usize),
    /// A page as it is stored.
    StoredPage(usize),
    /// A directory block, decompressed.
    Block(usize),
    /// A directory block as it is stored.
    StoredBlock(usize),
    /// The directory root, decompressed.
    Root,
    /// The directory root as it is stored.
    StoredRoot,
    /// What the root says of lots.
    Lots,
    /// The table of a lot.
    Table(usize),
    /// The JSON.
    Info,
    /// The fields of the trailer.
    Trailer,
}

/// What the directory says of a page, and the page as stored.
type Page = (Entry, Vec<u8>);

/// A file, taken apart.
#[derive(Clone)]
pub(crate) struct Parts {
    compression: Compression,
    /// For each directory block, what the root says of it, and its pages as stored.
    pub(crate) blocks: Vec<(Entry, Vec<Page>)>,
    /// In a file with tables, for each lot how many pages it has, and its table.
    pub(crate) lots: Option<Vec<(Lot, usize, Vec<u8>)>>,
    pub(crate) info: Vec<u8>,
    version: u32,
}

impl Parts {
    pub(crate) fn of(file: &[u8], kind: FileKind) -> Self {
        let reader = Reader::open_kind(file.to_vec(), kind).unwrap();
        let (start, trailer) = file.split_at(file.len() - TRAILER);
        let trailer = Trailer::parse(trailer.try_into().unwrap(), file.len() as u64).unwrap();
        let stored = |at: u64, len: u64| start[at as usize..(at + len) as usize].to_vec();
        let pages = |block: usize| {
            reader.block(block).unwrap().into_iter().map(|(at, page)| (page.clone(), stored(at, page.len)))
        };
        let roots = reader.directory();
        let all: Vec<_> = (0..reader.blocks()).flat_map(|block| reader.block(block).unwrap()).collect();
        let lots = reader.lots().map(|lots| {
            let parts = |placed: &crate::lot::Placed| {
                let from = placed.at..placed.at + placed.lot.pages_len;
                let pages = all.iter().filter(|(at, _)| from.contains(at)).count();
                (placed.lot.clone(), pages, stored(placed.table_at, placed.lot.table_len()))
            };
            lots.all().iter().map(parts).collect()
        });
        Self {
            lots,
            compression: reader.info().compression,
            blocks: roots.enumerate().map(|(at, root)| (root.clone(), pages(at).collect())).collect(),
            info: start[trailer.info_at() as usize..].to_vec(),
            version: trailer.version,
        }
    }

    #[cfg(test)]
    pub(crate) fn pages(&self) -> usize {
        self.blocks.iter().map(|block| block.1.len()).sum()
    }

    #[cfg(test)]
    pub(crate) fn page(&mut self, index: usize) -> &mut Page {
        self.blocks.iter_mut().flat_map(|block| &mut block.1).nth(index).unwrap()
    }

    /// Puts the file together again, with checksums that match, after `change` was made to `part`.
    pub(crate) fn forge(&self, part: Part, change: &dyn Fn(&mut Vec<u8>)) -> Vec<u8> {
        let touch = |here: Part, bytes: &mut Vec<u8>| {
            if here == part {
                change(bytes);
            }
        };
        let mut parts = self.clone();
        parts.change_pages(&touch);
        let pages = parts.blocks.iter().flat_map(|block| &block.1).map(|page| page.1.clone()).collect();
        let (head, pages_len, pages, raw_lots) = parts.put_pages(pages, &touch);
        let (directory, mut root) = parts.directory(&touch);
        touch(Part::Root, &mut root);
        if let Some(raw_lots) = raw_lots {
            let mut len = Vec::new();
            varint::put(&mut len, root.len() as u64);
            root = [len, root, raw_lots].concat();
        }
        let mut stored_root = zstd(&root);
        touch(Part::StoredRoot, &mut stored_root);
        touch(Part::Info, &mut parts.info);
        let trailer = Trailer {
            version: parts.version,
            pages_len,
            directory_len: directory.len() as u64,
            root_len: stored_root.len() as u32,
            root_raw_len: root.len() as u32,
            root_checksum: checksum(&stored_root),
            info_len: parts.info.len() as u32,
            info_checksum: checksum(&parts.info),
            tables_len: 0,
        };
        let mut fields = trailer.to_bytes()[..48].to_vec();
        touch(Part::Trailer, &mut fields);
        fields.extend(checksum(&fields).to_le_bytes());
        [head, pages, directory, stored_root, parts.info, fields, MAGIC.to_vec()].concat()
    }

    /// What is before the pages, the length of the pages alone, pages and tables, and what the root says of
    /// lots.
    fn put_pages(
        &mut self,
        pages: Vec<Vec<u8>>,
        touch: &impl Fn(Part, &mut Vec<u8>),
    ) -> (Vec<u8>, u64, Vec<u8>, Option<Vec<u8>>) {
        let pages_len = pages.iter().map(|page| page.len() as u64).sum();
        let mut head = MAGIC.to_vec();
        let Some(lots) = &mut self.lots else { return (head, pages_len, pages.concat(), None) };
        head.resize(LOTS_AT as usize, 0);
        let (mut out, mut raw, mut pages, mut last) = (Vec::new(), Vec::new(), pages.into_iter(), Vec::new());
        for (at, (lot, count, table)) in lots.iter_mut().enumerate() {
            let stored = pages.by_ref().take(*count).collect::<Vec<_>>().concat();
            lot.pages_len = stored.len() as u64;
            let before = table.clone();
            touch(Part::Table(at), table);
            if *table != before {
                table.resize(before.len(), 0);
                table.chunks_mut(BUCKET).for_each(bucket::seal);
            }
            out.extend(stored);
            out.resize(out.len() + lot.padding() as usize, 0);
            out.extend_from_slice(table);
            lot.put(&last, &mut raw);
            last.clone_from(&lot.first);
        }
        touch(Part::Lots, &mut raw);
        (head, pages_len, out, Some(raw))
    }

    /// The stored blocks, and the raw root over them.
    fn directory(&mut self, touch: &impl Fn(Part, &mut Vec<u8>)) -> (Vec<u8>, Vec<u8>) {
        let mut directory = Vec::new();
        for (at, (entry, pages)) in self.blocks.iter_mut().enumerate() {
            let mut raw = entries(pages.iter().map(|page| &page.0));
            touch(Part::Block(at), &mut raw);
            let mut stored = zstd(&raw);
            touch(Part::StoredBlock(at), &mut stored);
            (entry.len, entry.raw_len) = (stored.len() as u64, raw.len() as u64);
            entry.checksum = checksum(&stored);
            entry.pages_len = pages.iter().map(|page| page.0.pages_len).sum();
            directory.extend_from_slice(&stored);
        }
        (directory, entries(self.blocks.iter().map(|block| &block.0)))
    }

    fn change_pages(&mut self, touch: &impl Fn(Part, &mut Vec<u8>)) {
        let method = self.compression;
        let pages = self.blocks.iter_mut().flat_map(|block| &mut block.1);
        for (at, (entry, stored)) in pages.enumerate() {
            let mut raw = Vec::new();
            decompress(method, stored, entry.raw_len as usize, &mut raw).unwrap();
            let before = raw.clone();
            touch(Part::Page(at), &mut raw);
            if raw != before {
                *stored = Compressor::new(method).unwrap().compress(&raw).unwrap().to_vec();
            }
            touch(Part::StoredPage(at), stored);
            entry.raw_len = raw.len() as u64;
            entry.len = stored.len() as u64;
            entry.pages_len = entry.len;
            entry.checksum = checksum(stored);
        }
    }
}

fn zstd(raw: &[u8]) -> Vec<u8> {
    Compressor::new(Compression::Zstd).unwrap().compress(raw).unwrap().to_vec()
}

fn entries<'a>(list: impl Iterator<Item = &'a Entry>) -> Vec<u8> {
    let mut raw = Vec::new();
    let mut previous: &[u8] = &[];
    for entry in list {
        entry.put(previous, &mut raw);
        previous = &entry.first;
    }
    raw
}
