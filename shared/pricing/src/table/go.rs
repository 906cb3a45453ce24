//! Price tables of s3-inv-db (`pkg/pricing` there): prices alone, by rules that are the program's own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{FREQUENT, PriceTable, STANDARD, TableError, unique};
use crate::Price;

/// What it calls objects of the frequent tier below 128 KiB; here they are of that tier.
const FREQUENT_SMALL: &str = "INTELLIGENT_TIERING_FREQUENT_SMALL";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoTable {
    #[serde(deserialize_with = "unique::map")]
    per_gb_month: BTreeMap<String, Price>,
    monitoring_per_1000_objects: Price,
    standard_price_per_gb: Price,
    /// Of uploads, which are no part of what is stored.
    #[serde(default, rename = "put_per_1000_requests")]
    _put_per_1000_requests: IgnoredAny,
}

pub(super) fn parse(json: &str) -> Result<PriceTable, TableError> {
    let GoTable { mut per_gb_month, monitoring_per_1000_objects, standard_price_per_gb, .. } =
        serde_json::from_str(json)?;
    let standard = *per_gb_month.entry(STANDARD.to_owned()).or_insert(standard_price_per_gb);
    same(("standard_price_per_gb", standard_price_per_gb), (STANDARD, standard))?;
    if let (Some(small), Some(&frequent)) = (per_gb_month.remove(FREQUENT_SMALL), per_gb_month.get(FREQUENT))
    {
        same((FREQUENT_SMALL, small), (FREQUENT, frequent))?;
    }
    let mut table = PriceTable { region: None, date: None, classes: per_gb_month, ..PriceTable::default() };
    table.monitoring.per_1000_objects = monitoring_per_1000_objects;
    table.volume_steps.clear();
    Ok(table)
}

fn same(one: (&str, Price), other: (&str, Price)) -> Result<(), TableError> {
    if one.1 == other.1 {
        return Ok(());
    }
    Err(TableError::Rule(format!(
        "{} is {}, but {} is {}: they are one price",
        one.0, one.1, other.0, other.1
    )))
}
