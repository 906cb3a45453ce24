//! What prefixes are compared by, for people.

use s3inv::By;

use crate::text;

/// How numbers are shown.
#[derive(Clone, Copy)]
pub(crate) struct Units {
    pub(crate) human: bool,
}

impl Units {
    pub(crate) fn show(self, by: By, amount: u64) -> String {
        match (self.human, by) {
            (false, _) => amount.to_string(),
            (true, By::Objects) => text::count(amount),
            (true, By::Bytes | By::Noncurrent) => text::bytes(amount),
        }
    }

    /// With its sign.
    pub(crate) fn show_difference(self, by: By, difference: i128) -> String {
        let sign = match difference {
            ..0 => "-",
            0 => "",
            _ => "+",
        };
        // No difference of what fits 64 bits is larger.
        sign.to_owned() + &self.show(by, u64::try_from(difference.unsigned_abs()).unwrap_or(u64::MAX))
    }
}

/// The column of what prefixes are compared by.
pub(crate) fn title(by: By) -> &'static str {
    match by {
        By::Bytes => "BYTES",
        By::Objects => "OBJECTS",
        By::Noncurrent => "NONCURRENT",
    }
}

/// A part of a whole; nothing is no part of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A share or a change as `12.3%`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}
