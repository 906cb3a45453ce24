//! Streams of whole numbers, in either of the two run-length encodings.

use super::error::{Result, damaged};
use super::stream::Stream;
use super::{rle_v1, rle_v2};

/// The most values that a run has.
pub(super) const MAX_RUN: usize = 512;

/// Which encoding a column's streams of whole numbers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// Whether negative numbers are possible: they are folded into the unsigned ones then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Signed,
    Unsigned,
}

impl Sign {
    /// The number that is written as `raw`.
    #[inline]
    pub(super) fn of(self, raw: u64) -> i64 {
        match self {
            Self::Signed => zigzag(raw),
            Self::Unsigned => raw.cast_signed(),
        }
    }
}

/// 0, -1, 1, -2, … for 0, 1, 2, 3, …
#[inline]
pub(super) fn zigzag(raw: u64) -> i64 {
    (raw >> 1).cast_signed() ^ -((raw & 1).cast_signed())
}

/// A run's values.
pub(super) struct Run {
    values: [i64; MAX_RUN],
    at: usize,
    len: usize,
}

impl Run {
    /// Begins a run of `len` values, at most [`MAX_RUN`]: they are all to be set.
    pub(super) fn begin(&mut self, len: usize) -> Result<&mut [i64]> {
        let values = self.values.get_mut(..len).ok_or_else(|| damaged(format!("a run of {len} values")))?;
        (self.at, self.len) = (0, len);
        Ok(values)
    }
}

/// The numbers of a stream. Unsigned ones above 2⁶³ come out as negative ones.
pub(super) struct Integers<'a> {
    stream: Stream<'a>,
    version: Version,
    sign: Sign,
    run: Box<Run>,
}

impl<'a> Integers<'a> {
    pub(super) fn new(stream: Stream<'a>, version: Version, sign: Sign) -> Self {
        let run = Box::new(Run { values: [0; MAX_RUN], at: 0, len: 0 });
        Self { stream, version, sign, run }
    }

    /// Replaces what `to` holds by the next `count` numbers.
    pub(super) fn fill(&mut self, count: usize, to: &mut Vec<i64>) -> Result<()> {
        to.clear();
        while to.len() < count {
            if self.run.at == self.run.len {
                self.next_run()?;
            }
            let end = self.run.len.min(self.run.at + (count - to.len()));
            to.extend_from_slice(self.run.values.get(self.run.at..end).unwrap_or_default());
            self.run.at = end;
        }
        Ok(())
    }

    fn next_run(&mut self) -> Result<()> {
        match self.version {
            Version::V1 => rle_v1::decode(&mut self.stream, self.sign, &mut self.run),
            Version::V2 => rle_v2::decode(&mut self.stream, self.sign, &mut self.run),
        }
    }

    /// Checks that no number is left.
    pub(super) fn ended(&mut self) -> Result<()> {
        let ended = self.run.at == self.run.len && self.stream.at_end()?;
        if ended { Ok(()) } else { Err(damaged("has more values than its stripe has rows")) }
    }
}
