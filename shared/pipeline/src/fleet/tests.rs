//! The steps one after the other over a store in memory, against the build of one process.

mod cloud;
mod faults;
pub(super) mod hands;
mod model;
mod sim;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use s3inv_index_format::{Form, Writer};
use s3inv_model::{Bin, Cell, Classes, Dates, Measures, RowCounts, Schema, SizeBin};
use s3inv_store::{Bucket, Counting, Retries};
use serde_json::{Value, json};

use super::*;
use cloud::{Cloud, EXECUTION, FOLDER, OneBucket, built, built_with, delivery};

const INDEX: &str = "all/my-bucket/daily/2025-05-13T01-00Z.s3inv";

#[test]
fn the_steps_build_what_one_process_builds() {
    let files = delivery(12, 900);
    let expected = built(&files);
    for options in [
        json!({}),
        json!({ "chunk_bytes": 1 }),
        json!({ "chunk_bytes": 100_000, "fan_in": 2 }),
        json!({ "chunk_bytes": 60_000, "fan_in": 3, "partition_rows": 1000 }),
    ] {
        let cloud = Cloud::new();
        cloud.deliver(&files);
        let (published, calls) = cloud.run(&options).unwrap();
        assert_eq!(cloud.bytes(INDEX), expected, "{options}: the same file");
        assert_eq!(published.bytes, expected.len() as u64);
        assert!(published.latest && published.index.ends_with(INDEX));
        assert!(calls[0] == 12 || options.get("chunk_bytes") != Some(&json!(1)), "{calls:?}");
        cloud.finish();
        assert_eq!(cloud.scratch(), ["tmp/run-1/CANCELLED"]);
    }
}

#[test]
fn tables_are_the_same_wherever_they_are_made() {
    let files = delivery(12, 900);
    let expected = built_with(&files, true);
    assert_ne!(expected, built(&files));
    for options in [
        json!({ "lookup": true }),
        json!({ "lookup": true, "chunk_bytes": 60_000, "fan_in": 3, "partition_rows": 1000 }),
    ] {
        let cloud = Cloud::new();
        cloud.deliver(&files);
        cloud.run(&options).unwrap();
        assert_eq!(cloud.bytes(INDEX), expected, "{options}: the same file");
    }
}

#[test]
fn with_little_time_it_takes_more_calls_and_comes_to_the_same() {
    let files = delivery(12, 5000);
    let expected = built(&files);
    // A file takes nine looks: one when it is fetched, the others behind its batches.
    for (patience, least) in [(11, 11), (40, 3)] {
        let cloud = Cloud { patience: Some(patience), ..Cloud::new() };
        cloud.deliver(&files);
        let (_, calls) = cloud.run(&json!({ "chunk_bytes": 64 << 20 })).unwrap();
        assert!(calls[0] >= least, "{calls:?}");
        assert_eq!(cloud.bytes(INDEX), expected, "{patience}");
    }
}

#[test]
fn publishing_and_cleaning_up_go_on_where_time_was_over() {
    let files = delivery(3, 5000);
    let mut cloud = Cloud::new();
    cloud.deliver(&files);
    let mut planned = cloud.plan(&json!({ "partition_rows": 400, "chunk_bytes": 1 })).unwrap();
    cloud.map(&planned).unwrap();
    while !planned.last {
        planned = cloud.plan_merge(planned.stage).unwrap();
        cloud.map(&planned).unwrap();
    }
    cloud.patience = Some(1);
    let (published, calls) = cloud.published(planned.stage).unwrap();
    assert!(published.latest && calls > 2, "{calls}");
    assert_eq!(cloud.bytes(INDEX), built(&files));
    assert!(cloud.finish() > 1);
    assert_eq!(cloud.scratch(), ["tmp/run-1/CANCELLED"]);
    assert!(cloud.runtime.block_on(cloud.store.uploads("")).unwrap().is_empty());
}

#[test]
fn with_too_little_time_to_go_on_it_ends() {
    let cloud = Cloud { patience: Some(1), ..Cloud::new() };
    cloud.deliver(&delivery(1, 5000));
    let error = cloud.run(&json!({})).unwrap_err();
    assert_eq!(error.error_type, ErrorType::CheckpointNeeded);
    let expected = "data/0.csv: one invocation's time isn't enough to read it up to row 1024 again: give the \
                    function more time or memory";
    assert!(error.message.ends_with(expected), "{error}");
}

