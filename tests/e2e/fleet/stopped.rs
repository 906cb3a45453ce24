//! Executions are stopped, in every state in which something runs.

use std::collections::BTreeSet;

use super::cases::{side_by_side, spread};
use super::held::{Hold, Wanted};
use super::small::{LIMIT, Small};
use crate::serverless_failures::{fail, of};

/// Where an execution is stopped.
struct Stop {
    state: &'static str,
    /// What is held back then.
    at: Wanted,
    /// Whether it is let go when the first sweep has ended; else the function has to notice by itself.
    let_go: bool,
    /// A function that fails before: of a step, if it has several.
    failing: Option<(&'static str, &'static str)>,
    /// Whether the index is there already.
    built: bool,
}

fn stops() -> Vec<Stop> {
    let working: [(&str, Wanted, bool); 9] = [
        ("Plan", ("plan", "plan", "GetObject", "manifest.json"), false),
        ("Plan", ("plan", "plan", "PutObject", "plan.json"), false),
        ("Ingest", ("ingest", "", "GetObject", ".csv.gz"), false),
        ("Ingest", ("ingest", "", "PutObject", "/data/ingest/"), false),
        ("Ingest", ("ingest", "", "PutObject", "/commits/ingest/"), false),
        ("PlanMerge", ("plan", "plan_merge", "PutObject", "/work/"), false),
        ("Merge", ("merge", "", "PutObject", "/data/merge-"), false),
        ("Publish", ("publish", "", "CompleteMultipartUpload", ""), false),
        ("Publish", ("publish", "", "PutObject", "latest.json"), true),
    ];
    let stop = |(state, at, built), let_go| Stop { state, at, let_go, failing: None, built };
    let mut stops: Vec<_> = working.into_iter().flat_map(|it| [stop(it, false), stop(it, true)]).collect();
    let cleaning = |state, step, operation, failing, built| {
        let at = ("cleanup", step, operation, "");
        Stop { state, at, let_go: true, failing, built }
    };
    stops.push(cleaning("CleanUp", "finish", "DeleteObjects", None, true));
    stops.push(cleaning("Ingest", "report", "PutObject", Some(("ingest", "")), false));
    stops.push(cleaning("Merge", "report", "PutObject", Some(("merge", "")), false));
    stops.push(cleaning("CleanUpAfterFailure", "fail", "DeleteObjects", Some(("publish", "")), false));
    stops
}

fn stop(small: &Small, name: &str, stop: &Stop) {
    let (cloud, hold) = (&small.cloud, Hold::default());
    cloud.on_storage(name, hold.hook(stop.at));
    if let Some((function, step)) = stop.failing {
        cloud.aws.fault_when(function, of(name, step), fail("Bug")).unwrap();
    }
    let arn = small.begin(name);
    hold.wait(cloud, 1);
    assert_eq!(cloud.states(&arn).last().unwrap(), stop.state, "{name}");
    cloud.aws.stop_execution(&arn, "Stopped", "by a test").unwrap();
    assert_eq!(cloud.executed(&arn).status, "ABORTED", "{name}");
    let about = format!("\"execution\":\"{name}\"");
    if stop.let_go {
        cloud.aws.wait_for_log("cleanup", &["scratch removed", "\"step\":\"sweep\"", &about], LIMIT).unwrap();
        hold.let_go();
    }
    let swept = cloud.swept(name);
    assert_eq!(swept.status, "SUCCEEDED", "{name}: {}", swept.described);
    let (function, ..) = stop.at;
    // Cleanup goes on; and what was written last is written.
    if function != "cleanup" && !(stop.built && stop.let_go) {
        cloud.aws.wait_for_log(function, &["build cancelled by user", &about], LIMIT).unwrap();
    }
}

#[test]
fn a_stop_in_every_state_leaves_nothing() {
    let (small, stops) = (Small::start("fleet-stopped"), spread(stops(), 14));
    side_by_side(&stops, |nth, at| stop(&small, &format!("stop-{nth}"), at));
    small.cloud.aws.settle(LIMIT).unwrap();
    for (nth, stop) in stops.iter().enumerate() {
        let name = format!("stop-{nth}");
        if stop.built {
            small.assert_index(&name, stop.state);
            small.cloud.assert_clean(&name, &name);
        } else {
            small.assert_nothing(&name, stop.state);
        }
    }
    let states: BTreeSet<_> = stops.iter().map(|stop| stop.state).collect();
    eprintln!("fleet-stopped: {} stops, in {states:?}", stops.len());
}
