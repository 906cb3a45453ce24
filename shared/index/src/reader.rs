use std::ops::Range;

use s3inv_model::{Stats, prefix};

use crate::block::{checksum, decompress};
use crate::body::BLOCK_ENTRIES;
use crate::cursor::Ahead;
use crate::entry::Entry;
use crate::layout::MAX_PAGE_RAW;
use crate::lot::{LOTS_AT, Lots};
use crate::page::Shape;
use crate::table::{Hash, hash};
use crate::trailer::{MAGIC, MAX_BLOCKS, PAGES_AT, TRAILER, Trailer};
use crate::{Compression, Cursor, FileKind, FormatError, Info, ReadAt, Span, varint};

/// How much of the end is asked for first: it holds the directory root of most indexes.
const FIRST_TAIL: usize = 64 << 10;
/// A directory block of 128 entries, each of a prefix and eight numbers, is never longer.
const MAX_BLOCK_RAW: u64 = 256 << 10;

/// A file, opened: its trailer, info and directory root have been read and checked.
pub struct Reader<R> {
    source: R,
    total: u64,
    info: Info,
    /// Directory blocks with the offset of each, and the stored bytes of pages before it.
    pub(crate) root: Vec<(u64, u64, Entry)>,
    /// None, where there are no tables.
    lots: Option<Lots>,
    pub(crate) shape: Shape,
    pub(crate) hash: Hash,
    /// The end of the file, kept for the directory blocks in it, and where it begins.
    tail: Vec<u8>,
    tail_at: u64,
}

impl<R: ReadAt> Reader<R> {
    /// Opens an index.
    pub fn open(source: R) -> Result<Self, FormatError> {
        Self::open_kind(source, FileKind::Index)
    }

    /// Opens a run or a segment.
    pub fn open_kind(source: R, kind: FileKind) -> Result<Self, FormatError> {
        let first = source.tail(FIRST_TAIL)?;
        let (total, trailer) = (first.total, trailer_of(&first.bytes, first.total)?);
        let missing = trailer.tail_len() > first.bytes.len();
        let tail = if missing { source.tail(trailer.tail_len())? } else { first };
        if tail.total != total {
            return Err(FormatError::damaged("file", 0, "it changed while it was read"));
        }
        let tail_at = total - tail.bytes.len() as u64;
        let part = |at: u64, len: u32| {
            let from = at.checked_sub(tail_at).and_then(|from| usize::try_from(from).ok());
            from.and_then(|from| tail.bytes.get(from..from + len as usize)).unwrap_or_default()
        };
        let info = read_info(&trailer, part(trailer.info_at(), trailer.info_len))?;
        if info.kind != kind {
            return Err(FormatError::Kind { found: info.kind.name(), expected: kind.name() });
        }
        let Root { blocks: root, lots } = read_root(&trailer, part(trailer.root_at(), trailer.root_len))?;
        if root.iter().map(|(.., e)| e.rows).sum::<u64>() != info.prefixes {
            return Err(FormatError::damaged(
                "directory",
                trailer.root_at(),
                "rows don't add up to the prefixes",
            ));
        }
        // What is kept is the part with directory blocks: readers of runs come by the hundred.
        let blocks_at = trailer.directory_at().max(tail_at);
        let blocks = (blocks_at - tail_at) as usize..(trailer.root_at().max(tail_at) - tail_at) as usize;
        let kept = tail.bytes.get(blocks).unwrap_or_default().to_vec();
        let shape = Shape::new(&info.schema);
        Ok(Self { source, total, info, root, lots, shape, hash, tail: kept, tail_at: blocks_at })
    }

    /// What the file says about itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The length of the file in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no file of this format is empty")]
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether it has tables, in which [`Reader::get`] finds a prefix by one small read.
    pub fn has_tables(&self) -> bool {
        self.lots.is_some()
    }

    /// Where its pages are, with the tables between them.
    pub fn pages(&self) -> Range<u64> {
        if let Some(lots) = &self.lots {
            return LOTS_AT..lots.end();
        }
        let len: u64 = self.root.iter().map(|(.., block)| block.pages_len).sum();
        PAGES_AT..PAGES_AT + len
    }

    /// Its lots, if it has tables.
    pub(crate) fn lots(&self) -> Option<&Lots> {
        self.lots.as_ref()
    }

    /// What it was opened on.
    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// What the root of the directory says of its blocks, in order.
    pub(crate) fn directory(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.root.iter().map(|(.., entry)| entry)
    }

