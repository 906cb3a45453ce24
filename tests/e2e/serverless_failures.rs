//! Functions that fail, are killed, throttled or run twice, and executions that are stopped.

use std::time::Duration;

use s3inv_tests::{
    Cloud, Delivery, Executed, Fault, INDEXES, Row, SCRATCH, StorageFault, alone, cloud, folder,
};
use serde_json::{Value, json};

use crate::serverless::assert_built;

fn rows() -> Vec<Row> {
    (0..2000).map(|nth| Row::new(format!("d{}/e{}/k{nth}", nth % 31, nth % 17), nth)).collect()
}

/// A delivery in a bucket of this name.
fn delivered(cloud: &Cloud, name: &str) -> Delivery {
    cloud.aws.create_bucket(name).unwrap();
    cloud.deliver(name, Delivery::csv(&rows(), 40))
}

fn options() -> Value {
    json!({ "chunk_bytes": 3000, "fan_in": 4, "concurrency": 4 })
}

/// Whether a payload is of an execution, and in a step.
pub(crate) fn of(execution: &str, step: &str) -> impl Fn(&Value) -> bool + Send + 'static + use<> {
    let (execution, step) = (execution.to_owned(), step.to_owned());
    move |payload| {
        payload["execution"] == execution.as_str() && (step.is_empty() || payload["step"] == step.as_str())
    }
}

pub(crate) fn fail(error_type: &str) -> Fault {
    Fault::Fail { error_type: error_type.to_owned(), message: format!("{error_type} on purpose") }
}

fn assert_failed(cloud: &Cloud, executed: &Executed, error: &str, cause: &str) {
    assert_eq!(executed.status, "FAILED", "{}", executed.described);
    assert_eq!((&executed.described["error"], &executed.described["cause"]), (&json!(error), &json!(cause)));
    cloud.assert_clean(&executed.name, &executed.name);
    assert_eq!(cloud.aws.keys(INDEXES, &format!("{}/", executed.name)).unwrap(), Vec::<String>::new());
}

#[test]
fn a_failing_function_in_each_step_leaves_nothing() {
    let cloud = cloud();
    let delivery = delivered(cloud, "failing");
    for (function, step) in [
        ("plan", "plan"),
        ("ingest", ""),
        ("plan", "plan_merge"),
        ("merge", ""),
        ("publish", ""),
        ("cleanup", "finish"),
    ] {
        let name = format!("failing-{function}-{step}");
        cloud.aws.fault_when(function, of(&name, step), fail("BadInput")).unwrap();
        let executed = cloud.execute(&name, &cloud.input("failing", &delivery, &name, &options()));
        if step == "finish" {
            // The index was published before: it stays, and is whole.
            assert_eq!(executed.status, "FAILED");
            cloud.assert_clean(&name, &name);
            continue;
        }
        assert_failed(cloud, &executed, "BadInput", "BadInput on purpose");
    }
}

#[test]
fn what_passes_is_tried_again() {
    let cloud = cloud();
    let delivery = delivered(cloud, "passing");
    let name = "passing";
    for (function, step, fault) in [
        ("plan", "plan", fail("Retryable")),
        ("ingest", "", fail("Retryable")),
        ("ingest", "", Fault::Throttle),
        ("ingest", "", Fault::KillAtStart),
        ("ingest", "", Fault::DropAnswer),
        ("ingest", "", Fault::Twice),
        ("ingest", "", Fault::TwiceAtOnce),
        ("plan", "plan_merge", Fault::DropAnswer),
        ("merge", "", Fault::KillAtStart),
        ("merge", "", Fault::TwiceAtOnce),
        ("merge", "", Fault::DropAnswer),
        ("publish", "", Fault::DropAnswer),
        ("cleanup", "finish", Fault::DropAnswer),
    ] {
        cloud.aws.fault_when(function, of(name, step), fault).unwrap();
    }
    let executed = cloud.execute(name, &cloud.input("passing", &delivery, name, &options()));
    assert_built(cloud, &executed, &delivery, name);
}