#[test]
fn a_scratch_bucket_that_keeps_versions_is_refused() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(1, 10));
    cloud.store.say_it_keeps_versions();
    let error = cloud.plan(&json!({})).unwrap_err();
    assert_eq!(error.error_type, ErrorType::BadInput);
    assert!(error.message.contains("s3://scratch/tmp/: the bucket keeps versions"), "{error}");
    assert_eq!(cloud.scratch(), [""; 0]);
}

#[test]
fn what_is_done_twice_counts_once() {
    let files = delivery(5, 400);
    let expected = built(&files);
    let cloud = Cloud::new();
    cloud.deliver(&files);
    let options = json!({ "chunk_bytes": 20_000, "fan_in": 2 });
    let mut planned = cloud.plan(&options).unwrap();
    assert_eq!(cloud.plan(&options).unwrap(), planned);
    loop {
        cloud.map(&planned).unwrap();
        let before = cloud.store.keys();
        cloud.map(&planned).unwrap();
        assert_eq!(cloud.store.keys(), before, "a task that is done writes nothing");
        if planned.last {
            break;
        }
        let next = cloud.plan_merge(planned.stage).unwrap();
        assert_eq!(cloud.plan_merge(planned.stage).unwrap(), next);
        planned = next;
    }
    let first = cloud.publish(planned.stage).unwrap();
    assert_eq!(cloud.publish(planned.stage).unwrap(), first, "the same index is there");
    assert_eq!(cloud.bytes(INDEX), expected);
    cloud.finish();
    cloud.finish();
    assert_eq!(cloud.scratch(), ["tmp/run-1/CANCELLED"]);
}

#[test]
fn nothing_is_merged_or_published_before_all_have_committed() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(4, 50));
    let planned = cloud.plan(&json!({ "chunk_bytes": 1 })).unwrap();
    let tasks = cloud.tasks(&planned);
    for task in &tasks[1..] {
        assert_eq!(ingest(&cloud.invocation(), task), Ok(None));
    }
    let error = cloud.plan_merge(planned.stage).unwrap_err();
    assert_eq!(error.error_type, ErrorType::Bug);
    assert!(error.message.contains("task 0 of ingest has not committed: it has 0 records"), "{error}");
    ingest(&cloud.invocation(), &tasks[0]).unwrap();
    let merging = cloud.plan_merge(planned.stage).unwrap();
    let error = cloud.publish(merging.stage).unwrap_err();
    assert!(error.message.contains("task 0 of merge-1 has not committed"), "{error}");
    assert!(!cloud.store.keys().contains(&INDEX.to_owned()));
}

#[test]
fn after_the_tombstone_nothing_is_done() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(2, 50));
    let planned = cloud.plan(&json!({})).unwrap();
    let task = cloud.tasks(&planned).remove(0);
    cloud.finish();
    let gone = |error: StepError| {
        assert_eq!(error.error_type, ErrorType::ScratchGone);
        assert!(
            error.message.ends_with("the scratch of this execution is gone: start a new execution"),
            "{error}"
        );
    };
    gone(cloud.plan(&json!({})).unwrap_err());
    gone(ingest(&cloud.invocation(), &task).unwrap_err());
    gone(cloud.plan_merge(Stage::Ingest).unwrap_err());
    gone(cloud.publish(Stage::Merge(1)).unwrap_err());
    assert_eq!(cloud.scratch(), ["tmp/run-1/CANCELLED"]);
}

#[test]
fn an_index_is_not_replaced_unless_that_is_asked_for() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(2, 50));
    cloud.run(&json!({})).unwrap();
    cloud.finish();
    let again = Cloud::new();
    again.deliver(&delivery(2, 60));
    again.store.put(INDEX, cloud.bytes(INDEX));
    let error = again.plan(&json!({})).unwrap_err();
    assert_eq!(error.error_type, ErrorType::AlreadyPublished);
    let (published, _) = again.run(&json!({ "replace": true })).unwrap();
    assert_eq!(again.bytes(INDEX), built(&delivery(2, 60)));
    assert!(published.latest);
}

#[test]
fn an_index_that_appears_meanwhile_stays() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(2, 50));
    let planned = cloud.plan(&json!({})).unwrap();
    cloud.map(&planned).unwrap();
    let merging = cloud.plan_merge(planned.stage).unwrap();
    cloud.map(&merging).unwrap();
    cloud.store.put(INDEX, &b"another"[..]);
    let error = cloud.publish(merging.stage).unwrap_err();
    assert_eq!(error.error_type, ErrorType::AlreadyPublished);
    assert_eq!(cloud.bytes(INDEX), b"another");
}

