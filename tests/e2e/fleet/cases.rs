use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use s3inv_cancel::{Clock as _, SystemClock};
use s3inv_tests::{Executed, StorageFault};
use serde_json::Value;

use super::site::{Once, Site};
use super::small::{FUNCTIONS, LIMIT, Small};

/// Executions that run side by side: each waits for most of its time.
const AT_ONCE: usize = 6;
/// Executions in one local AWS: it looks at all of them again and again.
const MOST: usize = 90;

/// What came of executions.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) executions: usize,
    /// Invocations that ended with an error.
    pub(super) errors: u64,
    /// Requests that were made again because storage was busy, by what executions answer.
    pub(super) throttled: u64,
    pub(super) seconds: u64,
}

/// Runs an execution for each case, several at once, and sees that each of them has built the index.
pub(super) fn each<C: Sync>(
    first: Small,
    cases: &[C],
    prepare: impl Fn(&Small, &str, &C) + Sync,
    what: impl Fn(&C) -> String + Sync,
) -> Ran {
    let clock = SystemClock::new();
    let (mut ran, name) = (Ran { executions: cases.len(), ..Ran::default() }, first.name.clone());
    let mut first = Some(first);
    for (nth, batch) in cases.chunks(MOST).enumerate() {
        let small = first.take().unwrap_or_else(|| Small::start(&format!("{name}-{nth}")));
        let before = small.errors();
        let ended = side_by_side(batch, |nth, case| {
            let name = format!("case-{nth}");
            prepare(&small, &name, case);
            small.run(&name)
        });
        small.cloud.aws.settle(LIMIT).unwrap();
        for (executed, case) in ended.iter().zip(batch) {
            small.assert_built(executed, &what(case));
            ran.throttled += throttled(executed);
        }
        ran.errors += small.errors() - before;
    }
    ran.seconds = clock.now().as_secs();
    ran
}

fn throttled(executed: &Executed) -> u64 {
    let output = executed.described["output"].as_str().unwrap();
    let output: Value = serde_json::from_str(output).unwrap();
    output["retries_throttled"].as_u64().unwrap()
}

/// What is made of each, in their order.
pub(super) fn side_by_side<C: Sync, T: Send>(cases: &[C], work: impl Fn(usize, &C) -> T + Sync) -> Vec<T> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let (nth, Some(case)) = next_of(cases, &next) {
                    let result = work(nth, case);
                    results.lock().unwrap().push((nth, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(nth, _)| *nth);
    results.into_iter().map(|(_, result)| result).collect()
}

fn next_of<'c, C>(cases: &'c [C], next: &AtomicUsize) -> (usize, Option<&'c C>) {
    let nth = next.fetch_add(1, Ordering::SeqCst);
    (nth, cases.get(nth))
}

/// Runs an execution for each request and each fault, which befalls the request.
pub(super) fn befall(
    name: &str,
    faults: &[StorageFault],
    wanted: impl Fn(&Site) -> bool,
    most: usize,
) -> Ran {
    let small = Small::start(name);
    let mut sites = small.sites();
    sites.retain(wanted);
    let cases: Vec<_> = sites
        .iter()
        .flat_map(|site| faults.iter().map(move |fault| (site, *fault, Once::default())))
        .collect();
    let cases = spread(cases, most);
    let prepare = |small: &Small, name: &str, (site, fault, once): &(&Site, _, Once)| {
        small.cloud.on_storage(name, once.hook(site, *fault));
    };
    let ran = each(small, &cases, prepare, |(site, fault, _)| format!("{fault:?} at {site}"));
    for (site, fault, once) in &cases {
        assert!(once.has_befallen(), "{fault:?} at {site}: not met");
    }
    let of =
        |function| format!("{} of {function}", sites.iter().filter(|site| site.function == function).count());
    eprintln!("{name}: {} requests, {}: {ran:?}", sites.len(), FUNCTIONS.map(of).join(", "));
    ran
}

/// Whether all is to be tried, and not a part of it.
pub(super) fn every() -> bool {
    std::env::var_os("S3INV_TEST_EVERY").is_some()
}

/// All cases where every one is to be tried, or else so many of them, spread evenly.
pub(super) fn spread<C>(cases: Vec<C>, most: usize) -> Vec<C> {
    if every() {
        return cases;
    }
    let all = cases.len();
    let chosen = |nth: &usize| nth * most / all != (nth + 1) * most / all;
    cases.into_iter().enumerate().filter(|(nth, _)| chosen(nth)).map(|(_, case)| case).collect()
}
