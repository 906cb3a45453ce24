//! Which prefixes a list has, and in which order, as far as an index can tell.

use s3inv::{Counted, Filter, Index, Measure, Order};

use crate::args::{Sort, WhichArgs};
use crate::failure::Failure;

/// Whether an index must be priced.
pub(super) fn needs_cost(args: &WhichArgs) -> bool {
    args.sort == Some(Sort::Cost)
}

/// What is wanted of an index.
pub(super) fn filter(args: &WhichArgs, index: &Index) -> Result<Filter, Failure> {
    if args.min_bytes > 0 && !index.info().schema.measures.has(Measure::Bytes) {
        return Err(lacks(index, "sizes: leave out --min-bytes"));
    }
    let counted = args.class.as_deref().map(|name| class(index, name)).transpose()?.unwrap_or_default();
    Ok(Filter { counted, min_objects: args.min_objects, min_bytes: args.min_bytes, pattern: None })
}

/// What comes first.
pub(super) fn order(args: &WhichArgs, index: &Index) -> Result<Order, Failure> {
    let measures = &index.info().schema.measures;
    let default = if measures.has(Measure::Bytes) { Order::Bytes } else { Order::Objects };
    let order = args.sort.map_or(default, Order::from);
    if order == Order::Bytes && !measures.has(Measure::Bytes) {
        return Err(lacks(index, "sizes: sort by objects"));
    }
    if order == Order::Newest && (!measures.has(Measure::Dates) || args.class.is_some()) {
        return Err(lacks(
            index,
            "dates to sort by, or none of a class alone: sort by bytes, objects or name",
        ));
    }
    Ok(order)
}

fn lacks(index: &Index, what: &str) -> Failure {
    Failure::Other(format!("{}: this index has no {what}", index.name()))
}

/// What to count for a storage class.
fn class(index: &Index, name: &str) -> Result<Counted, Failure> {
    let classes: Vec<_> = index.info().schema.classes.iter().collect();
    let unknown = || match classes[..] {
        [] | [""] => lacks(index, "storage classes"),
        _ => Failure::Other(format!("no such class in this index: {name}: it has {}", classes.join(", "))),
    };
    index.class(name).filter(|_| !name.is_empty()).ok_or_else(unknown)
}
