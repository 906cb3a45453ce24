//! How often S3 is asked: `waits` are what people wait for, requests what is paid for.

use std::sync::{Arc, OnceLock};

use s3inv_index_format::is_partition_start;
use s3inv_model::Measure;
use s3inv_pricing::PriceTable;

use super::diff::{all, plain_diff};
use crate::testing::{
    Asked, LITTLE, Listed, Remote, a_thousand_with, all_measures, counted, counted_from, remote, written,
};
use crate::{By, DiffOptions, Filter, Index, Scope, diff};

/// A million prefixes in some 200 pages. Large ones lie anywhere: each takes a page.
fn a_million() -> &'static [u8] {
    static MILLION: OnceLock<Vec<u8>> = OnceLock::new();
    MILLION.get_or_init(|| a_million_with(|_, _| 0))
}

fn a_million_with(more: impl Fn(u64, u64) -> u64) -> Vec<u8> {
    let amount = |set: u64, day: u64, large: u64| {
        let is_large = (set * 1000 + day) % 70_001 == large;
        1_000_000 / (set + 1) + (set * 7919 + day * 104_729) % 1000 + if is_large { 1 << 30 } else { 0 }
    };
    let both = |set: u64, day: u64| [amount(set, day, 40_000) + more(set, day), amount(set, day, 60_000)];
    a_thousand_with(1000, &all_measures().with(Measure::Cost), both)
}

fn priced(bytes: &[u8]) -> (Index<Arc<Remote>>, Arc<Remote>) {
    let (index, store) = remote(bytes.to_vec());
    (index.priced(&PriceTable::default()).unwrap(), store)
}

/// Of some 200 pages, those are fetched that are read, and few more.
#[test]
fn the_largest_prefixes_take_few_waits() {
    let (local, pages) = counted(a_million().to_vec());
    let local = local.priced(&PriceTable::default()).unwrap();
    for (by, all) in
        [By::Bytes, By::Noncurrent, By::Cost].into_iter().flat_map(|by| [(by, false), (by, true)])
    {
        let (index, store) = priced(a_million());
        let scope = Scope::default();
        let expected = if all { local.largest(&scope, by, 20) } else { local.top(&scope, by, 20) }.unwrap();
        assert_eq!(expected.prefixes.len(), 20);
        let ask = || {
            let top = if all { index.largest(&scope, by, 20) } else { index.top(&scope, by, 20) };
            assert_eq!(top.unwrap(), expected);
            store.take()
        };
        let Asked { waits, requests, bytes } = ask();
        let told = format!("{by}, {all}: {waits} waits, {requests} requests, {bytes} bytes");
        assert!(pages.take() <= 16, "of a file as many are read as in the documentation");
        assert!(waits <= 4 && requests <= 16, "{told}");
        assert!(bytes < a_million().len() as u64 / 6, "{told}");
        assert_eq!(ask(), Asked::default(), "what was read is kept");
    }
}

#[test]
fn the_largest_below_a_prefix_take_few_waits() {
    let (index, store) = priced(a_million());
    for scope in ["set=0500/", "set=05", "nothing/"] {
        let top = index.top(&Scope::new(scope), By::Bytes, 20);
        assert_eq!(top.is_ok(), scope != "nothing/");
        let Asked { waits, requests, bytes } = store.take();
        let told = format!("{scope}: {waits} waits, {requests} requests, {bytes} bytes");
        assert!(waits <= 3 && requests <= 3 && bytes < 50_000, "{told}");
    }
}

/// Asks what differs between a million prefixes and as many, of which some are larger.
fn compared(more: impl Fn(u64, u64) -> u64, depth: usize) -> ([Asked; 2], u64, u64) {
    let later = a_million_with(more);
    let ((old, old_store), (new, new_store)) = (priced(a_million()), priced(&later));
    let ask = || {
        let options = DiffOptions { scope: &Scope::default(), by: By::Bytes, depth, limit: 20 };
        let diff = diff(&old, &new, options).unwrap();
        (diff.changes.len() as u64 + diff.more, [old_store.take(), new_store.take()])
    };
    let (changes, asked) = ask();
    let again = ask().1;
    assert_eq!(again, [Asked::default(); 2], "what was read is kept");
    (asked, changes, later.len() as u64)
}

