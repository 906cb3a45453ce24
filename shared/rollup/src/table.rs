//! Directories and their own sums, in memory that was counted before it was taken.

use s3inv_model::{Cell, ColumnId};
use xxhash_rust::xxh3::xxh3_64;

use crate::cells::{CELL, CellPool, NONE, Refused};
use crate::{sort, tree};

/// How much a table may hold. Every part has its limit from the start and never grows beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableBudget {
    /// Slots of the hash table, a power of two.
    slots: usize,
    /// Directories.
    pub(crate) rows: usize,
    /// Cells beyond the first of a directory; and as many of a tree.
    pub(crate) cells: usize,
    /// Bytes of directories' names.
    keys: usize,
    /// Directories and ancestors that are rolled up at a time.
    pub(crate) nodes: usize,
}

impl TableBudget {
    /// Bytes for each slot: itself and a node, and for three of four a row, its place in the sorted
    /// order, and a quarter of a cell in table and tree.
    const SLOT: usize = 8 + tree::NODE + (size_of::<Row>() + sort::ITEM + CELL / 2) * 3 / 4;
    /// Bytes of name to expect for each directory.
    const KEY: usize = 48;

    /// Divides `bytes` among the parts; some KiB are the least that works.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        // Places are 32 bits wide.
        let bytes = bytes.clamp(4 << 10, 4 << 30);
        let each = Self::SLOT + Self::KEY * 3 / 4;
        let slots = (bytes / each + 1).next_power_of_two() / 2;
        let rows = slots * 3 / 4;
        let keys = (bytes - slots * Self::SLOT).min(u32::MAX as usize);
        Self { slots, rows, cells: rows / 4, keys, nodes: slots }
    }
}

/// A directory: where its name is, its first cell, and where more cells are.
#[derive(Clone, Copy)]
struct Row {
    key: u32,
    len: u16,
    column: ColumnId,
    objects: u64,
    bytes: u64,
    hash: u32,
    more: u32,
}

/// Sums by directory.
pub(crate) struct Table {
    budget: TableBudget,
    keys: Vec<u8>,
    rows: Vec<Row>,
    more: CellPool,
    /// The hash, and the number of the row plus one; zero is empty.
    slots: Vec<u64>,
    /// Slots in use, less one: few directories use few slots, which stay in the cache.
    mask: usize,
    /// The row of the directory before.
    last: usize,
}

const FIRST_SLOTS: usize = 1 << 10;

impl Table {
    pub(crate) fn new(budget: TableBudget) -> Self {
        Self {
            budget,
            keys: Vec::with_capacity(budget.keys),
            rows: Vec::with_capacity(budget.rows),
            more: CellPool::new(budget.cells),
            slots: vec![0; budget.slots],
            mask: budget.slots.min(FIRST_SLOTS) - 1,
            last: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.rows.clear();
        self.more.clear();
        self.slots[..=self.mask].fill(0);
        self.mask = self.budget.slots.min(FIRST_SLOTS) - 1;
        self.last = 0;
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

    /// The same for the directory that stands there: a byte of its name.
    #[inline]
    pub(crate) fn peek_name(&self, hash: u32) -> u8 {
        let at = (self.peek(hash) as u32).wrapping_sub(1) as usize;
        let key = self.rows.get(at).map_or(0, |row| row.key);
        self.keys.get(key as usize).copied().unwrap_or_default()
    }

    /// Counts an object of a directory with its hash. Nothing has changed if it is refused for want
    /// of room.
    #[inline]
    pub(crate) fn add(
        &mut self,
        directory: &[u8],
        hash: u32,
        column: ColumnId,
        size: u64,
    ) -> Result<(), Refused> {
        self.last = self.find_or_insert(directory, hash, column)?;
        self.add_to_last(column, size)
    }

    /// Counts another object of the directory before; there must have been one since the table was
    /// cleared.
    #[inline]
    pub(crate) fn add_to_last(&mut self, column: ColumnId, size: u64) -> Result<(), Refused> {
        let row = &mut self.rows[self.last];
        if row.column != column {
            return self.more.add(&mut row.more, Cell { column, objects: 1, bytes: size }, false);
        }
        row.bytes = row.bytes.checked_add(size).ok_or(Refused::Overflow)?;
        row.objects += 1;
        Ok(())
    }

    #[inline]
    fn find_or_insert(&mut self, directory: &[u8], hash: u32, column: ColumnId) -> Result<usize, Refused> {
        let mut slot = hash as usize & self.mask;
        while self.slots[slot] != 0 {
            let entry = self.slots[slot];
            let at = (entry as u32 - 1) as usize;
            if (entry >> 32) as u32 == hash && self.name(at) == directory {
                return Ok(at);
            }
            slot = (slot + 1) & self.mask;
        }
        self.insert(directory, column, hash)
    }

    fn insert(&mut self, directory: &[u8], column: ColumnId, hash: u32) -> Result<usize, Refused> {
        let at = self.rows.len();
        let key = self.keys.len();
        // One directory is always taken, or a tiny budget would not get anywhere.
        if at > 0 && (key + directory.len() > self.budget.keys || at >= self.budget.rows) {
            return Err(Refused::Full);
        }
        self.keys.extend_from_slice(directory);
        let (key, len) = (key as u32, directory.len() as u16);
        self.rows.push(Row { key, len, column, objects: 0, bytes: 0, hash, more: NONE });
        if (at + 1) * 4 > (self.mask + 1) * 3 && self.mask + 1 < self.slots.len() {
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
        let Row { column, objects, bytes, more, .. } = self.rows[at];
        std::iter::once(Cell { column, objects, bytes }).chain(self.more.list(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(table: &mut Table, directory: &[u8], column: ColumnId, size: u64) -> Result<(), Refused> {
        table.add(directory, Table::hash(directory), column, size)
    }

    #[test]
    fn counts_by_directory_and_class_until_full() {
        let mut table = Table::new(TableBudget::new(64 << 10));
        let mut taken = 0u64;
        let refused = (0..).find_map(|n| {
            let directory = format!("some/directory/{}/", n / 3);
            let refused = add(&mut table, directory.as_bytes(), n % 2, u64::from(n)).err();
            taken += u64::from(refused.is_none());
            refused
        });
        assert_eq!(refused, Some(Refused::Full));
        assert!(table.len() > 64, "{}", table.len());
        let objects: u64 = (0..table.len()).flat_map(|at| table.cells(at)).map(|c| c.objects).sum();
        assert_eq!(objects, taken);
        table.clear();
        assert_eq!(add(&mut table, b"a/", 0, 1), Ok(()));
        assert_eq!(table.cells(0).collect::<Vec<_>>(), [Cell { column: 0, objects: 1, bytes: 1 }]);
    }

    #[test]
    fn the_parts_of_a_budget_add_up_to_it() {
        for bytes in [4 << 10, 100_000, 16 << 20, 1 << 30] {
            let b = TableBudget::new(bytes);
            let rows = b.rows * (size_of::<Row>() + sort::ITEM);
            let cells = 2 * b.cells * CELL;
            let total = b.slots * 8 + rows + cells + b.keys + b.nodes * tree::NODE;
            assert!(total <= bytes && total > bytes * 9 / 10, "{b:?}: {total} of {bytes}");
        }
    }

    #[test]
    fn sums_that_do_not_fit_are_refused() {
        let mut table = Table::new(TableBudget::new(1 << 16));
        for column in [0, 1] {
            assert_eq!(add(&mut table, b"", column, u64::MAX), Ok(()));
            assert_eq!(table.add_to_last(column, 1), Err(Refused::Overflow));
        }
    }
}
