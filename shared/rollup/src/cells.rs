//! A directory's first cell lies in its row; many have no other. The others lie here, and are found by
//! their row and bin: a directory may have hundreds.

use s3inv_model::{BinId, Cell};

use crate::table::Refused;

/// The end of a list.
pub(crate) const NONE: u32 = u32::MAX;
/// The bytes of a cell with its links and slots.
pub(crate) const CELL: usize = size_of::<Entry>() + 2 * size_of::<u32>();

/// A cell: whose it is, and where that row's next one is.
#[derive(Clone, Copy)]
struct Entry {
    objects: u64,
    bytes: u64,
    row: u32,
    next: u32,
    bin: BinId,
}

/// Cells of rows.
pub(crate) struct Cells {
    entries: Vec<Entry>,
    limit: usize,
    /// A cell's place plus one; zero is empty. At most half of them are in use.
    slots: Vec<u32>,
    /// Slots in use, less one.
    mask: usize,
}

const FIRST_SLOTS: usize = 1 << 10;

impl Cells {
    pub(crate) fn new(limit: usize) -> Self {
        let slots = (limit * 2).next_power_of_two();
        // Not more than the budget has: a half to all of the slots can be in use.
        let slots = if slots > limit * 2 { slots / 2 } else { slots }.max(1);
        let limit = limit.min(slots * 3 / 4);
        Self {
            entries: Vec::with_capacity(limit),
            limit,
            slots: vec![0; slots],
            mask: slots.min(FIRST_SLOTS) - 1,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.slots[..=self.mask].fill(0);
        self.mask = self.slots.len().min(FIRST_SLOTS) - 1;
    }

    #[inline]
    fn slot(&self, row: u32, bin: BinId) -> usize {
        let mixed = (u64::from(row) << 16 | u64::from(bin)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & self.mask
    }

    /// What stands where a cell is looked for first: asked for some cells before they are counted, it
    /// lets the processor fetch all of them at once.
    #[inline]
    pub(crate) fn peek(&self, row: u32, bin: BinId) -> u32 {
        self.slots[self.slot(row, bin)]
    }

    /// The same for the cell that stands there.
    #[inline]
    pub(crate) fn peek_cell(&self, row: u32, bin: BinId) -> u64 {
        let at = self.peek(row, bin).wrapping_sub(1) as usize;
        self.entries.get(at).map_or(0, |cell| cell.objects ^ u64::from(cell.bin))
    }

    /// The same for the first cell of a list.
    #[inline]
    pub(crate) fn peek_list(&self, head: u32) -> u64 {
        self.entries.get(head as usize).map_or(0, |cell| cell.objects)
    }

    /// Counts an object of a row, whose list begins at `head`.
    #[inline]
    pub(crate) fn add(&mut self, row: u32, head: &mut u32, bin: BinId, size: u64) -> Result<(), Refused> {
        let mut slot = self.slot(row, bin);
        while self.slots[slot] != 0 {
            let cell = &mut self.entries[self.slots[slot] as usize - 1];
            if cell.row == row && cell.bin == bin {
                cell.bytes = cell.bytes.checked_add(size).ok_or(Refused::Overflow)?;
                cell.objects += 1;
                return Ok(());
            }
            slot = (slot + 1) & self.mask;
        }
        if self.entries.len() >= self.limit {
            return Err(Refused::Full);
        }
        self.entries.push(Entry { objects: 1, bytes: size, row, next: *head, bin });
        *head = (self.entries.len() - 1) as u32;
        self.slots[slot] = self.entries.len() as u32;
        if self.entries.len() * 2 > self.mask + 1 && self.mask + 1 < self.slots.len() {
            self.grow();
        }
        Ok(())
    }

    /// Doubles the slots in use, within the memory that was taken for them at the start.
    fn grow(&mut self) {
        self.slots[..=self.mask].fill(0);
        self.mask = self.mask * 2 + 1;
        for at in 0..self.entries.len() {
            let mut slot = self.slot(self.entries[at].row, self.entries[at].bin);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & self.mask;
            }
            self.slots[slot] = at as u32 + 1;
        }
    }

    /// The bins of all cells.
    pub(crate) fn bins(&self) -> impl Iterator<Item = BinId> + '_ {
        self.entries.iter().map(|cell| cell.bin)
    }

    /// The cells of a list.
    pub(crate) fn list(&self, head: u32) -> impl Iterator<Item = Cell> + '_ {
        let mut at = head;
        std::iter::from_fn(move || {
            let Entry { objects, bytes, next, bin, .. } = *self.entries.get(at as usize)?;
            at = next;
            Some(Cell { bin, objects, bytes })
        })
    }
}
