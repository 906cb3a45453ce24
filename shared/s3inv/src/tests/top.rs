//! The largest prefixes.

use proptest::prelude::*;
use s3inv_model::{ErrorKind, Measure, prefix};
use s3inv_pricing::PriceTable;

use crate::testing::{
    Listed, a_scope, a_thousand_each, all_measures, by, counted, index, index_with, listed, pages, plain,
    remote, rolled_up, written, written_rows,
};
use crate::{AskError, By, Scope, Top};

/// A prefix and what it counts for.
type Shares = Vec<(Vec<u8>, u64)>;

fn is_in(scope: &Scope, key: &[u8]) -> bool {
    scope.exact() == Some(key) || scope.has_below(key)
}

/// What all prefixes of a scope have, in the order of an index.
fn amounts(listed: &Listed, scope: &Scope, by: By) -> Shares {
    let all = rolled_up(listed).into_iter().filter(|(key, _)| is_in(scope, key));
    let mut all: Vec<_> = all.map(|(key, amount)| (key, amount[by as usize])).collect();
    all.sort_by(|a, b| prefix::compare(&a.0, &b.0));
    all
}

/// What is shown at a threshold, at which the first `ties` prefixes of the index are shown that count for just that:
/// from the deepest ones up.
fn shown_at(amounts: &Shares, threshold: u64, ties: usize) -> Shares {
    let mut shown = Shares::new();
    let mut order: Vec<_> = amounts.iter().enumerate().collect();
    order.sort_by_key(|(_, (key, _))| std::cmp::Reverse(key.len()));
    for (at, (key, amount)) in order {
        let below: u64 =
            shown.iter().filter(|(other, _)| other.starts_with(key)).map(|(_, share)| share).sum();
        let share = amount - below;
        if share > threshold || (share == threshold && at < ties) {
            shown.push((key.clone(), share));
        }
    }
    shown.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| prefix::compare(&a.0, &b.0)));
    shown
}

/// The definition: thresholds from above down to 1.
fn plain_top(amounts: &Shares, limit: usize) -> Shares {
    let most = amounts.iter().map(|(_, amount)| *amount).max().unwrap_or(0);
    let mut best = Shares::new();
    let mut count = 0;
    for threshold in (1..=most).rev() {
        for ties in 1..=amounts.len() {
            let shown = shown_at(amounts, threshold, ties);
            assert!(shown.len() == count || shown.len() == count + 1, "one more at most");
            count = shown.len();
            if count <= limit {
                best = shown;
            }
        }
    }
    best
}

fn shares(top: Top) -> Shares {
    top.prefixes.into_iter().map(|large| (large.prefix, large.share.try_into().unwrap())).collect()
}

proptest! {
    #[test]
    fn shown_is_what_counts_for_most(listed in listed(), scope in a_scope(), by in by(), limit in 1..8usize) {
        let (index, scope) = (remote(written(&listed, &all_measures(), &[])).0, Scope::new(scope));
        let amounts = amounts(&listed, &scope, by);
        let top = match index.top(&scope, by, limit) {
            Err(AskError::NotFound { .. }) if amounts.is_empty() => return Ok(()),
            top => top.unwrap(),
        };
        let sums = rolled_up(&listed);
        for large in &top.prefixes {
            prop_assert_eq!(plain(large.amount), sums[&large.prefix]);
        }
        let depth = prefix::depth(scope.parent()) + usize::from(scope.exact().is_none());
        let heads = amounts.iter().filter(|(key, _)| prefix::depth(key) == depth);
        prop_assert_eq!(top.total.by(by), heads.map(|(_, amount)| amount).sum::<u64>().into());
        prop_assert_eq!(shares(top), plain_top(&amounts, limit));
    }

    #[test]
    fn the_largest_are_those_with_most(listed in listed(), scope in a_scope(), by in by(), limit in 1..30usize) {
        let (index, scope) = (remote(written(&listed, &all_measures(), &[])).0, Scope::new(scope));
        let mut amounts = amounts(&listed, &scope, by);
        if amounts.is_empty() {
            return Ok(());
        }
        // Sorting is stable: of equal ones, the first in the index come first.
        amounts.sort_by_key(|(_, amount)| std::cmp::Reverse(*amount));
        amounts.retain(|(_, amount)| *amount > 0);
        amounts.truncate(limit);
        prop_assert_eq!(shares(index.largest(&scope, by, limit).unwrap()), amounts);
    }
}

