//! The functions under the state machine: each time the index is the one that the command line builds.

use s3inv_tests::{
    CURRENT, Cloud, Delivery, Executed, INDEXES, Row, SCHEDULED, Shape, cloud, folder, s3inv, single_objects,
    written_by_others,
};
use serde_json::{Value, json};

use crate::build::build;

const INDEX: &str = "my-bucket/daily/2025-05-13T01-00Z.s3inv";

fn rows(count: u64) -> Vec<Row> {
    (0..count).map(|nth| Row::new(format!("d {}/e+{}/f/k{nth}", nth % 97, nth % 13), nth)).collect()
}

/// What the command line makes of a delivery.
pub(crate) fn built(delivery: &Delivery) -> Vec<u8> {
    let folder = folder();
    let delivered = delivery.write(&folder.input());
    build(&folder, &delivered).run().summary();
    std::fs::read(folder.index()).unwrap()
}

/// The same file, whoever made it; and nothing left of making it.
pub(crate) fn assert_built(cloud: &Cloud, executed: &Executed, delivery: &Delivery, output: &str) {
    assert_eq!(executed.status, "SUCCEEDED", "{}", executed.described);
    let key: Value = serde_json::from_str(executed.described["output"].as_str().unwrap()).unwrap();
    let place = format!("s3://{INDEXES}/{output}/");
    let key = key["index"].as_str().unwrap().strip_prefix(&place).unwrap().to_owned();
    let index = cloud.aws.get(INDEXES, &format!("{output}/{key}")).unwrap();
    assert!(index == built(delivery), "the functions' index is the command line's, byte for byte");
    cloud.assert_clean(&executed.name, output);
}

/// Files of ORC, each of some rows.
fn orc(rows: &[Row], files: usize) -> Delivery {
    let tables: Vec<_> = rows.chunks(rows.len().div_ceil(files)).map(|rows| (rows, CURRENT)).collect();
    let pyorc = |written: Vec<s3inv_tests::Written>| {
        let mut by_pyorc = written.into_iter().filter(|written| written.by == "pyorc.orc");
        by_pyorc.next().unwrap().delivery.files.remove(0).bytes
    };
    Delivery::orc_files(written_by_others(&tables).into_iter().map(pyorc).collect())
}

#[test]
fn every_format_and_every_way_to_start() {
    let cloud = cloud();
    for (name, delivery, shape) in [
        ("formats-csv", Delivery::csv(&rows(4000), 40), Some(Shape::EventBridge)),
        ("formats-parquet", Delivery::parquet(&rows(4000), 60, CURRENT), Some(Shape::Notification)),
        ("formats-orc", orc(&rows(2000), 40), None),
    ] {
        cloud.aws.create_bucket(name).unwrap();
        if let Some(shape) = shape {
            cloud.notify(name, shape);
        }
        let delivery = cloud.deliver(name, delivery.configuration(name));
        let manifest = format!("s3://{name}/{}", delivery.manifest_key());
        let output = if shape.is_some() { "events".to_owned() } else { name.to_owned() };
        if shape.is_none() {
            let invoked = cloud.aws.invoke("trigger", &manual(&manifest, &output)).unwrap();
            assert_eq!(invoked.json()[0]["status"], "started", "{:?}", invoked.json());
        }
        cloud.aws.settle(std::time::Duration::from_mins(3)).unwrap();
        let arns = cloud.executions_of(&manifest);
        assert_eq!(arns.len(), 1, "{name}: one execution an inventory");
        assert_built(cloud, &cloud.ended(&arns[0]), &delivery, &output);
    }
}

fn manual(manifest: &str, output: &str) -> Value {
    json!({ "manifest": manifest, "output": format!("s3://{INDEXES}/{output}/"), "options": { "chunk_bytes": 20_000 } })
}

#[test]
fn many_files_chunks_rounds_and_partitions() {
    let cloud = cloud();
    let rows: Vec<_> = single_objects(150_000).collect();
    let delivery = Delivery::csv(&rows, 300);
    cloud.aws.create_bucket("fan-out").unwrap();
    let delivery = cloud.deliver("fan-out", delivery);
    let bytes: usize = delivery.files.iter().map(|file| file.bytes.len()).sum();
    for (name, options, expected) in [
        // Chunks, then merges: 9 runs in groups of 3, 3 and 2 leave 4, and these are merged in partitions.
        (
            "fan-out-rounds",
            json!({"chunk_bytes": bytes / 9 + 1, "fan_in": 4, "partition_rows": 40_000, "concurrency": 3}),
            vec![9, 3, 4],
        ),
        (
            "fan-out-wide",
            json!({"chunk_bytes": bytes / 5 + 1, "concurrency": 20, "partition_rows": 60_000}),
            vec![5, 3],
        ),
        ("fan-out-none", json!({"concurrency": 1}), vec![1, 1]),
    ] {
        let executed = cloud.execute(name, &cloud.input("fan-out", &delivery, name, &options));
        assert_built(cloud, &executed, &delivery, name);
        assert_eq!(cloud.fan_out(&executed), expected, "{name}");
    }
}

