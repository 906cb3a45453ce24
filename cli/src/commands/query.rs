use std::os::unix::ffi::OsStrExt as _;

use super::{failed, not_found, open, print};
use crate::args::{Output, QueryArgs};
use crate::failure::Failure;
use crate::row::{Row, Shown};

pub(crate) fn query(args: &QueryArgs) -> Result<(), Failure> {
    if args.estimate_cost || args.price_table.is_some() {
        let text =
            "this version knows no prices, so it shows no cost: leave out --estimate-cost and --price-table";
        return Err(Failure::Other(text.to_owned()));
    }
    let index = open(&args.index.index)?;
    let key = args.prefix.as_bytes();
    let Some(stats) = index.stats(key).map_err(failed(&index))? else {
        return Err(not_found(&index, key));
    };
    let row = Row::new(key, &stats);
    let shown = Shown { tiers: args.show_tiers, details: args.details };
    print(|out| match args.output {
        Output::Text => write!(out, "{}", row.text(shown)),
        Output::Json => writeln!(out, "{}", serde_json::to_string(&row)?),
    })
}
