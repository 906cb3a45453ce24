use s3inv_local_aws::{InputTransformer, Rule, Shape, Target, state_machine_arn};
use serde_json::{Value, json};

use crate::support::{LIMIT, Started, function, with_moto};

/// The events that the function printed, in their order.
fn events(local: &Started) -> Vec<Value> {
    let log = local.aws.log("f").unwrap();
    let event = |line: &str| serde_json::from_str(line.split_once(" does ")?.1).ok();
    log.lines().filter_map(event).collect()
}

fn wait_for_events(local: &Started, count: usize) -> Vec<Value> {
    local.aws.wait_until("events", LIMIT, || events(local).len() >= count).unwrap();
    local.aws.settle(LIMIT).unwrap();
    let events = events(local);
    assert_eq!(events.len(), count, "{events:?}");
    events
}

#[test]
fn objects_are_told_to_functions() {
    let local = with_moto(|config| {
        let rule = |name: &str, shape| Rule::objects(name, "f", shape, "bucket", "/manifest.checksum");
        let config = config.function(function()).rule(rule("events", Shape::EventBridge));
        config.rule(rule("notifications", Shape::Notification))
    });
    let aws = &local.aws;
    aws.create_bucket("bucket").unwrap();
    aws.put("bucket", "a b/manifest.json", "12345").unwrap();
    aws.put("bucket", "a b/manifest.checksum", "12345").unwrap();
    let told = wait_for_events(&local, 2);
    let event = told.iter().find(|event| event["detail-type"] == "Object Created").unwrap();
    let object = &event["detail"]["object"];
    assert_eq!((&object["key"], &object["size"]), (&json!("a b/manifest.checksum"), &json!(5)));
    assert_eq!(event["detail"]["bucket"]["name"], "bucket");
    assert_eq!(object["etag"], "827ccb0eea8a706c4c34a16891f84e7b");
    let notified = told.iter().find(|event| event["Records"].is_array()).unwrap();
    assert_eq!(notified["Records"][0]["s3"]["object"]["key"], "a+b/manifest.checksum");
    assert_eq!(notified["Records"][0]["eventName"], "ObjectCreated:Put");
    assert!(aws.switch_rule("events", false) && aws.switch_rule("notifications", false));
    aws.put("bucket", "x/manifest.checksum", "").unwrap();
    aws.settle(LIMIT).unwrap();
    assert_eq!(events(&local).len(), 2);
    assert!(!aws.switch_rule("unknown", true));
}

#[test]
fn ends_of_executions_are_told_to_functions() {
    let machine = state_machine_arn("m");
    let statuses = ["ABORTED", "FAILED", "TIMED_OUT"];
    let local = with_moto(|config| {
        let target = Target::function("f");
        config.function(function()).rule(Rule::executions("ends", target, &state_machine_arn("m"), &statuses))
    });
    let aws = &local.aws;
    let choice = |value: &str, next: &str| json!({ "Variable": "$.do", "StringEquals": value, "Next": next });
    let definition = json!({
        "StartAt": "Choose",
        "TimeoutSeconds": 2,
        "States": {
            "Choose": { "Type": "Choice", "Choices": [choice("fail", "Fail"), choice("wait", "Wait")], "Default": "Done" },
            "Fail": { "Type": "Fail", "Error": "BadInput", "Cause": "as told" },
            "Wait": { "Type": "Wait", "Seconds": 60, "Next": "Done" },
            "Done": { "Type": "Succeed" },
        },
    });
    aws.deploy_state_machine("m", &definition.to_string(), &[]).unwrap();
    let start = |name: &str, what: &str| aws.start_execution(&machine, name, &json!({ "do": what })).unwrap();
    start("succeeds", "nothing");
    start("times-out", "wait");
    start("fails", "fail");
    let aborted = start("is-aborted", "wait");
    aws.stop_execution(&aborted, "Stopped", "by hand").unwrap();
    let told = wait_for_events(&local, 3);
    let of =
        |name: &str| told.iter().map(|event| &event["detail"]).find(|detail| detail["name"] == name).unwrap();
    assert_eq!(of("is-aborted")["status"], "ABORTED");
    assert_eq!(of("times-out")["status"], "TIMED_OUT");
    let failed = of("fails");
    assert_eq!((&failed["status"], &failed["error"]), (&json!("FAILED"), &json!("BadInput")));
    assert_eq!(failed["cause"], "as told");
    assert_eq!(failed["input"], r#"{"do":"fail"}"#);
    assert_eq!(failed["stateMachineArn"], machine);
    assert!(failed["startDate"].as_u64().unwrap() <= failed["stopDate"].as_u64().unwrap());
    assert!(told.iter().all(|event| event["resources"][0] == event["detail"]["executionArn"]));
}

/// What an execution of `after` is started with, of an event about an execution's end.
fn after(machine: &str) -> Target {
    let paths = [("name", "$.detail.name"), ("status", "$.detail.status")];
    Target::StateMachine {
        arn: state_machine_arn(machine),
        transformer: InputTransformer {
            paths: paths.map(|(name, path)| (name.to_owned(), path.to_owned())).into(),
            template: r#"{"name": <name>, "status": <status>, "seconds": 1}"#.to_owned(),
        },
    }
}

#[test]
fn ends_of_executions_start_other_executions() {
    let ended = state_machine_arn("ended");
    let rule = |name: &str, machine: &str| Rule::executions(name, after(machine), &ended, &["FAILED"]);
    let local = with_moto(|config| config.rule(rule("after", "after")).rule(rule("lost", "unknown")));
    let aws = &local.aws;
    let waits = json!({ "StartAt": "Wait", "States": {
        "Wait": { "Type": "Wait", "SecondsPath": "$.seconds", "End": true },
    } });
    let after = aws.deploy_state_machine("after", &waits.to_string(), &[]).unwrap();
    let fails = json!({ "StartAt": "Fail", "States": { "Fail": { "Type": "Fail", "Error": "E" } } });
    aws.deploy_state_machine("ended", &fails.to_string(), &[]).unwrap();
    aws.start_execution(&ended, "e", &json!({})).unwrap();
    let started = || aws.executions(&after, None).unwrap();
    aws.wait_until("an execution is started", LIMIT, || !started().is_empty()).unwrap();
    let execution = aws.wait_for_execution(started()[0]["executionArn"].as_str().unwrap(), LIMIT).unwrap();
    let input: Value = serde_json::from_str(execution["input"].as_str().unwrap()).unwrap();
    assert_eq!(input, json!({ "name": "e", "status": "FAILED", "seconds": 1 }));
    assert_eq!(execution["status"], "SUCCEEDED");
    let seconds = |name: &str| execution[name].as_f64().unwrap();
    assert!(seconds("stopDate") - seconds("startDate") >= 1.0, "{execution}");
    // Of one whose state machine isn't there, the event is kept.
    aws.settle(LIMIT).unwrap();
    let dead = aws.dead_letters();
    assert_eq!((dead.len(), dead[0].target.as_str()), (1, state_machine_arn("unknown").as_str()));
    assert_eq!(dead[0].event["detail"]["name"], "e");
    assert!(dead[0].error.as_str().unwrap().contains("StateMachineDoesNotExist"), "{}", dead[0].error);
    assert_eq!(started().len(), 1);
}
