//! Pages of runs, which are written and read once, and fast.
//!
//! A page is eight streams, so that like stands next to like and compresses: how each prefix differs in
//! length from the one before it, the bytes that differ, the sets of bins that occur, which of them
//! each row has, the objects of each cell, their bytes, and the dates.

use std::sync::Arc;

use s3inv_model::{Bin, BinId, Cell, Dates, Measure, Schema, prefix};

use crate::brief;
use crate::cuts;
use crate::entry::Entry;
use crate::layout::Finished;
use crate::moment::{MAX_DATE, put_change, take_change};
use crate::sets::{self, Places, Sets};
use crate::varint;

/// Streams of a page.
const STREAMS: usize = 8;

/// What there is of each stream of a page.
#[derive(Clone, Default)]
struct Streams<T> {
    lens: T,
    names: T,
    sets: T,
    rows: T,
    objects: T,
    bytes: T,
    oldest: T,
    spans: T,
}

impl<T> Streams<T> {
    /// In their order.
    fn all(&self) -> [&T; STREAMS] {
        let Self { lens, names, sets, rows, objects, bytes, oldest, spans } = self;
        [lens, names, sets, rows, objects, bytes, oldest, spans]
    }

    fn all_mut(&mut self) -> [&mut T; STREAMS] {
        let Self { lens, names, sets, rows, objects, bytes, oldest, spans } = self;
        [lens, names, sets, rows, objects, bytes, oldest, spans]
    }
}

/// The cells are those of the row before.
const SAME: u64 = 0;

/// What the values of a page's rows are, which the info says once for all pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// How many classes bins can be of.
    pub(crate) classes: usize,
    bytes: bool,
    pub(crate) dates: bool,
    pub(crate) places: brief::Places,
}

impl Shape {
    pub(crate) fn new(Schema { measures, classes }: &Schema) -> Self {
        let (bytes, dates) = (measures.has(Measure::Bytes), measures.has(Measure::Dates));
        Self { classes: classes.len(), bytes, dates, places: brief::Places::new(measures.has(Measure::Age)) }
    }

    /// Whether cells of this bin have bytes.
    pub(crate) fn has_bytes(self, bin: BinId) -> bool {
        self.bytes && !Bin::is_marker(bin)
    }

    /// Whether rows of these cells have dates.
    pub(crate) fn has_dates(self, cells: &[Cell]) -> bool {
        self.dates && cells.iter().any(|cell| Bin::is_current(cell.bin))
    }

    /// Why a row of these values could not be read again.
    pub(crate) fn refuses(self, cells: &[Cell], dates: Dates) -> Option<&'static str> {
        let exists = cells.last().is_none_or(|last| Bin::exists(last.bin, self.classes));
        if !exists || !cells.is_sorted_by(|a, b| a.bin < b.bin) {
            return Some("its cells are not of ascending bins");
        }
        if cells.iter().any(|cell| cell.bytes > 0 && !self.has_bytes(cell.bin)) {
            return Some("it has bytes that are not measured");
        }
        if !dates.is_none() && dates.newest > MAX_DATE {
            return Some("its dates are not believable");
        }
        (dates.is_none() == self.has_dates(cells))
            .then_some("dates are of current objects, and of all of them")
    }
}

/// Gathers rows into a page.
pub(crate) struct PageBuilder {
    shape: Shape,
    streams: Streams<Vec<u8>>,
    places: Places,
    cells: Vec<Cell>,
    date: u64,
    entry: Entry,
    raw: Vec<u8>,
}

