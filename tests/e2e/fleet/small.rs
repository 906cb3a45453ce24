use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use s3inv_cancel::{Clock as _, SystemClock};
use s3inv_index_format::is_partition_start;
use s3inv_tests::{Cloud, Delivery, Executed, INDEXES, Row, StorageFault};
use serde_json::{Value, json};

use super::site::{Once, Recorder, Site};
use crate::serverless::built;

pub(super) const BUCKET: &str = "reports";
pub(super) const FUNCTIONS: [&str; 5] = ["plan", "ingest", "merge", "publish", "cleanup"];
/// What is called in an execution in which nothing fails: a function, and its step where it has several.
pub(super) const STEPS: [(&str, &str); 6] = [
    ("plan", "plan"),
    ("ingest", ""),
    ("plan", "plan_merge"),
    ("merge", ""),
    ("publish", ""),
    ("cleanup", "finish"),
];
pub(super) const LIMIT: Duration = Duration::from_mins(3);
/// Executions that run side by side: each waits for most of its time.
const AT_ONCE: usize = 6;
/// Executions in one local AWS: it looks at all of them again and again.
const MOST: usize = 90;

/// An inventory that is as small as can be and takes every step: three chunks, a round of merges, two
/// partitions. It has an AWS of its own.
pub(super) struct Small {
    name: String,
    pub(super) cloud: Cloud,
    pub(super) delivery: Delivery,
    options: Value,
    index: Vec<u8>,
}

fn rows() -> Vec<Row> {
    // One prefix in 16,384 is where an index may be cut: beside this one, there are no more.
    let mut prefixes = (0..1_000_000).map(|nth| format!("m{nth}/"));
    let cut = prefixes.find(|prefix| is_partition_start(prefix.as_bytes())).unwrap();
    let key = |nth: u64| match nth % 3 {
        0 => format!("a/b{}/k{nth}", nth % 7),
        1 => format!("{cut}k{nth}"),
        _ => format!("z{}/k{nth}", nth % 5),
    };
    (0..300).map(|nth| Row::new(key(nth), nth)).collect()
}

impl Small {
    pub(super) fn start(name: &str) -> Self {
        let options = json!({ "chunk_bytes": 1, "fan_in": 2, "partition_rows": 8, "concurrency": 3 });
        Self::of(name, Delivery::csv(&rows(), 3), options)
    }

    /// Not so small: another delivery, built otherwise.
    pub(super) fn of(name: &str, delivery: Delivery, options: Value) -> Self {
        let cloud = Cloud::apart(name);
        cloud.aws.create_bucket(BUCKET).unwrap();
        let delivery = cloud.deliver(BUCKET, delivery);
        Self { name: name.to_owned(), cloud, index: built(&delivery), options, delivery }
    }

    pub(super) fn input(&self, name: &str) -> Value {
        self.cloud.input(BUCKET, &self.delivery, name, &self.options)
    }

    pub(super) fn begin(&self, name: &str) -> String {
        self.cloud.aws.start_execution(&self.cloud.machine, name, &self.input(name)).unwrap()
    }

    pub(super) fn run(&self, name: &str) -> Executed {
        self.cloud.executed(&self.begin(name))
    }

    /// The index that the command line builds, named by `latest.json`; and nothing else.
    pub(super) fn assert_built(&self, executed: &Executed, what: &str) {
        let name = &executed.name;
        assert_eq!(executed.status, "SUCCEEDED", "{name}: {what}: {}", executed.described);
        self.assert_index(name, what);
        let latest = self.cloud.aws.get(INDEXES, &format!("{name}/my-bucket/daily/latest.json")).unwrap();
        let latest: Value = serde_json::from_slice(&latest).unwrap();
        assert_eq!(latest["index"], "2025-05-13T01-00Z.s3inv", "{name}: {what}");
        self.cloud.assert_clean(name, name);
    }

    /// The whole index; beside it nothing but `latest.json`, if that.
    pub(super) fn assert_index(&self, name: &str, what: &str) {
        let mut keys = self.cloud.aws.keys(INDEXES, &format!("{name}/")).unwrap();
        keys.retain(|key| !key.ends_with("/latest.json"));
        let index = format!("{name}/my-bucket/daily/2025-05-13T01-00Z.s3inv");
        assert_eq!(keys, [index.as_str()], "{name}: {what}");
        let published = self.cloud.aws.get(INDEXES, &index).unwrap();
        assert!(published == self.index, "{name}: {what}: another index");
    }

    /// No index, and no scratch but its tombstone.
    pub(super) fn assert_nothing(&self, name: &str, what: &str) {
        let there = self.cloud.aws.keys(INDEXES, &format!("{name}/")).unwrap();
        assert_eq!(there, Vec::<String>::new(), "{name}: {what}");
        self.cloud.assert_clean(name, name);
    }

    /// All requests to storage of an execution in which nothing goes wrong, in their order.
    pub(super) fn sites(&self) -> Vec<Site> {
        let (recorder, name) = (Recorder::default(), "nothing-wrong");
        self.cloud.on_storage(name, recorder.hook());
        let executed = self.run(name);
        self.assert_built(&executed, "nothing");
        assert_eq!(self.cloud.fan_out(&executed), [3, 1, 2]);
        recorder.sites()
    }

    /// How many invocations have ended with an error.
    pub(super) fn errors(&self) -> u64 {
        FUNCTIONS.iter().map(|function| self.cloud.aws.counters(function).unwrap().errors).sum()
    }
}

/// What came of executions.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) executions: usize,
    /// Invocations that ended with an error.
    pub(super) errors: u64,
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
        }
        ran.errors += small.errors() - before;
    }
    ran.seconds = clock.now().as_secs();
    ran
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
    // Not in step with a number of faults to each request.
    let chosen = |nth: &usize| nth * most / all != (nth + 1) * most / all;
    cases.into_iter().enumerate().filter(|(nth, _)| chosen(nth)).map(|(_, case)| case).collect()
}