#[test]
fn latest_never_moves_back() {
    let latest = "all/my-bucket/daily/latest.json";
    for (there, moves) in [("2025-05-12T01-00Z", true), ("2025-05-14T01-00Z", false)] {
        let cloud = Cloud::new();
        cloud.deliver(&delivery(1, 20));
        let before = Latest::of(there);
        cloud.store.put(latest, serde_json::to_vec(&before).unwrap());
        let (published, _) = cloud.run(&json!({})).unwrap();
        assert_eq!(published.latest, moves);
        let now: Latest = serde_json::from_slice(&cloud.bytes(latest)).unwrap();
        assert_eq!(
            now.index,
            if moves { "2025-05-13T01-00Z.s3inv".to_owned() } else { format!("{there}.s3inv") }
        );
        assert!(now.is_sound());
    }
}

#[test]
fn the_first_error_is_the_one_that_is_told() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(2, 50));
    cloud.plan(&json!({})).unwrap();
    let ask = |step: &str, error: &str, cause: &str| {
        let request = json!({"version": 1, "step": step, "execution": EXECUTION, "error": {"Error": error, "Cause": cause}});
        let answer = cleanup(&cloud.invocation(), &parse(&request).unwrap()).unwrap();
        let CleanupAnswer::Done(told) = answer else { panic!("{answer:?}") };
        told
    };
    let cause = json!({"errorType": "BadInput", "errorMessage": "a data file\nis missing"}).to_string();
    assert_eq!(ask("report", "BadInput", &cause), None);
    assert_eq!(ask("report", "Bug", "later"), None);
    for _ in 0..2 {
        let told = ask("fail", "States.ExceedToleratedFailureThreshold", "some item failed").unwrap();
        assert_eq!((told.error.as_str(), told.cause.as_str()), ("BadInput", "a data file is missing"));
    }
    assert_eq!(cloud.scratch(), ["tmp/run-1/CANCELLED"]);
}

#[test]
fn a_damaged_chunk_leaves_nothing_of_its_attempt() {
    let mut files = delivery(2, 50);
    let key = format!("{FOLDER}/data/1.csv");
    files.insert(key.clone(), vec![b'x'; files[&key].len()]);
    let cloud = Cloud::new();
    cloud.deliver(&files);
    let error = cloud.run(&json!({})).unwrap_err();
    assert_eq!(error.error_type, ErrorType::BadInput);
    assert!(
        error.message.starts_with("ingest phase: process chunk: memory:") && error.message.contains("MD5"),
        "{error}"
    );
    assert!(!cloud.scratch().iter().any(|key| key.contains("/data/")), "{:?}", cloud.scratch());
}

