//! Workers notice that their execution has ended.

use std::time::Duration;

use s3inv_cancel::{Clock as _, SystemClock};
use serde_json::Value;

use super::cases::{side_by_side, spread};
use super::held::{Hold, Wanted};
use super::small::{LIMIT, Small};

/// Looks are three seconds apart; the rest is for a request, and for what a busy machine adds.
const PROMPT: Duration = Duration::from_secs(5);

/// What a worker is busy with while its execution ends: a request that stands still.
const BUSY: [(&str, Wanted); 5] = [
    ("ingest", ("ingest", "", "GetObject", ".csv.gz")),
    ("ingest", ("ingest", "", "PutObject", "/data/ingest/")),
    ("merge", ("merge", "", "GetObject", "/data/ingest/")),
    ("merge", ("merge", "", "PutObject", "/data/merge-")),
    ("merge", ("merge", "", "PutObject", "/commits/merge-")),
];

/// How long a worker took that had been busy for so many looks of the hold.
fn notices(small: &Small, name: &str, (function, at): (&str, Wanted), looks: usize) -> Duration {
    let mut tasks = small.plan(name);
    if function == "merge" {
        tasks = small.next(name, "ingest", &tasks);
    }
    let hold = Hold::default();
    small.cloud.on_storage(name, hold.hook(at));
    let clock = SystemClock::new();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| (small.call(function, &tasks[0]), clock.now()));
        hold.wait(&small.cloud, looks);
        // Before its tombstone is written, so that it counts as noticed later than it was.
        let ended = clock.now();
        small.sweep(name);
        let (said, noticed) = worker.join().unwrap();
        assert_eq!(said.error_type().as_deref(), Some("Cancelled"), "{name}: {}", said.json());
        noticed.saturating_sub(ended)
    })
}

#[test]
fn a_worker_notices_within_five_seconds() {
    let small = Small::start("fleet-noticed");
    // A look is 50 ms: from the beginning of the three seconds to their end, and beyond.
    let cases = BUSY.iter().flat_map(|busy| [1, 17, 33, 49, 65].map(|looks| (*busy, looks)));
    let cases = spread(cases.collect(), 10);
    let mut took =
        side_by_side(&cases, |nth, (busy, looks)| notices(&small, &format!("notice-{nth}"), *busy, *looks));
    small.cloud.aws.settle(LIMIT).unwrap();
    for nth in 0..cases.len() {
        let name = format!("notice-{nth}");
        small.cloud.assert_clean(&name, &name);
    }
    took.sort();
    eprintln!("fleet-noticed: {} workers, after {took:?}", took.len());
    assert!(took[took.len() - 1] < PROMPT, "{took:?}");
}

/// What is called again when all is over: a redrive does it.
#[test]
fn who_comes_after_the_end_is_told_so() {
    let small = Small::start("fleet-late");
    let name = "late";
    let chunks = small.plan(name);
    let groups = small.next(name, "ingest", &chunks);
    let ranges = small.next(name, "merge", &groups);
    small.sweep(name);
    let mut events: Vec<(&str, Value)> = vec![("plan", small.plan_event(name))];
    events.extend(chunks.iter().map(|task| ("ingest", task.clone())));
    events.extend(groups.iter().chain(&ranges).map(|task| ("merge", task.clone())));
    let stage = &ranges[0]["stage"];
    let about =
        |step: &str| serde_json::json!({ "version": 1, "step": step, "execution": name, "stage": stage });
    events.push(("plan", about("plan_merge")));
    events.push(("publish", serde_json::json!({ "version": 1, "execution": name, "stage": stage })));
    for (function, event) in events {
        let said = small.call(function, &event);
        assert_eq!(said.error_type().as_deref(), Some("ScratchGone"), "{function}: {}", said.json());
    }
    small.cloud.assert_clean(name, name);
    // A whole execution on a scratch that is buried already.
    let executed = small.cloud.ended(&small.begin(name));
    assert_eq!((executed.status.as_str(), &executed.described["error"]), ("FAILED", &"ScratchGone".into()));
    small.cloud.assert_clean(name, name);
}
