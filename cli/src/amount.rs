//! What prefixes are compared by, for people.

use s3inv::{By, Cost, Index};
use serde::Serialize;

use crate::text;

/// How numbers are shown.
#[derive(Clone, Copy)]
pub(crate) struct Units {
    pub(crate) human: bool,
}

impl Units {
    pub(crate) fn show(self, by: By, amount: u128) -> String {
        // No index has more than that of anything but cost.
        let number = || u64::try_from(amount).unwrap_or(u64::MAX);
        match (self.human, by) {
            (_, By::Cost) => cost(amount).to_string(),
            (false, _) => amount.to_string(),
            (true, By::Objects) => text::count(number()),
            (true, By::Bytes | By::Noncurrent) => text::bytes(number()),
        }
    }

    /// With its sign, if there is something to show.
    pub(crate) fn show_difference(self, by: By, difference: i128) -> String {
        let sign = match seen(by, difference) {
            ..0 => "-",
            0 => "",
            _ => "+",
        };
        sign.to_owned() + &self.show(by, difference.unsigned_abs())
    }
}

/// A difference as far as people see it: to a micro-dollar.
pub(crate) fn seen(by: By, difference: i128) -> i128 {
    if by == By::Cost { Cost::of_units(difference).micro_dollars().count() } else { difference }
}

/// What is compared where nothing is said: bytes, if all know them.
pub(crate) fn usual(indexes: &[&Index]) -> By {
    let known = |index: &&Index| By::Bytes.is_known(&index.info().schema.measures);
    if indexes.iter().all(known) { By::Bytes } else { By::Objects }
}

/// The column of what prefixes are compared by.
pub(crate) fn title(by: By) -> &'static str {
    match by {
        By::Bytes => "BYTES",
        By::Objects => "OBJECTS",
        By::Noncurrent => "NONCURRENT BYTES",
        By::Cost => "COST",
    }
}

/// An amount of [`By::Cost`].
pub(crate) fn cost(units: u128) -> Cost {
    Cost::of_units(i128::try_from(units).unwrap_or(i128::MAX))
}

/// An amount, or a difference of two, for programs.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    Number(i128),
    Cost(Cost),
}

impl Value {
    pub(crate) fn new(by: By, amount: i128) -> Self {
        if by == By::Cost { Self::Cost(Cost::of_units(amount)) } else { Self::Number(amount) }
    }
}

/// A part of a whole, to a millionth; nothing is no part of nothing.
pub(crate) fn share(part: u128, whole: u128) -> Option<f64> {
    (whole > 0).then(|| rounded(part as f64 / whole as f64))
}

/// A difference as a part of what there was, to a millionth, if there was something.
pub(crate) fn change(old: u128, difference: i128) -> Option<f64> {
    (old > 0).then(|| rounded(difference as f64 / old as f64))
}

fn rounded(part: f64) -> f64 {
    // What is added makes nothing of less than nothing.
    (part * 1e6).round() / 1e6 + 0.0
}

/// A share or a change as `12.3%`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}%", (share * 1000.0).round() / 10.0 + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nothing_has_no_sign() {
        assert_eq!((share(1, 3), share(0, 0)), (Some(0.333_333), None));
        assert!(change(1 << 40, -1).is_some_and(f64::is_sign_positive));
        assert_eq!(
            (percent(-0.0004), percent(-0.0006), percent(0.123)),
            ("0.0%".into(), "-0.1%".into(), "12.3%".into())
        );
    }
}
