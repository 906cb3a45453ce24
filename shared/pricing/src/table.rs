//! Price tables: the one that comes with the program, and those that people write.

mod describe;
mod go;
mod unique;

use std::collections::{BTreeMap, BTreeSet};

use s3inv_model::Classes;
use serde::{Deserialize, Serialize};

use crate::Price;

pub(crate) const STANDARD: &str = "STANDARD";
const FREQUENT: &str = "INTELLIGENT_TIERING_FREQUENT";
/// Objects below this are billed as if they had it, or are not monitored: in bytes. An index counts them
/// apart, and no others, so a table can't have another limit.
pub(crate) const MINIMUM: u64 = 128 << 10;
/// The most that can be added to an object, in bytes: [`crate::Cost`] relies on it.
const MAX_OVERHEAD: u64 = 128 << 10;

const GB: u64 = 1 << 30;

/// Prices of a Region, and the rules by which they apply.
///
/// As JSON it is what `s3inv-index prices --output json` prints; `docs/cost.md` describes each field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    region: Option<String>,
    date: Option<String>,
    currency: Currency,
    #[serde(deserialize_with = "unique::map")]
    classes: BTreeMap<String, Price>,
    pub(crate) minimum: Minimum,
    pub(crate) monitoring: Monitoring,
    pub(crate) overhead: Overhead,
    #[serde(deserialize_with = "unique::map")]
    pub(crate) volume_steps: BTreeMap<String, Vec<Step>>,
}

/// Micro-dollars are what amounts are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE", try_from = "String")]
enum Currency {
    Usd,
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if name == "USD" { Ok(Self::Usd) } else { Err(format!("currency is {name}, but only USD is read")) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Minimum {
    bytes: u64,
    pub(crate) classes: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Monitoring {
    pub(crate) per_1000_objects: Price,
    from_bytes: u64,
    pub(crate) classes: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overhead {
    pub(crate) bytes: u64,
    pub(crate) standard_bytes: u64,
    pub(crate) classes: BTreeSet<String>,
}

/// What the GB-months beyond the first ones cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    from_gb: u64,
    pub(crate) price: Price,
}

impl Step {
    /// Where it begins, in bytes.
    pub(crate) fn begins(self) -> u128 {
        u128::from(self.from_gb) * u128::from(GB)
    }
}

/// Why a text is no price table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no JSON, or JSON of something else.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Prices by class, without the rules that they belong to.
    #[error(
        "a flat map of classes is no price table: it doesn't say whether prices are dollars or micro-dollars, nor \
         of which Region and date; start from what `s3inv-index prices --output json` prints"
    )]
    Flat,
    /// What it says can't be applied.
    #[error("{0}")]
    Rule(String),
}

impl PriceTable {
    /// Reads a table: one of this project's, or one of s3-inv-db's. A field that is not known is an error.
    pub fn parse(json: &str) -> Result<Self, TableError> {
        let fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(json)?;
        if fields.contains_key("per_gb_month") {
            let table = go::parse(json)?;
            return table.check_names().map(|()| table).map_err(TableError::Rule);
        }
        if is_flat(&fields) {
            return Err(TableError::Flat);
        }
        let table: Self = serde_json::from_str(json)?;
        table.check_names().and_then(|()| table.check()).map_err(TableError::Rule)?;
        Ok(table)
    }

    /// The Region that it is of, if it says so.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// When its prices held, if it says so.
    #[must_use]
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// What its prices are in.
    #[must_use]
    pub fn currency(&self) -> &'static str {
        match self.currency {
            Currency::Usd => "USD",
        }
    }

    /// What a GB-month costs in a class.
    #[must_use]
    pub fn price(&self, class: &str) -> Option<Price> {
        self.classes.get(class).copied()
    }

    fn check(&self) -> Result<(), String> {
        for (name, value) in [("region", &self.region), ("date", &self.date)] {
            if value.as_ref().is_none_or(String::is_empty) {
                return Err(format!("{name} is missing: answers name it"));
            }
        }
        for (name, bytes) in
            [("minimum: bytes", self.minimum.bytes), ("monitoring: from_bytes", self.monitoring.from_bytes)]
        {
            if bytes != MINIMUM {
                return Err(format!("{name} is {bytes}, but indexes know {MINIMUM} only"));
            }
        }
        if self.overhead.bytes.saturating_add(self.overhead.standard_bytes) > MAX_OVERHEAD {
            return Err(format!("overhead: more than {MAX_OVERHEAD} bytes an object"));
        }
        self.check_classes()?;
        self.volume_steps.iter().try_for_each(|(class, steps)| self.check_steps(class, steps))
    }

    /// Answers and errors show them.
    fn check_names(&self) -> Result<(), String> {
        let rules = [&self.minimum.classes, &self.monitoring.classes, &self.overhead.classes];
        let classes = self.classes.keys().chain(rules.into_iter().flatten()).chain(self.volume_steps.keys());
        let mut names = self.region.iter().chain(&self.date).chain(classes);
        let odd = names.find(|name| name.contains(char::is_control));
        odd.map_or(Ok(()), |name| Err(format!("a name with control characters: {name:?}")))
    }

    /// A rule about a class that has no price, or of which an index can't tell what the rule needs, would
    /// silently never apply.
    fn check_classes(&self) -> Result<(), String> {
        let rules = [
            ("minimum", &self.minimum.classes),
            ("monitoring", &self.monitoring.classes),
            ("overhead", &self.overhead.classes),
        ];
        for (rule, class) in
            rules.into_iter().flat_map(|(rule, classes)| classes.iter().map(move |c| (rule, c)))
        {
            self.priced(rule, class)?;
            if rule != "overhead" && !Classes::from(vec![class.clone()]).has_minimum(0) {
                return Err(format!(
                    "{rule}: indexes don't count the objects of {class} below 128 KiB apart"
                ));
            }
        }
        if self.overhead.classes.is_empty() { Ok(()) } else { self.priced("overhead", STANDARD).map(|_| ()) }
    }

    fn check_steps(&self, class: &str, steps: &[Step]) -> Result<(), String> {
        let mut before = Step { from_gb: 0, price: self.priced("volume_steps", class)? };
        for &step in steps {
            if step.from_gb <= before.from_gb || step.price >= before.price {
                return Err(format!(
                    "volume_steps: {class} from {} GB on at {}: it must be later than {} GB, and less than {}",
                    step.from_gb, step.price, before.from_gb, before.price
                ));
            }
            before = step;
        }
        Ok(())
    }

    fn priced(&self, rule: &str, class: &str) -> Result<Price, String> {
        self.price(class).ok_or_else(|| format!("{rule}: {class} has no price in classes"))
    }
}

