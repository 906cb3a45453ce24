//! Parts of a whole: what lies below a prefix, and in each of its directories.

use s3inv::{By, Cost, Counted, Held, Index, Measure, Rates};
use serde::Serialize;

use crate::amount::share;
use crate::text;

/// What parts are compared with, and what is known of them.
#[derive(Clone, Copy)]
pub(crate) struct Whole {
    pub(crate) held: Held,
    /// What shares are of.
    pub(crate) by: By,
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
    /// Of which parts are told `by` something.
    pub(crate) fn new(index: &Index, counted: Counted, by: By, held: Held) -> Self {
        let has = |measure| index.info().schema.measures.has(measure);
        // Dates are of all classes together.
        let dates = has(Measure::Dates) && counted == Counted::All;
        Self { held, by, bytes: has(Measure::Bytes), costs: Costs::new(index, counted), dates }
    }

    /// Whether costs have a place.
    pub(crate) fn has_costs(&self) -> bool {
        self.costs != Costs::Unknown
    }

    /// What a part costs, if that can be told.
    pub(crate) fn cost_of(&self, cost: Cost) -> Option<Cost> {
        (self.costs == Costs::Known).then_some(cost)
    }

    /// The part of the whole that this is.
    pub(crate) fn share(&self, part: Held) -> Option<f64> {
        let [part, whole] = [part, self.held].map(|held| self.measured(held));
        share(part, whole)
    }

    fn measured(&self, Held { count, cost }: Held) -> u128 {
        match self.by {
            By::Objects => count.objects.into(),
            By::Cost => cost.units().unsigned_abs(),
            By::Bytes | By::Noncurrent => count.bytes.into(),
        }
    }

    pub(crate) fn part(&self, held: Held, newest: Option<u64>) -> Part {
        Part {
            objects: held.count.objects,
            bytes: self.bytes.then_some(held.count.bytes),
            share: self.share(held),
            cost: self.cost_of(held.cost),
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
