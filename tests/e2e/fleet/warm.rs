//! A function's process that has worked hundreds of times holds no more than one that has worked often.

use std::collections::BTreeMap;
use std::fs;

use s3inv_tests::{Delivery, Invoked, Row, SCRATCH};
use serde_json::{Value, json};

use super::cases::every;
use super::held::Hold;
use super::small::{BUCKET, Small};

/// One arena, which gives back what is free: otherwise memory goes up and down with the threads.
const ALLOCATOR: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "65536"), ("MALLOC_MMAP_THRESHOLD_", "65536")];
/// What the allocator may keep more at one moment than at another, KiB.
const SLACK: u64 = 1 << 10;
/// How many more connections and threads may be kept at one moment than at another.
const SPARE: usize = 2;

/// What a process holds.
#[derive(Debug, PartialEq)]
struct Held {
    files: usize,
    threads: usize,
    resident: u64,
}

impl Held {
    fn of(process: u32) -> Self {
        let place = format!("/proc/{process}");
        let count = |what: &str| fs::read_dir(format!("{place}/{what}")).unwrap().count();
        let status = fs::read_to_string(format!("{place}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident = resident.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        Self { files: count("fd"), threads: count("task"), resident }
    }
}

/// So many files, each of which is a task.
fn inventory(files: usize) -> Small {
    let rows: Vec<_> =
        (0..files as u64 * 40).map(|nth| Row::new(format!("d{}/e{nth}/k", nth % 31), nth)).collect();
    let options = json!({ "chunk_bytes": 1, "fan_in": 2 });
    Small::of("fleet-warm", Delivery::csv(&rows, files), options)
}

/// Plans the tasks, and has the file of each tenth go.
fn plan(small: &Small, name: &str) -> Vec<Value> {
    let tasks = small.plan(name);
    let all = small.cloud.aws.get(SCRATCH, &format!("{name}/work/ingest.tasks")).unwrap();
    for task in tasks.iter().skip(3).step_by(10) {
        let [offset, length] = ["offset", "length"].map(|name| task[name].as_u64().unwrap() as usize);
        let files: Value = serde_json::from_slice(&all[offset..offset + length]).unwrap();
        small.cloud.aws.delete(BUCKET, files["document"][0]["key"].as_str().unwrap()).unwrap();
    }
    tasks
}

/// A task whose execution ends while it works.
fn cancelled(small: &Small, name: &str) -> Invoked {
    let (tasks, hold) = (small.plan(name), Hold::default());
    small.cloud.on_storage(name, hold.hook(("ingest", "", "PutObject", "/data/")));
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| small.call("ingest", &tasks[0]));
        hold.wait(&small.cloud, 1);
        small.cloud.aws.put(SCRATCH, &format!("{name}/CANCELLED"), "{}").unwrap();
        hold.let_go();
        worker.join().unwrap()
    })
}

/// Most do their work; each fifth fails or comes too late, one of a hundred is cancelled.
fn work(small: &Small, nth: usize, task: &Value) -> Invoked {
    match nth % 100 {
        50 => cancelled(small, &format!("cancelled-{nth}")),
        last if last % 10 == 7 => {
            let mut late = task.clone();
            late["execution"] = "buried".into();
            small.call("ingest", &late)
        }
        _ => small.call("ingest", task),
    }
}

/// Has the only process of a function do its tasks: how they ended, and what it held when a fifth of them
/// was done, and at the end.
fn held_by(
    small: &Small,
    function: &str,
    tasks: &[Value],
    work: impl Fn(usize, &Value) -> Invoked,
) -> BTreeMap<String, usize> {
    small.cloud.aws.retire(function).unwrap();
    let before = small.cloud.aws.counters(function).unwrap().cold_starts;
    let (mut ends, mut held): (BTreeMap<String, usize>, Vec<Held>) = Default::default();
    for (nth, task) in tasks.iter().enumerate() {
        let said = work(nth, task);
        *ends.entry(said.error_type().unwrap_or_else(|| "done".to_owned())).or_default() += 1;
        if (nth + 1) % (tasks.len() / 5) == 0 {
            held.push(Held::of(small.cloud.aws.processes(function).unwrap()[0]));
        }
    }
    eprintln!("fleet-warm: {function}: {ends:?}, after each fifth {held:?}");
    assert_eq!(small.cloud.aws.counters(function).unwrap().cold_starts, before + 1);
    let (first, last) = (&held[0], &held[4]);
    // Connections, and threads that wait for some seconds to be used again.
    assert!(last.files <= first.files + SPARE && last.threads <= first.threads + SPARE, "{held:?}");
    assert!(last.resident <= first.resident + SLACK, "{held:?}");
    ends
}

#[test]
fn hundreds_of_invocations_of_one_process() {
    let calls = if every() { 500 } else { 100 };
    let small = inventory(calls);
    for function in ["ingest", "merge"] {
        let set = ALLOCATOR.map(|(name, value)| (name.to_owned(), value.to_owned()));
        small.cloud.aws.change(function, |function| function.environment.extend(set)).unwrap();
    }
    small.sweep("buried");
    let tasks = plan(&small, "warm");
    let ends = held_by(&small, "ingest", &tasks, |nth, task| work(&small, nth, task));
    let expected = [("BadInput", 10), ("Cancelled", 1), ("ScratchGone", 10), ("done", 79)];
    let expected = expected.map(|(end, hundredths)| (end.to_owned(), calls / 100 * hundredths));
    assert_eq!(ends, BTreeMap::from(expected));

    for (key, bytes) in small.delivery.objects() {
        small.cloud.aws.put(BUCKET, &key, bytes).unwrap();
    }
    // Those that are done are done; then each merge takes two runs.
    let groups = small.next("warm", "ingest", &tasks);
    let ends = held_by(&small, "merge", &groups, |_, task| small.call("merge", task));
    assert_eq!(ends, BTreeMap::from([("done".to_owned(), calls / 2)]));
}
