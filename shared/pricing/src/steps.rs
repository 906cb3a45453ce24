use s3inv_model::{ClassCount, Stats};

use crate::Cost;
use crate::table::{MINIMUM, PriceTable, STANDARD, Step};

/// What volume steps take off the cost of a prefix. Each step takes the difference to the price before it off
/// all that lies beyond it.
pub(crate) fn discount(stats: &Stats<'_>, table: &PriceTable) -> Cost {
    let of_class = |(class, steps): (&String, &Vec<Step>)| {
        let billed = billed(stats, table, class);
        let mut before = table.price(class).unwrap_or_default();
        let discounts = steps.iter().map(move |step| {
            let less = before.per_byte() - step.price.per_byte();
            before = step.price;
            Cost::of_bytes(billed.saturating_sub(step.begins()), less)
        });
        discounts.sum::<Cost>()
    };
    table.volume_steps.iter().map(of_class).sum()
}

/// The bytes that are billed as the class's, of all versions; those that archives take of STANDARD included.
fn billed(stats: &Stats<'_>, table: &PriceTable, class: &str) -> u128 {
    let versions = [&stats.classes, &stats.noncurrent_classes];
    let own = versions.iter().filter_map(|classes| classes.get(class)).map(|count| {
        let minimum = table.minimum.classes.contains(class);
        u128::from(count.all.bytes) + if minimum { to_minimum(count) } else { 0 }
    });
    let archived = versions.iter().flat_map(|classes| classes.iter());
    let archived = archived.filter(|(archive, _)| table.overhead.classes.contains(**archive));
    let overhead =
        archived.map(|(_, count)| u128::from(count.all.objects) * u128::from(table.overhead.standard_bytes));
    own.sum::<u128>() + if class == STANDARD { overhead.sum() } else { 0 }
}

/// What objects below the minimum lack to it.
fn to_minimum(count: &ClassCount) -> u128 {
    (u128::from(count.small.objects) * u128::from(MINIMUM)).saturating_sub(count.small.bytes.into())
}
