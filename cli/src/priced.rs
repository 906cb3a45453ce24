//! Costs in answers: what they go by, and what they leave out.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, IsTerminal as _};

use s3inv::{Index, Info, PriceTable, Scope, Stats};
use s3inv_pricing::{LEFT_OUT, Notes, Unpriced};
use serde::Serialize;

use crate::args::PriceArgs;
use crate::commands::{failed, open};
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
            Ok(priced) => Ok(priced),
            Err(missing) if needed => Err(Failure::Other(format!("{}: {missing}", index.name()))),
            Err(_) => Ok(index),
        }
    }

    /// What is said of the costs of objects of these classes, if the index has any.
    pub(crate) fn note<'a>(&'a self, index: &'a Index, classes: &Classes<'_>) -> Option<CostNote<'a>> {
        let unpriced = index.rates()?.unpriced().iter().map(String::as_str);
        let Info { schema, unknown, .. } = index.info();
        let notes = Notes::new(schema, unknown, |class| classes.contains(class));
        let versions = if notes.versions.is_none() { " of all versions" } else { " of current versions" };
        let unpriced = unpriced.filter(|class| classes.contains(class)).collect();
        Some(self.about(versions, unpriced, notes.iter().map(str::to_owned).collect()))
    }

    /// What is said of the costs of a scope of two indexes, if both have any.
    pub(crate) fn note_of_both<'a>(
        &'a self,
        [old, new]: [&'a Index; 2],
        scope: &Scope,
    ) -> Result<Option<CostNote<'a>>, Failure> {
        let [one, other] = [self.note(old, &classes(old, scope)?), self.note(new, &classes(new, scope)?)];
        let (Some(one), Some(other)) = (one, other) else { return Ok(None) };
        let versions = if one.versions == other.versions { one.versions } else { "" };
        let unpriced = one.unpriced.union(&other.unpriced).copied().collect();
        Ok(Some(self.about(versions, unpriced, labelled(&one.notes, &other.notes))))
    }

    fn about<'a>(
        &'a self,
        versions: &'static str,
        unpriced: BTreeSet<&'a str>,
        notes: Vec<String>,
    ) -> CostNote<'a> {
        let (region, date, currency) = (self.table.region(), self.table.date(), self.table.currency());
        CostNote { versions, region, date, currency, unpriced, left_out: LEFT_OUT, notes }
    }
}

/// Storage classes.
pub(crate) type Classes<'a> = BTreeSet<&'a str>;

/// The classes of the objects in a scope; none, if it isn't there.
pub(crate) fn classes<'a>(index: &'a Index, scope: &Scope) -> Result<Classes<'a>, Failure> {
    let sums = index.sums(scope).map_err(failed(index))?;
    Ok(sums.map_or_else(Classes::new, |sums| classes_of(&index.stats_of(&sums))))
}

/// The classes of objects.
pub(crate) fn classes_of<'a>(stats: &Stats<'a>) -> Classes<'a> {
    stats.classes.keys().chain(stats.noncurrent_classes.keys()).copied().collect()
}

/// Notes on two indexes: those on one of them say on which.
fn labelled(old: &[String], new: &[String]) -> Vec<String> {
    let only = |label: &str, notes: &[String], others: &[String]| {
        let only = notes.iter().filter(|note| !others.contains(note));
        only.map(|note| format!("{label}: {note}")).collect::<Vec<_>>()
    };
    let both = old.iter().filter(|note| new.contains(note)).cloned();
    both.chain(only("OLD", old, new)).chain(only("NEW", new, old)).collect()
}

/// Says loudly that costs are without a class, and without how much of it, if that is known.
pub(crate) fn warn_of_unpriced(class: &str, left: Option<&Unpriced>) {
    tracing::warn!(
        class,
        objects = left.map(|left| left.objects),
        bytes = left.map(|left| left.bytes),
        "no price for a storage class, so the cost is without its objects: give it one with --price-table"
    );
}

/// What is to be known of costs.
#[derive(Serialize)]
pub(crate) struct CostNote<'a> {
    /// Which versions of objects they are of, if that can be said.
    #[serde(skip)]
    versions: &'static str,
    region: Option<&'a str>,
    date: Option<&'a str>,
    currency: &'static str,
    unpriced: BTreeSet<&'a str>,
    left_out: [&'static str; 4],
    pub(crate) notes: Vec<String>,
}

impl CostNote<'_> {
    /// Warns of classes that have no price, where costs are about to be shown.
    pub(crate) fn warn(&self) {
        self.unpriced.iter().for_each(|class| warn_of_unpriced(class, None));
    }

    /// Warns, unless who would see it sees the answer beside it, which says the same.
    pub(crate) fn warn_beside_answer(&self) {
        if !answer_is_seen() {
            self.warn();
        }
    }
}

/// Whether an answer on stdout is seen by who sees stderr.
pub(crate) fn answer_is_seen() -> bool {
    io::stdout().is_terminal()
}

/// Lines for people.
impl fmt::Display for CostNote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prices = cost::prices_of(self.region, self.date, self.currency);
        write!(f, "Cost a month{}, prices of {prices}; without {}", self.versions, LEFT_OUT.join(", "))?;
        let unpriced = self.unpriced.iter();
        let mut unpriced = unpriced.map(|class| format!("{}: no price, left out", text::printable(class)));
        unpriced.try_for_each(|note| write!(f, "\nNote: {note}"))?;
        self.notes.iter().try_for_each(|note| write!(f, "\nNote: {note}"))
    }
}