#[test]
fn a_missing_data_file_is_named_by_the_execution() {
    let cloud = cloud();
    let delivery = delivered(cloud, "missing-data");
    let key = delivery.files[17].key.clone();
    cloud.aws.delete("missing-data", &key).unwrap();
    let name = "missing-data";
    let executed = cloud.execute(name, &cloud.input("missing-data", &delivery, name, &options()));
    let cause = format!("ingest phase: process chunk: s3://missing-data/{key}: not found");
    assert_failed(cloud, &executed, "BadInput", &cause);
}

#[test]
fn an_input_that_is_wrong_is_named_by_the_execution() {
    let cloud = cloud();
    for (name, input, cause) in [
        ("wrong-1", json!({"manifest": "s3://reports/x.json"}), "not where S3 delivers a manifest"),
        (
            "wrong-2",
            json!({"manifest": "s3://reports/a/my-bucket/daily/2025-05-13T01-00Z/manifest.json", "output": "s3://reports/a/"}),
            "lies among the files of the inventory",
        ),
        (
            "wrong-3",
            json!({"manifest": "s3://s3inv-nobody/a/my-bucket/daily/2025-05-13T01-00Z/manifest.json"}),
            "the bucket does not exist",
        ),
        ("wrong-4", json!({"manifests": 1}), "payload: unknown field `manifests`"),
        (
            "wrong-5",
            json!({"manifest": "s3://reports/a/my-bucket/daily/2025-05-13T01-00Z/manifest.json", "options": {"measures": "weight"}}),
            "options.measures: \"weight\" is none of",
        ),
    ] {
        let executed = cloud.execute(name, &input);
        assert_eq!(
            (executed.status.as_str(), &executed.described["error"]),
            ("FAILED", &json!("BadInput")),
            "{}",
            executed.described
        );
        assert!(executed.described["cause"].as_str().unwrap().contains(cause), "{}", executed.described);
    }
}

#[test]
fn a_stopped_execution_leaves_nothing() {
    let cloud = cloud();
    let delivery = delivered(cloud, "stopped");
    for (function, said) in
        [("plan", "planned"), ("ingest", "chunk read"), ("plan", "merge planned"), ("merge", "range merged")]
    {
        let name = format!("stopped-{function}-{}", said.replace(' ', "-"));
        let input = cloud.input("stopped", &delivery, &name, &options());
        let arn = cloud.aws.start_execution(&cloud.machine, &name, &input).unwrap();
        let about = format!("\"execution\":\"{name}\"");
        cloud.aws.wait_for_log(function, &[said, &about], Duration::from_mins(2)).unwrap();
        cloud.aws.stop_execution(&arn, "Stopped", "by a test").unwrap();
        let executed = cloud.ended(&arn);
        assert_eq!(executed.status, "ABORTED");
        assert_eq!(cloud.swept(&name).status, "SUCCEEDED");
        cloud.aws.settle(Duration::from_mins(3)).unwrap();
        cloud.assert_clean(&name, &name);
        assert_eq!(cloud.aws.keys(INDEXES, &format!("{name}/")).unwrap(), Vec::<String>::new(), "{name}");
    }
    let executed =
        cloud.execute("stopped-not", &cloud.input("stopped", &delivery, "stopped-not", &options()));
    assert_built(cloud, &executed, &delivery, "stopped-not");
}

#[test]
fn what_a_lost_event_leaves_is_swept_by_the_schedule() {
    let cloud = cloud();
    let delivery = delivered(cloud, "janitor");
    let schedule: Value = serde_json::from_str(include_str!("../../events/cleanup-schedule.json")).unwrap();
    let failed = cloud.execute("janitor-failed", &json!({ "manifest": "s3://nothing/manifest.json" }));
    assert_eq!(failed.status, "FAILED");
    // The event about its end has been answered, too: none is lost any more.
    assert_eq!(cloud.swept("janitor-failed").status, "SUCCEEDED");
    // Of one that has ended, of one that nobody knows, and of one that runs.
    let late = |name: &str| format!("{name}/data/ingest/000000/x-0");
    for name in ["janitor-failed", "janitor-unknown"] {
        cloud.aws.put(SCRATCH, &late(name), "x").unwrap();
    }
    let name = "janitor-running";
    let arn = cloud
        .aws
        .start_execution(&cloud.machine, name, &cloud.input("janitor", &delivery, name, &options()))
        .unwrap();
    let about = format!("\"execution\":\"{name}\"");
    cloud.aws.wait_for_log("plan", &["planned", &about], Duration::from_mins(2)).unwrap();
    let invoked = cloud.aws.invoke("cleanup", &schedule).unwrap();
    assert!(!invoked.is_error, "{:?}", invoked.json());
    let ended = invoked.json()["ended"].to_string();
    assert!(ended.contains("janitor-failed") && !ended.contains(name), "{ended}");
    cloud.assert_clean("janitor-failed", "janitor-failed");
    assert_eq!(cloud.scratch("janitor-unknown"), [late("janitor-unknown")]);
    let executed = cloud.ended(&arn);
    assert_built(cloud, &executed, &delivery, name);
}

