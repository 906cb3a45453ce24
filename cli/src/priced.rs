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

    /// What is said of the costs of a scope, if the index has any.
    pub(crate) fn note<'a>(
        &'a self,
        index: &'a Index,
        scope: &Scope,
    ) -> Result<Option<CostNote<'a>>, Failure> {
        if index.rates().is_none() {
            return Ok(None);
        }
        let sums = index.sums(scope).map_err(failed(index))?;
        let classes = sums.map_or_else(Classes::new, |sums| classes_of(&index.stats_of(&sums)));
        Ok(self.note_of_classes(index, &classes))
    }

    /// What is said of the costs of objects of these classes, if the index has any.
    pub(crate) fn note_of_classes<'a>(
        &'a self,
        index: &'a Index,
        classes: &Classes<'_>,
    ) -> Option<CostNote<'a>> {
        let unpriced = index.rates()?.unpriced().iter().map(String::as_str);
        let unpriced = unpriced.filter(|class| classes.contains(class)).collect();
        let notes = notes_of(classes, index.info());
        let versions = if notes.versions.is_none() { "all versions" } else { "current versions" };
        let notes = notes.iter().map(str::to_owned).collect();
        let (region, date, currency) = (self.table.region(), self.table.date(), self.table.currency());
        Some(CostNote { versions, region, date, currency, unpriced, left_out: LEFT_OUT, notes })
    }

    /// What is said of the costs of a scope of two indexes, if both have any, and these can be compared.
    pub(crate) fn note_of_both<'a>(
        &'a self,
        [old, new]: [&'a Index; 2],
        scope: &Scope,
    ) -> Result<Option<CostNote<'a>>, Failure> {
        let (Some(old), Some(new)) = (self.note(old, scope)?, self.note(new, scope)?) else {
            return Ok(None);
        };
        let unpriced = old.unpriced.union(&new.unpriced).copied().collect();
        Ok(Some(CostNote { unpriced, notes: labelled(&old.notes, &new.notes), ..new }))
    }
}

/// What an index doesn't tell of what objects of these classes cost.
pub(crate) fn notes_of(classes: &Classes<'_>, info: &Info) -> Notes {
    Notes::new(&info.schema, &info.unknown, |class| classes.contains(class))
}

/// Storage classes.
pub(crate) type Classes<'a> = BTreeSet<&'a str>;

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
    /// Which versions of objects they are of.
    #[serde(skip)]
    versions: &'static str,
    region: Option<&'a str>,
    date: Option<&'a str>,
    currency: &'static str,
    unpriced: BTreeSet<&'a str>,
    left_out: [&'static str; 4],
    notes: Vec<String>,
}

impl CostNote<'_> {
    /// What costs leave out, and what the index doesn't tell of them: a sentence each.
    pub(crate) fn sentences(&self) -> impl Iterator<Item = String> + '_ {
        let unpriced = self.unpriced.iter();
        let unpriced = unpriced.map(|class| format!("{}: no price, left out", text::printable(class)));
        unpriced.chain(self.notes.iter().cloned())
    }

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

/// Whether who sees stderr sees the answer beside it.
pub(crate) fn answer_is_seen() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Lines for people.
impl fmt::Display for CostNote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prices = cost::prices_of(self.region, self.date, self.currency);
        write!(f, "Cost a month of {}, prices of {prices}; without {}", self.versions, LEFT_OUT.join(", "))?;
        self.sentences().try_for_each(|note| write!(f, "\nNote: {note}"))
    }
}
