//! Directories and their own sums, in memory that was counted before it was taken.

use s3inv_model::{BinId, Cell, Dates, Measure, Measures};
use xxhash_rust::xxh3::xxh3_64;

use crate::cells::{self, Cells, NONE};
use crate::{sort, tree};

/// How much a table may hold. Every part has its limit from the start and never grows beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableBudget {
    /// Slots of the hash table, a power of two.
    slots: usize,
    /// Directories.
    pub(crate) rows: usize,
    /// Cells beyond the first of a directory.
    more: usize,
    /// Bytes of directories' names.
    keys: usize,
    /// Directories and ancestors that are rolled up at a time.
    pub(crate) nodes: usize,
    /// Their cells.
    pub(crate) cells: usize,
}

impl TableBudget {
    /// Bytes of name to expect for each directory.
    const KEY: usize = 48;

    /// Divides `bytes` among the parts; some KiB are the least that works. Directories have more
    /// cells where objects are told apart by age or size.
    #[must_use]
    pub fn new(bytes: usize, measures: &Measures) -> Self {
        // Places are 32 bits wide.
        let bytes = bytes.clamp(4 << 10, 4 << 30);
        // For each four slots: themselves, four nodes, three rows and their places in the sorted order.
        let fixed = 4 * (8 + tree::NODE) + 3 * (size_of::<Row>() + sort::ITEM);
        let many = measures.has(Measure::Age) || measures.has(Measure::Size);
        let more = if many { 4 } else { 1 };
        let each = fixed + more * cells::CELL + (4 + more) * tree::CELL;
        let slots = (bytes / (each + 3 * Self::KEY) + 1).next_power_of_two() * 2;
        let quarter = slots / 4;
        let keys = (bytes - quarter * each).min(u32::MAX as usize);
        Self {
            slots,
            rows: quarter * 3,
            more: quarter * more,
            keys,
            nodes: slots,
            cells: quarter * (4 + more),
        }
    }
}

/// Why something was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no room: write a run, clear the table, and come again.
    Full,
    /// A sum would not fit 64 bits.
    Overflow,
}

/// A directory: where its name is, its first cell, and where more cells are.
#[derive(Clone, Copy)]
struct Row {
    key: u32,
    len: u16,
    bin: BinId,
    objects: u64,
    bytes: u64,
    dates: Dates,
    hash: u32,
    more: u32,
}

/// What an object adds to its directory.
#[derive(Clone, Copy)]
pub(crate) struct One {
    pub(crate) bin: BinId,
    pub(crate) size: u64,
    pub(crate) dates: Dates,
}

/// Sums by directory. A directory may have more than one row, if it comes again after many others.
pub(crate) struct Table {
    budget: TableBudget,
    keys: Vec<u8>,
    rows: Vec<Row>,
    more: Cells,
    /// The hash, and the number of the row plus one; zero is empty.
    slots: Vec<u64>,
    /// Slots in use, less one: few directories use few slots, which stay in the cache.
    mask: usize,
    /// Whether directories have come in the order of sorted keys, but for some. Then none but those met last
    /// is looked for, and no slot is in use: each would be a cache miss.
    ordered: bool,
    /// Rows of directories met last, plus one, by their hash.
    recent: [u32; RECENT],
    /// How many directories came out of that order.
    odd: usize,
    /// The row of the directory before.
    last: usize,
}

const FIRST_SLOTS: usize = 1 << 10;
const RECENT: usize = 64;
/// Directories may come out of order this often, and as one in [`ODD_SHARE`] of all, where a file begins.
const MOST_ODD: usize = 16;
const ODD_SHARE: usize = 64;

