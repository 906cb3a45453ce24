//! Two inventories are built at once, by fewer functions than both want.

use s3inv_tests::{Delivery, Row};
use serde_json::json;

use super::small::{LIMIT, Small};

/// How many invocations of a function may run at once: each of two executions wants 16.
const MOST: usize = 3;

#[test]
fn two_at_once_share_few_functions() {
    let rows: Vec<_> = (0..1600).map(|nth| Row::new(format!("d{}/k{nth}", nth % 31), nth)).collect();
    let options = json!({ "chunk_bytes": 1, "fan_in": 4, "concurrency": 16 });
    let small = Small::of("fleet-together", Delivery::csv(&rows, 16), options);
    for function in ["ingest", "merge"] {
        small.cloud.aws.change(function, |function| function.concurrency = Some(MOST)).unwrap();
    }
    let executions = ["one", "other"].map(|name| small.begin(name));
    for arn in executions {
        let executed =
            small.cloud.aws.wait_for_execution(&arn, LIMIT).map(|_| small.cloud.executed(&arn)).unwrap();
        small.assert_built(&executed, "two at once");
        assert_eq!(small.cloud.fan_out(&executed), [16, 4, 1]);
    }
    let ingest = small.cloud.aws.counters("ingest").unwrap();
    let merge = small.cloud.aws.counters("merge").unwrap();
    eprintln!("fleet-together: {ingest:?} {merge:?}");
    assert_eq!((ingest.highest_concurrency, ingest.invocations), (MOST, 32));
    assert!(merge.highest_concurrency <= MOST, "{merge:?}");
    assert!(ingest.throttles > 0, "nobody was refused");
}
