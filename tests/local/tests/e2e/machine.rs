use s3inv_local_aws::{Fault, LocalAws, execution_arn, function_arn};
use serde_json::{Value, json};

use crate::support::{Gate, LIMIT, function, with_moto};

/// A Map over an array in S3, of which each item is an event of the function.
fn map() -> Value {
    let retry = json!({
        "ErrorEquals": ["Retryable", "Lambda.TooManyRequestsException", "Lambda.ServiceException", "Runtime.ExitError"],
        "IntervalSeconds": 1,
        "MaxAttempts": 3,
    });
    let task = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": "${Function}", "Payload.$": "$" },
        "ResultPath": null,
        "Retry": [retry],
        "End": true,
    });
    json!({
        "Type": "Map",
        "MaxConcurrency": 8,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": { "InputType": "JSON" },
            "Parameters": { "Bucket.$": "$.bucket", "Key.$": "$.key" },
        },
        "ItemProcessor": {
            "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "Run",
            "States": { "Run": task },
        },
        "ResultPath": null,
        "End": true,
    })
}

fn task() -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": "${Function}", "Payload.$": "$" },
        "OutputPath": "$.Payload",
        "End": true,
    })
}

/// A state machine called `m`, of one state.
fn deploy(aws: &LocalAws, state: &Value) -> String {
    let definition = json!({ "StartAt": "Only", "States": { "Only": state } }).to_string();
    aws.deploy_state_machine("m", &definition, &[("Function", &function_arn("f"))]).unwrap()
}

#[test]
fn a_distributed_map_runs_the_function() {
    let local = with_moto(|config| config.function(function()));
    let aws = &local.aws;
    let tasks: Vec<Value> = (0..40).map(|task| json!({ "task": task })).collect();
    let input = items(aws, &tasks);
    let machine = deploy(aws, &map());
    aws.fault("f", [Fault::KillAtStart, Fault::DropAnswer, Fault::Throttle]).unwrap();
    let ended = aws.execute(&machine, "e", &input, LIMIT).unwrap();
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    let counters = aws.counters("f").unwrap();
    assert_eq!((counters.invocations, counters.throttles, counters.errors), (42, 1, 1));
    assert!((2..=8).contains(&counters.highest_concurrency), "{counters:?}");
    assert!(counters.cold_starts <= 9, "{counters:?}");
    let runs = aws.map_runs(&execution_arn("m", "e")).unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["itemCounts"]["succeeded"], 40, "{}", runs[0]);
    let history = aws.history(&execution_arn("m", "e")).unwrap();
    assert!(history.iter().any(|event| event["type"] == "MapRunSucceeded"), "{history:?}");
    assert_eq!(aws.executions(&machine, Some("SUCCEEDED")).unwrap().len(), 1);
}