    /// What it was opened on.
    #[cfg(test)]
    pub(crate) fn into_source(self) -> R {
        self.source
    }

    /// The number of directory blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.root.len()
    }

    /// The pages of a directory block, each with its offset.
    pub(crate) fn block(&self, index: usize) -> Result<Vec<(u64, Entry)>, FormatError> {
        let Some((at, pages_at, entry)) = self.root.get(index) else { return Ok(Vec::new()) };
        let mut stored = Vec::new();
        self.stored(*at, entry, "directory", MAX_BLOCK_RAW, &mut stored)?;
        let mut raw = Vec::new();
        let damaged = |cause: String| FormatError::damaged("directory", *at, cause);
        decompress(Compression::Zstd, &stored, entry.raw_len as usize, &mut raw)
            .map_err(|cause| damaged(cause.to_owned()))?;
        let pages = Entry::take_all(&raw, BLOCK_ENTRIES).map_err(damaged)?;
        if !covers(entry, &pages) {
            return Err(damaged("its pages don't add up".to_owned()));
        }
        let mut pages = offsets(*pages_at, pages, |page| page.len);
        for (at, _) in &mut pages {
            *at = self.page_at(*at);
        }
        Ok(pages)
    }

    /// Where a directory block is, unless it came with the end of the file.
    pub(crate) fn range_of_block(&self, block: usize) -> Option<Range<u64>> {
        let (at, _, entry) = self.root.get(block)?;
        (*at < self.tail_at).then(|| *at..at + entry.len.min(MAX_BLOCK_RAW))
    }

    /// Where a page is that has so many stored bytes of pages before it.
    fn page_at(&self, before: u64) -> u64 {
        self.lots.as_ref().map_or(PAGES_AT + before, |lots| lots.page_at(before))
    }

    /// The first prefix of each page, over all of the file.
    pub fn page_starts(&self) -> impl Iterator<Item = Result<Entry, FormatError>> + '_ {
        (0..self.blocks()).flat_map(|block| match self.block(block) {
            Ok(pages) => pages.into_iter().map(|(_, entry)| Ok(entry)).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    /// A page as it is stored, its checksum compared.
    pub(crate) fn stored_page(
        &self,
        offset: u64,
        entry: &Entry,
        stored: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        self.stored(offset, entry, "page", MAX_PAGE_RAW as u64, stored)
    }

    fn stored(
        &self,
        at: u64,
        entry: &Entry,
        part: &'static str,
        most: u64,
        stored: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        // Neither compression makes what is small much larger than it was.
        if entry.raw_len > most || entry.len > most + most / 8 {
            return Err(FormatError::damaged(part, at, "it is too long"));
        }
        let len = entry.len as usize;
        stored.clear();
        let kept = at.checked_sub(self.tail_at).and_then(|from| {
            let from = usize::try_from(from).ok()?;
            self.tail.get(from..from.checked_add(len)?)
        });
        if let Some(kept) = kept {
            stored.extend_from_slice(kept);
        } else {
            stored.resize(len, 0);
            self.source.read_at(at, stored)?;
        }
        if checksum(stored) == entry.checksum {
            Ok(())
        } else {
            Err(FormatError::Checksum { part, offset: at })
        }
    }

    /// Whether there is nothing but zeros in some bytes, which are few.
    pub(crate) fn is_zero(&self, at: u64, len: u64) -> Result<bool, FormatError> {
        if len == 0 {
            return Ok(true);
        }
        let mut bytes = vec![1; len as usize];
        self.source.read_at(at, &mut bytes)?;
        Ok(bytes.iter().all(|&byte| byte == 0))
    }

    /// The first bytes of the file.
    pub(crate) fn head(&self) -> Result<[u8; MAGIC.len()], FormatError> {
        let mut head = [0; MAGIC.len()];
        self.source.read_at(0, &mut head)?;
        Ok(head)
    }

    /// What is said of a prefix, by what people ask for, if it is there.
    pub fn stats(&self, key: &[u8]) -> Result<Option<Stats<'_>>, FormatError> {
        Ok(self.get(key)?.map(|sums| Stats::new(&self.info.schema, &sums.cells, sums.dates)))
    }

    /// All rows, in order.
    pub fn rows(&self) -> Result<Cursor<'_, R>, FormatError> {
        self.span(&Span::all())
    }

    /// The rows from `key` on, in order.
    pub fn seek(&self, key: &[u8]) -> Result<Cursor<'_, R>, FormatError> {
        self.cursor(prefix::split(key), None, Ahead::None)
    }
}