#[test]
fn a_small_inventory_takes_few_transitions() {
    let cloud = cloud();
    cloud.aws.create_bucket("small").unwrap();
    let delivery = cloud.deliver("small", Delivery::csv(&rows(100), 1));
    let executed = cloud.execute("small", &cloud.input("small", &delivery, "small", &json!({})));
    assert_built(cloud, &executed, &delivery, "small");
    let history = cloud.aws.history(&executed.arn).unwrap();
    let entered = |event: &&Value| event["type"].as_str().is_some_and(|kind| kind.ends_with("StateEntered"));
    let states: Vec<_> = history
        .iter()
        .filter(entered)
        .map(|event| event["stateEnteredEventDetails"]["name"].as_str().unwrap_or_default())
        .collect();
    let merge = ["PlanMerge", "Merge", "IsLastMerge"];
    let end = ["Publish", "IsPublished", "CleanUp", "IsCleanedUp", "Built"];
    assert_eq!(states, [["Plan", "Ingest"].as_slice(), &merge, &end].concat());
    let longest = history.iter().map(|event| event.to_string().len()).max().unwrap();
    assert!(longest < 4096, "states carry keys, not data: {longest} bytes");
    let output: Value = serde_json::from_str(executed.described["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["index"], format!("s3://{INDEXES}/small/{INDEX}"));
    assert_eq!(output["latest"], true);
}

#[test]
fn the_same_event_five_times_starts_one_execution() {
    let cloud = cloud();
    cloud.aws.create_bucket("repeated").unwrap();
    let delivery = cloud.deliver("repeated", Delivery::csv(&rows(200), 2).configuration("repeated"));
    let manifest = format!("s3://repeated/{}", delivery.manifest_key());
    let key = delivery.manifest_key().replace(".json", ".checksum");
    let event = json!({
        "source": "aws.s3", "detail-type": "Object Created",
        "detail": { "bucket": { "name": "repeated" }, "object": { "key": key } },
    });
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let invoked = cloud.aws.invoke("trigger", &event).unwrap();
                assert!(!invoked.is_error, "{:?}", invoked.json());
            });
        }
    });
    let arns = cloud.executions_of(&manifest);
    assert_eq!(arns.len(), 1);
    assert_eq!(cloud.ended(&arns[0]).status, "SUCCEEDED");
    let invoked = cloud.aws.invoke("trigger", &event).unwrap();
    assert_eq!(invoked.json(), json!([{ "status": "built", "manifest": manifest }]));
    assert_eq!(cloud.executions_of(&manifest).len(), 1);
}

#[test]
fn events_about_something_else_are_ignored() {
    let cloud = cloud();
    let ignored = |event: &Value| {
        let invoked = cloud.aws.invoke("trigger", event).unwrap();
        assert_eq!(invoked.json()[0]["status"], "ignored", "{:?}", invoked.json());
        invoked.json()[0]["reason"].as_str().unwrap().to_owned()
    };
    let test = include_str!("../../events/trigger-test-event.json");
    assert_eq!(ignored(&serde_json::from_str(test).unwrap()), "S3's test of its notifications");
    let mut event: Value =
        serde_json::from_str(include_str!("../../events/trigger-eventbridge.json")).unwrap();
    event["detail"]["object"]["key"] =
        "inventories/my-bucket/daily/hive/dt=2025-05-13-01-00/symlink.txt".into();
    assert!(ignored(&event).ends_with("symlink.txt completes no delivery"));
    let logged = ["symlink.txt completes no delivery"];
    cloud.aws.wait_for_log("trigger", &logged, std::time::Duration::from_secs(30)).unwrap();
    let invoked = cloud.aws.invoke("trigger", &json!({ "hello": 1 })).unwrap();
    assert_eq!(invoked.error_type().as_deref(), Some("BadInput"));
}