impl Table {
    pub(crate) fn new(budget: TableBudget) -> Self {
        Self {
            budget,
            keys: Vec::with_capacity(budget.keys),
            rows: Vec::with_capacity(budget.rows),
            more: Cells::new(budget.more),
            slots: vec![0; budget.slots],
            mask: budget.slots.min(FIRST_SLOTS) - 1,
            ordered: true,
            recent: [0; RECENT],
            odd: 0,
            last: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of the names, rows and cells that are there.
    pub(crate) fn held(&self) -> usize {
        self.keys.len() + self.rows.len() * size_of::<Row>() + self.more.len() * cells::CELL
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.rows.clear();
        self.more.clear();
        self.slots[..=self.mask].fill(0);
        self.mask = self.budget.slots.min(FIRST_SLOTS) - 1;
        (self.ordered, self.recent, self.odd) = (true, [0; RECENT], 0);
        self.last = 0;
    }

    /// Whether directories come in order: then nothing is gained by peeking.
    pub(crate) fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// The hash that a directory is found by.
    #[inline]
    pub(crate) fn hash(directory: &[u8]) -> u32 {
        xxh3_64(directory) as u32
    }

    /// What stands where a directory with this hash is looked for first. Asked for some directories
    /// before they are counted, it lets the processor wait for all their cache lines at once.
    #[inline]
    pub(crate) fn peek(&self, hash: u32) -> u64 {
        self.slots[hash as usize & self.mask]
    }

    /// The same for the directory that stands there: both ends of it and of its name, which may lie in two cache
    /// lines each, and what stands where another bin than its first is looked for.
    #[inline]
    pub(crate) fn peek_row(&self, hash: u32, bin: BinId) -> u64 {
        let at = (self.peek(hash) as u32).wrapping_sub(1);
        let Some(row) = self.rows.get(at as usize) else { return 0 };
        let ends = row.objects ^ row.bytes ^ peek_name(&self.keys, row.key, row.len);
        ends ^ if row.bin == bin { 0 } else { u64::from(self.more.peek(at, bin)) }
    }

    /// The same for a row that is known, and its cells beyond the first.
    #[inline]
    pub(crate) fn peek_at(&self, at: usize) -> u64 {
        let Some(row) = self.rows.get(at) else { return 0 };
        row.objects ^ peek_name(&self.keys, row.key, row.len) ^ self.more.peek_list(row.more)
    }

    /// The same for the cell of that bin.
    #[inline]
    pub(crate) fn peek_cell(&self, hash: u32, bin: BinId) -> u64 {
        let at = (self.peek(hash) as u32).wrapping_sub(1);
        match self.rows.get(at as usize) {
            Some(row) if row.bin != bin => self.more.peek_cell(at, bin),
            _ => 0,
        }
    }

    /// Counts an object of a directory with its hash. Nothing has changed if it is refused for want
    /// of room.
    #[inline]
    pub(crate) fn add(&mut self, directory: &[u8], hash: u32, one: One) -> Result<(), Refused> {
        self.last = self.find_or_insert(directory, hash, one.bin)?;
        self.add_to_last(one)
    }

    /// Counts another object of the directory before; there must have been one since the table was
    /// cleared.
    #[inline]
    pub(crate) fn add_to_last(&mut self, One { bin, size, dates }: One) -> Result<(), Refused> {
        let row = &mut self.rows[self.last];
        if row.bin == bin {
            row.bytes = row.bytes.checked_add(size).ok_or(Refused::Overflow)?;
            row.objects += 1;
        } else {
            self.more.add(self.last as u32, &mut row.more, bin, size)?;
        }
        row.dates = row.dates.merge(dates);
        Ok(())
    }

    #[inline]
    fn find_or_insert(&mut self, directory: &[u8], hash: u32, bin: BinId) -> Result<usize, Refused> {
        if self.ordered {
            if let Some(at) = self.recently(directory, hash) {
                return Ok(at);
            }
            self.look_at_order(directory);
        }
        if self.ordered {
            self.insert(directory, bin, hash)
        } else {
            self.find_or_insert_by_hash(directory, hash, bin)
        }
    }

    /// The row of a directory that was met not long ago.
    #[inline]
    fn recently(&self, directory: &[u8], hash: u32) -> Option<usize> {
        let at = (self.recent[hash as usize % RECENT] as usize).checked_sub(1)?;
        (self.rows[at].hash == hash && self.name(at) == directory).then_some(at)
    }

    /// Gives the order up where a new directory, and too many before it, stand neither behind the last one nor
    /// above it.
    fn look_at_order(&mut self, directory: &[u8]) {
        let Some(before) = self.rows.len().checked_sub(1).map(|last| self.name(last)) else { return };
        self.odd += usize::from(directory < before && !before.starts_with(directory));
        if self.odd <= MOST_ODD + self.rows.len() / ODD_SHARE {
            return;
        }
        self.ordered = false;
        // Some may be there twice: what one has is added to the other when they are sorted.
        while (self.rows.len() + 1) * 4 > (self.mask + 1) * 3 && self.mask + 1 < self.slots.len() {
            self.mask = self.mask * 2 + 1;
        }
        for at in 0..self.rows.len() {
            self.place(at);
        }
    }

    #[inline]
    fn find_or_insert_by_hash(&mut self, directory: &[u8], hash: u32, bin: BinId) -> Result<usize, Refused> {
        let mut slot = hash as usize & self.mask;
        while self.slots[slot] != 0 {
            let entry = self.slots[slot];
            let at = (entry as u32 - 1) as usize;
            if (entry >> 32) as u32 == hash && self.name(at) == directory {
                return Ok(at);
            }
            slot = (slot + 1) & self.mask;
        }
        self.insert(directory, bin, hash)
    }

    fn insert(&mut self, directory: &[u8], bin: BinId, hash: u32) -> Result<usize, Refused> {
        let at = self.rows.len();
        let key = self.keys.len();
        // One directory is always taken, or a tiny budget would not get anywhere.
        if at > 0 && (key + directory.len() > self.budget.keys || at >= self.budget.rows) {
            return Err(Refused::Full);
        }
        self.keys.extend_from_slice(directory);
        let (key, len) = (key as u32, directory.len() as u16);
        let dates = Dates::NONE;
        self.rows.push(Row { key, len, bin, objects: 0, bytes: 0, dates, hash, more: NONE });
        if self.ordered {
            self.recent[hash as usize % RECENT] = at as u32 + 1;
        } else if (at + 1) * 4 > (self.mask + 1) * 3 && self.mask + 1 < self.slots.len() {
            self.grow();
        } else {
            self.place(at);
        }
        Ok(at)
    }

    /// Doubles the slots in use, within the memory that was taken for them at the start.
    fn grow(&mut self) {
        self.slots[..=self.mask].fill(0);
        self.mask = self.mask * 2 + 1;
        for at in 0..self.rows.len() {
            self.place(at);
        }
    }

    fn place(&mut self, at: usize) {
        let hash = self.rows[at].hash;
        let mut slot = hash as usize & self.mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & self.mask;
        }
        self.slots[slot] = u64::from(hash) << 32 | (at as u64 + 1);
    }

    /// A directory's name.
    #[inline]
    pub(crate) fn name(&self, at: usize) -> &[u8] {
        let row = &self.rows[at];
        &self.keys[row.key as usize..][..usize::from(row.len)]
    }

    /// Where a directory's name begins in [`Table::keys`].
    pub(crate) fn place_of_name(&self, at: usize) -> u32 {
        self.rows[at].key
    }

    /// All names, one after the other.
    pub(crate) fn keys(&self) -> &[u8] {
        &self.keys
    }

    /// A directory's cells, in no order.
    pub(crate) fn cells(&self, at: usize) -> impl Iterator<Item = Cell> + '_ {
        let Row { bin, objects, bytes, more, .. } = self.rows[at];
        std::iter::once(Cell { bin, objects, bytes }).chain(self.more.list(more))
    }