#[test]
fn errors_have_their_names() {
    let local = with_moto(|config| config.function(function()));
    let machine = deploy(&local.aws, &task());
    let ended = |name: &str, event: Value| local.aws.execute(&machine, name, &event, LIMIT).unwrap();
    let done = ended("done", json!({ "x": 1 }));
    let output: Value = serde_json::from_str(done["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["event"], json!({ "x": 1 }));
    let failed = ended("failed", json!({ "do": "fail", "error": "BadInput" }));
    assert_eq!((&failed["status"], &failed["error"]), (&json!("FAILED"), &json!("BadInput")));
    assert!(failed["cause"].as_str().unwrap().contains("as told"), "{failed}");
    assert_eq!(ended("exited", json!({ "do": "exit", "code": 1 }))["error"], "Runtime.ExitError");
    local.aws.fault("f", [Fault::Throttle, Fault::DropAnswer]).unwrap();
    assert_eq!(ended("throttled", json!({}))["error"], "Lambda.TooManyRequestsException");
    assert_eq!(ended("dropped", json!({}))["error"], "Lambda.ServiceException");
}

#[test]
fn a_stopped_execution_leaves_its_function_running() {
    let local = with_moto(|config| config.function(function()));
    let machine = deploy(&local.aws, &task());
    let gate = Gate::new();
    let execution = local.aws.start_execution(&machine, "e", &gate.event()).unwrap();
    let waiting = gate.arrival();
    local.aws.stop_execution(&execution, "Stopped", "by hand").unwrap();
    let ended = local.aws.wait_for_execution(&execution, LIMIT).unwrap();
    assert_eq!(ended["status"], "ABORTED");
    assert_eq!(local.aws.counters("f").unwrap().running, 1);
    drop(waiting);
    local.aws.settle(LIMIT).unwrap();
    assert_eq!(local.aws.counters("f").unwrap().errors, 0);
}

#[test]
fn a_name_is_taken_once() {
    let local = with_moto(|config| config.function(function()));
    let machine = deploy(&local.aws, &task());
    let gate = Gate::new();
    let first = local.aws.start_execution(&machine, "e", &gate.event()).unwrap();
    let waiting = gate.arrival();
    assert_eq!(local.aws.start_execution(&machine, "e", &gate.event()).unwrap(), first);
    let other = local.aws.start_execution(&machine, "e", &json!({}));
    assert_eq!(other.unwrap_err().code(), Some("ExecutionAlreadyExists"));
    drop(waiting);
    local.aws.wait_for_execution(&first, LIMIT).unwrap();
    let again = local.aws.start_execution(&machine, "e", &gate.event());
    assert_eq!(again.unwrap_err().code(), Some("ExecutionAlreadyExists"));
}

#[test]
fn a_state_machine_can_be_deployed_again() {
    let local = with_moto(|config| config.function(function()));
    let machine = deploy(&local.aws, &task());
    let pass = json!({ "Type": "Pass", "Result": 5, "End": true });
    assert_eq!(deploy(&local.aws, &pass), machine);
    assert_eq!(local.aws.execute(&machine, "e", &json!({}), LIMIT).unwrap()["output"], "5");
    let broken = local.aws.deploy_state_machine("n", "{}", &[]);
    let refused = broken.unwrap_err().to_string();
    assert!(
        refused.contains("CreateStateMachine: 400") && refused.contains("ASLParserException"),
        "{refused}"
    );
}

/// Puts items where the Map reads them: the input of its execution.
fn items(aws: &LocalAws, events: &[Value]) -> Value {
    aws.create_bucket("bucket").unwrap();
    aws.put("bucket", "items.json", Value::from(events).to_string()).unwrap();
    json!({ "bucket": "bucket", "key": "items.json" })
}

#[test]
fn a_map_fails_with_its_first_item() {
    let local = with_moto(|config| config.function(function()));
    let aws = &local.aws;
    let mut state = map();
    state["MaxConcurrency"] = 1.into();
    let machine = deploy(aws, &state);
    let input = items(aws, &[json!({}), json!({ "do": "fail", "error": "BadInput" }), json!({})]);
    let ended = aws.execute(&machine, "e", &input, LIMIT).unwrap();
    assert_eq!(
        (&ended["status"], &ended["error"]),
        (&json!("FAILED"), &json!("States.ExceedToleratedFailureThreshold"))
    );
    assert_eq!(aws.counters("f").unwrap().invocations, 2);
    assert_eq!(aws.map_runs(&execution_arn("m", "e")).unwrap()[0]["status"], "FAILED");
}

#[test]
fn a_map_that_tolerates_goes_on() {
    let local = with_moto(|config| config.function(function()));
    let aws = &local.aws;
    let mut state = map();
    state["ToleratedFailurePercentage"] = json!(100.0);
    let machine = deploy(aws, &state);
    let input = items(aws, &[json!({ "do": "fail", "error": "BadInput" }), json!({})]);
    assert_eq!(aws.execute(&machine, "e", &input, LIMIT).unwrap()["status"], "SUCCEEDED");
    assert_eq!(aws.counters("f").unwrap().invocations, 2);
}

#[test]
fn a_stopped_map_starts_no_more() {
    let local = with_moto(|config| config.function(function()));
    let aws = &local.aws;
    let machine = deploy(aws, &map());
    let gate = Gate::new();
    let input = items(aws, &vec![gate.event(); 40]);
    let execution = aws.start_execution(&machine, "e", &input).unwrap();
    let waiting: Vec<_> = (0..8).map(|_| gate.arrival()).collect();
    aws.stop_execution(&execution, "Stopped", "by hand").unwrap();
    let ended = aws.describe_execution(&execution).unwrap();
    assert_eq!((&ended["status"], &ended["error"]), (&json!("ABORTED"), &json!("Stopped")));
    drop(waiting);
    aws.settle(LIMIT).unwrap();
    assert_eq!(aws.counters("f").unwrap().invocations, 8);
    assert_eq!(aws.describe_execution(&execution).unwrap()["status"], "ABORTED");
}
