use std::cmp::Ordering;

use s3inv_model::prefix;

/// A place among the largest: more comes first, and of those that have the same, what comes first in an index.
/// So whatever is asked for the largest has one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rank {
    pub(crate) most: u128,
    pub(crate) key: Vec<u8>,
}

impl Rank {
    pub(crate) fn new(most: impl Into<u128>, key: &[u8]) -> Self {
        Self { most: most.into(), key: key.to_vec() }
    }

    /// Whether this comes before one that is not made yet.
    pub(crate) fn is_before(&self, most: impl Into<u128>, key: &[u8]) -> bool {
        order((self.most, &self.key), (most.into(), key)).is_lt()
    }
}

fn order(a: (u128, &[u8]), b: (u128, &[u8])) -> Ordering {
    b.0.cmp(&a.0).then_with(|| prefix::compare(a.1, b.1))
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        order((self.most, &self.key), (other.most, &other.key))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