    /// The bins that occur.
    pub(crate) fn bins(&self) -> impl Iterator<Item = BinId> {
        let mut seen = vec![false; usize::from(BinId::MAX) + 1];
        let all = self.rows.iter().map(|row| row.bin).chain(self.more.bins());
        all.for_each(|bin| seen[usize::from(bin)] = true);
        (0..=BinId::MAX).filter(move |&bin| seen[usize::from(bin)])
    }

    /// The dates of a directory's current objects.
    pub(crate) fn dates(&self, at: usize) -> Dates {
        self.rows[at].dates
    }
}

/// Both ends of a name, which may lie in two cache lines.
#[inline]
pub(crate) fn peek_name(keys: &[u8], key: u32, len: u16) -> u64 {
    let byte = |at: usize| keys.get(at).copied().unwrap_or_default();
    u64::from(byte(key as usize) ^ byte(key as usize + usize::from(len).saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn one(bin: BinId, size: u64) -> One {
        One { bin, size, dates: Dates::NONE }
    }

    fn add(table: &mut Table, directory: &[u8], bin: BinId, size: u64) -> Result<(), Refused> {
        table.add(directory, Table::hash(directory), one(bin, size))
    }

    #[test]
    fn counts_by_directory_and_class_until_full() {
        let mut table = Table::new(TableBudget::new(64 << 10, &Measures::default()));
        let mut taken = 0u64;
        let refused = (0..).find_map(|n| {
            let directory = format!("some/directory/{}/", n / 3);
            let refused = add(&mut table, directory.as_bytes(), n % 2, u64::from(n)).err();
            taken += u64::from(refused.is_none());
            refused
        });
        assert_eq!(refused, Some(Refused::Full));
        assert!(table.len() > 64, "{}", table.len());
        let names: usize = (0..table.len()).map(|at| table.name(at).len()).sum();
        let cells: usize = (0..table.len()).map(|at| table.cells(at).count()).sum();
        let expected = names + table.len() * size_of::<Row>() + (cells - table.len()) * cells::CELL;
        assert!(cells > table.len() && table.held() == expected && expected < 64 << 10, "{expected}");
        let objects: u64 = (0..table.len()).flat_map(|at| table.cells(at)).map(|c| c.objects).sum();
        assert_eq!(objects, taken);
        table.clear();
        assert_eq!(table.held(), 0);
        assert_eq!(add(&mut table, b"a/", 0, 1), Ok(()));
        assert_eq!(table.cells(0).collect::<Vec<_>>(), [Cell { bin: 0, objects: 1, bytes: 1 }]);
    }

    /// The sums of a table by directory, and how many rows it has.
    fn sums(table: &Table) -> (BTreeMap<Vec<u8>, u64>, usize) {
        let mut sums = BTreeMap::new();
        for at in 0..table.len() {
            *sums.entry(table.name(at).to_vec()).or_insert(0) +=
                table.cells(at).map(|c| c.bytes).sum::<u64>();
        }
        (sums, table.len())
    }

    #[test]
    fn in_order_or_not_the_sums_are_the_same() {
        let sorted: Vec<String> = (0..3000)
            .flat_map(|n| {
                let above = format!("d{}/", n / 300);
                // What lies directly in a directory comes between its children.
                [format!("{above}{:04}/", n % 300), above]
            })
            .collect();
        let mut expected = BTreeMap::new();
        for (nth, directory) in sorted.iter().enumerate() {
            *expected.entry(directory.clone().into_bytes()).or_insert(0) += nth as u64;
        }
        let filled = |order: &mut dyn Iterator<Item = usize>| {
            let mut table = Table::new(TableBudget::new(4 << 20, &Measures::default()));
            for nth in order {
                add(&mut table, sorted[nth].as_bytes(), 0, nth as u64).unwrap();
            }
            table
        };
        let ordered = filled(&mut (0..sorted.len()));
        assert!(ordered.is_ordered());
        let scattered = filled(&mut (0..sorted.len()).map(|nth| nth * 7919 % sorted.len()));
        assert!(!scattered.is_ordered());
        // Two files, of which the second is not sorted: what is hashed late may be there twice.
        let late = filled(&mut (0..2000).chain((2000..sorted.len()).rev()));
        assert!(!late.is_ordered());
        for table in [ordered, scattered, late] {
            let (sums, rows) = sums(&table);
            assert_eq!(sums, expected);
            assert!((expected.len()..expected.len() + 100).contains(&rows), "{rows} of {}", expected.len());
        }
    }

    #[test]
    fn the_parts_of_a_budget_add_up_to_it() {
        for bytes in [4 << 10, 100_000, 16 << 20, 1 << 30] {
            for measures in [Measures::default(), Measures::all()] {
                let b = TableBudget::new(bytes, &measures);
                let rows = b.rows * (size_of::<Row>() + sort::ITEM);
                let nodes = b.nodes * tree::NODE + b.cells * tree::CELL;
                let total = b.slots * 8 + rows + b.more * cells::CELL + b.keys + nodes;
                assert!(total <= bytes && total > bytes * 9 / 10, "{b:?}: {total} of {bytes}");
            }
        }
    }

    #[test]
    fn sums_that_do_not_fit_are_refused() {
        let mut table = Table::new(TableBudget::new(1 << 16, &Measures::default()));
        for bin in [0, 1] {
            assert_eq!(add(&mut table, b"", bin, u64::MAX), Ok(()));
            assert_eq!(table.add_to_last(one(bin, 1)), Err(Refused::Overflow));
        }
    }
}
