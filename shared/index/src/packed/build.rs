use s3inv_model::{BinId, Cell, Dates, prefix};

use super::bits::BitWriter;
use super::groups::{Candidate, Candidates, KINDS, Kind};
use super::masks::MaskWriter;
use super::names::Names;
use super::number::{expected, split};
use super::streams::Streams;
use super::sums::Adder;
use super::{columns, slice};
use crate::cuts;
use crate::entry::Entry;
use crate::layout::Finished;
use crate::moment::put_change;
use crate::page::Shape;
use crate::sets::Places;
use crate::varint;

/// Gathers rows into a page.
pub(crate) struct PackedBuilder {
    shape: Shape,
    entry: Entry,
    /// What the rule by which pages end goes by.
    size: usize,
    rows: Rows,
    packer: Packer,
}

/// The rows of a page, as they came.
#[derive(Default)]
struct Rows {
    groups: Vec<Group>,
    parents: Vec<u8>,
    names: Names,
    /// Of each row, from where to where its cells are.
    spans: Vec<(u32, u32)>,
    cells: Vec<Cell>,
    /// Of each row, whether its children have all that it has.
    is_sum: Vec<bool>,
    /// Of rows that have some.
    dates: Vec<Dates>,
}

/// Rows of one parent: from where to where it is told, and from which row to which they are.
#[derive(Clone, Copy)]
struct Group {
    is_root: bool,
    parent: (u32, u32),
    rows: (u32, u32),
}

impl Rows {
    fn clear(&mut self) {
        self.groups.clear();
        self.parents.clear();
        self.names.clear();
        self.spans.clear();
        self.cells.clear();
        self.is_sum.clear();
        self.dates.clear();
    }

    /// Whether a row is of the same group as the one before it.
    fn goes_on(&self, parent: &[u8], is_root: bool) -> bool {
        let Some(group) = self.groups.last() else { return false };
        !group.is_root && !is_root && slice(&self.parents, group.parent) == Some(parent)
    }

    fn begin_group(&mut self, parent: &[u8], is_root: bool) {
        let (from, row) = (self.parents.len() as u32, self.names.len() as u32);
        self.parents.extend_from_slice(parent);
        self.groups.push(Group { is_root, parent: (from, self.parents.len() as u32), rows: (row, row) });
    }

    fn push(&mut self, name: &[u8], cells: &[Cell], dates: Dates) {
        self.names.push(name);
        let from = self.cells.len() as u32;
        self.cells.extend_from_slice(cells);
        self.spans.push((from, self.cells.len() as u32));
        self.is_sum.push(false);
        if !dates.is_none() {
            self.dates.push(dates);
        }
        if let Some(group) = self.groups.last_mut() {
            group.rows.1 += 1;
        }
    }

    /// How a row's prefix compares with another one.
    fn compare(&self, Candidate { row, group }: Candidate, other: &[u8]) -> Option<std::cmp::Ordering> {
        let parent = slice(&self.parents, self.groups.get(group as usize)?.parent)?;
        let (start, rest) = other.split_at(parent.len().min(other.len()));
        let name = self.names.get(row)?;
        Some(parent.cmp(start).then_with(|| name.cmp(rest)))
    }
}

impl PackedBuilder {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { shape, entry: Entry::default(), size: 0, rows: Rows::default(), packer: Packer::default() }
    }

    /// Whether the page ends before `next`.
    pub(crate) fn ends_before(&self, next: &[u8]) -> bool {
        self.entry.rows > 0 && cuts::PACKED.end_before(self.size, next)
    }

    /// Adds a row; `None` if its sums over all bins do not fit 64 bits.
    pub(crate) fn push(&mut self, key: &[u8], cells: &[Cell], dates: Dates) -> Option<()> {
        self.entry.widen(cells)?;
        if self.entry.rows == 0 {
            self.entry.first.clear();
            self.entry.first.extend_from_slice(key);
        }
        let (parent, name) = prefix::split(key);
        if !self.rows.goes_on(parent, key.is_empty()) {
            self.rows.begin_group(parent, key.is_empty());
            self.size += cuts::size_of_group(parent);
        }
        self.size += cuts::size_of_row(name, cells);
        self.rows.push(name, cells, dates);
        self.entry.rows += 1;
        Some(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entry.rows == 0
    }

    /// The page; the builder is empty afterwards. `None` would be a bug.
    pub(crate) fn finish(&mut self) -> Option<Finished<'_>> {
        let entry = std::mem::take(&mut self.entry);
        self.packer.pack(&mut self.rows, self.shape)?;
        self.rows.clear();
        self.size = 0;
        let Packer { raw, ends, .. } = &self.packer;
        Some(Finished { raw, ends, entry: Entry { raw_len: raw.len() as u64, ..entry } })
    }
}

