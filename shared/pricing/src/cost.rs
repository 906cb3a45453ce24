use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// Units of a nano-dollar. A byte at a price of nano-dollars for 2³⁰ bytes, and an object at one of
/// nano-dollars for 1,000 objects, are whole numbers of them: 125 · 2³⁰ is their least common multiple.
const NANO: i128 = 125 << 30;
const MICRO: i128 = 1000 * NANO;
/// Units of a byte at a price of one nano-dollar for 2³⁰ bytes.
pub(crate) const PER_BYTE: i64 = 125;
/// Units of an object at a price of one nano-dollar for 1,000 objects.
pub(crate) const PER_THOUSAND: i64 = 1 << 27;

/// An exact amount of dollars a month, or a difference of two.
///
/// It is an integer of 1/(10⁹ · 125 · 2³⁰) dollars. That fits: a price is at most 10¹⁰ nano-dollars, so an
/// object takes at most 10¹⁰ · (2²⁷ + 125 · 2¹⁷ + 125 · 2¹⁷) < 2⁶¹ units for monitoring, for a minimum of
/// 128 KiB and for an overhead of as much, and a byte 10¹⁰ · 125 < 2⁴¹. A prefix has fewer than 2⁶⁴ of each,
/// which an index's readers check, so its cost is below 2¹²⁶. Sums of more than that stay at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(i128);

impl Cost {
    /// No cost.
    pub const ZERO: Self = Self(0);

    /// So many objects or bytes of which each costs `rate`: 64 bits times 63 are 127.
    pub(crate) fn of(count: u64, rate: i64) -> Self {
        Self(i128::from(count) * i128::from(rate))
    }

    /// The same of more bytes than 64 bits count.
    pub(crate) fn of_bytes(count: u128, rate: i64) -> Self {
        Self(i128::try_from(count).unwrap_or(i128::MAX).saturating_mul(rate.into()))
    }

    /// In units of which every price makes whole numbers, for sums and differences of other things, too.
    #[must_use]
    pub fn units(self) -> i128 {
        self.0
    }

    /// Of as many [`units`](Self::units).
    #[must_use]
    pub fn of_units(units: i128) -> Self {
        Self(units)
    }

    /// Rounded to the nearest micro-dollar, halves away from zero.
    #[must_use]
    pub fn micro_dollars(self) -> MicroDollars {
        let rounded = (self.0.unsigned_abs() + MICRO.unsigned_abs() / 2) / MICRO.unsigned_abs();
        // A 2⁴⁶th of what fits 127 bits.
        MicroDollars(rounded.cast_signed() * self.0.signum())
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Add::add)
    }
}

/// As [`MicroDollars`] are shown.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.micro_dollars().fmt(f)
    }
}

/// As [`MicroDollars`] are written.
impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.micro_dollars().serialize(serializer)
    }
}

/// Millionths of a dollar.
///
/// People see `$0.000123` below a cent, `$0.1234` below a dollar, `$12.34` below a hundred, `$1234` above.
/// JSON has both the integer and the decimal number of dollars as text:
/// `{"micro_dollars":12345678,"dollars":"12.345678"}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroDollars(i128);

const DOLLAR: u128 = 1_000_000;

impl MicroDollars {
    /// How many.
    #[must_use]
    pub fn count(self) -> i128 {
        self.0
    }

    fn sign(self) -> &'static str {
        if self.0 < 0 { "-" } else { "" }
    }

    /// Dollars with six decimal places.
    fn dollars(self) -> String {
        let micro = self.0.unsigned_abs();
        format!("{}{}.{:06}", self.sign(), micro / DOLLAR, micro % DOLLAR)
    }
}

/// So many decimal places of what has six, rounded to the nearest, halves up.
fn rounded(micro: u128, places: u32) -> String {
    let unit = 10_u128.pow(6 - places);
    let (whole, rest) = ((micro + unit / 2) / unit, 10_u128.pow(places));
    if places == 0 {
        return whole.to_string();
    }
    format!("{}.{:0width$}", whole / rest, whole % rest, width = places as usize)
}

impl fmt::Display for MicroDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micro = self.0.unsigned_abs();
        let places = match micro {
            0..10_000 => 6,
            10_000..1_000_000 => 4,
            1_000_000..100_000_000 => 2,
            _ => 0,
        };
        f.pad(&format!("{}${}", self.sign(), rounded(micro, places)))
    }
}

impl Serialize for MicroDollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut amount = serializer.serialize_struct("MicroDollars", 2)?;
        amount.serialize_field("micro_dollars", &self.0)?;
        amount.serialize_field("dollars", &self.dollars())?;
        amount.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_once() {
        for (units, micro) in [
            (0, 0),
            (MICRO / 2 - 1, 0),
            (MICRO / 2, 1),
            (MICRO, 1),
            (3 * MICRO / 2 - 1, 1),
            (3 * MICRO / 2, 2),
            (-(MICRO / 2), -1),
            (1 - MICRO / 2, 0),
        ] {
            assert_eq!(Cost(units).micro_dollars(), MicroDollars(micro), "{units}");
        }
    }

    #[test]
    fn amounts_for_people() {
        for (micro, text) in [
            (0, "$0.000000"),
            (1, "$0.000001"),
            (9_999, "$0.009999"),
            (10_000, "$0.0100"),
            (12_349, "$0.0123"),
            (12_350, "$0.0124"),
            (999_999, "$1.0000"),
            (1_000_000, "$1.00"),
            (1_004_999, "$1.00"),
            (1_005_000, "$1.01"),
            (99_999_999, "$100.00"),
            (100_000_000, "$100"),
            (1_234_500_000, "$1235"),
            (-12_345_678, "-$12.35"),
        ] {
            assert_eq!(MicroDollars(micro).to_string(), text, "{micro}");
        }
        assert_eq!(format!("[{:>8}]", MicroDollars(1_500_000)), "[   $1.50]");
    }

    #[test]
    fn amounts_for_programs() {
        let json = |micro| serde_json::to_string(&MicroDollars(micro)).unwrap();
        assert_eq!(json(12_345_678), r#"{"micro_dollars":12345678,"dollars":"12.345678"}"#);
        assert_eq!(json(-5), r#"{"micro_dollars":-5,"dollars":"-0.000005"}"#);
        let large = r#"{"micro_dollars":100000000000000000000,"dollars":"100000000000000.000000"}"#;
        assert_eq!(json(10_i128.pow(20)), large);
    }

    #[test]
    fn what_does_not_fit_stays_at_the_limit() {
        let most = Cost(i128::MAX);
        assert_eq!([most, Cost(1)].into_iter().sum::<Cost>(), most);
        assert_eq!(Cost(i128::MIN) - most, Cost(i128::MIN));
        assert!(Cost(i128::MIN).micro_dollars() <= MicroDollars(i128::MIN / MICRO));
        assert_eq!(Cost::of_bytes(u128::MAX, 2), most);
        assert_eq!(Cost::of(u64::MAX, i64::MIN), Cost(i128::MIN + (1 << 63)));
    }
}
