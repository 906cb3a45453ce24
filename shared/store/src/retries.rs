use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// How many requests a store has made again, since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    /// All of them.
    pub made: u64,
    /// Those made again because the store asked for fewer requests.
    pub throttled: u64,
}

impl Sum for Retries {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let add = |sum: Self, one: Self| Self {
            made: sum.made + one.made,
            throttled: sum.throttled + one.throttled,
        };
        all.fold(Self::default(), add)
    }
}
