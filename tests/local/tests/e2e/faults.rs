use std::time::Duration;

use s3inv_local_aws::{Error, Fault};
use serde_json::json;

use crate::support::{Gate, LIMIT, function, now_ms, wait_for_end, with};

const KILLED: &str = "RequestId: ID Error: Runtime exited with error: signal: killed";

#[test]
fn each_fault_befalls_one_invocation() {
    let local = with(function());
    local.aws.fault("f", [Fault::Throttle, Fault::Pass, Fault::KillAtStart]).unwrap();
    assert_eq!(local.aws.invoke("f", &json!({})).unwrap_err().code(), Some("TooManyRequestsException"));
    local.process();
    assert_eq!(local.error(&json!({ "do": "hang" })).1, KILLED);
    assert_eq!(local.aws.faults_waiting("f").unwrap(), 0);
    local.process();
    assert_eq!(local.aws.counters("f").unwrap().throttles, 1);
}

#[test]
fn a_fault_can_wait_for_an_event() {
    let local = with(function());
    let fault = Fault::Fail { error_type: "Bug".to_owned(), message: "no".to_owned() };
    local.aws.fault_when("f", |event| event["task"] == 3, fault).unwrap();
    local.answer(&json!({ "task": 2 }));
    assert_eq!(local.error(&json!({ "task": 3 })), ("Bug".to_owned(), "no".to_owned()));
    local.answer(&json!({ "task": 3 }));
    assert_eq!(local.aws.counters("f").unwrap().invocations, 2);
    local.aws.fault("f", [Fault::Answer(json!({ "said": 4 }))]).unwrap();
    assert_eq!(local.answer(&json!({})), json!({ "said": 4 }));
    assert_eq!(local.aws.counters("f").unwrap().invocations, 2);
}

#[test]
fn a_process_is_killed_in_the_middle() {
    let local = with(function());
    let gate = Gate::new();
    local.aws.fault("f", [Fault::KillAfter(Duration::from_millis(100))]).unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| local.error(&gate.event()));
        let waiting = gate.arrival();
        wait_for_end(&waiting);
        assert_eq!(call.join().unwrap().1, KILLED);
    });
}

#[test]
fn a_dropped_answer_is_an_error_of_the_service() {
    let local = with(function());
    local.aws.fault("f", [Fault::DropAnswer]).unwrap();
    assert_eq!(local.aws.invoke("f", &json!({})).unwrap_err().code(), Some("ServiceException"));
    assert_eq!(local.aws.counters("f").unwrap().invocations, 1);
}

#[test]
fn it_runs_twice() {
    let local = with(function());
    local.aws.fault("f", [Fault::Twice]).unwrap();
    local.process();
    let counters = local.aws.counters("f").unwrap();
    assert_eq!((counters.invocations, counters.highest_concurrency), (2, 1));
}

#[test]
fn it_runs_twice_at_once() {
    let local = with(function());
    let gate = Gate::new();
    local.aws.fault("f", [Fault::TwiceAtOnce]).unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| local.answer(&gate.event()));
        // Both are there before one may go on.
        let waiting = [gate.arrival(), gate.arrival()];
        drop(waiting);
        call.join().unwrap();
    });
    local.aws.settle(LIMIT).unwrap();
    let counters = local.aws.counters("f").unwrap();
    assert_eq!((counters.invocations, counters.highest_concurrency), (2, 2));
}

#[test]
fn a_deadline_can_be_given() {
    let local = with(function());
    let second = Duration::from_secs(1);
    local.aws.fault("f", [Fault::Deadline(second), Fault::Timeout(Duration::from_millis(100))]).unwrap();
    let headers = local.answer(&json!({ "do": "headers" }));
    let deadline: i64 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    assert!(deadline <= now_ms() + 1000);
    assert_eq!(local.error(&json!({ "do": "hang" })).0, "Sandbox.Timedout");
}

#[test]
fn events_are_tried_three_times() {
    let local = with(function());
    let fail = json!({ "do": "fail", "error": "Retryable" });
    local.aws.fault("f", [Fault::Throttle, Fault::DropAnswer]).unwrap();
    local.aws.invoke_event("f", &fail).unwrap();
    local.aws.settle(LIMIT).unwrap();
    let dead = local.aws.dead_letters();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].target.as_str(), &dead[0].event), ("f", &fail));
    assert_eq!(dead[0].error["errorType"], "Retryable");
    // The dropped answer is a run, too.
    assert_eq!(local.aws.counters("f").unwrap().invocations, 4);
}

#[test]
fn an_event_that_succeeds_in_the_end_is_no_dead_letter() {
    let local = with(function());
    let fail = || Fault::Fail { error_type: "Bug".to_owned(), message: String::new() };
    local.aws.fault("f", [fail(), fail()]).unwrap();
    local.aws.invoke_event("f", &json!({})).unwrap();
    local.aws.settle(LIMIT).unwrap();
    assert_eq!(local.aws.dead_letters(), []);
    assert_eq!(local.aws.counters("f").unwrap().invocations, 1);
}

#[test]
fn waiting_has_a_limit() {
    let local = with(function());
    let waited = local.aws.wait_until("never", Duration::ZERO, || false);
    assert!(matches!(waited, Err(Error::TimedOut { .. })));
}
