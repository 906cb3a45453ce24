use s3inv_pricing::PriceTable;

use super::print;
use crate::args::{Output, PricesArgs};
use crate::failure::Failure;

pub(crate) fn prices(args: &PricesArgs) -> Result<(), Failure> {
    let table = PriceTable::default();
    print(|out| match args.answer.output {
        Output::Text => write!(out, "{table}"),
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&table)?),
    })
}
