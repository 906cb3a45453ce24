//! A function that has less memory than its data needs.

use s3inv_tests::{Delivery, single_objects};
use serde_json::json;

use super::small::{LIMIT, Small};

/// What the function is told that it has: it plans to use that.
const TOLD: &str = "2048";
/// What it has, MB: enough for its program and for little data.
const HAS: u64 = 48;

/// A chunk that needs more than the function has: a table of half a million prefixes.
fn large(name: &str) -> Small {
    let rows: Vec<_> = single_objects(500_000).collect();
    let small = Small::of(name, Delivery::csv(&rows, 1), json!({}));
    small
        .cloud
        .aws
        .change("ingest", |function| {
            function.memory_mb = HAS;
            function.environment.insert("AWS_LAMBDA_FUNCTION_MEMORY_SIZE".to_owned(), TOLD.to_owned());
        })
        .unwrap();
    small
}

#[test]
fn too_little_memory_once_is_tried_again_and_always_ends_the_execution() {
    let small = large("fleet-memory");
    let aws = &small.cloud.aws;
    let arn = small.begin("never-enough");
    let executed = small.cloud.ended(&arn);
    let ingest = aws.counters("ingest").unwrap();
    eprintln!("fleet-memory: {ingest:?}");
    // Once, and twice again.
    assert_eq!((ingest.invocations, ingest.memory_kills), (3, 3));
    let said = (executed.status.as_str(), executed.described["error"].as_str().unwrap());
    assert_eq!(said, ("FAILED", "Runtime.ExitError"), "{}", executed.described);
    small.cloud.swept("never-enough");
    small.assert_nothing("never-enough", "memory");

    let arn = small.begin("enough-later");
    aws.wait_until("it is killed", LIMIT, || aws.counters("ingest").unwrap().memory_kills == 4).unwrap();
    aws.change("ingest", |function| function.memory_mb = 2048).unwrap();
    small.assert_built(&small.cloud.executed(&arn), "memory");
    eprintln!("fleet-memory: {:?}", aws.counters("ingest").unwrap());
}
