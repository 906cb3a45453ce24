use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;

use super::{Opened, print};
use crate::args::{Output, QueryArgs};
use crate::cost::{Costs, prices};
use crate::failure::Failure;
use crate::row::{Row, Shown};
use crate::text;

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
    let opened = Opened::new(&args.index.index)?;
    let key = args.prefix.as_bytes();
    let Some(stats) = opened.reader.stats(key).map_err(opened.failure())? else {
        return Err(not_found(&opened, key));
    };
    let classes = &opened.reader.info().schema.classes;
    let costs = prices.as_ref().map(|prices| Costs::new(&stats, classes, prices, args.cost.volume_steps));
    let missing = |missing| Failure::Other(format!("{}: {missing}", opened.name));
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

pub(super) fn not_found(opened: &Opened, key: &[u8]) -> Failure {
    let prefix = text::printable(&String::from_utf8_lossy(key));
    let with_slash = [key, b"/"].concat();
    let near = opened.reader.get(&with_slash).is_ok_and(|cells| cells.is_some());
    let hint = near.then(|| format!("prefixes end in /: try --prefix '{prefix}/'"));
    Failure::NotFound { prefix, hint }
}