/// Whether prices stand beside each other, by class: numbers alone, or numbers or texts under names like a class's,
/// whatever is among them.
fn is_flat(fields: &BTreeMap<String, serde_json::Value>) -> bool {
    let like_a_class =
        |name: &str| name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let mut prices = fields.iter().filter(|(_, value)| value.is_number() || value.is_string());
    let numbers_alone = !fields.is_empty() && fields.values().all(serde_json::Value::is_number);
    numbers_alone || prices.any(|(name, _)| !name.is_empty() && like_a_class(name))
}

/// us-east-1 in October 2025, from <https://aws.amazon.com/s3/pricing/>. `OUTPOSTS`, `SNOW`, `FSX_*` and
/// `AWS_BACKUP_*` are priced elsewhere.
const US_EAST_1: [(&str, Price); 13] = [
    (STANDARD, Price::nano(23_000_000)),
    (FREQUENT, Price::nano(23_000_000)),
    ("INTELLIGENT_TIERING_INFREQUENT", Price::nano(12_500_000)),
    ("INTELLIGENT_TIERING_ARCHIVE_INSTANT", Price::nano(4_000_000)),
    ("INTELLIGENT_TIERING_ARCHIVE", Price::nano(3_600_000)),
    ("INTELLIGENT_TIERING_DEEP_ARCHIVE", Price::nano(990_000)),
    ("STANDARD_IA", Price::nano(12_500_000)),
    ("ONEZONE_IA", Price::nano(10_000_000)),
    ("GLACIER_IR", Price::nano(4_000_000)),
    ("GLACIER", Price::nano(3_600_000)),
    ("DEEP_ARCHIVE", Price::nano(990_000)),
    ("REDUCED_REDUNDANCY", Price::nano(24_000_000)),
    ("EXPRESS_ONEZONE", Price::nano(110_000_000)),
];

/// 50 TB and 500 TB, of 2⁴⁰ bytes each.
const STEPS: [Step; 2] = [
    Step { from_gb: 50 << 10, price: Price::nano(22_000_000) },
    Step { from_gb: 500 << 10, price: Price::nano(21_000_000) },
];

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

impl Default for PriceTable {
    /// That of us-east-1 in October 2025.
    fn default() -> Self {
        let tiers =
            US_EAST_1.iter().map(|(class, _)| *class).filter(|c| c.starts_with("INTELLIGENT_TIERING_"));
        let archives =
            ["GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING_ARCHIVE", "INTELLIGENT_TIERING_DEEP_ARCHIVE"];
        Self {
            region: Some("us-east-1".to_owned()),
            date: Some("2025-10".to_owned()),
            currency: Currency::Usd,
            classes: US_EAST_1.into_iter().map(|(class, price)| (class.to_owned(), price)).collect(),
            minimum: Minimum { bytes: MINIMUM, classes: names(["STANDARD_IA", "ONEZONE_IA", "GLACIER_IR"]) },
            monitoring: Monitoring {
                per_1000_objects: Price::nano(2_500_000),
                from_bytes: MINIMUM,
                classes: names(tiers),
            },
            overhead: Overhead { bytes: 32 << 10, standard_bytes: 8 << 10, classes: names(archives) },
            volume_steps: [STANDARD, FREQUENT].map(|class| (class.to_owned(), STEPS.to_vec())).into(),
        }
    }
}

#[cfg(test)]
mod tests;
