//! Price tables, as people write them.

use s3inv_model::{Bin, Cell, Dates, Measures, Schema, SizeBin, Stats};
use s3inv_pricing::{PriceTable, Rates, estimate_in_steps};

/// A table that can be read can be printed and read back, and prices as many objects as there can be, in
/// one class, alike in both ways.
pub(crate) fn prices(data: &[u8]) {
    let Ok(json) = std::str::from_utf8(data) else { return };
    let Ok(table) = PriceTable::parse(json) else { return };
    if table.region().is_some() {
        let printed = serde_json::to_string(&table).unwrap_or_default();
        assert_eq!(PriceTable::parse(&printed).ok().as_ref(), Some(&table), "what is printed can be read");
    }
    for class in ["STANDARD", "STANDARD_IA", "GLACIER", "INTELLIGENT_TIERING_DEEP_ARCHIVE"] {
        let schema = Schema { measures: Measures::all(), classes: vec![class.to_owned()].into() };
        for (size, bytes) in [(SizeBin::Small, 0), (SizeBin::Large, u64::MAX)] {
            let bin = Bin::Objects { class: 0, current: false, size, age: None }.id();
            let cells = [Cell { bin, objects: u64::MAX, bytes }];
            let stats = Stats::new(&schema, &cells, Dates::NONE);
            let total = Rates::new(&table, &schema).map(|rates| rates.total(&cells));
            let estimate = estimate_in_steps(&stats, &table);
            let whole = estimate.map(|told| told.total + told.volume_discount.unwrap_or_default());
            assert_eq!(whole, total, "{class}");
        }
    }
}
