//! What a prefix costs, as JSON and as text.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use s3inv::{Info, Location};
use s3inv_model::Stats;
use s3inv_pricing::{Cost, Estimate, Missing, Parts, PriceTable, estimate, estimate_in_steps};
use serde::Serialize;

use crate::args::CostArgs;
use crate::failure::Failure;
use crate::priced::{answer_is_seen, classes_of, notes_of, warn_of_unpriced};
use crate::text;

/// The longest price table, in bytes: hundreds of times what all classes take.
const MAX_TABLE: u64 = 1 << 20;

/// The prices to estimate by, if a cost is asked for.
pub(crate) fn prices(args: &CostArgs) -> Result<Option<PriceTable>, Failure> {
    args.estimate_cost.then(|| table(args.price_table.as_deref())).transpose()
}

/// The prices of a file, or those that are known without one.
pub(crate) fn table(path: Option<&Path>) -> Result<PriceTable, Failure> {
    let Some(path) = path else { return Ok(PriceTable::default()) };
    let location = path.to_str().map(Location::parse).transpose()?;
    match location.as_ref().map(|location| (location, location.as_local())) {
        Some((location, None)) => {
            Err(Failure::Other(format!("{location}: prices are read from a file: copy the table here")))
        }
        Some((_, Some(path))) => read(path),
        None => read(path),
    }
}

fn read(path: &Path) -> Result<PriceTable, Failure> {
    let failure = |error: &dyn fmt::Display| Failure::Other(format!("{}: {error}", path.display()));
    let mut json = String::new();
    let file = File::open(path).map_err(|error| failure(&error))?;
    file.take(MAX_TABLE + 1).read_to_string(&mut json).map_err(|error| failure(&error))?;
    if json.len() as u64 > MAX_TABLE {
        return Err(failure(&"more than 1 MiB: this is no price table"));
    }
    PriceTable::parse(&json).map_err(|error| failure(&error))
}

/// An estimate, and what is to be known about its index.
#[derive(Serialize)]
pub(crate) struct Costs<'a> {
    #[serde(flatten)]
    estimate: Estimate<'a>,
    notes: Vec<&'static str>,
}

impl<'a> Costs<'a> {
    /// Estimates, and warns of classes that have no price, unless the estimate is seen beside it.
    pub(crate) fn new(
        stats: &Stats<'a>,
        info: &Info,
        table: &'a PriceTable,
        in_steps: bool,
    ) -> Result<Self, Missing> {
        let estimate = if in_steps { estimate_in_steps(stats, table) } else { estimate(stats, table) }?;
        for (class, unpriced) in estimate.unpriced.iter().filter(|_| !answer_is_seen()) {
            warn_of_unpriced(class, Some(unpriced));
        }
        Ok(Self { estimate, notes: notes_of(&classes_of(stats), info).iter().collect() })
    }
}

/// The estimate for people.
impl fmt::Display for Costs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate { total, current, noncurrent, volume_discount, unpriced, left_out, .. } = &self.estimate;
        writeln!(f, "Estimated monthly cost:\n  Total: {total}/month")?;
        by_class(f, current, "")?;
        noncurrent.as_ref().map_or(Ok(()), |classes| by_class(f, classes, ", noncurrent"))?;
        for (class, left) in unpriced {
            let class = text::printable(class);
            writeln!(f, "  {class}: no price, left out: {} objects, {} bytes", left.objects, left.bytes)?;
        }
        if let Some(discount) = volume_discount {
            writeln!(
                f,
                "  Volume steps, as if this were all of the account: {}/month",
                Cost::ZERO - *discount
            )?;
        }
        let Estimate { region, date, currency, .. } = self.estimate;
        writeln!(f, "  Prices: {}", prices_of(region, date, currency))?;
        writeln!(f, "  Left out: {}", left_out.join(", "))?;
        self.notes.iter().try_for_each(|note| writeln!(f, "  Note: {note}"))
    }
}

/// Where and when prices held, and what they are in.
pub(crate) fn prices_of(region: Option<&str>, date: Option<&str>, currency: &str) -> String {
    match (region, date) {
        (Some(region), Some(date)) => {
            format!("{}, {}, {currency}", text::printable(region), text::printable(date))
        }
        _ => format!("a Region and date that their table doesn't name, {currency}"),
    }
}

fn by_class(f: &mut fmt::Formatter<'_>, classes: &BTreeMap<&str, Parts>, version: &str) -> fmt::Result {
    classes.iter().try_for_each(|(class, parts)| {
        let class = text::printable(class);
        writeln!(f, "  {class}{version}: {}/month{}", parts.total(), PartsApart(parts))
    })
}

/// The parts of a class's cost, where there is more than storage.
struct PartsApart<'a>(&'a Parts);

impl fmt::Display for PartsApart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { storage, minimum, monitoring, overhead } = *self.0;
        let parts = [("128 KB minimum", minimum), ("monitoring", monitoring), ("archive overhead", overhead)];
        let more: Vec<_> = parts.into_iter().filter(|(_, cost)| *cost != Cost::ZERO).collect();
        if more.is_empty() {
            return Ok(());
        }
        write!(f, " (storage {storage}")?;
        more.iter().try_for_each(|(part, cost)| write!(f, ", {part} {cost}"))?;
        f.write_str(")")
    }
}
