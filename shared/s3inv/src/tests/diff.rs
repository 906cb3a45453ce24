//! What differs between two indexes.

use std::collections::BTreeSet;

use proptest::prelude::*;
use s3inv_model::{ErrorKind, Measure, Measures, prefix};

use crate::testing::{
    Listed, UNPRICED, a_scope, a_thousand_each, all_measures, by, counted, cut_at, index, index_with, listed,
    pages, plain, remote, rolled_up, written, written_rows,
};
use crate::{AskError, By, Change, Diff, DiffOptions, PriceTable, Scope, diff};

/// A part: its prefix, whether it is only what lies directly in that, and what there was and is.
pub(super) type Part = (Vec<u8>, bool, Option<[u64; 3]>, Option<[u64; 3]>);

/// The parts of a scope in an index.
fn amount_of(sums: &Listed, key: &[u8], directly: bool) -> Option<[u64; 3]> {
    let mut amount = *sums.get(key)?;
    let is_child = |other: &&Vec<u8>| !other.is_empty() && prefix::split(other).0 == key;
    for child in sums.keys().filter(is_child).filter(|_| directly) {
        amount = [0, 1, 2].map(|at| amount[at] - sums[child][at]);
    }
    Some(amount)
}

/// The definition: all parts that differ, largest first.
pub(super) fn plain_diff(old: &Listed, new: &Listed, scope: &Scope, by: By, depth: usize) -> Vec<Part> {
    let (old, new) = (rolled_up(old), rolled_up(new));
    let base = prefix::depth(scope.parent());
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let is_in = |key: &[u8]| scope.exact() == Some(key) || scope.has_below(key);
    let mut parts = Vec::new();
    for key in keys.iter().filter(|key| is_in(key) && prefix::depth(key) <= base + depth) {
        let has_children =
            keys.iter().any(|other| !other.is_empty() && prefix::split(other).0 == key.as_slice());
        let directly = prefix::depth(key) < base + depth && has_children;
        let (a, b) = (amount_of(&old, key, directly), amount_of(&new, key, directly));
        if a.unwrap_or_default() != b.unwrap_or_default() {
            parts.push(((*key).clone(), directly, a, b));
        }
    }
    let size = |part: &Part| {
        part.2.unwrap_or_default()[by as usize].abs_diff(part.3.unwrap_or_default()[by as usize])
    };
    parts.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| prefix::compare(&a.0, &b.0)));
    parts
}

fn told(change: &Change) -> Part {
    (change.prefix.clone(), change.directly, change.old.map(plain), change.new.map(plain))
}

pub(super) fn all(diff: &Diff) -> Vec<Part> {
    diff.changes.iter().map(told).collect()
}

/// Two days: the second one has changes of the first, or is another one altogether.
fn two_days() -> impl Strategy<Value = (Listed, Listed)> {
    (listed(), listed(), 0..10usize).prop_map(|(old, other, changes)| {
        if changes == 0 {
            return (old, other);
        }
        let mut new = old.clone();
        for (at, (key, amount)) in other.into_iter().take(changes).enumerate() {
            if at.is_multiple_of(3) {
                new.remove(&key);
            } else {
                new.insert(key, amount);
            }
        }
        (old, new)
    })
}

