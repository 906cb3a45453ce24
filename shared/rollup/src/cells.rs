//! A directory's first cell lies in its row; most have no other. The others lie here, in lists.

use s3inv_model::Cell;

/// The end of a list.
pub(crate) const NONE: u32 = u32::MAX;
/// The bytes of a cell with its link.
pub(crate) const CELL: usize = size_of::<(Cell, u32)>();

/// Why something was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no room: write a run, clear the table, and come again.
    Full,
    /// A sum would not fit 64 bits.
    Overflow,
}

/// Lists of cells.
pub(crate) struct CellPool {
    cells: Vec<(Cell, u32)>,
    limit: usize,
}

impl CellPool {
    pub(crate) fn new(limit: usize) -> Self {
        Self { cells: Vec::with_capacity(limit), limit }
    }

    pub(crate) fn clear(&mut self) {
        self.cells.clear();
    }

    /// How many more cells may be added.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.cells.len())
    }

    /// Adds a cell to the list that begins at `head`, beyond the limit if `anyway`.
    pub(crate) fn add(&mut self, head: &mut u32, cell: Cell, anyway: bool) -> Result<(), Refused> {
        let mut at = *head;
        while at != NONE {
            let (existing, next) = &mut self.cells[at as usize];
            if existing.column == cell.column {
                *existing = existing.plus(cell).ok_or(Refused::Overflow)?;
                return Ok(());
            }
            at = *next;
        }
        if self.room() == 0 && !anyway {
            return Err(Refused::Full);
        }
        self.cells.push((cell, *head));
        *head = (self.cells.len() - 1) as u32;
        Ok(())
    }

    /// A cell of a list and where the list goes on.
    pub(crate) fn get(&self, at: u32) -> Option<(Cell, u32)> {
        (at != NONE).then(|| self.cells[at as usize])
    }

    /// The cells of a list.
    pub(crate) fn list(&self, head: u32) -> impl Iterator<Item = Cell> + '_ {
        let mut at = head;
        std::iter::from_fn(move || {
            let (cell, next) = self.get(at)?;
            at = next;
            Some(cell)
        })
    }
}
