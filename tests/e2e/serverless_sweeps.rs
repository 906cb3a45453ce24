//! Sweeps after executions, and calls that are continued from checkpoints.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use s3inv_tests::{Cloud, Delivery, Executed, Fault, INDEXES, Row, SCRATCH, cloud};
use serde_json::{Value, json};

use crate::serverless::assert_built;
use crate::serverless_failures::{fail, of};

const LIMIT: Duration = Duration::from_mins(3);

fn delivered(cloud: &Cloud, name: &str) -> Delivery {
    cloud.aws.create_bucket(name).unwrap();
    let rows: Vec<_> = (0..500).map(|nth| Row::new(format!("d{}/k{nth}", nth % 31), nth)).collect();
    cloud.deliver(name, Delivery::csv(&rows, 4))
}

/// Starts an execution, and stops it when it is planned.
fn stop(cloud: &Cloud, name: &str) -> Executed {
    let delivery = delivered(cloud, name);
    let input = cloud.input(name, &delivery, name, &json!({}));
    let arn = cloud.aws.start_execution(&cloud.machine, name, &input).unwrap();
    let about = format!("\"execution\":\"{name}\"");
    cloud.aws.wait_for_log("plan", &["planned", &about], LIMIT).unwrap();
    cloud.aws.stop_execution(&arn, "Stopped", "by a test").unwrap();
    let executed = cloud.executed(&arn);
    assert_eq!(executed.status, "ABORTED");
    executed
}

/// What a function leaves that is killed between a write and its look.
fn leave(cloud: &Cloud, name: &str) {
    cloud.aws.put(SCRATCH, &format!("{name}/data/ingest/000000/x-0"), "x").unwrap();
}

fn sweep(cloud: &Cloud, of: &str, nth: u32) -> Executed {
    let input = json!({ "execution": of, "again_after_seconds": 0 });
    let arn = cloud.aws.start_execution(&cloud.sweeps, &format!("{of}-sweep-{nth}"), &input).unwrap();
    cloud.executed(&arn)
}

/// The first sweep after an execution passes; the second waits its turn until something is left for it.
fn hold_the_second_sweep(cloud: &Cloud, name: &str) -> Arc<AtomicBool> {
    let left = Arc::new(AtomicBool::new(false));
    cloud.aws.fault_when("cleanup", of(name, "sweep"), Fault::Pass).unwrap();
    for _ in 0..6 {
        let (left, second) = (Arc::clone(&left), of(name, "sweep"));
        let too_early = move |payload: &Value| second(payload) && !left.load(Ordering::SeqCst);
        cloud.aws.fault_when("cleanup", too_early, Fault::Throttle).unwrap();
    }
    left
}

/// Leaves something between the two sweeps after an execution.
fn leave_between_sweeps(cloud: &Cloud, name: &str, left: &AtomicBool) -> Executed {
    let about = format!("\"execution\":\"{name}\"");
    cloud.aws.wait_for_log("cleanup", &["scratch removed", "\"step\":\"sweep\"", &about], LIMIT).unwrap();
    leave(cloud, name);
    left.store(true, Ordering::SeqCst);
    let swept = cloud.swept(name);
    assert_eq!(swept.status, "SUCCEEDED", "{}", swept.described);
    assert_eq!(cloud.states(&swept.arn), ["Sweep", "IsSwept", "Wait", "SweepAgain", "IsSweptAgain", "Done"]);
    // A function that was working when the execution ended works on for a moment here.
    cloud.aws.settle(LIMIT).unwrap();
    cloud.assert_clean(name, name);
    swept
}

#[test]
fn what_is_written_after_a_sweep_is_swept_again() {
    let cloud = cloud();
    let name = "sweep-twice";
    let left = hold_the_second_sweep(cloud, name);
    stop(cloud, name);
    let swept = leave_between_sweeps(cloud, name, &left);
    assert_eq!(cloud.aws.keys(INDEXES, &format!("{name}/")).unwrap(), Vec::<String>::new());
    assert_eq!(cloud.sweeps_of(name), [swept.arn], "one end, one sweep");
}

#[test]
fn what_is_written_after_a_success_is_swept_too() {
    let cloud = cloud();
    let name = "sweep-after-success";
    let delivery = delivered(cloud, name);
    let left = hold_the_second_sweep(cloud, name);
    let executed = cloud.execute(name, &cloud.input(name, &delivery, name, &json!({})));
    assert_built(cloud, &executed, &delivery, name);
    leave_between_sweeps(cloud, name, &left);
}

#[test]
fn a_sweep_of_what_never_began_is_fine_and_so_is_another() {
    let cloud = cloud();
    for nth in 1..=2 {
        let swept = sweep(cloud, "sweep-never-began", nth);
        assert_eq!(swept.status, "SUCCEEDED", "{}", swept.described);
        cloud.assert_clean("sweep-never-began", "sweep-never-began");
    }
    let wrong = sweep(cloud, "sweep.elsewhere", 1);
    assert_eq!((wrong.status.as_str(), &wrong.described["error"]), ("FAILED", &json!("BadInput")));
}