#[test]
fn what_is_left_is_shown_as_it_is_found_until_time_is_over() {
    let mut cloud = Cloud::new();
    for nth in 0..30 {
        cloud.store.put(&format!("tmp/run-{nth:02}/CANCELLED"), &b""[..]);
    }
    for left in ["tmp/run-05/work/x", "tmp/run-10/work/x", "tmp/run-29/work/x"] {
        cloud.store.put(left, &b""[..]);
    }
    let _upload = cloud.runtime.block_on(cloud.store.begin("tmp/run-10/work/y")).unwrap();
    let shown = |cloud: &Cloud| {
        let mut shown = Vec::new();
        let all = leftovers(&cloud.invocation(), |execution| shown.push(execution.as_str().to_owned()));
        (shown, all.unwrap())
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(shown(&cloud), (names(&["run-10", "run-05", "run-29"]), true));
    cloud.patience = Some(15);
    assert_eq!(shown(&cloud), (names(&["run-10", "run-05"]), false));
    let late = cloud.invocation();
    let late = Invocation { cancellation: late.cancellation.with_timeout(Duration::ZERO), ..late };
    let error = leftovers(&late, drop).unwrap_err();
    assert_eq!(error.error_type, ErrorType::CheckpointNeeded, "{error}");
}

/// Its MD5 is the manifest's: so it was delivered, and reading it again changes nothing.
#[test]
fn a_data_file_whose_gzip_is_damaged_is_not_tried_again() {
    let whole = cloud::gzip(b"\"my-bucket\",\"k\",\"1\",\"STANDARD\"\n");
    let cut = whole[..whole.len() - 4].to_vec();
    let mut wrong = whole.clone();
    wrong[whole.len() - 8] ^= 1;
    for (bytes, said) in [(cut, "truncated gzip"), (wrong, "damaged gzip")] {
        let cloud = Cloud::new();
        cloud.deliver(&cloud::delivered(vec![("0.csv.gz".to_owned(), bytes)]));
        let error = cloud.run(&json!({})).unwrap_err();
        assert_eq!(error.error_type, ErrorType::BadInput, "{error}");
        assert!(error.message.contains("data/0.csv.gz: ") && error.message.contains(said), "{error}");
    }
    let cloud = Cloud::new();
    cloud.deliver(&cloud::delivered(vec![("0.csv.gz".to_owned(), whole)]));
    assert!(cloud.run(&json!({})).is_ok());
}

#[test]
fn output_and_scratch_do_not_lie_among_deliveries() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(1, 5));
    let refused = |output: &str, scratch: &str| {
        let input: Input = parse(&json!({
            "manifest": format!("s3://reports/{FOLDER}/2025-05-13T01-00Z/manifest.json"), "output": output,
        }))
        .unwrap();
        Request::new(&input, None, &Options::default(), &Place::parse(scratch).unwrap())
            .map_err(|error| error.message)
    };
    assert!(refused("s3://indexes/", "s3://scratch/").is_ok());
    assert!(refused("s3://reports/indexes/", "s3://reports/scratch/").is_ok());
    let error = refused("s3://reports/inventories/", "s3://scratch/").unwrap_err();
    assert!(
        error.starts_with(
            "output s3://reports/inventories/my-bucket/daily/ lies among the files of the inventory"
        ),
        "{error}"
    );
    let error = refused("s3://indexes/", "s3://reports/inventories/my-bucket/daily/tmp").unwrap_err();
    assert!(error.starts_with("scratch s3://reports/inventories/my-bucket/daily/tmp/ lies among"), "{error}");
    for (output, scratch) in [
        ("s3://one/", "s3://one/"),
        ("s3://one/scratch/x/", "s3://one/scratch/"),
        ("s3://one/", "s3://one/my-bucket/daily/tmp/"),
    ] {
        assert!(
            refused(output, scratch).unwrap_err().contains("lie inside of each other"),
            "{output} {scratch}"
        );
    }
    assert!(refused("s3://one/indexes/", "s3://one/scratch/").is_ok());
    for odd in ["indexes/", "s3://a/", "s3://indexes/../other/", "s3://indexes//x", "file:///tmp"] {
        assert!(refused(odd, "s3://scratch/").is_err(), "{odd}");
    }
}

#[test]
fn a_hundred_thousand_files_are_planned_with_short_states() {
    let cloud = Cloud::new();
    deliver_a_hundred_thousand_files(&cloud);
    for options in [json!({}), json!({ "chunk_bytes": 1 })] {
        let planned = cloud.plan(&options).unwrap();
        assert!(serde_json::to_vec(&planned).unwrap().len() < 512);
        let items: Vec<Value> = serde_json::from_slice(&cloud.bytes(&planned.items)).unwrap();
        assert!((1000..=10_000).contains(&items.len()), "{}", items.len());
        assert!(items.iter().all(|item| item.to_string().len() < 512));
        cloud.finish();
        let tombstone = ["tmp/run-1/CANCELLED".to_owned()];
        cloud.runtime.block_on(Bucket::delete(&cloud.store, &tombstone)).unwrap();
    }
}

fn deliver_a_hundred_thousand_files(cloud: &Cloud) {
    let files: Vec<_> = (0..100_000u64)
        .map(|nth| {
            let key = format!("{FOLDER}/data/{nth:08x}-5b2c-4d1e-9f3a-000000000000.csv.gz");
            json!({ "key": key, "size": 40_000_000 + nth, "MD5checksum": format!("{nth:032x}") })
        })
        .collect();
    let manifest = json!({
        "sourceBucket": "my-bucket", "destinationBucket": "arn:aws:s3:::reports", "version": "2016-11-30",
        "creationTimestamp": "1747098000000", "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size", "files": files,
    });
    cloud
        .store
        .put(&format!("{FOLDER}/2025-05-13T01-00Z/manifest.json"), serde_json::to_vec(&manifest).unwrap());
}

/// A run of so many prefixes, which stands for any number of runs.
fn a_run(prefixes: u32) -> Vec<u8> {
    let schema = Schema { measures: Measures::default(), classes: Classes::untold() };
    let mut writer = Writer::new(Vec::new(), Form::RUN, &schema).unwrap();
    let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Untold, age: None }.id();
    let cell = Cell { bin, objects: u64::from(prefixes), bytes: 0 };
    writer.push(b"", &[cell], Dates::NONE).unwrap();
    for nth in 0..prefixes {
        let key = format!("one/directory/of/many/{nth:08}/");
        writer.push(key.as_bytes(), &[Cell { objects: 1, ..cell }], Dates::NONE).unwrap();
    }
    let counts = RowCounts { rows: u64::from(prefixes), ..RowCounts::default() };
    writer.finish(counts).unwrap().0
}