#[test]
fn few_changes_take_few_requests() {
    for depth in [1, 2] {
        let grown = |set: u64, day: u64| if set % 70 == 7 && day == 321 { 5000 + set } else { 0 };
        let (asked, changes, len) = compared(grown, depth);
        assert_eq!(changes, 15);
        for Asked { waits, requests, bytes } in asked {
            assert!(waits <= 4 && requests <= 16, "depth {depth}: {waits} waits, {requests} requests");
            assert!(bytes < len / 5, "depth {depth}: {bytes} bytes");
        }
    }
}

#[test]
fn all_that_changes_is_read_ahead() {
    for depth in [1, 2] {
        let (asked, changes, len) = compared(|set, day| 1 + (set + day) % 7, depth);
        assert!(changes >= 1000);
        for Asked { waits, requests, bytes } in asked {
            assert!(waits <= 5 && requests <= 5, "depth {depth}: {waits} waits, {requests} requests");
            assert!(bytes <= len, "depth {depth}: {bytes} bytes");
        }
    }
}

/// Pages that are left out are not fetched either, but for those that are read before it is known what is wanted.
#[test]
fn rows_that_must_be_large_take_few_requests() {
    let (index, store) = priced(a_million());
    let all = index.below(&Scope::default()).unwrap().count();
    let Asked { bytes: whole, .. } = store.take();
    let (index, store) = priced(a_million());
    let large = Filter { min_bytes: 1 << 30, ..Filter::default() };
    let found = index.below(&Scope::default()).unwrap().only(large).count();
    assert_eq!((all, found), (1_001_000, 28), "fourteen sets, and a day of each");
    let Asked { waits, requests, bytes } = store.take();
    assert!(waits <= 4 && requests <= 15 && bytes < whole / 4, "{waits}, {requests}, {bytes} of {whole}");
}

/// Pages of one prefix each, more than three blocks of the directory have.
fn wide() -> Listed {
    let names = (0u32..).map(|n| format!("{n:x}/").into_bytes());
    let names = names.filter(|name| is_partition_start(name)).take(500);
    (1..).zip(names).map(|(nth, name)| (name, [nth * 7 % 100, 1, 0])).collect()
}

#[test]
fn blocks_of_the_directory_that_both_have_are_not_read() {
    let old = wide();
    let mut new = old.clone();
    new.insert(old.keys().nth(300).unwrap().clone(), [1000, 1, 0]);
    let of = |listed: &Listed| counted_from(written(listed, &all_measures(), &[]), LITTLE);
    let ((a, a_reads), (b, b_reads)) = (of(&old), of(&new));
    assert_eq!(a.reader().parts().count(), 4);
    a_reads.take();
    b_reads.take();
    let options = DiffOptions { scope: &Scope::default(), by: By::Bytes, depth: 1, limit: 9 };
    assert_eq!(all(&diff(&a, &b, options).unwrap()), plain_diff(&old, &new, &Scope::default(), By::Bytes, 1));
    // The root's block and page, for the total and in its turn; those of the prefix that differs.
    assert_eq!((a_reads.take(), b_reads.take()), (6, 6));
}

/// One prefix less at the front, so that all blocks differ; and each second page.
#[test]
fn what_differs_in_a_long_directory_is_read_ahead() {
    let old = wide();
    let mut shifted = old.clone();
    shifted.remove(old.keys().nth(3).unwrap());
    let mut half = old.clone();
    half.values_mut().step_by(2).for_each(|amount| amount[0] += 1);
    for new in [shifted, half] {
        let [(a, a_store), (b, b_store)] =
            [&old, &new].map(|listed| remote(written(listed, &all_measures(), &[])));
        let options = DiffOptions { scope: &Scope::default(), by: By::Bytes, depth: 1, limit: 1000 };
        let told = diff(&a, &b, options).unwrap();
        assert_eq!(all(&told), plain_diff(&old, &new, &Scope::default(), By::Bytes, 1));
        let asked = [a_store.take(), b_store.take()];
        assert!(asked.iter().all(|asked| asked.waits <= 7 && asked.requests <= 7), "{asked:?}");
    }
}
