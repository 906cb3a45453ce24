use std::fmt;

use s3inv::{Index, Scope, Stats};
use s3inv_pricing::Missing;
use serde::Serialize;

use super::{failed, not_found, note_of, open, print};
use crate::args::{Output, QueryArgs};
use crate::cost::{Costs, prices};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::row::{Row, Shown};

/// What is known of a prefix, and what it costs, if that is asked for.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    #[serde(flatten)]
    heading: Heading<'a>,
    partial: bool,
    #[serde(flatten)]
    row: Row<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Costs<'a>>,
    #[serde(skip)]
    note: Option<String>,
}

pub(crate) fn query(args: &QueryArgs) -> Result<(), Failure> {
    let prices = prices(&args.cost)?;
    let index = open(&args.scope.index.index)?;
    let scope = args.scope.prefix.scope();
    let sums = index.sums(&scope).map_err(failed(&index))?;
    let sums = sums.ok_or_else(|| not_found(&index, &scope))?;
    let stats = index.stats_of(&sums);
    let costs =
        prices.as_ref().map(|prices| Costs::new(&stats, index.info(), prices, args.cost.volume_steps));
    let missing = |missing: Missing| Failure::Other(format!("{}: {missing}", index.name()));
    let answer =
        Answer { estimate: costs.transpose().map_err(missing)?, ..Answer::new(&index, &scope, &stats) };
    let shown = Shown { tiers: args.show_tiers, details: args.details, human: args.human };
    print(|out| match args.answer.output {
        Output::Text => write!(out, "{}", answer.text(shown)),
        Output::Json => writeln!(out, "{}", serde_json::to_string(&answer)?),
    })
}

impl<'a> Answer<'a> {
    /// Without a cost.
    pub(super) fn new(index: &'a Index, scope: &'a Scope, stats: &Stats<'a>) -> Self {
        let (heading, row) = (Heading::new(index), Row::new(scope.text(), stats));
        Self { heading, partial: scope.exact().is_none(), row, estimate: None, note: note_of(scope) }
    }

    /// For people.
    pub(super) fn text(&self, shown: Shown) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| {
            write!(f, "{}", self.row.text(shown))?;
            self.estimate.iter().try_for_each(|costs| write!(f, "{costs}"))?;
            self.note.iter().try_for_each(|note| writeln!(f, "Note: {note}"))?;
            write!(f, "{}", self.heading.lines())
        })
    }
}
