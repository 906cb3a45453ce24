//! Parts of a whole: what lies below a prefix, and in each of its directories.

use s3inv::{Cost, Counted, Held, Index, Measure, Rates};
use serde::Serialize;

use crate::text;

/// What parts are compared with, and what is known of them.
#[derive(Clone, Copy)]
pub(crate) struct Whole {
    pub(crate) held: Held,
    /// Where sizes are known.
    pub(crate) bytes: bool,
    pub(crate) costs: Costs,
    /// Where dates are known of what is counted.
    pub(crate) dates: bool,
}

/// Whether costs are known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Costs {
    Known,
    /// What is counted is of a class that has no price.
    Unpriced,
    /// The index doesn't tell.
    Unknown,
}

impl Costs {
    fn new(index: &Index, counted: Counted) -> Self {
        match index.rates().map(Rates::unpriced) {
            Some(unpriced) if unpriced.iter().any(|class| index.class(class) == Some(counted)) => {
                Self::Unpriced
            }
            Some(_) => Self::Known,
            None => Self::Unknown,
        }
    }
}

/// What is known of a part is shown in its place; what is not is null.
#[derive(Serialize)]
pub(crate) struct Part {
    objects: u64,
    bytes: Option<u64>,
    share: Option<f64>,
    cost: Option<Cost>,
    newest: Option<String>,
}

impl Whole {
    pub(crate) fn new(index: &Index, counted: Counted, held: Held) -> Self {
        let has = |measure| index.info().schema.measures.has(measure);
        // Dates are of all classes together.
        let dates = has(Measure::Dates) && counted == Counted::All;
        Self { held, bytes: has(Measure::Bytes), costs: Costs::new(index, counted), dates }
    }

    /// Whether costs have a place.
    pub(crate) fn has_costs(&self) -> bool {
        self.costs != Costs::Unknown
    }

    /// What a part costs, if that can be told.
    pub(crate) fn cost_of(&self, cost: Cost) -> Option<Cost> {
        (self.costs == Costs::Known).then_some(cost)
    }

    /// The part of the bytes that these are; nothing is no part of nothing.
    pub(crate) fn share(&self, bytes: u64) -> Option<f64> {
        let all = self.held.count.bytes;
        (self.bytes && all > 0).then(|| bytes as f64 / all as f64)
    }

    pub(crate) fn part(&self, Held { count, cost }: Held, newest: Option<u64>) -> Part {
        Part {
            objects: count.objects,
            bytes: self.bytes.then_some(count.bytes),
            // To a millionth.
            share: self.share(count.bytes).map(|share| (share * 1e6).round() / 1e6),
            cost: self.cost_of(cost),
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
        Self { prefixes: listed.more, part: whole.part(listed.more_held, None) }
    }
}
