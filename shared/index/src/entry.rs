//! Directories: what stands where. A directory block lists pages; the root block lists directory
//! blocks. Both are lists of entries.

use s3inv_model::{Bin, Cell, prefix};

use crate::varint;

/// What a directory knows of a page, or of a directory block with the pages below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its first prefix.
    pub first: Vec<u8>,
    /// Its rows.
    pub rows: u64,
    /// Its stored bytes.
    pub len: u64,
    /// Its bytes, decompressed.
    pub raw_len: u64,
    /// The XXH3 checksum of its stored bytes.
    pub checksum: u64,
    /// Stored bytes of the pages below it; of a page, its own.
    pub pages_len: u64,
    /// The largest number of current objects of one of its rows.
    pub max_objects: u64,
    /// The largest number of their bytes.
    pub max_bytes: u64,
    /// The largest number of bytes of noncurrent objects of one of its rows.
    pub max_noncurrent: u64,
}

impl Entry {
    /// Takes another row's sums into the zone map; `None` if they do not fit 64 bits together.
    pub(crate) fn widen(&mut self, cells: &[Cell]) -> Option<()> {
        let (mut objects, mut bytes, mut noncurrent, mut rest) = (0u64, 0u64, 0u64, 0u64);
        for cell in cells {
            if Bin::is_current(cell.bin) {
                objects = objects.checked_add(cell.objects)?;
                bytes = bytes.checked_add(cell.bytes)?;
            } else {
                rest = rest.checked_add(cell.objects)?;
                noncurrent = noncurrent.checked_add(cell.bytes)?;
            }
        }
        objects.checked_add(rest)?;
        bytes.checked_add(noncurrent)?;
        self.max_objects = self.max_objects.max(objects);
        self.max_bytes = self.max_bytes.max(bytes);
        self.max_noncurrent = self.max_noncurrent.max(noncurrent);
        Some(())
    }

    /// Takes a following entry of the level below into this one; `None` if a sum does not fit 64 bits.
    pub(crate) fn cover(&mut self, below: &Self) -> Option<()> {
        if self.rows == 0 {
            self.first.clone_from(&below.first);
        }
        self.rows = self.rows.checked_add(below.rows)?;
        self.pages_len = self.pages_len.checked_add(below.pages_len)?;
        self.max_objects = self.max_objects.max(below.max_objects);
        self.max_bytes = self.max_bytes.max(below.max_bytes);
        self.max_noncurrent = self.max_noncurrent.max(below.max_noncurrent);
        Some(())
    }

    /// Whether this can be a page's: it is its own pages, and no row takes less than two bytes.
    pub(crate) fn is_of_a_page(&self) -> bool {
        self.pages_len == self.len && self.rows <= self.raw_len / 2
    }

    /// Appends this entry, its first prefix front-coded against `previous`.
    pub(crate) fn put(&self, previous: &[u8], out: &mut Vec<u8>) {
        put_first(&self.first, previous, out);
        out.extend_from_slice(&self.checksum.to_le_bytes());
        let Self { rows, len, raw_len, pages_len, max_objects, max_bytes, max_noncurrent, .. } = *self;
        for value in [rows, len, raw_len, pages_len, max_objects, max_bytes, max_noncurrent] {
            varint::put(out, value);
        }
    }

    fn take(bytes: &mut &[u8], previous: &[u8]) -> Option<Self> {
        let first = take_first(bytes, previous)?;
        let checksum = varint::take_u64(bytes)?;
        let mut next = || varint::take(bytes);
        let entry = Self {
            first,
            checksum,
            rows: next()?,
            len: next()?,
            raw_len: next()?,
            pages_len: next()?,
            max_objects: next()?,
            max_bytes: next()?,
            max_noncurrent: next()?,
        };
        (entry.rows > 0).then_some(entry)
    }

    /// Reads a whole block of at most `most` entries. Each may take a thousand times the memory that
    /// it has bytes: its prefix stands there but for what it shares.
    pub(crate) fn take_all(mut bytes: &[u8], most: usize) -> Result<Vec<Self>, String> {
        let mut entries: Vec<Self> = Vec::new();
        while !bytes.is_empty() {
            if entries.len() == most {
                return Err(format!("it has more than {most} entries"));
            }
            let previous = entries.last().map(|e| e.first.as_slice());
            let entry = Self::take(&mut bytes, previous.unwrap_or_default())
                .ok_or_else(|| format!("entry {} can't be read", entries.len() + 1))?;
            if previous.is_some_and(|p| prefix::compare(p, &entry.first).is_ge()) {
                return Err(format!("entry {} is out of order", entries.len() + 1));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// Appends a first prefix, front-coded against the one before it in a list.
pub(crate) fn put_first(first: &[u8], previous: &[u8], out: &mut Vec<u8>) {
    let shared = prefix::shared_len(previous, first);
    let suffix = first.get(shared..).unwrap_or_default();
    varint::put(out, shared as u64);
    varint::put(out, suffix.len() as u64);
    out.extend_from_slice(suffix);
}

/// Reads a first prefix.
pub(crate) fn take_first(bytes: &mut &[u8], previous: &[u8]) -> Option<Vec<u8>> {
    let shared = previous.get(..varint::take_usize(bytes)?)?;
    let len = varint::take_usize(bytes)?;
    let first = [shared, varint::take_bytes(bytes, len)?].concat();
    prefix::is_prefix(&first).then_some(first)
}
