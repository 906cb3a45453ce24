//! Columns of numbers, flags and times.

use super::booleans::Booleans;
use super::error::{Result, damaged};
use super::integers::Integers;
use super::present::Present;

/// 2015-01-01 00:00:00 UTC, from which times are counted, in seconds since 1970.
const BASE: i64 = 1_420_070_400;

/// A column of whole numbers.
pub(super) struct Numbers<'a> {
    pub(super) present: Present<'a>,
    pub(super) data: Integers<'a>,
    pub(super) values: Vec<i64>,
}

impl Numbers<'_> {
    pub(super) fn fill(&mut self, rows: usize, to: &mut Vec<Option<i64>>) -> Result<()> {
        let count = self.present.fill(rows)?;
        self.data.fill(count, &mut self.values).map_err(|error| error.within("data"))?;
        self.present.spread(self.values.iter().copied(), to);
        Ok(())
    }

    pub(super) fn ended(&mut self) -> Result<()> {
        self.present.ended()?;
        self.data.ended().map_err(|error| error.within("data"))
    }
}

/// A column of yes and no.
pub(super) struct Flags<'a> {
    pub(super) present: Present<'a>,
    pub(super) data: Booleans<'a>,
    pub(super) values: Vec<bool>,
}

impl Flags<'_> {
    pub(super) fn fill(&mut self, rows: usize, to: &mut Vec<Option<bool>>) -> Result<()> {
        let count = self.present.fill(rows)?;
        self.data.fill(count, &mut self.values).map_err(|error| error.within("data"))?;
        self.present.spread(self.values.iter().copied(), to);
        Ok(())
    }

    pub(super) fn ended(&mut self) -> Result<()> {
        self.present.ended()?;
        self.data.ended().map_err(|error| error.within("data"))
    }
}

/// A column of times, in milliseconds since 1970.
pub(super) struct Times<'a> {
    pub(super) present: Present<'a>,
    pub(super) seconds: Integers<'a>,
    pub(super) nanos: Integers<'a>,
    pub(super) values: Vec<i64>,
    pub(super) fractions: Vec<i64>,
}

impl Times<'_> {
    pub(super) fn fill(&mut self, rows: usize, to: &mut Vec<Option<i64>>) -> Result<()> {
        let count = self.present.fill(rows)?;
        self.seconds.fill(count, &mut self.values).map_err(|error| error.within("data"))?;
        self.nanos.fill(count, &mut self.fractions).map_err(|error| error.within("secondary"))?;
        for (value, nanos) in self.values.iter_mut().zip(&self.fractions) {
            *value = millis(*value, *nanos)?;
        }
        self.present.spread(self.values.iter().copied(), to);
        Ok(())
    }

    pub(super) fn ended(&mut self) -> Result<()> {
        self.present.ended()?;
        self.seconds.ended().map_err(|error| error.within("data"))?;
        self.nanos.ended().map_err(|error| error.within("secondary"))
    }
}

/// Milliseconds since 1970, from seconds since [`BASE`] and nanoseconds as they are written. What is out
/// of range becomes the first or last moment there is: no row can have such a date.
///
/// Writers round seconds towards zero, not down, where there are milliseconds before 1970 (ORC-763):
/// those times are a second too late.
fn millis(seconds: i64, nanos: i64) -> Result<i64> {
    let nanos = unpack_nanos(nanos)?;
    let seconds = seconds.saturating_add(BASE);
    let late = i64::from(seconds < 0 && nanos > 999_999);
    let millis = seconds.saturating_sub(late).saturating_mul(1000);
    Ok(millis.saturating_add(nanos.div_euclid(1_000_000)))
}

/// Nanoseconds without their zeros at the end, of which the lowest three bits tell the number: none,
/// or two to eight.
///
/// They can't be negative, but pyarrow writes times before 1970 so (seen in 26.0), and its reader
/// takes them for what they are.
fn unpack_nanos(raw: i64) -> Result<i64> {
    let zeros = (raw & 7) as u32;
    let scale = if zeros == 0 { 1 } else { 10i64.pow(zeros + 1) };
    let nanos = (raw >> 3).checked_mul(scale).filter(|nanos| nanos.unsigned_abs() < 1_000_000_000);
    nanos.ok_or_else(|| damaged("a time with a second or more of nanoseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the specification's table.
    #[test]
    fn nanoseconds() {
        assert_eq!(unpack_nanos(0x0a).unwrap(), 1000);
        assert_eq!(unpack_nanos(0x0c).unwrap(), 100_000);
        assert_eq!(unpack_nanos(5 << 3).unwrap(), 5);
        assert_eq!(unpack_nanos(9 << 3 | 7).unwrap(), 900_000_000);
        assert!(unpack_nanos(10 << 3 | 7).is_err());
        assert!(unpack_nanos(i64::MAX).is_err() && unpack_nanos(i64::MIN).is_err());
    }

    #[test]
    fn milliseconds() {
        assert_eq!(millis(0, 0).unwrap(), BASE * 1000);
        assert_eq!(millis(-1, 9 << 3 | 7).unwrap(), BASE * 1000 - 100);
        assert_eq!(millis(-BASE, 5 << 3 | 7).unwrap(), 500);
        // One and a half seconds before 1970.
        assert_eq!(millis(-BASE - 1, 5 << 3 | 7).unwrap(), -1500);
        assert_eq!(millis(-BASE - 1, 0).unwrap(), -1000);
        assert_eq!(millis(-BASE - 1, 999 << 3).unwrap(), -1000);
        // As pyarrow writes the same.
        assert_eq!(millis(-BASE - 1, -5 << 3 | 7).unwrap(), -1500);
        assert_eq!(millis(i64::MAX, 9 << 3 | 7).unwrap(), i64::MAX);
        assert_eq!(millis(i64::MIN / 1000 - BASE, 0).unwrap(), i64::MIN / 1000 * 1000);
        assert!(millis(i64::MIN, 9 << 3 | 7).unwrap() < i64::MIN + 1000);
    }
}
