use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why a row is not a current object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excluded {
    /// A delete marker, current or not: it has no size and no storage class.
    DeleteMarker,
    /// A version that is no longer the latest of its key.
    Noncurrent,
    /// Skipped: another number of fields than the schema has, or quotes out of order.
    BadFields,
    /// Skipped: a key that is empty, too long or malformed.
    BadKey,
    /// Skipped: a size that is none.
    BadSize,
    /// Skipped: a storage class that can't be one.
    BadClass,
    /// Skipped: a date that is none.
    BadDate,
    /// Skipped: `IsLatest` or `IsDeleteMarker` is neither true nor false.
    BadFlag,
}

impl Excluded {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::DeleteMarker,
        Self::Noncurrent,
        Self::BadFields,
        Self::BadKey,
        Self::BadSize,
        Self::BadClass,
        Self::BadDate,
        Self::BadFlag,
    ];

    /// The reason as logs and JSON name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeleteMarker => "delete_marker",
            Self::Noncurrent => "noncurrent",
            Self::BadFields => "bad_fields",
            Self::BadKey => "bad_key",
            Self::BadSize => "bad_size",
            Self::BadClass => "bad_class",
            Self::BadDate => "bad_date",
            Self::BadFlag => "bad_flag",
        }
    }

    /// Whether the row could not be read, and was skipped because that was asked for.
    #[must_use]
    pub fn is_bad(self) -> bool {
        !matches!(self, Self::DeleteMarker | Self::Noncurrent)
    }
}

/// How many rows were read, and how many of them were excluded from current objects, for which reason.
///
/// Rows read = current objects of the root + rows excluded.
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

    /// Rows excluded for a reason.
    #[must_use]
    pub fn of(&self, reason: Excluded) -> u64 {
        self.excluded.get(&reason).copied().unwrap_or(0)
    }

    /// Rows that could not be read.
    #[must_use]
    pub fn bad(&self) -> u64 {
        let bad = self.excluded.iter().filter(|(reason, _)| reason.is_bad());
        // They are no more than the rows.
        bad.fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }

    /// Rows that must be current objects of the root; `None` if the counts contradict each other.
    #[must_use]
    pub fn current(&self) -> Option<u64> {
        self.excluded.values().try_fold(self.rows, |left, &n| left.checked_sub(n))
    }

    /// Takes a part's counts away; `None` if it is no part of these.
    #[must_use]
    pub fn minus(&self, part: &Self) -> Option<Self> {
        let mut rest = Self { rows: self.rows.checked_sub(part.rows)?, excluded: self.excluded.clone() };
        for (reason, n) in &part.excluded {
            let count = rest.excluded.get_mut(reason)?;
            *count = count.checked_sub(*n)?;
        }
        rest.excluded.retain(|_, n| *n > 0);
        Some(rest)
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
