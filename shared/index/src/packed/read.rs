use std::sync::Arc;

use s3inv_model::{Bin, BinId, Cell, Dates, prefix};

use super::bits::BitReader;
use super::groups::{Candidates, KINDS, Kind};
use super::masks::MaskReader;
use super::names::Names;
use super::number::{base, expected};
use super::slice;
use super::streams::Streams;
use super::sums::Adder;
use crate::moment::take_change;
use crate::page::Shape;
use crate::varint;

/// Cells of a page, as they are stored and as they are added; and bytes of the parents of its groups. The
/// rule by which pages end leaves no room for more.
const MAX_CELLS: usize = 128 << 10;
const MAX_PARENTS: usize = 2 << 20;

/// Rows of one parent.
#[derive(Clone, Copy)]
struct Group {
    /// From where to where the parent is told.
    parent: (u32, u32),
    rows: (u32, u32),
    /// The row to whose cells those of the group are added.
    sum: Option<u32>,
}

/// A page, read.
#[derive(Clone, Default)]
struct Page {
    groups: Vec<Group>,
    parents: Vec<u8>,
    names: Names,
    bins: Vec<BinId>,
    /// Places of bins, set by set, these bins, and where sets end.
    sets: Vec<u16>,
    set_bins: Vec<BinId>,
    set_ends: Vec<u32>,
    /// Of each row, whether its children have all that it has.
    is_sum: Vec<bool>,
    /// Of each row, from where to where its cells are.
    spans: Vec<(u32, u32)>,
    cells: Vec<Cell>,
    /// Of each cell, the place of its bin.
    places: Vec<u16>,
    /// Whether sums may not fit 64 bits.
    is_vast: bool,
    /// Of each row, if dates are measured.
    dates: Vec<Dates>,
    candidates: Candidates,
    columns: Vec<(u32, u32)>,
    adder: Adder,
}

impl Page {
    /// Reads a page of so many rows; `None` if it makes no sense.
    fn read(&mut self, raw: &[u8], rows: usize, shape: Shape) -> Option<()> {
        let mut streams = Streams::take(raw)?;
        self.read_groups(&mut streams, rows)?;
        self.read_bins(streams.bins, shape)?;
        self.read_sets(streams.sets, rows)?;
        self.read_rows(&mut streams.rows, streams.objects.len())?;
        self.read_numbers(&streams, shape)?;
        self.add()?;
        self.read_dates(&mut streams, shape)?;
        let Streams { groups, counts, shares, names, fixed, rows, oldest, spans, .. } = streams;
        [groups, counts, shares, names, fixed, rows, oldest, spans]
            .iter()
            .all(|stream| stream.is_empty())
            .then_some(())
    }

    fn read_groups(&mut self, streams: &mut Streams<&[u8]>, rows: usize) -> Option<()> {
        self.groups.clear();
        self.parents.clear();
        self.names.clear();
        self.candidates.clear();
        self.is_sum.clear();
        self.is_sum.resize(rows, false);
        let mut told = (0, 0);
        while self.names.len() < rows {
            let from = self.names.len() as u32;
            let (parent, sum) = self.read_parent(streams, &mut told)?;
            let rows = (from, self.names.len() as u32);
            self.candidates.push(self.groups.len() as u32, rows.0, rows.1);
            self.groups.push(Group { parent, rows, sum });
        }
        (self.names.len() == rows).then_some(())
    }

    /// Reads what a group's parent is, and the names of its rows. The result is where the parent stands, and
    /// the row that the group is added to.
    fn read_parent(
        &mut self,
        streams: &mut Streams<&[u8]>,
        told: &mut (u32, u32),
    ) -> Option<((u32, u32), Option<u32>)> {
        let code = varint::take(&mut streams.groups)?;
        for _ in 0..code / KINDS {
            self.candidates.first()?;
            self.candidates.pass();
        }
        let (kind, from) = (Kind::of(code)?, self.parents.len());
        let row = match kind {
            Kind::Root => {
                self.names.push(&[]);
                return Some(((0, 0), None));
            }
            Kind::Told => self.read_told(streams, told).map(|()| None)?,
            Kind::Added | Kind::Sum | Kind::Row => Some(self.copy_candidate()?),
        };
        if let (Some(row), Kind::Sum) = (row, kind) {
            *self.is_sum.get_mut(row as usize)? = true;
        }
        self.names.take(streams)?;
        let sound = self.parents.len() <= MAX_PARENTS && prefix::is_prefix(self.parents.get(from..)?);
        let parent = (from as u32, self.parents.len() as u32);
        sound.then_some((parent, row.filter(|_| kind != Kind::Row)))
    }

