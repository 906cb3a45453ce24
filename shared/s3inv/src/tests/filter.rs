//! Rows that pass a filter, and what needn't be read for them.

use proptest::prelude::*;

use crate::testing::{
    Listed, a_scope, a_thousand_each, all_measures, counted, listed, pages, remote, rolled_up, written,
};
use crate::{Counted, Filter, Scope};

/// The definition: what is below a scope, down to a depth, and has as much.
fn plain_rows(listed: &Listed, scope: &Scope, levels: usize, filter: &Filter) -> Vec<Vec<u8>> {
    let base = super::prefix::depth(scope.parent());
    let is_wanted = |key: &[u8], [bytes, objects, _]: [u64; 3]| {
        let is_in = scope.has_below(key) && super::prefix::depth(key) <= base + levels;
        is_in && bytes >= filter.min_bytes && objects >= filter.min_objects
    };
    let all = rolled_up(listed).into_iter().filter(|(key, amount)| is_wanted(key, *amount));
    let mut keys: Vec<_> = all.map(|(key, _)| key).collect();
    keys.sort_by(|a, b| super::prefix::compare(a, b));
    keys
}

proptest! {
    #[test]
    fn rows_are_those_that_pass(
        listed in listed(),
        scope in a_scope(),
        levels in 1..6usize,
        (min_bytes, min_objects) in (0..100u64, 0..12u64),
        of_class: bool,
        is_remote: bool,
    ) {
        let scope = Scope::new(scope);
        // All objects are of the last class.
        let counted_as = if of_class { Counted::Class(1) } else { Counted::All };
        let filter = Filter { counted: counted_as, min_bytes, min_objects, pattern: None };
        let expected = plain_rows(&listed, &scope, levels, &filter);
        let bytes = written(&listed, &all_measures(), &["GLACIER"]);
        let rows: Vec<_> = if is_remote {
            remote(bytes).0.down_to(&scope, levels).unwrap().only(filter).map(Result::unwrap).collect()
        } else {
            counted(bytes).0.down_to(&scope, levels).unwrap().only(filter).map(Result::unwrap).collect()
        };
        prop_assert_eq!(rows.into_iter().map(|row| row.prefix).collect::<Vec<_>>(), expected);
    }
}

/// 200,000 prefixes, of which few are large.
#[test]
fn pages_without_large_prefixes_are_not_read() {
    let bytes = |set: u64, day: u64| if set % 70 == 7 && day == 321 { 1 << 40 } else { set + day };
    let (index, source) = counted(a_thousand_each(200, bytes));
    let pages = pages(&index);
    source.take();
    let large = Filter { min_bytes: 1 << 40, ..Filter::default() };
    let rows = index.below(&Scope::default()).unwrap().only(large.clone());
    let found: Vec<_> = rows.map(|row| row.unwrap().prefix).collect();
    assert_eq!(found.len(), 6, "three sets, and a day of each");
    let read = source.take();
    assert!(read <= 5 && pages > 40, "{read} of {pages} pages");
    let of_class = Filter { counted: index.class("STANDARD").unwrap(), ..large };
    let rows = index.below(&Scope::default()).unwrap().only(of_class);
    assert_eq!(rows.map(|row| row.unwrap().prefix).collect::<Vec<_>>(), found);
    assert_eq!(source.take(), read);
    let many = Filter { min_objects: 1_000_000, ..Filter::default() };
    assert_eq!(index.below(&Scope::default()).unwrap().only(many).count(), 0);
    assert_eq!(source.take(), 1, "the first page, before it is known what is wanted");
}