/// No data is read or merged: chunks and groups have committed, and all say that they wrote the same run.
#[test]
fn ten_thousand_runs_are_planned_with_short_states_and_few_requests() {
    const PREFIXES: u32 = 100_000;
    let cloud = Cloud::new();
    let counting = Counting::new(cloud.store.clone());
    let cloud = Cloud { buckets: Arc::new(OneBucket(counting.clone())), ..cloud };
    deliver_a_hundred_thousand_files(&cloud);
    let run = a_run(PREFIXES);
    let file = record::StoredFile {
        key: "tmp/run-1/data/a-run".to_owned(),
        bytes: run.len() as u64,
        prefixes: u64::from(PREFIXES) + 1,
    };
    cloud.store.put(&file.key, run);
    let keys =
        scratch::Keys::new(&Place::parse("s3://scratch/tmp").unwrap(), &parse(&json!(EXECUTION)).unwrap());
    let mut planned = cloud.plan(&json!({ "chunk_bytes": 1, "partition_rows": 1_000_000 })).unwrap();
    let mut tasks = Vec::new();
    loop {
        let items: Vec<Value> = serde_json::from_slice(&cloud.bytes(&planned.items)).unwrap();
        assert!(items.iter().all(|item| item.to_string().len() < 512));
        assert!(serde_json::to_vec(&planned).unwrap().len() < 512);
        tasks.push(items.len());
        if planned.last {
            break;
        }
        for task in 0..items.len() as u32 {
            let counts = RowCounts { rows: u64::from(PREFIXES), ..RowCounts::default() };
            let files = vec![file.clone()];
            let commit: record::Commit<Value> = record::Commit {
                version: Version,
                attempt: "a1".to_owned(),
                files,
                counts,
                retries: Retries::default(),
                next: None,
            };
            let key = keys.commit(planned.stage, task, 0);
            cloud.store.put(&key, document::checked(&commit).unwrap());
        }
        let before = counting.counts();
        planned = cloud.plan_merge(planned.stage).unwrap();
        let counts = counting.counts();
        // Listing is left out: pages of the store in memory are short.
        let reads = counts.read + counts.read_tail - before.read - before.read_tail;
        let record = cloud.bytes(&keys.stage(planned.stage)).len();
        let (runs, opened) = (tasks[tasks.len() - 1] as u64, if planned.last { 2 * 256 } else { 0 });
        assert!(reads <= runs + opened + 10, "{reads} requests for {runs} records");
        assert!(record < 4 << 20, "{record} bytes");
    }
    // The run has five places where ranges may begin.
    assert_eq!(tasks, [10_000, 100, 6]);
}

#[test]
fn the_callers_time_ends_an_execution() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(2, 50));
    for options in
        [json!({ "timeout": "0s" }), json!({ "timeout": "2h", "deadline": "2025-06-15T15:06:40Z" })]
    {
        let error = cloud.plan(&options).unwrap_err();
        assert_eq!(error.error_type, ErrorType::DeadlineExceeded, "{error}");
        assert_eq!(error.message, "manifest phase: read manifest: context deadline exceeded");
    }
    let planned = cloud.plan(&json!({ "timeout": "1h" })).unwrap();
    let later = Invocation { now_ms: 1_750_000_000_000 + 3_600_000, ..cloud.invocation() };
    let error = ingest(&later, &cloud.tasks(&planned)[0]).unwrap_err();
    assert_eq!(error.error_type, ErrorType::DeadlineExceeded);
    for (name, options) in
        [("timeout", json!({ "timeout": "soon" })), ("deadline", json!({ "deadline": "tomorrow" }))]
    {
        let error = cloud.plan(&options).unwrap_err();
        assert!(error.message.starts_with(&format!("options.{name}: ")), "{error}");
    }
}

#[test]
fn an_invocation_without_time_says_what_it_needs() {
    let cloud = Cloud::new();
    cloud.deliver(&delivery(2, 50));
    let planned = cloud.plan(&json!({})).unwrap();
    let short = cloud.invocation();
    let short = Invocation { cancellation: short.cancellation.with_timeout(Duration::ZERO), ..short };
    let error = ingest(&short, &cloud.tasks(&planned)[0]).unwrap_err();
    assert_eq!(error.error_type, ErrorType::CheckpointNeeded);
    assert!(error.message.ends_with("give the function more time or memory"), "{error}");
}