    /// Appends a parent that is told.
    fn read_told(&mut self, streams: &mut Streams<&[u8]>, told: &mut (u32, u32)) -> Option<()> {
        let from = self.parents.len() as u32;
        let shared = slice(&self.parents, *told)?.get(..varint::take_usize(&mut streams.groups)?)?.len();
        let rest = varint::take_usize(&mut streams.groups)?;
        let rest = varint::take_bytes(&mut streams.names, rest)?;
        let start = told.0 as usize;
        self.parents.extend_from_within(start..start + shared);
        self.parents.extend_from_slice(rest);
        *told = (from, self.parents.len() as u32);
        Some(())
    }

    /// Appends a parent that is the next candidate, and says which row it is.
    fn copy_candidate(&mut self) -> Option<u32> {
        let candidate = self.candidates.first()?;
        self.candidates.pass();
        let (from, end) = self.groups.get(candidate.group as usize)?.parent;
        self.parents.extend_from_within(from as usize..end as usize);
        self.parents.extend_from_slice(self.names.get(candidate.row)?);
        Some(candidate.row)
    }

    fn read_bins(&mut self, mut stream: &[u8], shape: Shape) -> Option<()> {
        self.bins.clear();
        let mut next = 0u64;
        while !stream.is_empty() {
            let bin = next.checked_add(varint::take(&mut stream)?)?;
            let bin = BinId::try_from(bin).ok().filter(|&bin| Bin::exists(bin, shape.classes))?;
            self.bins.push(bin);
            next = u64::from(bin) + 1;
        }
        Some(())
    }

    /// Reads the sets of bins that rows have.
    fn read_sets(&mut self, mut stream: &[u8], rows: usize) -> Option<()> {
        self.sets.clear();
        self.set_bins.clear();
        self.set_ends.clear();
        let count = varint::take_usize(&mut stream)?;
        // Where there are no bins, sets take no room.
        (count <= rows).then_some(())?;
        let mut masks = MaskReader::new(stream, count, self.bins.len())?;
        for _ in 0..count {
            masks.set(&mut |place| {
                self.sets.push(place as u16);
                self.set_bins.push(*self.bins.get(place)?);
                Some(())
            })?;
            self.set_ends.push(self.sets.len() as u32);
        }
        Some(())
    }

    /// Makes the cells, which are so many, and have their bins as yet.
    fn read_rows(&mut self, stream: &mut &[u8], count: usize) -> Option<()> {
        let Self { bins, sets, set_bins, set_ends, is_sum, spans, cells, places, columns, .. } = self;
        (count <= MAX_CELLS).then_some(())?;
        spans.clear();
        cells.clear();
        cells.reserve(count);
        places.clear();
        places.reserve(count);
        columns.clear();
        columns.resize(bins.len(), (0, 0));
        for &is_sum in is_sum.iter() {
            let from = cells.len() as u32;
            if !is_sum {
                let set = varint::take_usize(stream)?;
                let start = set.checked_sub(1).map_or(Some(0), |before| set_ends.get(before).copied())?;
                let span = (start, *set_ends.get(set)?);
                let set = slice(sets, span)?;
                places.extend_from_slice(set);
                for &place in set {
                    columns.get_mut(usize::from(place))?.0 += 1;
                }
                cells.extend(slice(set_bins, span)?.iter().map(|&bin| Cell { bin, objects: 0, bytes: 0 }));
            }
            spans.push((from, cells.len() as u32));
            (cells.len() <= count).then_some(())?;
        }
        (cells.len() == count).then_some(())
    }

    fn read_numbers(&mut self, streams: &Streams<&[u8]>, shape: Shape) -> Option<()> {
        let Self { bins, cells, places, columns, .. } = self;
        if super::columns(columns, bins, shape) != (streams.objects.len(), streams.bytes.len()) {
            return None;
        }
        let mut bits = BitReader::new(streams.bits);
        let mut sums = (0u64, 0u64);
        for (cell, &place) in cells.iter_mut().zip(places.iter()) {
            let (objects, bytes) = columns.get_mut(usize::from(place))?;
            let (least, open) = base(*streams.objects.get(*objects as usize)?)?;
            cell.objects = least + bits.take(open)?;
            *objects += 1;
            if shape.has_bytes(cell.bin) {
                let symbol = *streams.bytes.get(*bytes as usize)?;
                let (least, open) = base(symbol.wrapping_add(expected(cell.objects)))?;
                cell.bytes = least + bits.take(open)?;
                *bytes += 1;
            }
            sums = (sums.0.saturating_add(cell.objects), sums.1.saturating_add(cell.bytes));
        }
        // No row has more than all cells that are told: only where these are too many, each row is asked.
        self.is_vast = sums.0 == u64::MAX || sums.1 == u64::MAX;
        bits.is_used_up().then_some(())
    }