fn trailer_of(tail: &[u8], total: u64) -> Result<Trailer, FormatError> {
    if total < (MAGIC.len() + TRAILER) as u64 {
        return Err(FormatError::NotAnIndex("it is too short"));
    }
    let bytes = tail.last_chunk::<TRAILER>().ok_or(FormatError::NotAnIndex("it is too short"))?;
    Trailer::parse(bytes, total)
}

fn read_info(trailer: &Trailer, bytes: &[u8]) -> Result<Info, FormatError> {
    let offset = trailer.info_at();
    if checksum(bytes) != trailer.info_checksum {
        return Err(FormatError::Checksum { part: "info", offset });
    }
    let info: Info = serde_json::from_slice(bytes)
        .map_err(|error| FormatError::damaged("info", offset, error.to_string()))?;
    info.schema.classes.check().map_err(|cause| FormatError::damaged("info", offset, cause))?;
    Ok(info)
}

/// Whether a directory block has these pages, and they are what the root says of it.
fn covers(block: &Entry, pages: &[Entry]) -> bool {
    let mut sum =
        Entry { len: block.len, raw_len: block.raw_len, checksum: block.checksum, ..Entry::default() };
    pages.iter().all(|page| page.is_of_a_page() && sum.cover(page).is_some()) && sum == *block
}

/// What the root block says.
struct Root {
    blocks: Vec<(u64, u64, Entry)>,
    lots: Option<Lots>,
}

fn read_root(trailer: &Trailer, stored: &[u8]) -> Result<Root, FormatError> {
    let offset = trailer.root_at();
    if checksum(stored) != trailer.root_checksum {
        return Err(FormatError::Checksum { part: "directory root", offset });
    }
    let damaged = |cause: String| FormatError::damaged("directory root", offset, cause);
    let mut raw = Vec::new();
    decompress(Compression::Zstd, stored, trailer.root_raw_len as usize, &mut raw)
        .map_err(|cause| damaged(cause.to_owned()))?;
    let (entries, lots) = split_root(trailer, &raw).ok_or_else(|| damaged("it is too short".to_owned()))?;
    let blocks = Entry::take_all(entries, MAX_BLOCKS).map_err(damaged)?;
    let sums = blocks.iter().try_fold((0u64, 0u64, 0u64), |(len, pages, rows), block| {
        let sum = (len.checked_add(block.len)?, pages.checked_add(block.pages_len)?);
        Some((sum.0, sum.1, rows.checked_add(block.rows)?))
    });
    let rows = match sums {
        Some((len, pages, rows)) if (len, pages) == (trailer.directory_len, trailer.pages_len) => rows,
        _ => return Err(damaged("its blocks don't add up".to_owned())),
    };
    let lots = lots.map(Lots::take_all).transpose().map_err(damaged)?;
    let agree = |lots: &Lots| {
        (lots.rows(), lots.pages_len(), lots.end()) == (rows, trailer.pages_len, trailer.directory_at())
    };
    if !lots.as_ref().is_none_or(agree) {
        return Err(damaged("its lots don't add up".to_owned()));
    }
    Ok(Root { blocks: place(trailer, blocks), lots })
}

/// The entries of blocks, and, of a file with tables, what is said of lots.
fn split_root<'r>(trailer: &Trailer, mut raw: &'r [u8]) -> Option<(&'r [u8], Option<&'r [u8]>)> {
    if !trailer.has_tables() {
        return Some((raw, None));
    }
    let len = varint::take_usize(&mut raw)?;
    let entries = varint::take_bytes(&mut raw, len)?;
    Some((entries, Some(raw)))
}

fn place(trailer: &Trailer, blocks: Vec<Entry>) -> Vec<(u64, u64, Entry)> {
    let mut at = trailer.directory_at();
    let place = |(pages_before, block): (u64, Entry)| {
        let here = at;
        at += block.len;
        (here, pages_before, block)
    };
    offsets(0, blocks, |block| block.pages_len).into_iter().map(place).collect()
}

/// Puts entries that stand one after the other at their offsets; their sum has been checked to fit.
fn offsets(mut at: u64, entries: Vec<Entry>, len: impl Fn(&Entry) -> u64) -> Vec<(u64, Entry)> {
    let place = |entry: Entry| {
        let here = at;
        at += len(&entry);
        (here, entry)
    };
    entries.into_iter().map(place).collect()
}
