use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why a row is counted in no prefix's objects and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excluded {
    /// A delete marker, current or not: it has no size and no storage class.
    DeleteMarker,
    /// A version that is no longer the latest of its key.
    Noncurrent,
}

impl Excluded {
    /// The reason as logs and JSON name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeleteMarker => "delete_marker",
            Self::Noncurrent => "noncurrent",
        }
    }
}

/// How many rows were read, and how many of them were excluded for which reason.
///
/// Rows read = objects of the root + rows excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows read, excluded ones included.
    pub rows: u64,
    /// Rows excluded, by reason; a reason that never occurred is absent.
    pub excluded: BTreeMap<Excluded, u64>,
}

impl RowCounts {
    /// Counts one more excluded row. The caller counts it in `rows` too.
    pub fn exclude(&mut self, reason: Excluded) {
        *self.excluded.entry(reason).or_insert(0) += 1;
    }

    /// Rows that must be objects of the root; `None` if the counts contradict each other.
    #[must_use]
    pub fn counted(&self) -> Option<u64> {
        self.excluded.values().try_fold(self.rows, |left, &n| left.checked_sub(n))
    }

    /// Adds another part's counts; `None` if a sum does not fit 64 bits.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let mut sum = Self { rows: self.rows.checked_add(other.rows)?, excluded: self.excluded.clone() };
        for (&reason, &n) in &other.excluded {
            let count = sum.excluded.entry(reason).or_insert(0);
            *count = count.checked_add(n)?;
        }
        Some(sum)
    }
}
