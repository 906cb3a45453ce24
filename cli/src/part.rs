//! Parts of a whole: what lies below a prefix, and in each of its directories.

use s3inv::{By, Cost, Counted, Held, Index, Measure};
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
    /// Where costs are known.
    pub(crate) cost: bool,
    /// Where dates are known of what is counted.
    pub(crate) dates: bool,
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
        Self { held, by, bytes: has(Measure::Bytes), cost: index.rates().is_some(), dates }
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
            cost: self.cost.then_some(held.cost),
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