    /// Adds to parents what their children have: the last groups first, whose rows have nothing to be added.
    fn add(&mut self) -> Option<()> {
        let Self { groups, bins, spans, cells, places, adder, .. } = self;
        adder.start(bins.len());
        for &Group { rows, sum, .. } in groups.iter().rev() {
            let Some(parent) = sum else { continue };
            let own = *spans.get(parent as usize)?;
            adder.add(slice(places, own)?, slice(cells, own)?)?;
            for &span in slice(spans, rows)? {
                adder.add(slice(places, span)?, slice(cells, span)?)?;
            }
            let from = cells.len() as u32;
            adder.drain(|place, objects, bytes| {
                let bin = bins.get(usize::from(place)).copied().unwrap_or_default();
                cells.push(Cell { bin, objects, bytes });
                places.push(place);
            });
            *spans.get_mut(parent as usize)? = (from, cells.len() as u32);
            if cells.len() > MAX_CELLS {
                return None;
            }
        }
        if self.is_vast {
            self.spans.iter().try_for_each(|&span| fits(slice(&self.cells, span)?))
        } else {
            Some(())
        }
    }

    fn read_dates(&mut self, streams: &mut Streams<&[u8]>, shape: Shape) -> Option<()> {
        self.dates.clear();
        if !shape.dates {
            return Some(());
        }
        let mut last = 0;
        for &span in &self.spans {
            let mut dates = Dates::NONE;
            if shape.has_dates(slice(&self.cells, span)?) {
                let oldest = take_change(&mut streams.oldest, last)?;
                let newest = take_change(&mut streams.spans, oldest)?;
                dates = Dates { oldest, newest };
                last = oldest;
                (oldest <= newest).then_some(())?;
            }
            self.dates.push(dates);
        }
        Some(())
    }
}

/// Whether a row's sums fit 64 bits: whoever adds them up need not ask.
fn fits(cells: &[Cell]) -> Option<()> {
    let sum = |sums: (u64, u64), cell: &Cell| {
        Some((sums.0.checked_add(cell.objects)?, sums.1.checked_add(cell.bytes)?))
    };
    cells.iter().try_fold((0, 0), sum).map(|_| ())
}

/// Goes through the rows of a page. A clone goes on from the same row.
#[derive(Clone)]
pub(crate) struct PackedRows {
    shape: Shape,
    raw: Vec<u8>,
    /// Clones share it.
    page: Arc<Page>,
    /// The row behind this one, and the group behind its group.
    next: u32,
    next_group: usize,
    /// Where the rows of this group end.
    end: u32,
    parent_len: usize,
    key: Vec<u8>,
}

impl PackedRows {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            raw: Vec::new(),
            page: Arc::default(),
            next: 0,
            next_group: 0,
            end: 0,
            parent_len: 0,
            key: Vec::new(),
        }
    }

    /// The buffer that the next page is decompressed into, before [`PackedRows::start`].
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.raw
    }

    /// Goes before the first row of the page in the buffer, which it reads; `None` if that makes no sense.
    pub(crate) fn start(&mut self, rows: u64) -> Option<()> {
        if Arc::get_mut(&mut self.page).is_none() {
            self.page = Arc::default();
        }
        let page = Arc::make_mut(&mut self.page);
        let read = page.read(&self.raw, usize::try_from(rows).ok()?, self.shape);
        (self.next, self.next_group, self.end) = (0, 0, 0);
        if read.is_none() {
            page.spans.clear();
        }
        read
    }

    /// Goes to the next row: `Some(false)` behind the last one, `None` if it makes no sense.
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<bool> {
        if self.next as usize >= self.page.spans.len() {
            return Some(false);
        }
        if self.next == self.end {
            let group = self.page.groups.get(self.next_group)?;
            self.key.clear();
            self.key.extend_from_slice(slice(&self.page.parents, group.parent)?);
            (self.parent_len, self.end) = (self.key.len(), group.rows.1);
            self.next_group += 1;
        }
        self.key.truncate(self.parent_len);
        self.key.extend_from_slice(self.page.names.get(self.next)?);
        self.next += 1;
        prefix::is_prefix(&self.key).then_some(true)
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The place of this row.
    fn row(&self) -> usize {
        (self.next as usize).saturating_sub(1)
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        self.page.spans.get(self.row()).and_then(|&span| slice(&self.page.cells, span)).unwrap_or_default()
    }

    pub(crate) fn dates(&self) -> Dates {
        self.page.dates.get(self.row()).copied().unwrap_or(Dates::NONE)
    }
}
