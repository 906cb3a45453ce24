//! Manifest, data and index in S3.

use s3inv_tests::{
    Bucket, CURRENT, Cli, Delivery, Folder, Row, Signal, csv_text, folder, gzip, s3inv, single_objects,
    written_by_others,
};

use crate::build::exported;
use crate::cancel::{PROMPT, assert_cancelled};

fn rows() -> Vec<Row> {
    (0..500).map(|nth| Row::new(format!("d {}/e+{}/k{nth}", nth % 7, nth % 3), nth)).collect()
}

fn build(bucket: &Bucket, delivery: &Delivery, folder: &Folder, out: &str) -> Cli {
    let build = s3inv(["build", "--verbose"]).arg("--s3-manifest", bucket.uri(&delivery.manifest_key()));
    build.arg("--out", out).arg("--temp-dir", folder.temp()).envs(bucket.environment())
}

fn ask(bucket: &Bucket, args: &[&str]) -> Cli {
    s3inv(args).envs(bucket.environment())
}

#[test]
fn all_in_s3() {
    let folder = folder();
    let written = written_by_others(&[(&rows(), CURRENT)]).remove(0).into_iter();
    let orc = written.map(|written| (written.by, written.delivery)).find(|(by, _)| by == "pyorc.orc");
    for (name, delivery) in [
        ("csv", Delivery::csv(&rows(), 3)),
        ("parquet", Delivery::parquet(&rows(), 2, CURRENT)),
        ("orc", orc.unwrap().1),
    ] {
        let local = delivery.write(&folder.input());
        crate::build::build(&folder, &local).run().summary();
        let (bucket, delivery) = Bucket::with(name, delivery);
        let uri = bucket.uri("indexes/my.s3inv");
        let summary = build(&bucket, &delivery, &folder, &uri).run().summary();
        assert_eq!((summary["index"].as_str(), summary["rows"].as_u64()), (Some(&*uri), Some(500)));
        let export = ask(&bucket, &["export", "--format", "jsonl", "--index", &uri]).run();
        assert_eq!(export.answer(), exported(&folder.index()));
        let query = ask(&bucket, &["query", "--prefix", "d 1/e+2/", "--index", &uri]).run();
        assert!(query.answer().starts_with("Prefix: d 1/e+2/\nObjects: "), "{}", query.text());
        let verified = ask(&bucket, &["verify", "--index", &uri]).run();
        assert!(verified.answer().starts_with(&uri));
        let stat = ask(&bucket, &["stat", "--index", &uri]).run();
        assert!(stat.answer().contains("Rows:       500\n"), "{}", stat.text());
    }
}

#[test]
fn an_index_in_s3_is_replaced_and_a_folder_of_s3_holds_one() {
    let folder = folder();
    let (bucket, delivery) = Bucket::with("replaced", Delivery::csv(&rows(), 1));
    let out = bucket.uri("indexes/");
    build(&bucket, &delivery, &folder, &out).arg("--max-depth", "0").run().summary();
    let again = build(&bucket, &delivery, &folder, &out).run().summary();
    assert_eq!(again["index"], bucket.uri("indexes/index.s3inv"));
    let query = ask(&bucket, &["query", "--prefix", "d 1/", "--index", &out, "--estimate-cost"]).run();
    assert!(query.answer().starts_with("Prefix: d 1/\n"));
    assert!(query.text().contains("\nEstimated monthly cost:\n  Total: $0."), "{}", query.text());
    let indexes = bucket.listing().into_iter().filter(|key| !key.starts_with("inventories/"));
    assert_eq!(indexes.collect::<Vec<_>>(), ["indexes/index.s3inv"]);
}

#[test]
fn data_is_read_from_the_destination_bucket() {
    let folder = folder();
    let (data, delivery) = Bucket::with("data", Delivery::csv(&rows(), 2));
    let root = folder.path("manifest-only");
    let delivered = delivery.write(&root);
    for file in &delivered.files {
        std::fs::remove_file(file).unwrap();
    }
    let copied = Bucket::with_files("copied", &root);
    let out = folder.index();
    let summary = build(&copied, &delivery, &folder, out.to_str().unwrap()).run().summary();
    assert_eq!(summary["rows"], 500);
    drop(data);
}