impl PageBuilder {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            streams: Streams::default(),
            places: Places::default(),
            cells: Vec::new(),
            date: 0,
            entry: Entry::default(),
            raw: Vec::new(),
        }
    }

    /// Whether the page ends before `next`.
    pub(crate) fn ends_before(&self, next: &[u8]) -> bool {
        let size = self.streams.all().iter().map(|stream| stream.len()).sum();
        self.entry.rows > 0 && cuts::PLAIN.end_before(size, next)
    }

    /// Adds a row, whose key has so many bytes in common with the one before it, be that in this page or not;
    /// `None` if its sums over all bins do not fit 64 bits.
    pub(crate) fn push(&mut self, key: &[u8], shared: usize, cells: &[Cell], dates: Dates) -> Option<()> {
        self.entry.widen(cells)?;
        if self.entry.rows == 0 {
            self.entry.first.clear();
            self.entry.first.extend_from_slice(key);
        }
        let shared = if self.entry.rows == 0 { 0 } else { shared };
        let suffix = key.get(shared..)?;
        varint::put(&mut self.streams.lens, shared as u64);
        varint::put(&mut self.streams.lens, suffix.len() as u64);
        self.streams.names.extend_from_slice(suffix);
        self.push_cells(cells);
        if !dates.is_none() {
            put_change(&mut self.streams.oldest, self.date, dates.oldest);
            put_change(&mut self.streams.spans, dates.oldest, dates.newest);
            self.date = dates.oldest;
        }
        self.entry.rows += 1;
        Some(())
    }

    fn push_cells(&mut self, cells: &[Cell]) {
        let Streams { sets, rows, objects, bytes, .. } = &mut self.streams;
        if self.entry.rows > 0 && self.cells == cells {
            varint::put(rows, SAME);
            return;
        }
        let (place, is_new) = self.places.place(cells);
        varint::put(rows, place as u64 + 1);
        if is_new {
            sets::put(cells, sets);
        }
        for cell in cells {
            varint::put(objects, cell.objects);
            if self.shape.has_bytes(cell.bin) {
                varint::put(bytes, cell.bytes);
            }
        }
        self.cells.clear();
        self.cells.extend_from_slice(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entry.rows == 0
    }

    /// The page's bytes and what the directory says of it but for what depends on compression;
    /// the builder is empty afterwards.
    pub(crate) fn finish(&mut self) -> Finished<'_> {
        self.raw.clear();
        for stream in self.streams.all() {
            varint::put(&mut self.raw, stream.len() as u64);
        }
        for stream in self.streams.all_mut() {
            self.raw.append(stream);
        }
        self.places.clear();
        self.cells.clear();
        self.date = 0;
        let entry = std::mem::take(&mut self.entry);
        Finished { raw: &self.raw, ends: &[], entry: Entry { raw_len: self.raw.len() as u64, ..entry } }
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

/// A page as far as it is read at once.
#[derive(Clone, Default)]
struct Page {
    raw: Vec<u8>,
    sets: Sets,
}

/// Reads the rows of a page, one after the other. A clone goes on from the same row.
#[derive(Clone)]
pub(crate) struct PageRows {
    shape: Shape,
    /// Clones share it.
    page: Arc<Page>,
    left: u64,
    streams: Streams<Stream>,
    /// How many of the sets rows have had.
    used: usize,
    key: Vec<u8>,
    cells: Vec<Cell>,
    /// Whether some of the cells are of current objects.
    current: bool,
    date: u64,
    dates: Dates,
}

impl PageRows {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            page: Arc::default(),
            left: 0,
            streams: Streams::default(),
            used: 0,
            key: Vec::new(),
            cells: Vec::new(),
            current: false,
            date: 0,
            dates: Dates::NONE,
        }
    }

    /// The buffer that the next page is decompressed into, before [`PageRows::start`].
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if Arc::get_mut(&mut self.page).is_none() {
            self.page = Arc::default();
        }
        &mut Arc::make_mut(&mut self.page).raw
    }

    /// Goes before the first row of the page in the buffer.
    pub(crate) fn start(&mut self, rows: u64) -> Option<()> {
        let Page { raw, sets } = Arc::make_mut(&mut self.page);
        let mut rest = raw.as_slice();
        let mut lens = [0; STREAMS];
        for len in &mut lens {
            *len = varint::take_usize(&mut rest)?;
        }
        let mut at = raw.len() - rest.len();
        for (stream, len) in self.streams.all_mut().into_iter().zip(lens) {
            let end = at.checked_add(len).filter(|&end| end <= raw.len())?;
            *stream = Stream { at, end };
            at = end;
        }
        if at < raw.len() {
            return None;
        }
        let Stream { at, end } = self.streams.sets;
        sets.read(raw.get(at..end)?, self.shape.classes)?;
        self.streams.sets.at = end;
        self.left = rows;
        self.used = 0;
        self.key.clear();
        self.cells.clear();
        self.current = false;
        self.date = 0;
        Some(())
    }

    /// Goes to the next row: `Some(false)` behind the last one, `None` if it makes no sense.
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<bool> {
        if self.left == 0 {
            return self.is_used_up().then_some(false);
        }
        self.left -= 1;
        let raw = self.page.raw.as_slice();
        let lens = |bytes: &mut &[u8]| Some((varint::take_usize(bytes)?, varint::take_usize(bytes)?));
        let (shared, len) = self.streams.lens.read(raw, lens)?;
        if shared > self.key.len() {
            return None;
        }
        self.key.truncate(shared);
        let names = self.streams.names.read(raw, |bytes| varint::take_bytes(bytes, len))?;
        self.key.extend_from_slice(names);
        if !prefix::is_prefix(&self.key) {
            return None;
        }
        match self.streams.rows.read(raw, varint::take)? {
            SAME => {}
            set => self.read_cells(set - 1)?,
        }
        self.dates = if self.shape.dates && self.current { self.read_dates()? } else { Dates::NONE };
        Some(true)
    }

    fn read_cells(&mut self, set: u64) -> Option<()> {
        let Page { raw, sets } = &*self.page;
        let set = usize::try_from(set).ok().filter(|&set| set <= self.used)?;
        self.used = self.used.max(set + 1);
        let (bins, current) = sets.get(set)?;
        self.current = current;
        let (shape, cells) = (self.shape, &mut self.cells);
        let Streams { objects, bytes, .. } = &mut self.streams;
        objects.read(raw, |objects| bytes.read(raw, |bytes| read_cells(shape, bins, objects, bytes, cells)))
    }

    fn read_dates(&mut self) -> Option<Dates> {
        let raw = self.page.raw.as_slice();
        let oldest = self.streams.oldest.read(raw, |bytes| take_change(bytes, self.date))?;
        let newest = self.streams.spans.read(raw, |bytes| take_change(bytes, oldest))?;
        self.date = oldest;
        (oldest <= newest).then_some(Dates { oldest, newest })
    }

    fn is_used_up(&self) -> bool {
        self.used == self.page.sets.len() && self.streams.all().iter().all(|stream| stream.at == stream.end)
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(crate) fn dates(&self) -> Dates {
        self.dates
    }
}

/// Reads a row's sums. Whoever adds them up need not ask whether they fit.
#[inline]
fn read_cells(
    shape: Shape,
    bins: &[BinId],
    of_objects: &mut &[u8],
    of_bytes: &mut &[u8],
    cells: &mut Vec<Cell>,
) -> Option<()> {
    cells.clear();
    let mut sums = (0u64, 0u64);
    for &bin in bins {
        let objects = varint::take(of_objects)?;
        let bytes = if shape.has_bytes(bin) { varint::take(of_bytes)? } else { 0 };
        sums = (sums.0.checked_add(objects)?, sums.1.checked_add(bytes)?);
        cells.push(Cell { bin, objects, bytes });
    }
    Some(())
}
