//! How many requests answers about an index in S3 take, the ones that open it among them.

use std::fs;
use std::path::PathBuf;

use s3inv_tests::{Answer, Delivery, FakeS3, Folder, Row, folder, s3inv};

use crate::build::build_to;

const SETS: u64 = 100;
const DAYS: u64 = 1000;

/// An object in each of 100,000 directories, whose names and sizes can't be packed well. Those that are large lie
/// anywhere.
fn rows(more: impl Fn(u64) -> u64) -> Vec<Row> {
    let random = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let key = |n: u64| format!("set={:03}/{:016x}/o", n / DAYS, random(n));
    let size = |n: u64| (random(n + 7) >> 30) + if n % 9001 == 4000 { 1 << 45 } else { 0 };
    let current = (0..SETS * DAYS).map(|n| Row::new(key(n), size(n) + more(n)));
    let old = (0..SETS * DAYS).filter(|n| n % 9001 == 7000);
    current.chain(old.map(|n| Row::new(key(n), 1 << 45).noncurrent())).collect()
}

fn built(folder: &Folder, name: &str, more: impl Fn(u64) -> u64) -> PathBuf {
    let delivered = Delivery::csv_versions(&rows(more), 1).write(&folder.path(&format!("in-{name}")));
    let index = folder.out().join(name);
    build_to(folder, &delivered, &index).run().summary();
    index
}

/// What a command answers and how many requests it takes, which is asked of the indexes of a folder.
fn asked(folder: &Folder, fake: &FakeS3, args: &[&str]) -> usize {
    let run = |root: &str| {
        let args: Vec<_> = args.iter().map(|arg| arg.replace("INDEXES/", root)).collect();
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        s3inv(&args).envs(fake.environment()).within(&folder.out()).run().answer().to_owned()
    };
    let local = run("");
    assert_eq!(fake.seen(), []);
    let remote = run("s3://indexes/");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&remote), lines(&local), "{args:?}");
    fake.seen().len()
}

#[test]
fn large_and_changed_prefixes_take_few_requests() {
    let folder = folder();
    let indexes = [
        built(&folder, "old.s3inv", |_| 0),
        built(&folder, "few.s3inv", |n| if n % 9001 == 77 { 5000 } else { 0 }),
        built(&folder, "all.s3inv", |n| 1 + n % 7),
    ];
    let files = indexes.map(|index| (index.file_name().unwrap().to_owned(), fs::read(&index).unwrap()));
    let lens = files.clone().map(|(_, file)| file.len());
    let fake = FakeS3::start(move |request| {
        let of = files.iter().find(|(name, _)| request.target.contains(name.to_str().unwrap()));
        Answer::Object(of.unwrap().1.clone())
    });
    let mut told = Vec::new();
    let mut most = |most: usize, args: &[&str]| {
        let requests = asked(&folder, &fake, args);
        told.push(format!("{requests} of {most}: {}", args.join(" ")));
        requests <= most
    };
    let mut all = true;
    for by in ["bytes", "objects", "cost", "noncurrent"] {
        let top = ["top", "--index", "INDEXES/old.s3inv", "-n", "20", "--by", by];
        all &= most(6, &top);
        all &= most(6, &[&top[..], &["--all"]].concat());
    }
    all &= most(3, &["top", "--index", "INDEXES/old.s3inv", "--prefix", "set=050/"]);
    all &= most(3, &["top", "--index", "INDEXES/old.s3inv", "--prefix", "set=05"]);
    for (new, deeper) in [("few", 6), ("all", 8)] {
        let new = format!("INDEXES/{new}.s3inv");
        let diff = ["diff", "INDEXES/old.s3inv", &new, "--depth"];
        all &= most(4, &[&diff[..], &["1"]].concat());
        all &= most(deeper, &[&diff[..], &["2"]].concat());
        all &= most(6, &[&diff[..], &["1", "--prefix", "set=050/"]].concat());
    }
    assert!(all, "of indexes of {lens:?} bytes: {told:#?}");
}
