//! Pages: the unit that is read at once.
//!
//! A page is five streams, so that like stands next to like and compresses: how each prefix differs
//! in length from the one before it, the bytes that differ, which columns it has, their objects,
//! their bytes.

use std::sync::Arc;

use s3inv_model::{Cell, ColumnId, prefix};

use crate::cuts;
use crate::entry::{Entry, shared_len};
use crate::varint;

/// The most bytes that a page has, decompressed: the limit of the cut rule and one row more.
pub const MAX_PAGE_RAW: usize = 128 << 10;

/// The columns are those of the row before, and so are their sums.
const SAME: u64 = 0;

/// Gathers rows into a page.
#[derive(Default)]
pub(crate) struct PageBuilder {
    lens: Vec<u8>,
    names: Vec<u8>,
    columns: Vec<u8>,
    objects: Vec<u8>,
    bytes: Vec<u8>,
    key: Vec<u8>,
    cells: Vec<Cell>,
    entry: Entry,
    raw: Vec<u8>,
}

impl PageBuilder {
    fn raw_len(&self) -> usize {
        let Self { lens, names, columns, objects, bytes, .. } = self;
        lens.len() + names.len() + columns.len() + objects.len() + bytes.len()
    }

    /// Whether the page ends before `next`.
    pub(crate) fn ends_before(&self, next: &[u8]) -> bool {
        self.entry.rows > 0 && cuts::ends_before(self.raw_len(), next)
    }

    /// Adds a row; `None` if its sums over all columns do not fit 64 bits.
    pub(crate) fn push(&mut self, key: &[u8], cells: &[Cell]) -> Option<()> {
        self.entry.widen(cells)?;
        if self.entry.rows == 0 {
            self.entry.first.clear();
            self.entry.first.extend_from_slice(key);
        }
        let shared = shared_len(&self.key, key);
        let suffix = key.get(shared..)?;
        varint::put(&mut self.lens, shared as u64);
        varint::put(&mut self.lens, suffix.len() as u64);
        self.names.extend_from_slice(suffix);
        self.key.truncate(shared);
        self.key.extend_from_slice(suffix);
        self.push_cells(cells);
        self.entry.rows += 1;
        Some(())
    }

    fn push_cells(&mut self, cells: &[Cell]) {
        if self.entry.rows > 0 && self.cells == cells {
            varint::put(&mut self.columns, SAME);
            return;
        }
        varint::put(&mut self.columns, cells.len() as u64 + 1);
        for cell in cells {
            varint::put(&mut self.columns, u64::from(cell.column));
            varint::put(&mut self.objects, cell.objects);
            varint::put(&mut self.bytes, cell.bytes);
        }
        self.cells.clear();
        self.cells.extend_from_slice(cells);
    }

    /// The page's bytes and what the directory says of it but for what depends on compression;
    /// the builder is empty afterwards. `None` if there was no row.
    pub(crate) fn finish(&mut self) -> Option<(&[u8], Entry)> {
        if self.entry.rows == 0 {
            return None;
        }
        self.raw.clear();
        let streams =
            [&mut self.lens, &mut self.names, &mut self.columns, &mut self.objects, &mut self.bytes];
        for stream in &streams {
            varint::put(&mut self.raw, stream.len() as u64);
        }
        for stream in streams {
            self.raw.append(stream);
        }
        self.key.clear();
        self.cells.clear();
        let entry = std::mem::take(&mut self.entry);
        Some((&self.raw, Entry { raw_len: self.raw.len() as u64, ..entry }))
    }
}

/// One stream of a page: what is left of it.
#[derive(Clone, Copy, Default)]
struct Stream {
    at: usize,
    end: usize,
}

impl Stream {
    #[inline]
    fn read<'r, T>(&mut self, raw: &'r [u8], take: impl FnOnce(&mut &'r [u8]) -> Option<T>) -> Option<T> {
        let mut rest = raw.get(self.at..self.end)?;
        let value = take(&mut rest)?;
        self.at = self.end - rest.len();
        Some(value)
    }
}

/// Reads the rows of a page, one after the other. A clone goes on from the same row.
#[derive(Clone, Default)]
pub(crate) struct PageRows {
    raw: Arc<Vec<u8>>,
    left: u64,
    lens: Stream,
    names: Stream,
    columns: Stream,
    objects: Stream,
    bytes: Stream,
    key: Vec<u8>,
    cells: Vec<Cell>,
}

impl PageRows {
    /// The buffer that the next page is decompressed into, before [`PageRows::start`].
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if Arc::get_mut(&mut self.raw).is_none() {
            self.raw = Arc::default();
        }
        Arc::make_mut(&mut self.raw)
    }

    /// Goes before the first row of the page in the buffer.
    pub(crate) fn start(&mut self, rows: u64) -> Option<()> {
        let mut rest = self.raw.as_slice();
        let mut lens = [0; 5];
        for len in &mut lens {
            *len = varint::take_usize(&mut rest)?;
        }
        let mut at = self.raw.len() - rest.len();
        let mut next = |len: usize| {
            let stream = Stream { at, end: at.checked_add(len)? };
            at = stream.end;
            (at <= self.raw.len()).then_some(stream)
        };
        let [lens, names, columns, objects, bytes] = lens;
        (self.lens, self.names, self.columns) = (next(lens)?, next(names)?, next(columns)?);
        (self.objects, self.bytes) = (next(objects)?, next(bytes)?);
        self.left = rows;
        self.key.clear();
        self.cells.clear();
        (at == self.raw.len()).then_some(())
    }

    /// Goes to the next row: `Some(false)` behind the last one, `None` if it makes no sense.
    #[inline]
    pub(crate) fn advance(&mut self, columns: usize) -> Option<bool> {
        if self.left == 0 {
            return self.is_used_up().then_some(false);
        }
        self.left -= 1;
        let raw = self.raw.as_slice();
        let (shared, len) =
            self.lens.read(raw, |bytes| Some((varint::take_usize(bytes)?, varint::take_usize(bytes)?)))?;
        if shared > self.key.len() {
            return None;
        }
        self.key.truncate(shared);
        let names = self.names.read(raw, |bytes| varint::take_bytes(bytes, len))?;
        self.key.extend_from_slice(names);
        if !prefix::is_prefix(&self.key) {
            return None;
        }
        match self.columns.read(raw, varint::take)? {
            SAME => Some(true),
            count => self.read_cells(count - 1, columns),
        }
    }

    fn read_cells(&mut self, count: u64, columns: usize) -> Option<bool> {
        if count > columns as u64 {
            return None;
        }
        let raw = self.raw.as_slice();
        self.cells.clear();
        let mut sums = (0u64, 0u64);
        for _ in 0..count {
            let column = self.columns.read(raw, varint::take)?;
            let after = self.cells.last().is_none_or(|last| u64::from(last.column) < column);
            if column >= columns as u64 || !after {
                return None;
            }
            let objects = self.objects.read(raw, varint::take)?;
            let bytes = self.bytes.read(raw, varint::take)?;
            // Whoever adds up a row's cells need not ask whether they fit.
            sums = (sums.0.checked_add(objects)?, sums.1.checked_add(bytes)?);
            self.cells.push(Cell { column: column as ColumnId, objects, bytes });
        }
        Some(true)
    }

    fn is_used_up(&self) -> bool {
        [self.lens, self.names, self.columns, self.objects, self.bytes].iter().all(|s| s.at == s.end)
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }
}
