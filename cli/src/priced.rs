//! Costs in answers: what they go by, and what they leave out.

use std::fmt;

use s3inv::{Index, PriceTable};
use s3inv_pricing::LEFT_OUT;
use serde::Serialize;

use crate::args::PriceArgs;
use crate::commands::open;
use crate::failure::Failure;
use crate::{cost, text};

/// The prices that answers go by.
pub(crate) struct Prices {
    table: PriceTable,
}

impl Prices {
    pub(crate) fn new(args: &PriceArgs) -> Result<Self, Failure> {
        Ok(Self { table: cost::table(args.price_table.as_deref())? })
    }

    pub(crate) fn table(&self) -> &PriceTable {
        &self.table
    }

    /// Opens an index. Its answers have costs, if it knows what they need; if it doesn't, and they are what was
    /// asked for, that is an error.
    pub(crate) fn open(&self, name: &str, needed: bool) -> Result<Index, Failure> {
        let index = open(name)?;
        match index.priced(&self.table) {
            Ok(priced) => {
                warn_of_unpriced(&priced);
                Ok(priced)
            }
            Err(missing) if needed => Err(Failure::Other(format!("{}: {missing}", index.name()))),
            Err(_) => Ok(index),
        }
    }

    /// What is said of the costs of an index, if it has any.
    pub(crate) fn note<'a>(&'a self, index: &'a Index) -> Option<CostNote<'a>> {
        Some(CostNote {
            region: self.table.region(),
            date: self.table.date(),
            currency: "USD",
            unpriced: index.rates()?.unpriced(),
            left_out: LEFT_OUT,
        })
    }
}

fn warn_of_unpriced(index: &Index) {
    for class in index.rates().into_iter().flat_map(s3inv::Rates::unpriced) {
        tracing::warn!(class, "no price for a storage class: its objects are left out of the cost");
    }
}

/// What is to be known of costs.
#[derive(Serialize)]
pub(crate) struct CostNote<'a> {
    region: Option<&'a str>,
    date: Option<&'a str>,
    currency: &'static str,
    unpriced: &'a [String],
    left_out: [&'static str; 4],
}

/// A line for people.
impl fmt::Display for CostNote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prices = match (self.region, self.date) {
            (Some(region), Some(date)) => format!("{}, {}", text::printable(region), text::printable(date)),
            _ => "a Region and date that their table doesn't name".to_owned(),
        };
        write!(f, "Cost a month of all versions, prices of {prices}; without {}", LEFT_OUT.join(", "))?;
        if !self.unpriced.is_empty() {
            write!(f, ", and classes without a price: {}", text::printable(&self.unpriced.join(", ")))?;
        }
        Ok(())
    }
}