proptest! {
    /// Costs are of all versions, and pages are left out that can't have a dearer prefix.
    #[test]
    fn the_dearest_are_those_that_cost_most(listed in listed(), scope in a_scope(), limit in 1..30usize) {
        let index = index_with(&listed, &all_measures().with(Measure::Cost));
        let unpriced = index.largest(&Scope::default(), By::Cost, 1).unwrap_err();
        prop_assert_eq!(unpriced.to_string(), "i: cost can't be told: the index was opened without prices");
        let (index, scope) = (index.priced(&PriceTable::default()).unwrap(), Scope::new(scope));
        let mut costs = Vec::new();
        let mut rows = index.reader().rows().unwrap();
        while rows.advance().unwrap() {
            costs.push((rows.key().to_vec(), index.cost(rows.cells()).units().unsigned_abs()));
        }
        costs.retain(|(key, cost)| is_in(&scope, key) && *cost > 0);
        costs.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
        costs.truncate(limit);
        let dearest = match index.largest(&scope, By::Cost, limit) {
            Err(AskError::NotFound { .. }) if costs.is_empty() => return Ok(()),
            dearest => dearest.unwrap(),
        };
        let dearest: Vec<_> = dearest.prefixes.into_iter().map(|large| (large.prefix, large.share)).collect();
        prop_assert_eq!(dearest, costs);
        let Ok(top) = index.top(&scope, By::Cost, limit) else { return Ok(()) };
        let shown: u128 = top.prefixes.iter().map(|large| large.share).sum();
        prop_assert_eq!(shown + top.rest(By::Cost), top.total.by(By::Cost));
    }
}

#[test]
fn a_prefix_does_not_stand_beside_the_one_that_has_most_of_it() {
    let of = |rows: &[(&str, u64)]| -> Listed {
        rows.iter().map(|(key, bytes)| (key.as_bytes().to_vec(), [*bytes, 1, 0])).collect()
    };
    let index =
        index(&of(&[("a/b/c/", 990), ("a/b/", 5), ("a/", 5), ("b/", 400), ("c/d/", 150), ("c/e/", 150)]));
    let top = |limit| shares(index.top(&Scope::default(), By::Bytes, limit).unwrap());
    let named = |rows: &[(&str, u64)]| -> Shares {
        rows.iter().map(|(key, bytes)| (key.as_bytes().to_vec(), *bytes)).collect()
    };
    assert_eq!(top(1), named(&[("a/b/c/", 990)]));
    assert_eq!(top(2), named(&[("a/b/c/", 990), ("b/", 400)]));
    assert_eq!(top(3), named(&[("a/b/c/", 990), ("b/", 400), ("c/", 300)]));
    let five = named(&[("a/b/c/", 990), ("b/", 400), ("c/d/", 150), ("c/e/", 150)]);
    assert_eq!(top(4), five);
    let seven = [five, named(&[("a/", 5), ("a/b/", 5)])].concat();
    assert_eq!((top(7), top(100)), (seven.clone(), seven));
}

#[test]
fn sums_that_do_not_agree_are_an_error() {
    let rows = [("", 10), ("a/", 10), ("a/b/", 8), ("a/c/", 8)];
    let rows = rows.map(|(key, bytes)| (key.as_bytes().to_vec(), [bytes, 1, 0]));
    let (index, _) = counted(written_rows(rows.into_iter(), &all_measures(), &[]));
    let error = index.top(&Scope::default(), By::Bytes, 2).unwrap_err();
    let expected = "i: sums don't agree: \"a/\" has less than what is below it";
    assert_eq!((error.to_string().as_str(), error.kind()), (expected, ErrorKind::BadInput));
}

/// A million prefixes. Large ones lie anywhere: each takes a page.
#[test]
fn few_pages_are_read_of_many() {
    let bytes = |set: u64, day: u64| {
        let is_large = (set * 1000 + day) % 70_001 == 40_000;
        1_000_000 / (set + 1) + (set * 7919 + day * 104_729) % 1000 + if is_large { 1 << 30 } else { 0 }
    };
    let (index, source) = counted(a_thousand_each(1000, bytes));
    assert_eq!(index.info().prefixes, 1_001_001);
    let pages = pages(&index);
    source.take();
    let top = index.top(&Scope::default(), By::Bytes, 20).unwrap();
    let read = source.take();
    let days = top.prefixes.iter().filter(|large| prefix::depth(&large.prefix) == 2);
    assert_eq!((top.prefixes.len(), days.count()), (20, 14));
    assert!(read <= 20 && pages > 190, "{read} of {pages} pages");
    index.largest(&Scope::default(), By::Bytes, 20).unwrap();
    let read = source.take();
    assert!(read <= 20, "{read} of {pages} pages");
}
