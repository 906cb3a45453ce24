use std::os::unix::ffi::OsStrExt as _;

use super::{Opened, print};
use crate::args::{Output, QueryArgs};
use crate::failure::Failure;
use crate::row::{Row, Shown};
use crate::text;

pub(crate) fn query(args: &QueryArgs) -> Result<(), Failure> {
    if args.estimate_cost || args.price_table.is_some() {
        let text =
            "this version knows no prices, so it shows no cost: leave out --estimate-cost and --price-table";
        return Err(Failure::Other(text.to_owned()));
    }
    let opened = Opened::new(&args.index.index)?;
    let key = args.prefix.as_bytes();
    let Some(stats) = opened.reader.stats(key).map_err(opened.failure())? else {
        return Err(not_found(&opened, key));
    };
    let row = Row::new(key, &stats);
    let shown = Shown { tiers: args.show_tiers, details: args.details };
    print(|out| match args.output {
        Output::Text => write!(out, "{}", row.text(shown)),
        Output::Json => writeln!(out, "{}", serde_json::to_string(&row)?),
    })
}

fn not_found(opened: &Opened, key: &[u8]) -> Failure {
    let prefix = text::printable(&String::from_utf8_lossy(key));
    let with_slash = [key, b"/"].concat();
    let near = opened.reader.get(&with_slash).is_ok_and(|cells| cells.is_some());
    let hint = near.then(|| format!("prefixes end in /: try --prefix '{prefix}/'"));
    Failure::NotFound { prefix, hint }
}
