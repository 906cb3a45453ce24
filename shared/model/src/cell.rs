//! What is added up.

use crate::BinId;

/// One bin's sums at one prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which bin.
    pub bin: BinId,
    /// Number of objects or delete markers.
    pub objects: u64,
    /// Sum of their sizes, in bytes; 0 where sizes are not known.
    pub bytes: u64,
}

impl Cell {
    /// Adds another cell's sums; `None` if one does not fit 64 bits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let objects = self.objects.checked_add(other.objects)?;
        let bytes = self.bytes.checked_add(other.bytes)?;
        Some(Self { objects, bytes, ..self })
    }
}

/// When the oldest and the newest of some objects were modified: milliseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// The oldest.
    pub oldest: u64,
    /// The newest; before the oldest where there are no objects.
    pub newest: u64,
}

impl Dates {
    /// Of no objects: what any other dates can be merged with.
    pub const NONE: Self = Self { oldest: u64::MAX, newest: 0 };

    /// Of one object.
    #[must_use]
    pub fn at(ms: u64) -> Self {
        Self { oldest: ms, newest: ms }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.oldest > self.newest
    }

    /// Those of both.
    #[inline]
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self { oldest: self.oldest.min(other.oldest), newest: self.newest.max(other.newest) }
    }
}

impl Default for Dates {
    fn default() -> Self {
        Self::NONE
    }
}

/// All that an index says of a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// By ascending bin; what has no objects has no cell.
    pub cells: Vec<Cell>,
    /// Of current objects; [`Dates::NONE`] where there are none, or where dates are not known.
    pub dates: Dates,
}

impl Sums {
    /// Makes them those of no objects.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.dates = Dates::NONE;
    }

    /// Adds other sums, whose cells are by ascending bin, too; `None` if one does not fit 64 bits.
    #[inline]
    #[must_use]
    pub fn add(&mut self, cells: impl Iterator<Item = Cell>, dates: Dates) -> Option<()> {
        self.dates = self.dates.merge(dates);
        if self.cells.is_empty() {
            self.cells.extend(cells);
            return Some(());
        }
        let mut at = 0;
        for cell in cells {
            while self.cells.get(at).is_some_and(|sum| sum.bin < cell.bin) {
                at += 1;
            }
            match self.cells.get_mut(at) {
                Some(sum) if sum.bin == cell.bin => *sum = sum.plus(cell)?,
                _ => self.cells.insert(at, cell),
            }
            at += 1;
        }
        Some(())
    }
}
