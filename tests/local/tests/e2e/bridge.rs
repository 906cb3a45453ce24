use s3inv_local_aws::{Rule, Shape, state_machine_arn};
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
        config.function(function()).rule(Rule::executions("ends", "f", &state_machine_arn("m"), &statuses))
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
