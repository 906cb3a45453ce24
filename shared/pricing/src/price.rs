use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::cost::{PER_BYTE, PER_THOUSAND};

/// Decimal places of a price; those that AWS publishes for storage have at most five.
const PLACES: i32 = 9;
const DOLLAR: i64 = 1_000_000_000;
/// The highest price, in dollars. It keeps sums within 128 bits, and micro-dollars from being taken for dollars.
const MOST: i64 = 10;
/// The longest price, in digits: what 128 bits hold, whatever the digits.
const MAX_DIGITS: usize = 38;

/// Dollars for a GB-month (2³⁰ bytes), or for 1,000 objects a month: a decimal number of at most nine places,
/// from 0 to 10, read and kept exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(i64);

/// Why a text is no price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// It is something else.
    #[error("price {0} is not a number of dollars, 0 or more")]
    Unreadable(String),
    /// It is too fine.
    #[error("price {0} has more than {PLACES} decimal places: round it")]
    TooFine(String),
    /// It is too high.
    #[error("price {0} is above {MOST} dollars: prices are in dollars, a GB-month or 1000 objects")]
    TooHigh(String),
}

impl Price {
    /// A price in billionths of a dollar.
    pub(crate) const fn nano(nano_dollars: i64) -> Self {
        Self(nano_dollars)
    }

    /// What a byte costs at this price of a GB-month, in units of [`crate::Cost`].
    pub(crate) fn per_byte(self) -> i64 {
        self.0 * PER_BYTE
    }

    /// What an object costs at this price of 1,000 objects, in the same units.
    pub(crate) fn per_object(self) -> i64 {
        self.0 * PER_THOUSAND
    }

    /// Reads a JSON string or number, the latter from its own digits.
    fn from_json(json: &str) -> Result<Self, PriceError> {
        serde_json::from_str::<String>(json).as_deref().unwrap_or(json).parse()
    }
}

/// The number before the decimal point and the one behind it as one, and how many of its digits stand behind.
fn digits(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let readable =
        !whole.is_empty() && digits.len() <= MAX_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    let places = i32::try_from(fraction.len()).ok()? - i32::from(exponent.parse::<i8>().ok()?);
    Some((digits.parse().ok().filter(|_| readable)?, places))
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let shown = || text.chars().take(MAX_DIGITS).collect();
        let (digits, places) = digits(text).ok_or_else(|| PriceError::Unreadable(shown()))?;
        let power = 10_i128.checked_pow(places.abs_diff(PLACES));
        let nano = match power {
            _ if digits == 0 => Some(0),
            Some(power) if places > PLACES && digits % power == 0 => Some(digits / power),
            _ if places > PLACES => return Err(PriceError::TooFine(shown())),
            _ => power.and_then(|power| digits.checked_mul(power)),
        };
        let nano = nano.and_then(|nano| i64::try_from(nano).ok()).filter(|&nano| nano <= MOST * DOLLAR);
        nano.map(Self).ok_or_else(|| PriceError::TooHigh(shown()))
    }
}

/// Dollars, without zeros at the end.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:09}", self.0 / DOLLAR, self.0 % DOLLAR);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// As a string, which no reader takes for a binary fraction.
impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(json.get()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly() {
        for (text, nano) in [
            ("0.023", 23_000_000),
            ("0.0230000000000", 23_000_000),
            ("0.00099", 990_000),
            ("9.9e-04", 990_000),
            ("1E-9", 1),
            ("0.1e+1", 1_000_000_000),
            ("10", 10_000_000_000),
            ("0", 0),
            ("0e99", 0),
            ("0.00000000000", 0),
            ("000.5", 500_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Price(nano)), "{text}");
            assert_eq!(Price::from_json(&format!("{text:?}")), Ok(Price(nano)), "{text}");
        }
    }

    #[test]
    fn a_text_is_shown_as_it_can_be_read() {
        for text in ["0.023", "0.00099", "0.000000001", "10", "0", "9.999999999"] {
            let price: Price = text.parse().unwrap();
            assert_eq!(price.to_string(), text);
            assert_eq!(serde_json::to_string(&price).unwrap(), format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Price>(text).unwrap(), price);
        }
    }

    #[test]
    fn what_is_no_price_is_told_by_its_reason() {
        let nines = "9".repeat(1000);
        for text in
            ["", "-1", "+1", "a", ".5", "1.2.3", "1e", "1e999", "0x1", "null", "[1]", "1 ", nines.as_str()]
        {
            assert!(matches!(text.parse::<Price>(), Err(PriceError::Unreadable(_))), "{text}");
        }
        for text in ["0.0000000001", "1e-10", "0.30000000000000004", "1e-128", "1e-99"] {
            assert_eq!(text.parse::<Price>(), Err(PriceError::TooFine(text.to_owned())));
        }
        for text in ["10.000000001", "11", "23000", "1e9", "1e99", "1e127"] {
            assert_eq!(text.parse::<Price>(), Err(PriceError::TooHigh(text.to_owned())));
        }
    }
}
