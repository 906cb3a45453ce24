//! Whole executions under a seed: the steps as functions run them, over storage and time that the seed
//! decides on.
//!
//! Each function is a thread that runs the code of its step. What it asks storage for waits until nothing
//! runs any more; then one thing happens, the first in virtual time: a request has its effect, an answer
//! comes, a function is killed, a clock strikes. How long each takes and what goes wrong with it is drawn
//! from the seed, so that a seed always tells the same story.

mod climate;
mod clock;
mod machine;
mod quiet;
mod world;

use std::ops::Range;
use std::process::{Command, Stdio};

use bytes::Bytes;
use s3inv_store::{Bucket as _, MemoryStore};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use self::machine::{Outcome, execution, janitor};
use self::world::World;
use super::cloud::{EXECUTION, FOLDER, built, delivery};

/// An index that another execution publishes.
const OTHER: &[u8] = b"another index";
const LATEST_KEY: &str = "all/my-bucket/daily/latest.json";

/// Says which seeds to run, as `0..1000`, in a process that does nothing else.
const SEEDS: &str = "S3INV_SEEDS";
/// Prints what happens.
const TRACE: &str = "S3INV_TRACE";
/// Seeds of every test run.
const USUAL: Range<u64> = 0..2000;

/// What is delivered, and what comes of it.
struct Shape {
    objects: Vec<(String, Bytes)>,
    options: Value,
    expected: Bytes,
}

impl Shape {
    fn new(files: usize, rows: usize, options: Value) -> Self {
        let files = delivery(files, rows);
        let expected = built(&files).into();
        let objects = files.into_iter().map(|(key, bytes)| (key, bytes.into())).collect();
        Self { objects, options, expected }
    }

    fn all() -> [Self; 3] {
        [
            Self::new(1, 50, json!({})),
            Self::new(4, 40, json!({ "chunk_bytes": 3000, "fan_in": 2, "partition_rows": 60 })),
            Self::new(3, 1500, json!({ "chunk_bytes": 100_000, "partition_rows": 1500 })),
        ]
    }

    fn input(&self) -> Value {
        json!({
            "manifest": format!("s3://reports/{FOLDER}/2025-05-13T01-00Z/manifest.json"),
            "output": "s3://indexes/all", "options": self.options,
        })
    }
}

/// How a run ended, and what happened in it.
struct Told {
    outcome: Outcome,
    built: bool,
    trace: String,
}

fn run(seed: u64, shape: &Shape, runtime: &Runtime) -> Told {
    let store = MemoryStore::new();
    for (key, bytes) in &shape.objects {
        store.put(key, bytes.clone());
    }
    let world = World::new(seed, runtime.handle().clone(), store.clone(), shape.expected.clone());
    let fair = world.is_fair();
    let outcome = world.run(execution(&world, &shape.input()));
    world.calm();
    world.run(janitor(&world));
    let (trace, built) = (world.trace(), world.is_built());
    if fair || outcome == Outcome::Succeeded {
        assert!(built && outcome == Outcome::Succeeded, "{outcome:?}: no index:\n{trace}");
    }
    let left: Vec<_> = store.keys().into_iter().filter(|key| key.starts_with("tmp/")).collect();
    assert_eq!(left, [format!("tmp/{EXECUTION}/CANCELLED")], "{outcome:?}:\n{trace}");
    let uploads = runtime.block_on(store.uploads("")).unwrap();
    assert!(uploads.is_empty(), "uploads left open: {uploads:?}\n{trace}");
    Told { outcome, built, trace }
}

/// Whether this process is the one that runs seeds, and which.
fn wanted() -> Option<Range<u64>> {
    let wanted = std::env::var(SEEDS).ok()?;
    let (from, until) = wanted.split_once("..").unwrap_or((&wanted, ""));
    let from = from.parse().unwrap();
    Some(from..until.parse().unwrap_or(from + 1))
}

/// Runs these seeds in a process of its own, where no other test wakes up.
fn alone(test: &str, seeds: &Range<u64>) -> String {
    let this = std::env::current_exe().unwrap();
    let child = Command::new(this)
        .args(["--exact", &format!("fleet::tests::sim::{test}"), "--nocapture", "--test-threads=1"])
        .env(SEEDS, format!("{}..{}", seeds.start, seeds.end))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let (said, told) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{told}");
    said.into_owned()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
}

#[test]
fn whatever_the_seed_it_ends_clean() {
    let Some(seeds) = wanted() else {
        let half = USUAL.end / 2;
        let halves = [USUAL.start..half, half..USUAL.end];
        std::thread::scope(|scope| {
            let halves =
                halves.map(|half| scope.spawn(move || alone("whatever_the_seed_it_ends_clean", &half)));
            for half in halves {
                let said = half.join().unwrap();
                said.lines().filter(|line| line.contains(" seeds ")).for_each(|line| println!("{line}"));
            }
        });
        return;
    };
    let (shapes, runtime) = (Shape::all(), runtime());
    let mut ends = std::collections::BTreeMap::<String, u64>::new();
    for seed in seeds.clone() {
        eprintln!("seed {seed}");
        let told = run(seed, &shapes[seed as usize % shapes.len()], &runtime);
        if std::env::var_os(TRACE).is_some() {
            println!("{}", told.trace);
        }
        let end = match told.outcome {
            Outcome::Failed(failure) => failure.error,
            other => format!("{other:?}"),
        };
        *ends.entry(format!("{end}{}", if told.built { ", index" } else { "" })).or_default() += 1;
    }
    println!("{} seeds {seeds:?}: {ends:?}", seeds.end - seeds.start);
}

#[test]
fn a_seed_tells_the_same_story_again() {
    let Some(seeds) = wanted() else {
        alone("a_seed_tells_the_same_story_again", &(0..60));
        return;
    };
    let (shapes, runtime) = (Shape::all(), runtime());
    for seed in seeds {
        let shape = &shapes[seed as usize % shapes.len()];
        let (once, again) = (run(seed, shape, &runtime), run(seed, shape, &runtime));
        let differ = once.trace.lines().zip(again.trace.lines()).find(|(once, again)| once != again);
        assert!(differ.is_none() && once.trace.len() == again.trace.len(), "seed {seed}: {differ:#?}");
    }
}
