use std::fs;
use std::time::Duration;

use s3inv_local_aws::Error;
use serde_json::{Value, json};

use crate::support::{Gate, LIMIT, bootstrap, function, now_ms, with};

#[test]
fn a_warm_process_is_used_again() {
    let local = with(function());
    let first = local.process();
    assert_eq!(local.process(), first);
    local.aws.retire("f").unwrap();
    assert_ne!(local.process(), first);
    let counters = local.aws.counters("f").unwrap();
    assert_eq!((counters.invocations, counters.cold_starts, counters.running), (3, 2, 0));
    assert!(counters.slowest_start > Duration::ZERO && counters.peak_memory > 0);
}

#[test]
fn the_process_used_last_is_used_first() {
    let local = with(function());
    let gate = Gate::new();
    let last = std::thread::scope(|scope| {
        let calls = [0; 2].map(|_| scope.spawn(|| local.answer(&gate.event())));
        let waiting = [gate.arrival(), gate.arrival()];
        let [first, second] = waiting;
        drop(first);
        local.aws.wait_until("one ends", LIMIT, || local.aws.counters("f").unwrap().running == 1).unwrap();
        drop(second);
        local.aws.settle(LIMIT).unwrap();
        let processes = calls.map(|call| call.join().unwrap());
        assert_ne!(processes[0], processes[1]);
        processes
    });
    let next = local.process();
    assert!(last.contains(&next.into()));
    assert_eq!(local.process(), next);
    assert_eq!(local.aws.counters("f").unwrap().highest_concurrency, 2);
}

#[test]
fn too_many_are_refused() {
    let local = with(function().concurrency(1));
    let gate = Gate::new();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| local.answer(&gate.event()));
        let waiting = gate.arrival();
        let refused = local.aws.invoke("f", &json!({})).unwrap_err();
        assert_eq!(refused.code(), Some("TooManyRequestsException"));
        drop(waiting);
        call.join().unwrap();
    });
    local.process();
    let counters = local.aws.counters("f").unwrap();
    assert_eq!((counters.throttles, counters.invocations, counters.highest_concurrency), (1, 2, 1));
}

#[test]
fn a_timeout_kills() {
    let local = with(function().timeout(Duration::from_millis(250)));
    let (kind, message) = local.error(&json!({ "do": "hang" }));
    assert_eq!(kind, "Sandbox.Timedout");
    assert_eq!(message, "RequestId: ID Error: Task timed out after 0.25 seconds");
    local.process();
    let counters = local.aws.counters("f").unwrap();
    assert_eq!((counters.timeouts, counters.cold_starts, counters.errors), (1, 2, 1));
}

#[test]
fn an_exit_is_told() {
    let local = with(function());
    let exit = |code: i32| local.error(&json!({ "do": "exit", "code": code }));
    let error =
        |what: &str| ("Runtime.ExitError".to_owned(), format!("RequestId: ID Error: Runtime exited {what}"));
    assert_eq!(exit(1), error("with error: exit status 1"));
    assert_eq!(exit(0), error("without providing a reason"));
}

#[test]
fn memory_above_the_limit_kills() {
    let local = with(function().memory_mb(128));
    assert_eq!(local.answer(&json!({ "do": "allocate", "mb": 64 })), 64 << 20);
    let (kind, message) = local.error(&json!({ "do": "allocate", "mb": 256 }));
    assert_eq!(kind, "Runtime.ExitError");
    assert_eq!(message, "RequestId: ID Error: Runtime exited with error: signal: killed");
    let counters = local.aws.counters("f").unwrap();
    assert_eq!(counters.memory_kills, 1);
    assert!(counters.peak_memory > 128 << 20);
}

#[test]
fn errors_of_the_function_are_passed_on() {
    let local = with(function());
    let (kind, message) = local.error(&json!({ "do": "fail", "error": "Retryable" }));
    assert_eq!((kind.as_str(), message.as_str()), ("Retryable", "as told"));
    let (kind, _) = local.error(&json!({ "do": "large" }));
    assert_eq!(kind, "Function.ResponseSizeTooLarge");
    assert_eq!(local.aws.counters("f").unwrap().cold_starts, 1);
}

#[test]
fn an_error_at_the_start_is_passed_on() {
    let local = with(function().env("FAIL_AT_START", "1"));
    assert_eq!(local.error(&json!({})), ("BadConfig".to_owned(), "no start".to_owned()));
}

#[test]
fn the_environment_is_lambdas() {
    let local = with(function().memory_mb(256).env("MINE", "x"));
    let environment = local.answer(&json!({ "do": "environment" }));
    let expected = [
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_REGION", "us-east-1"),
        ("_HANDLER", "bootstrap"),
        ("MINE", "x"),
    ];
    for (name, value) in expected {
        assert_eq!(environment[name], value, "{name}");
    }
    assert_ne!(environment["AWS_ENDPOINT_URL"], local.aws.endpoint());
    assert_eq!(environment["LAMBDA_TASK_ROOT"], bootstrap().parent().unwrap().to_str().unwrap());
    let known = |name: &str| {
        let start = ["AWS_", "_", "LAMBDA_"].iter().any(|start| name.starts_with(start));
        start || ["PATH", "TZ", "LANG", "MINE"].contains(&name)
    };
    let unknown: Vec<_> = environment.as_object().unwrap().keys().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn a_function_knows_its_deadline() {
    let local = with(function().timeout(Duration::from_mins(2)));
    let before = now_ms();
    let headers = local.answer(&json!({ "do": "headers" }));
    let deadline: i64 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    let after = now_ms();
    assert!((before + 120_000..=after + 120_000).contains(&deadline), "{deadline}");
    let arn = &headers["lambda-runtime-invoked-function-arn"];
    assert_eq!(arn, "arn:aws:lambda:us-east-1:123456789012:function:f");
    assert!(headers["lambda-runtime-trace-id"].is_string());
}

#[test]
fn what_it_prints_is_logged_with_its_invocation() {
    let local = with(function());
    let invoked = local.aws.invoke("f", &json!({ "mark": 17 })).unwrap();
    let line = local.aws.wait_for_log("f", &["does", "17"], LIMIT).unwrap();
    assert!(line.starts_with(&invoked.request_id), "{line}");
    assert!(fs::read_to_string(local.logs.path().join("f.log")).unwrap().contains(&line));
}

#[test]
fn a_function_can_change() {
    let local = with(function());
    let first = local.answer(&json!({ "do": "environment" }));
    assert_eq!(first["NEW"], Value::Null);
    let set = |function: &mut s3inv_local_aws::Function| {
        function.environment.insert("NEW".to_owned(), "1".to_owned());
    };
    local.aws.change("f", set).unwrap();
    assert_eq!(local.answer(&json!({ "do": "environment" }))["NEW"], "1");
}

#[test]
fn an_unknown_function_is_an_error() {
    let local = with(function());
    assert!(matches!(local.aws.invoke("g", &json!({})), Err(Error::NoFunction(name)) if name == "g"));
}

#[test]
fn a_binary_that_is_not_there_is_the_services_error() {
    let local = with(s3inv_local_aws::Function::new("f", "/nowhere/bootstrap"));
    let error = local.aws.invoke("f", &json!({})).unwrap_err();
    assert_eq!(error.code(), Some("ServiceException"));
    assert!(local.aws.log("f").unwrap().contains("/nowhere/bootstrap"));
}