#[test]
fn what_is_not_there_is_named() {
    let folder = folder();
    let (bucket, delivery) = Bucket::with("missing", Delivery::csv(&rows(), 1));
    let out = folder.index().display().to_string();
    let wrong = |uri: &str| {
        let build = s3inv(["build", "--s3-manifest", uri, "--out", &out]).envs(bucket.environment());
        build.arg("--temp-dir", folder.temp()).run().error()
    };
    let uri = bucket.uri("no/manifest.json");
    assert_eq!(wrong(&uri), format!("manifest phase: read manifest: {uri}: not found"));
    let uri = "s3://s3inv-e2e-no-such-bucket/manifest.json";
    assert_eq!(wrong(uri), format!("manifest phase: read manifest: {uri}: the bucket does not exist"));

    let uri = bucket.uri("no-index");
    for args in [&["query", "--prefix", "a/"][..], &["verify"], &["stat"], &["export", "--format", "jsonl"]] {
        let finished = ask(&bucket, args).arg("--index", &uri).run();
        assert_eq!(finished.error(), format!("{uri}: not found"));
    }
    let nowhere = build(&bucket, &delivery, &folder, "s3://s3inv-e2e-no-such-bucket/index").run();
    let cause =
        "publish phase: publish index: s3://s3inv-e2e-no-such-bucket/index: the bucket does not exist";
    assert_eq!(nowhere.error(), cause);
    folder.assert_left(&[]);
}

#[test]
fn a_missing_or_changed_data_file_in_s3() {
    let folder = folder();
    let mut delivery = Delivery::csv(&rows(), 1);
    delivery.manifest["files"][0]["key"] = "not/there.csv.gz".into();
    let (bucket, missing) = Bucket::with("nodata", delivery);
    let out = bucket.uri("index");
    let uri = bucket.uri("not/there.csv.gz");
    let error = build(&bucket, &missing, &folder, &out).run().error();
    // An answer to HEAD says no more than this.
    assert_eq!(error, format!("ingest phase: process chunk: {uri}: not found"));

    let mut delivery = Delivery::csv(&rows(), 1);
    delivery.manifest["files"][0]["size"] = 7.into();
    let (bucket, changed) = Bucket::with("changed", delivery);
    let error = build(&bucket, &changed, &folder, &bucket.uri("index")).run().error();
    assert!(error.ends_with("bytes, but the manifest says 7"), "{error}");
    assert!(!bucket.listing().contains(&"index".to_owned()));
    folder.assert_left(&[]);
}

/// Enough for an upload of several parts.
#[test]
fn a_build_to_s3_that_is_cancelled_leaves_nothing_there() {
    let folder = folder();
    let data = gzip(&csv_text(single_objects(1_300_000), CURRENT));
    let (bucket, delivery) = Bucket::with("cancelled", Delivery::csv_files(CURRENT, vec![data]));
    let before = bucket.listing();
    for (phase, name) in
        [("Ingest", "ingest"), ("Merge", "merge"), ("Finalize", "finalize"), ("Publish", "publish")]
    {
        let build = build(&bucket, &delivery, &folder, &bucket.uri("index"));
        let mut running = build.arg("--mem-budget", "256MiB").start();
        running.wait_for_phase(phase);
        let (finished, took) = running.end_by(Signal::SIGTERM);
        assert!(took < PROMPT, "{phase}: {took:?}");
        assert_cancelled(&finished, 143, name);
        assert_eq!(bucket.listing(), before, "{phase}");
        folder.assert_left(&[]);
    }
    let summary = build(&bucket, &delivery, &folder, &bucket.uri("index")).run().summary();
    assert!(summary["index_bytes"].as_u64().unwrap() > 8 << 20, "{summary}");
}
