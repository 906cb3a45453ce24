use std::ops::Add;

/// How many requests a store has made again, since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retries {
    /// All of them.
    pub made: u64,
    /// Those made again because the store asked for fewer requests.
    pub throttled: u64,
}

impl Add for Retries {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { made: self.made + other.made, throttled: self.throttled + other.throttled }
    }
}
