use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;

use super::{failed, not_found, open, print};
use crate::args::{Output, QueryArgs};
use crate::cost::{Costs, prices};
use crate::failure::Failure;
use crate::row::{Row, Shown};

/// A row, and what it costs, if that is asked for.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Costs<'a>>,
}

pub(crate) fn query(args: &QueryArgs) -> Result<(), Failure> {
    let prices = prices(&args.cost)?;
    let index = open(&args.index.index)?;
    let key = args.prefix.as_bytes();
    let Some(stats) = index.stats(key).map_err(failed(&index))? else {
        return Err(not_found(&index, key));
    };
    let classes = &index.info().schema.classes;
    let costs = prices.as_ref().map(|prices| Costs::new(&stats, classes, prices, args.cost.volume_steps));
    let missing = |missing| Failure::Other(format!("{}: {missing}", index.name()));
    let answer = Answer { row: Row::new(key, &stats), cost: costs.transpose().map_err(missing)? };
    let shown = Shown { tiers: args.show_tiers, details: args.details };
    print(|out| match args.output {
        Output::Text => {
            write!(out, "{}", answer.row.text(shown))?;
            answer.cost.iter().try_for_each(|cost| write!(out, "{cost}"))
        }
        Output::Json => writeln!(out, "{}", serde_json::to_string(&answer)?),
    })
}