#[test]
fn the_schedule_builds_the_newest_complete_snapshot() {
    let cloud = cloud();
    let event: Value = serde_json::from_str(include_str!("../../events/trigger-schedule.json")).unwrap();
    let look = || cloud.aws.invoke("trigger", &event).unwrap().json();
    let nothing = "no complete delivery below s3://s3inv-scheduled/inventories/";
    assert_eq!(look(), json!([{ "status": "ignored", "reason": nothing }]));

    let delivery = Delivery::csv(&rows(300), 3).configuration("scheduled");
    let delivery = delivery.to_bucket(&format!("arn:aws:s3:::{SCHEDULED}"));
    let moved = |key: &str, day: &str| key.replace("2025-05-13T01-00Z", day);
    for (key, bytes) in delivery.objects() {
        for day in ["2025-05-12T01-00Z", "2025-05-13T01-00Z", "2025-05-14T01-00Z"] {
            // Of the last one, the checksum hasn't been written yet.
            if day != "2025-05-14T01-00Z" || !key.ends_with(".checksum") {
                cloud.aws.put(SCHEDULED, &moved(&key, day), bytes.clone()).unwrap();
            }
        }
    }
    let manifest = format!("s3://{SCHEDULED}/{}", delivery.manifest_key());
    // A first attempt fails: the schedule makes another.
    let of_this = move |payload: &Value| payload.to_string().contains(SCHEDULED);
    let fault =
        s3inv_tests::Fault::Fail { error_type: "BadInput".to_owned(), message: "not today".to_owned() };
    cloud.aws.fault_when("plan", of_this, fault).unwrap();
    let first = look();
    assert_eq!((&first[0]["status"], &first[0]["manifest"]), (&json!("started"), &json!(manifest)));
    let arns = cloud.executions_of(&manifest);
    assert_eq!(cloud.ended(&arns[0]).status, "FAILED");
    let key = delivery.manifest_key().replace(".json", ".checksum");
    let old = json!({
        "source": "aws.s3", "detail-type": "Object Created",
        "detail": { "bucket": { "name": SCHEDULED }, "object": { "key": key } },
    });
    let invoked = cloud.aws.invoke("trigger", &old).unwrap();
    assert_eq!(invoked.json()[0]["status"], "failed", "an old event starts nothing");
    assert_eq!(look()[0]["status"], "started");
    let arns = cloud.executions_of(&manifest);
    assert_eq!(arns.len(), 2);
    let second = arns.iter().find(|arn| arn.ends_with("-2")).unwrap();
    let executed = cloud.ended(second);
    assert_eq!(executed.status, "SUCCEEDED", "{}", executed.described);
    // Whoever published it might have been stopped before latest.json named it.
    let latest = "events/my-bucket/scheduled/latest.json";
    assert!(cloud.aws.exists(INDEXES, latest).unwrap());
    cloud.aws.delete(INDEXES, latest).unwrap();
    assert_eq!(look(), json!([{ "status": "built", "manifest": manifest }]));
    assert!(cloud.aws.exists(INDEXES, latest).unwrap(), "the schedule repairs it");
}

#[test]
fn questions_find_the_latest_index() {
    let cloud = cloud();
    cloud.aws.create_bucket("latest").unwrap();
    let ask =
        |index: &str| s3inv(["query", "--prefix", "", "--index", index]).envs(cloud.environment()).run();
    let folder = format!("s3://{INDEXES}/latest/my-bucket/daily/");
    assert_eq!(ask(&folder).error(), format!("{folder}index.s3inv: not found"));
    let deliver = |day: &str, count: u64| {
        let delivery = Delivery::csv(&rows(count), 1).to_bucket("arn:aws:s3:::latest");
        for (key, bytes) in delivery.objects() {
            cloud.aws.put("latest", &key.replace("2025-05-13T01-00Z", day), bytes).unwrap();
        }
        let mut input = cloud.input("latest", &delivery, "latest", &json!({}));
        input["manifest"] = input["manifest"].as_str().unwrap().replace("2025-05-13T01-00Z", day).into();
        let executed = cloud.execute(&format!("latest-{day}"), &input);
        assert_eq!(executed.status, "SUCCEEDED", "{}", executed.described);
        let output: Value = serde_json::from_str(executed.described["output"].as_str().unwrap()).unwrap();
        output["latest"].as_bool().unwrap()
    };
    assert!(deliver("2025-05-14T01-00Z", 20));
    assert!(ask(&folder).answer().contains("Objects: 20\n"));
    assert!(!deliver("2025-05-13T01-00Z", 10), "an older one comes later");
    assert!(ask(&folder).answer().contains("Objects: 20\n"));
    assert!(deliver("2025-05-15T01-00Z", 30));
    assert!(ask(&folder).answer().contains("Objects: 30\n"));
    let old = format!("s3://{INDEXES}/latest/my-bucket/daily/2025-05-13T01-00Z.s3inv");
    assert!(ask(&old).answer().contains("Objects: 10\n"));
}