/// Makes pages of rows, with buffers that are reused.
#[derive(Default)]
struct Packer {
    streams: Streams<Vec<u8>>,
    candidates: Candidates,
    adder: Adder,
    sets: Places,
    masks: MaskWriter,
    bits: BitWriter,
    /// Of each bin that there is, its place in the page.
    place_of: Vec<u16>,
    bins: Vec<BinId>,
    /// Of each cell, the place of its bin.
    places: Vec<u16>,
    /// Of each place, where its next objects stand, and its next bytes.
    columns: Vec<(u32, u32)>,
    raw: Vec<u8>,
    /// Where streams end.
    ends: Vec<usize>,
}

impl Packer {
    fn pack(&mut self, rows: &mut Rows, shape: Shape) -> Option<()> {
        self.place(&rows.cells)?;
        self.put_groups(rows)?;
        self.put_sets(rows, shape)?;
        self.put_numbers(rows, shape)?;
        self.put_dates(&rows.dates);
        self.raw.clear();
        self.ends.clear();
        self.streams.put(&mut self.raw, &mut self.ends);
        Some(())
    }

    /// Gives each bin of these cells its place.
    fn place(&mut self, cells: &[Cell]) -> Option<()> {
        self.place_of.clear();
        for cell in cells {
            let bin = usize::from(cell.bin);
            if self.place_of.len() <= bin {
                self.place_of.resize(bin + 1, 0);
            }
            *self.place_of.get_mut(bin)? = 1;
        }
        self.bins.clear();
        for (bin, place) in (0..).zip(&mut self.place_of) {
            if *place > 0 {
                *place = self.bins.len() as u16;
                self.bins.push(bin);
            }
        }
        self.places.clear();
        let Self { place_of, places, .. } = self;
        places.extend(cells.iter().filter_map(|cell| place_of.get(usize::from(cell.bin))));
        self.adder.start(self.bins.len());
        Some(())
    }

    fn put_groups(&mut self, rows: &mut Rows) -> Option<()> {
        self.candidates.clear();
        let mut told = (0, 0);
        for at in 0..rows.groups.len() {
            let group = *rows.groups.get(at)?;
            if group.is_root {
                varint::put(&mut self.streams.groups, Kind::Root as u64);
            } else {
                self.put_parent(rows, group, &mut told)?;
                rows.names.put(group.rows, &mut self.streams)?;
            }
            self.candidates.push(at as u32, group.rows.0, group.rows.1);
        }
        Some(())
    }

    /// Says what a group's parent is, and takes the group's cells off it if it is there.
    fn put_parent(&mut self, rows: &mut Rows, group: Group, told: &mut (u32, u32)) -> Option<()> {
        let parent = slice(&rows.parents, group.parent)?;
        let (passed, found) = self.find(rows, parent)?;
        if let Some(row) = found {
            let kind = self.take_off(rows, row, group)?;
            varint::put(&mut self.streams.groups, passed + kind as u64);
            return Some(());
        }
        let groups = &mut self.streams.groups;
        varint::put(groups, passed + Kind::Told as u64);
        let shared = prefix::shared_len(slice(&rows.parents, *told)?, parent);
        let rest = parent.get(shared..)?;
        varint::put(groups, shared as u64);
        varint::put(groups, rest.len() as u64);
        self.streams.names.extend_from_slice(rest);
        *told = group.parent;
        Some(())
    }

