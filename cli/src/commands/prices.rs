use super::print;
use crate::args::{Output, PricesArgs};
use crate::failure::Failure;
use crate::priced::Prices;

pub(crate) fn prices(args: &PricesArgs) -> Result<(), Failure> {
    let prices = Prices::new(&args.prices)?;
    print(|out| match args.answer.output {
        Output::Text => write!(out, "{}", prices.table()),
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(prices.table())?),
    })
}