proptest! {
    #[test]
    fn what_differs_is_told(
        (old, new) in two_days(),
        scope in a_scope(),
        by in by(),
        depth in 1..6usize,
        limit in 0..40usize,
        other_class: bool,
    ) {
        let scope = Scope::new(scope);
        let parts = plain_diff(&old, &new, &scope, by, depth);
        // Where one has another class, bins of the same number are of different classes.
        let classes: &[&str] = if other_class { &["GLACIER"] } else { &[] };
        let new_index = remote(written(&new, &all_measures(), classes)).0;
        let old_index = remote(written(&old, &all_measures(), &[])).0;
        let options = DiffOptions { scope: &scope, by, depth, limit };
        let diff = match diff(&old_index, &new_index, options) {
            Err(AskError::NotFound { .. }) if parts.is_empty() => return Ok(()),
            diff => diff.unwrap(),
        };
        prop_assert_eq!(all(&diff), &parts[..parts.len().min(limit)]);
        prop_assert_eq!(diff.more, parts.len().saturating_sub(limit) as u64);
        for by in UNPRICED {
            let sum: i128 = diff.changes.iter().map(|change| change.difference().by(by)).sum();
            prop_assert!(diff.more > 0 || sum == diff.total.difference().by(by), "parts add up to the total");
        }
    }

    /// Where one day's index says nothing of sizes or versions, nothing is said of them.
    #[test]
    fn what_one_does_not_know_is_not_compared((old, new) in two_days(), depth in 1..4usize) {
        let few: Measures = [Measure::Classes].into_iter().collect();
        let lacking = counted(written(&old, &few, &[])).0;
        let scope = Scope::default();
        let options = |by| DiffOptions { scope: &scope, by, depth, limit: 100 };
        let objects_only = |listed: &Listed| -> Listed {
            listed.iter().map(|(key, [_, objects, _])| (key.clone(), [0, *objects, 0])).collect()
        };
        for (a, b, old, new) in [(&lacking, &index(&new), &old, &new), (&index(&new), &lacking, &new, &old)] {
            let diff = diff(a, b, options(By::Objects)).unwrap();
            let parts = plain_diff(&objects_only(old), &objects_only(new), &scope, By::Objects, depth);
            prop_assert_eq!(all(&diff), parts);
            prop_assert_eq!(diff.known, [By::Objects]);
            for by in [By::Bytes, By::Noncurrent] {
                let error = super::super::diff(a, b, options(by)).unwrap_err();
                prop_assert!(matches!(error, AskError::Unknown { .. }), "{}", error);
            }
        }
    }
}

/// Two days of 200,000 prefixes, which differ in three.
#[test]
fn pages_that_both_have_are_read_in_neither() {
    let bytes = |set: u64, day: u64| (set * 7919 + day * 104_729) % 1000;
    let changed =
        |set: u64, day: u64| bytes(set, day) + if set % 70 == 7 && day == 321 { 5000 + set } else { 0 };
    let (old, old_source) = counted(a_thousand_each(200, bytes));
    let (new, new_source) = counted(a_thousand_each(200, changed));
    let pages = pages(&old);
    let scope = Scope::default();
    for depth in [1, 2] {
        old_source.take();
        new_source.take();
        let diff = diff(&old, &new, DiffOptions { scope: &scope, by: By::Bytes, depth, limit: 10 }).unwrap();
        let differences: Vec<_> =
            diff.changes.iter().map(|change| change.difference().by(By::Bytes)).collect();
        assert_eq!(differences, [5147, 5077, 5007]);
        let read = [old_source.take(), new_source.take()];
        assert!(read.iter().all(|read| *read <= 8) && pages > 40, "{read:?} of {pages} pages");
    }
}

#[test]
fn the_same_index_is_not_read() {
    let bytes = a_thousand_each(50, |set, day| set + day);
    let (old, source) = counted(bytes.clone());
    let new = counted(bytes).0;
    let scope = Scope::new("set=");
    for (depth, scope) in [(1, &Scope::default()), (2, &Scope::default()), (2, &scope)] {
        source.take();
        let diff = diff(&old, &new, DiffOptions { scope, by: By::Objects, depth, limit: 10 }).unwrap();
        assert_eq!((diff.changes.len(), diff.more), (0, 0));
        assert_eq!(source.take(), 1, "only for the total");
    }
}

/// Their bytes are the same, but may be about other classes.
#[test]
fn pages_of_another_schema_are_read() {
    let listed = Listed::from([(b"a/b/".to_vec(), [7, 1, 0]), (b"c/".to_vec(), [3, 1, 0])]);
    let of = |class: &str| counted(written(&listed, &all_measures(), &[class]));
    let ((glacier, _), (archive, _)) = (of("GLACIER"), of("ARCHIVE"));
    let entries = [&glacier, &archive].map(|index| index.reader().page_starts().next().unwrap().unwrap());
    assert_eq!(entries[0], entries[1]);
    let reads = |class: &str| {
        let (other, source) = of(class);
        source.take();
        let options = DiffOptions { scope: &Scope::default(), by: By::Bytes, depth: 1, limit: 9 };
        assert_eq!(diff(&glacier, &other, options).unwrap().changes, []);
        source.take()
    };
    assert_eq!((reads("GLACIER"), reads("ARCHIVE")), (1, 2));
}

