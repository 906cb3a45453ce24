use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::Add;

use s3inv_model::{ClassCount, Measure, Measures, Stats};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::rates::ClassRates;
use crate::{Cost, PriceTable, steps};

/// What no estimate has, because it depends on what is done with objects.
pub const LEFT_OUT: [&str; 4] = ["requests", "retrieval", "early deletion", "unfinished uploads"];

/// What the objects of a class cost a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Their bytes.
    pub storage: Cost,
    /// What objects below 128 KiB are billed beyond their bytes.
    pub minimum: Cost,
    /// Intelligent-Tiering's monitoring.
    pub monitoring: Cost,
    /// What archives add to each object.
    pub overhead: Cost,
}

impl Parts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> Cost {
        self.storage + self.minimum + self.monitoring + self.overhead
    }
}

impl Add for Parts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            storage: self.storage + other.storage,
            minimum: self.minimum + other.minimum,
            monitoring: self.monitoring + other.monitoring,
            overhead: self.overhead + other.overhead,
        }
    }
}

impl<'a> Sum<&'a Self> for Parts {
    fn sum<I: Iterator<Item = &'a Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, parts| sum + *parts)
    }
}

impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct("Parts", 5)?;
        parts.serialize_field("total", &self.total())?;
        parts.serialize_field("storage", &self.storage)?;
        parts.serialize_field("minimum", &self.minimum)?;
        parts.serialize_field("monitoring", &self.monitoring)?;
        parts.serialize_field("overhead", &self.overhead)?;
        parts.end()
    }
}

/// Objects of a class that has no price, current and noncurrent ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unpriced {
    /// How many.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What the objects of a prefix cost a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate<'a> {
    /// The Region of the prices, if their table names one.
    pub region: Option<&'a str>,
    /// When they held, if it says so.
    pub date: Option<&'a str>,
    /// What they are in.
    pub currency: &'static str,
    /// All that follows, but for what has no price. Where amounts are rounded, those of classes may add up to
    /// some micro-dollars more or less.
    pub total: Cost,
    /// What of it is paid for what, all versions and classes together, before volume steps take something off.
    pub parts: Parts,
    /// What noncurrent objects have in it, before volume steps; `None` if the index doesn't count them.
    pub noncurrent_total: Option<Cost>,
    /// Current objects, by class.
    pub current: BTreeMap<&'a str, Parts>,
    /// Noncurrent ones; `None` if the index doesn't count them.
    pub noncurrent: Option<BTreeMap<&'a str, Parts>>,
    /// What volume steps take off, if they were asked for.
    pub volume_discount: Option<Cost>,
    /// Classes that the table has no price of: their objects are left out.
    pub unpriced: BTreeMap<&'a str, Unpriced>,
    /// [`LEFT_OUT`].
    pub left_out: [&'static str; 4],
}

/// What an index lacks that cost needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Bytes.
    #[error(
        "no cost without sizes: add the field Size to the inventory, and build the index of its next delivery"
    )]
    Sizes,
    /// Storage classes.
    #[error(
        "no cost without storage classes: add the field StorageClass to the inventory, and build the index of \
         its next delivery"
    )]
    Classes,
    /// Which objects are below 128 KiB.
    #[error(
        "no cost without the measure cost, which the index was built without: build it again with \
         `--measures cost`, or with all measures"
    )]
    Cost,
}

impl Missing {
    pub(crate) fn check(measures: &Measures) -> Result<(), Self> {
        let needed =
            [(Measure::Bytes, Self::Sizes), (Measure::Classes, Self::Classes), (Measure::Cost, Self::Cost)];
        let missing = needed.into_iter().find(|(measure, _)| !measures.has(*measure));
        missing.map_or(Ok(()), |(_, missing)| Err(missing))
    }
}

/// What the objects of a prefix cost a month at these prices, all at those of the first volume step.
pub fn estimate<'a>(stats: &Stats<'a>, table: &'a PriceTable) -> Result<Estimate<'a>, Missing> {
    Missing::check(stats.measures)?;
    let current = priced(&stats.classes, table);
    let noncurrent = stats.has(Measure::Noncurrent).then(|| priced(&stats.noncurrent_classes, table));
    let of_noncurrent = noncurrent.as_ref().map(|classes| classes.values().sum::<Parts>());
    let parts = current.values().sum::<Parts>() + of_noncurrent.unwrap_or_default();
    Ok(Estimate {
        region: table.region(),
        date: table.date(),
        currency: table.currency(),
        total: parts.total(),
        parts,
        noncurrent_total: of_noncurrent.map(|parts| parts.total()),
        current,
        noncurrent,
        volume_discount: None,
        unpriced: unpriced(stats, table),
        left_out: LEFT_OUT,
    })
}

/// The same as if the prefix were all that an account stores: what is beyond a volume step costs less.
pub fn estimate_in_steps<'a>(stats: &Stats<'a>, table: &'a PriceTable) -> Result<Estimate<'a>, Missing> {
    let mut estimate = estimate(stats, table)?;
    let discount = steps::discount(stats, table);
    estimate.total = estimate.total - discount;
    estimate.volume_discount = Some(discount);
    Ok(estimate)
}

fn priced<'a>(classes: &BTreeMap<&'a str, ClassCount>, table: &PriceTable) -> BTreeMap<&'a str, Parts> {
    let parts = |(&class, count)| Some((class, ClassRates::new(table, class)?.parts(count)));
    classes.iter().filter_map(parts).collect()
}

fn unpriced<'a>(stats: &Stats<'a>, table: &PriceTable) -> BTreeMap<&'a str, Unpriced> {
    let mut unpriced = BTreeMap::<_, Unpriced>::new();
    let classes = stats.classes.iter().chain(&stats.noncurrent_classes);
    for (class, count) in classes.filter(|(class, _)| table.price(class).is_none()) {
        let sums = unpriced.entry(*class).or_default();
        sums.objects = sums.objects.saturating_add(count.all.objects);
        sums.bytes = sums.bytes.saturating_add(count.all.bytes);
    }
    unpriced
}

#[cfg(test)]
mod tests;
