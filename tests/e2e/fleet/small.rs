use std::time::Duration;

use s3inv_index_format::is_partition_start;
use s3inv_tests::{Cloud, Delivery, Executed, INDEXES, Row};
use serde_json::{Value, json};

use super::site::{Recorder, Site};
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

/// An inventory that is as small as can be and takes every step: three chunks, a round of merges, two
/// partitions. It has an AWS of its own.
pub(super) struct Small {
    /// Of its AWS.
    pub(super) name: String,
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
