//! Files whose checksums match, though what they cover was changed: what a broken or hostile writer makes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "it only serves tests and fuzzing")]

use crate::block::{Compressor, checksum, decompress};
use crate::entry::Entry;
use crate::trailer::{MAGIC, TRAILER, Trailer};
use crate::{Compression, FileKind, Reader};

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
        let roots = reader.root_entries();
        Self {
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
        let pages: Vec<u8> =
            parts.blocks.iter().flat_map(|block| &block.1).flat_map(|page| page.1.clone()).collect();
        let (directory, mut root) = parts.directory(&touch);
        touch(Part::Root, &mut root);
        let mut stored_root = zstd(&root);
        touch(Part::StoredRoot, &mut stored_root);
        touch(Part::Info, &mut parts.info);
        let trailer = Trailer {
            version: parts.version,
            pages_len: pages.len() as u64,
            directory_len: directory.len() as u64,
            root_len: stored_root.len() as u32,
            root_raw_len: root.len() as u32,
            root_checksum: checksum(&stored_root),
            info_len: parts.info.len() as u32,
            info_checksum: checksum(&parts.info),
        };
        let mut fields = trailer.to_bytes()[..48].to_vec();
        touch(Part::Trailer, &mut fields);
        fields.extend(checksum(&fields).to_le_bytes());
        [MAGIC.to_vec(), pages, directory, stored_root, parts.info, fields, MAGIC.to_vec()].concat()
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