/// Costs of all versions are no more than those of current ones: they are costs of more.
#[test]
fn costs_of_other_versions_are_not_compared() {
    let listed = Listed::from([(b"a/".to_vec(), [7, 1, 0])]);
    let all = all_measures().with(Measure::Cost);
    let of = |measures| index_with(&listed, measures).priced(&PriceTable::default()).unwrap();
    let (current, all) = (of(&all.clone().without(Measure::Noncurrent)), of(&all));
    let scope = Scope::default();
    let options = |by| DiffOptions { scope: &scope, by, depth: 1, limit: 9 };
    for (old, new, comparable) in
        [(&current, &all, false), (&all, &current, false), (&current, &current, true)]
    {
        let told = diff(old, new, options(By::Objects)).unwrap();
        assert_eq!(told.known.contains(&By::Cost), comparable);
        assert_eq!(told.changes, []);
        let by_cost = diff(old, new, options(By::Cost));
        let refused = matches!(by_cost, Err(AskError::Incomparable { .. }));
        assert_eq!(refused, !comparable, "{by_cost:?}");
    }
}

/// The nearest prefix above it is in one of them at least.
#[test]
fn what_is_not_there_is_told_with_what_is() {
    let of = |key: &str| index(&Listed::from([(key.as_bytes().to_vec(), [7, 1, 0])]));
    let (old, new) = (of("a/b/"), of("a/b/c/"));
    for (scope, above) in
        [("a/b/c/d/", "a/b/c/"), ("a/x/y/z", "a/"), ("a/b/x", "a/b/"), ("b/", ""), ("/a/", ""), ("ab", "")]
    {
        let scope = Scope::new(scope);
        let error = diff(&old, &new, DiffOptions { scope: &scope, by: By::Objects, depth: 1, limit: 9 });
        let Err(AskError::NotFound { above: told, cut: None, .. }) = error else { panic!("{error:?}") };
        assert_eq!(String::from_utf8(told.unwrap()).unwrap(), above);
    }
}

/// What one of two indexes doesn't go down to can't be compared; above that it can, and so can two that end alike.
#[test]
fn what_is_cut_is_not_compared_with_what_is_not() {
    let whole = Listed::from([(b"a/b/c/".to_vec(), [7, 1, 0]), (b"d/".to_vec(), [3, 1, 0])]);
    let [cut, deeper] = [1, 2].map(|depth| counted(cut_at(depth, &whole)).0);
    let index = index(&whole);
    for (scope, depth, asked_below) in [("", 1, false), ("", 2, true), ("a/", 1, true), ("d", 1, false)] {
        let scope = Scope::new(scope);
        let options = DiffOptions { scope: &scope, by: By::Bytes, depth, limit: 9 };
        for (old, new) in [(&cut, &index), (&index, &cut), (&cut, &deeper)] {
            let told = diff(old, new, options);
            if !asked_below {
                assert_eq!(told.unwrap().changes, []);
                continue;
            }
            let error = told.unwrap_err();
            assert!(matches!(error, AskError::Cut { cut: 1, .. }), "{error}");
            assert_eq!(error.kind(), ErrorKind::BadInput);
            let expected = "i: prefixes are cut at depth 1, but those of the other index are not: \
                            compare down to depth 1 of the bucket only";
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(diff(&cut, &cut.clone(), options).unwrap().changes, []);
    }
}

#[test]
fn sums_that_do_not_agree_are_an_error() {
    let of = |root: u64| {
        let rows = [(Vec::new(), [root, 1, 0]), (b"a/".to_vec(), [20, 1, 0])];
        counted(written_rows(rows.into_iter(), &all_measures(), &[])).0
    };
    let options = DiffOptions { scope: &Scope::default(), by: By::Bytes, depth: 1, limit: 9 };
    let error = diff(&of(10), &of(12), options).unwrap_err();
    assert_eq!(error.to_string(), "i: sums don't agree: \"\" has less than what is below it");
}
