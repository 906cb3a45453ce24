//! What prefixes are compared by.

use std::fmt;

use s3inv_index_format::ReadAt;
use s3inv_model::{Bin, Cell, Measure, Measures};

use crate::Index;

/// What prefixes are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Bytes of current objects.
    Bytes,
    /// Current objects.
    Objects,
    /// Bytes of noncurrent objects.
    Noncurrent,
    /// What all versions cost a month, where the index is [`priced`](crate::Index::priced): in
    /// [units](crate::Cost::units).
    Cost,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bytes, Self::Objects, Self::Noncurrent, Self::Cost];

    /// As JSON and the command line name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Objects => "objects",
            Self::Noncurrent => "noncurrent",
            Self::Cost => "cost",
        }
    }

    /// More than this no prefix has.
    fn limit(self) -> u128 {
        match self {
            Self::Cost => 1 << 126,
            _ => u64::MAX.into(),
        }
    }

    /// The measures that it can't be known without.
    #[must_use]
    pub fn needs(self) -> &'static [Measure] {
        match self {
            Self::Bytes => &[Measure::Bytes],
            Self::Objects => &[],
            Self::Noncurrent => &[Measure::Noncurrent, Measure::Bytes],
            Self::Cost => &[Measure::Cost, Measure::Bytes, Measure::Classes],
        }
    }

    /// Whether it can be known where these measures are.
    #[must_use]
    pub fn is_known(self, measures: &Measures) -> bool {
        self.needs().iter().all(|&measure| measures.has(measure))
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Amounts are far from what doesn't fit.
fn signed(amount: u128) -> i128 {
    i128::try_from(amount).unwrap_or(i128::MAX)
}

/// How much there is of each that prefixes are compared by: 0 where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount([u128; By::ALL.len()]);

impl Amount {
    /// What cells add up to. Readers have checked that they do within 64 bits.
    pub(crate) fn new<R: ReadAt>(index: &Index<R>, cells: &[Cell]) -> Self {
        let [mut bytes, mut objects, mut noncurrent] = [0u64; 3];
        for cell in cells {
            if Bin::is_current(cell.bin) {
                bytes = bytes.saturating_add(cell.bytes);
                objects = objects.saturating_add(cell.objects);
            } else {
                noncurrent = noncurrent.saturating_add(cell.bytes);
            }
        }
        // Prices are nothing at least.
        let cost = index.cost(cells).units().unsigned_abs();
        Self([bytes.into(), objects.into(), noncurrent.into(), cost])
    }

    /// How much there is of one.
    #[must_use]
    pub fn by(self, by: By) -> u128 {
        self.0[by as usize]
    }

    /// The same without what can't be known where these measures are.
    pub(crate) fn known(self, measures: &Measures) -> Self {
        Self(By::ALL.map(|by| if by.is_known(measures) { self.by(by) } else { 0 }))
    }

    /// This without the other; `None` if that is more.
    pub(crate) fn less(self, other: Self) -> Option<Self> {
        self.moved(Self::default().minus(other))
    }

    /// By how much this is more than the other.
    pub(crate) fn minus(self, other: Self) -> Difference {
        Difference(By::ALL.map(|by| signed(self.by(by)) - signed(other.by(by))))
    }

    /// What this becomes by a difference; `None` if it is less than nothing or more than an index can have.
    pub(crate) fn moved(self, difference: Difference) -> Option<Self> {
        let mut moved = Self::default();
        for (to, by) in moved.0.iter_mut().zip(By::ALL) {
            let amount = signed(self.by(by)).checked_add(difference.by(by))?;
            *to = u128::try_from(amount).ok().filter(|&amount| amount <= by.limit())?;
        }
        Some(moved)
    }
}

/// By how much something is more; less than nothing where it is less. Of no more than 2⁶³ prefixes it fits
/// in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference([i128; By::ALL.len()]);

impl Difference {
    /// By how much it is more of one.
    #[must_use]
    pub fn by(self, by: By) -> i128 {
        self.0[by as usize]
    }

    /// Whether all is the same.
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self(By::ALL.map(|by| self.by(by) - other.by(by)))
    }
}