#[test]
fn a_sweep_that_fails_says_why_and_sets_off_none() {
    let cloud = cloud();
    let name = "sweep-fails";
    for _ in 0..2 {
        cloud.aws.fault_when("cleanup", of(name, "sweep"), fail("BadInput")).unwrap();
    }
    stop(cloud, name);
    let failed = cloud.swept(name);
    assert_eq!((failed.status.as_str(), &failed.described["error"]), ("FAILED", &json!("BadInput")));
    // The one that failed first kept the other from nothing.
    assert_eq!(cloud.states(&failed.arn), ["Sweep", "Wait", "SweepAgain"]);
    // The events about both ends have been handed over.
    cloud.aws.settle(LIMIT).unwrap();
    assert_eq!(cloud.sweeps_of(name), [failed.arn]);
    assert_eq!(cloud.sweeps_of(&failed.name), Vec::<String>::new());
    let swept = sweep(cloud, name, 2);
    assert_eq!(swept.status, "SUCCEEDED", "{}", swept.described);
    cloud.assert_clean(name, name);
}

/// What a function answers that has saved its work.
fn checkpoint(nth: u32) -> Fault {
    Fault::Answer(json!({ "checkpoint": nth }))
}

#[test]
fn a_checkpoint_of_any_function_is_continued() {
    let cloud = cloud();
    let name = "checkpoints";
    let delivery = delivered(cloud, name);
    for (function, step) in [("publish", ""), ("cleanup", "finish"), ("cleanup", "sweep")] {
        for nth in 1..=2 {
            cloud.aws.fault_when(function, of(name, step), checkpoint(nth)).unwrap();
        }
    }
    let executed = cloud.execute(name, &cloud.input(name, &delivery, name, &json!({})));
    assert_built(cloud, &executed, &delivery, name);
    let entered = cloud.states(&executed.arn);
    let times = |state: &str| entered.iter().filter(|entered| *entered == state).count();
    assert_eq!((times("Publish"), times("IsPublished")), (3, 3), "{entered:?}");
    assert_eq!((times("CleanUp"), times("IsCleanedUp")), (3, 3), "{entered:?}");
    let swept = cloud.swept(name);
    assert_eq!(cloud.states(&swept.arn).len(), 6 + 2 * 2);
    assert_eq!(swept.status, "SUCCEEDED", "{}", swept.described);
}

#[test]
fn a_failure_is_told_after_checkpoints_of_its_cleanup() {
    let cloud = cloud();
    let name = "checkpoints-failed";
    let delivery = delivered(cloud, name);
    cloud.aws.fault_when("publish", of(name, ""), fail("Bug")).unwrap();
    for nth in 1..=2 {
        cloud.aws.fault_when("cleanup", of(name, "fail"), checkpoint(nth)).unwrap();
    }
    let executed = cloud.execute(name, &cloud.input(name, &delivery, name, &json!({})));
    let said = (&executed.described["error"], &executed.described["cause"]);
    assert_eq!(said, (&json!("Bug"), &json!("Bug on purpose")));
    let entered = cloud.states(&executed.arn);
    assert_eq!(entered.iter().filter(|state| *state == "CleanUpAfterFailure").count(), 3, "{entered:?}");
    cloud.assert_clean(name, name);
}

#[test]
fn an_answer_that_is_none_fails_the_execution_and_is_swept_after() {
    let cloud = cloud();
    let name = "no-answer";
    let delivery = delivered(cloud, name);
    cloud.aws.fault_when("publish", of(name, ""), Fault::Answer(Value::Null)).unwrap();
    let executed = cloud.execute(name, &cloud.input(name, &delivery, name, &json!({})));
    assert_eq!(executed.status, "FAILED", "{}", executed.described);
    assert_eq!(cloud.states(&executed.arn).last().unwrap(), "IsPublished");
    assert_eq!(cloud.swept(name).status, "SUCCEEDED");
    cloud.assert_clean(name, name);
}

#[test]
fn an_error_is_told_though_its_cleanup_fails() {
    let cloud = cloud();
    let name = "fails-twice";
    for (function, step, error_type) in [("plan", "plan", "Bug"), ("cleanup", "fail", "BadInput")] {
        cloud.aws.fault_when(function, of(name, step), fail(error_type)).unwrap();
    }
    let executed =
        cloud.execute(name, &json!({ "manifest": "s3://x/y/b/c/2025-05-13T01-00Z/manifest.json" }));
    assert_eq!(executed.described["error"], "Bug", "{}", executed.described);
    assert_eq!(cloud.states(&executed.arn), ["Plan", "CleanUpAfterFailure", "FailedAndNotCleanedUp"]);
    assert_eq!(cloud.swept(name).status, "SUCCEEDED");
}
