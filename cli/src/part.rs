//! Parts of a whole: what lies below a prefix, and in each of its directories.

use s3inv::{Count, Counted, Info, Measure};
use serde::Serialize;

use crate::text;

/// What parts are compared with, and what is known of them.
#[derive(Clone, Copy)]
pub(crate) struct Whole {
    pub(crate) count: Count,
    /// Where sizes are known.
    pub(crate) bytes: bool,
    /// Where dates are known of what is counted.
    pub(crate) dates: bool,
}

/// What is known of a part is shown in its place; what is not is null.
#[derive(Serialize)]
pub(crate) struct Part {
    objects: u64,
    bytes: Option<u64>,
    share: Option<f64>,
    newest: Option<String>,
}

impl Whole {
    pub(crate) fn new(info: &Info, counted: Counted, count: Count) -> Self {
        let has = |measure| info.schema.measures.has(measure);
        // Dates are of all classes together.
        Self { count, bytes: has(Measure::Bytes), dates: has(Measure::Dates) && counted == Counted::All }
    }

    /// The part of the bytes that these are; nothing is no part of nothing.
    pub(crate) fn share(&self, bytes: u64) -> Option<f64> {
        (self.bytes && self.count.bytes > 0).then(|| bytes as f64 / self.count.bytes as f64)
    }

    pub(crate) fn part(&self, count: Count, newest: Option<u64>) -> Part {
        Part {
            objects: count.objects,
            bytes: self.bytes.then_some(count.bytes),
            // To a millionth.
            share: self.share(count.bytes).map(|share| (share * 1e6).round() / 1e6),
            newest: newest.filter(|_| self.dates).map(text::moment),
        }
    }
}

/// What is not shown: so many prefixes, and what of them is one level down.
#[derive(Serialize)]
pub(crate) struct More {
    prefixes: u64,
    #[serde(flatten)]
    part: Part,
}

impl More {
    pub(crate) fn new(listed: &s3inv::Rest, whole: &Whole) -> Self {
        Self { prefixes: listed.more, part: whole.part(listed.more_count, None) }
    }
}