/// Storage is slow until half of an invocation's time is over: then a chunk is left where it stands, and
/// read on by the next invocation.
#[test]
fn a_chunk_that_takes_too_long_is_read_on() {
    let cloud = cloud();
    let delivery = delivered(cloud, "slow");
    let name = "slow";
    cloud.aws.fault_when("ingest", of(name, ""), Fault::Deadline(Duration::from_secs(7))).unwrap();
    let late = std::sync::atomic::AtomicBool::new(true);
    cloud.on_storage(name, move |request| {
        let first = request.method == "GET"
            && request.path.starts_with("/slow/")
            && request.path.ends_with("13-5b2c-4d1e-9f3a-000000000000.csv.gz");
        if first && late.swap(false, std::sync::atomic::Ordering::Relaxed) {
            return StorageFault::Later(Duration::from_millis(5200));
        }
        StorageFault::Pass
    });
    let executed = cloud.execute(name, &cloud.input("slow", &delivery, name, &json!({ "concurrency": 1 })));
    assert_built(cloud, &executed, &delivery, name);
    let calls = cloud.aws.log("ingest").unwrap();
    let parts: Vec<_> = calls
        .lines()
        .filter(|line| line.contains("chunk read") && line.contains("\"execution\":\"slow\""))
        .collect();
    assert_eq!(parts.len(), 2, "{parts:#?}");
    assert!(parts[0].contains("\"done\":false") && parts[1].contains("\"done\":true"), "{parts:#?}");
}

type Variables<'a> = &'a [(&'a str, &'a str)];

#[test]
fn a_setting_that_is_missing_or_wrong_is_named_in_every_answer() {
    let folder = folder();
    let scratch = ("S3INV_SCRATCH", "s3://scratch/");
    let cases: [(&str, Variables<'_>, &str); 6] = [
        ("ingest", &[], "environment variable S3INV_SCRATCH is not set"),
        (
            "merge",
            &[("S3INV_SCRATCH", "scratch")],
            "environment variable S3INV_SCRATCH: scratch: not a bucket, or a folder in it, as s3://bucket/folder/",
        ),
        ("trigger", &[scratch], "environment variable S3INV_OUTPUT is not set"),
        ("cleanup", &[scratch], "environment variable S3INV_STATE_MACHINE_ARN is not set"),
        (
            "plan",
            &[scratch, ("S3INV_OPTIONS", "{\"depth\": 3}")],
            "environment variable S3INV_OPTIONS: unknown field `depth`",
        ),
        (
            "plan",
            &[scratch, ("S3INV_OUTPUT", "s3://x/")],
            "environment variable S3INV_OUTPUT: s3://x/: not the name of a bucket after s3://",
        ),
    ];
    for (function, variables, cause) in cases {
        let aws = alone(function, &folder.temp().join(function), variables);
        for _ in 0..2 {
            let invoked = aws.invoke(function, &json!({})).unwrap();
            assert_eq!(invoked.error_type().as_deref(), Some("BadInput"));
            let message = invoked.json()["errorMessage"].as_str().unwrap().to_owned();
            assert!(message.starts_with(cause), "{message}");
        }
        assert_eq!(aws.counters(function).unwrap().cold_starts, 1, "it lives on");
    }
}
