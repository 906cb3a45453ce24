//! Which prefixes a list has, and in which order, as far as an index can tell.

use s3inv::{By, Counted, Filter, Index, List, Measure, Order, Pattern};
use serde::Serialize;

use crate::amount::usual;
use crate::args::{Sort, WhichArgs};
use crate::failure::Failure;
use crate::priced::Classes;

/// What was asked for, as an answer for programs repeats it.
#[derive(Serialize)]
pub(super) struct Selection<'a> {
    depth: usize,
    sort: &'static str,
    class: Option<&'a str>,
    min_objects: u64,
    min_bytes: u64,
    #[serde(rename = "match")]
    pattern: Option<&'a str>,
}

impl<'a> Selection<'a> {
    pub(super) fn new(args: &'a WhichArgs, list: &'a List) -> Self {
        let sort = match list.order {
            Order::Bytes => "bytes",
            Order::Objects => "objects",
            Order::Cost => "cost",
            Order::Newest => "newest",
            Order::Name => "name",
        };
        let Filter { min_objects, min_bytes, pattern, .. } = &list.filter;
        let pattern = pattern.as_ref().map(Pattern::as_str);
        let (min_objects, min_bytes) = (*min_objects, *min_bytes);
        Self { depth: list.levels, sort, class: args.class.as_deref(), min_objects, min_bytes, pattern }
    }
}

/// What people are told beside the table, where not all objects are counted.
pub(super) fn note_of_class(args: &WhichArgs) -> Option<String> {
    args.class.as_ref().map(|class| format!("only objects of {class} are counted"))
}

/// Of some classes those whose objects are counted.
pub(super) fn counted_of<'a>(args: &WhichArgs, classes: Classes<'a>) -> Classes<'a> {
    let counted = |class: &&str| args.class.as_deref().is_none_or(|only| only == *class);
    classes.into_iter().filter(counted).collect()
}

/// What shares are of: what comes first, or what is usual.
pub(super) fn share_of(order: Order, index: &Index) -> By {
    match order {
        Order::Bytes => By::Bytes,
        Order::Objects => By::Objects,
        Order::Cost => By::Cost,
        Order::Newest | Order::Name => usual(&[index]),
    }
}

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
    let default = if usual(&[index]) == By::Bytes { Order::Bytes } else { Order::Objects };
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