    /// The row that a parent is, if it is in the page, and what says how many candidates were passed.
    fn find(&mut self, rows: &Rows, parent: &[u8]) -> Option<(u64, Option<u32>)> {
        let mut passed = 0;
        while let Some(candidate) = self.candidates.first() {
            let order = rows.compare(candidate, parent)?;
            if order.is_gt() {
                break;
            }
            self.candidates.pass();
            if order.is_eq() {
                return Some((passed, Some(candidate.row)));
            }
            passed += KINDS;
        }
        Some((passed, None))
    }

    /// Takes a group's cells off those of its parent, if that has them all. The group's own are whole: what
    /// is taken off them comes later.
    fn take_off(&mut self, rows: &mut Rows, parent: u32, group: Group) -> Option<Kind> {
        let cells = (rows.spans.get(group.rows.0 as usize)?.0, rows.spans.get(group.rows.1 as usize - 1)?.1);
        if self.adder.add(slice(&self.places, cells)?, slice(&rows.cells, cells)?).is_none() {
            self.adder.clear();
            return Some(Kind::Row);
        }
        let (from, end) = rows.spans.get_mut(parent as usize)?;
        let range = *from as usize..*end as usize;
        let left = self.adder.take_off(self.places.get_mut(range.clone())?, rows.cells.get_mut(range)?);
        let Some(left) = left else { return Some(Kind::Row) };
        *end = *from + left as u32;
        *rows.is_sum.get_mut(parent as usize)? = left == 0;
        Some(if left == 0 { Kind::Sum } else { Kind::Added })
    }

    /// Says which bins rows have.
    fn put_sets(&mut self, rows: &Rows, shape: Shape) -> Option<()> {
        self.columns.clear();
        self.columns.resize(self.bins.len(), (0, 0));
        for (&span, _) in rows.spans.iter().zip(&rows.is_sum).filter(|row| !row.1) {
            let (place, _) = self.sets.place(slice(&rows.cells, span)?);
            varint::put(&mut self.streams.rows, place as u64);
            for &place in slice(&self.places, span)? {
                self.columns.get_mut(usize::from(place))?.0 += 1;
            }
        }
        self.put_bins();
        let (objects, bytes) = columns(&mut self.columns, &self.bins, shape);
        self.streams.objects.resize(objects, 0);
        self.streams.bytes.resize(bytes, 0);
        Some(())
    }

    /// Says what the sets are, and of which bins.
    fn put_bins(&mut self) {
        let mut next = 0;
        for &bin in &self.bins {
            varint::put(&mut self.streams.bins, u64::from(bin - next));
            next = bin + 1;
        }
        varint::put(&mut self.streams.sets, self.sets.len() as u64);
        self.masks.start(self.bins.len());
        let mut places = Vec::new();
        for set in self.sets.sets() {
            places.clear();
            places.extend(set.iter().filter_map(|&bin| self.place_of.get(usize::from(bin))));
            self.masks.put(&places);
        }
        self.masks.finish(&mut self.streams.sets);
        self.sets.clear();
    }

    fn put_numbers(&mut self, rows: &Rows, shape: Shape) -> Option<()> {
        let Self { streams, columns, places, bits, .. } = self;
        for &span in &rows.spans {
            for (cell, &place) in slice(&rows.cells, span)?.iter().zip(slice(places, span)?) {
                let (objects, bytes) = columns.get_mut(usize::from(place))?;
                let (symbol, open) = split(cell.objects);
                *streams.objects.get_mut(*objects as usize)? = symbol;
                bits.put(&mut streams.bits, cell.objects, open);
                *objects += 1;
                if shape.has_bytes(cell.bin) {
                    let (symbol, open) = split(cell.bytes);
                    *streams.bytes.get_mut(*bytes as usize)? = symbol.wrapping_sub(expected(cell.objects));
                    bits.put(&mut streams.bits, cell.bytes, open);
                    *bytes += 1;
                }
            }
        }
        bits.finish(&mut streams.bits);
        Some(())
    }

    fn put_dates(&mut self, dates: &[Dates]) {
        let mut last = 0;
        for &Dates { oldest, newest } in dates {
            put_change(&mut self.streams.oldest, last, oldest);
            put_change(&mut self.streams.spans, oldest, newest);
            last = oldest;
        }
    }
}
