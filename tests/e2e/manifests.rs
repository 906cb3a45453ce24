//! Manifests as they come: spelled in several ways, with no files, with files without rows, with many.

use s3inv_tests::{
    Answer, CURRENT, DataFile, Delivery, FakeS3, Folder, Row, folder, gzip, parquet, rolled_up, s3inv,
};
use serde_json::{Value, json};

use crate::build::{build, exported, json_lines, query, told, verify};
use crate::sums::{assert_same, sums};

fn rows() -> Vec<Row> {
    vec![Row::new("a/b", 1), Row::new("a/c", 2).class("GLACIER"), Row::new("d", 4)]
}

fn indexed(delivery: &Delivery) -> Folder {
    let folder = folder();
    build(&folder, &delivery.write(&folder.input())).run().summary();
    verify(&folder.index()).run().answer();
    folder
}

fn export_of(delivery: &Delivery) -> String {
    exported(&indexed(delivery).index())
}

/// The delivery with another value in its manifest, or without it.
fn with(mut delivery: Delivery, name: &str, value: Option<Value>) -> Delivery {
    let manifest = delivery.manifest.as_object_mut().unwrap();
    match value {
        Some(value) => manifest.insert(name.to_owned(), value),
        None => manifest.remove(name),
    };
    delivery
}

#[test]
fn a_format_in_any_case_or_told_by_the_files() {
    let expected = export_of(&Delivery::csv(&rows(), 1));
    let missing = [None, Some(Value::Null), Some(json!(""))];
    let spelled = |texts: [&str; 3]| texts.map(|text| Some(json!(text)));
    for format in spelled(["csv", "Csv", "CSV"]).into_iter().chain(missing.clone()) {
        let delivery = with(Delivery::csv(&rows(), 2), "fileFormat", format.clone());
        assert_eq!(export_of(&delivery), expected, "{format:?}");
    }
    for format in spelled(["parquet", "PARQUET", "Parquet"]).into_iter().chain(missing) {
        let delivery = with(Delivery::parquet(&rows(), 2, CURRENT), "fileFormat", format.clone());
        assert_eq!(export_of(&delivery), expected, "{format:?}");
    }
}

#[test]
fn a_format_that_nothing_tells() {
    for (end, expected) in [(".txt", "files[0].key"), ("", "doesn't tell it: set it to CSV, ORC or Parquet")]
    {
        let delivery = Delivery::csv(&rows(), 1).ending(".csv.gz", end);
        let folder = folder();
        let delivered = with(delivery, "fileFormat", None).write(&folder.input());
        let error = build(&folder, &delivered).run().error();
        assert!(error.contains("manifest: fileFormat is missing") && error.contains(expected), "{error}");
    }
}

#[test]
fn a_moment_as_text_or_number() {
    for (moment, shown) in [
        (json!("1747098000000"), "2025-05-13T01:00:00Z"),
        (json!(1_747_098_000_000_u64), "2025-05-13T01:00:00Z"),
        (json!(1_747_098_000_120_u64), "2025-05-13T01:00:00.120Z"),
    ] {
        let folder = indexed(&with(Delivery::csv(&rows(), 1), "creationTimestamp", Some(moment)));
        let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
        assert!(stat.answer().contains(&format!("Snapshot:   {shown}, ")), "{}", stat.text());
    }
}

/// Data files are asked for in the bucket that the manifest names, in whatever way.
#[test]
fn buckets_as_names_or_arns_of_any_partition() {
    for bucket in [
        "reports.of-2025",
        "arn:aws:s3:::reports.of-2025",
        "arn:aws-cn:s3:::reports.of-2025",
        "arn:aws-us-gov:s3:::reports.of-2025",
        "arn:aws-iso-b:s3:::reports.of-2025",
    ] {
        let delivery = with(Delivery::csv(&rows(), 1), "sourceBucket", Some(json!(bucket))).to_bucket(bucket);
        let (manifest, objects) = (delivery.manifest_key(), delivery.objects());
        let fake = FakeS3::start(move |request| {
            let place = if request.target.contains("/data/") { "/reports.of-2025/" } else { "/manifests/" };
            let found = objects.iter().find(|(key, _)| request.target.contains(&format!("{place}{key}")));
            found.map_or(Answer::Changed, |(_, bytes)| Answer::Object(bytes.clone()))
        });
        let folder = folder();
        let build = s3inv(["build"]).arg("--s3-manifest", format!("s3://manifests/{manifest}"));
        let build = build.arg("--out", folder.index()).arg("--temp-dir", folder.temp());
        assert_eq!(build.envs(fake.environment()).run().summary()["rows"], 3, "{bucket}");
        let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
        assert!(stat.answer().contains("Bucket:     reports.of-2025\n"), "{}", stat.text());
    }
}

const EMPTY: &str = "Prefix: \nObjects: 0\nBytes: 0\n";

#[test]
fn an_inventory_without_files_is_a_root_of_zero() {
    for format in ["CSV", "ORC", "Parquet"] {
        for schema in [Some(json!("Bucket, Key, Size, StorageClass")), Some(json!("")), None] {
            let delivery = with(Delivery::new(format, "", Vec::new()), "fileSchema", schema);
            let folder = indexed(&delivery);
            assert_eq!(told(&query(&folder.index(), "").run()), EMPTY, "{format}");
            let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
            for line in ["Data files: 0", "Rows:       0", "Prefixes:   1, to depth 0"] {
                assert!(stat.answer().lines().any(|there| there == line), "{line} in {}", stat.text());
            }
            assert_same(&sums(&exported(&folder.index())), &rolled_up(&[], CURRENT));
        }
    }
    let unformatted = with(Delivery::new("CSV", "", Vec::new()), "fileFormat", None);
    assert_eq!(told(&query(&indexed(&unformatted).index(), "").run()), EMPTY);
}

/// Files without rows, alone and among others.
#[test]
fn files_without_rows() {
    let csv_gz = Delivery::csv_files(CURRENT, vec![gzip(b""), gzip(b"")]);
    let csv = Delivery::csv_files(CURRENT, vec![Vec::new(), Vec::new()]).ending(".csv.gz", ".csv");
    let columns = parquet(&[], CURRENT);
    let empty = Delivery::parquet_files(vec![columns.clone(), columns.clone()]);
    for delivery in [&csv_gz, &csv, &empty] {
        let folder = indexed(delivery);
        assert_eq!(told(&query(&folder.index(), "").run()), EMPTY);
        let root = json_lines(&exported(&folder.index())).remove(0);
        assert_eq!((&root["newest"], &root["oldest"]), (&Value::Null, &Value::Null));
    }
    let expected = export_of(&Delivery::csv(&rows(), 1));
    let text = s3inv_tests::csv_text(rows(), CURRENT);
    let among = Delivery::csv_files(CURRENT, vec![gzip(b""), gzip(&text), gzip(b"")]);
    assert_eq!(export_of(&among), expected);
    let among = Delivery::csv_files(CURRENT, vec![Vec::new(), text, Vec::new()]).ending(".csv.gz", ".csv");
    assert_eq!(export_of(&among), expected);
    let among = Delivery::parquet_files(vec![columns.clone(), parquet(&rows(), CURRENT), columns]);
    assert_eq!(export_of(&among), expected);
}

#[test]
fn hundreds_of_files_of_a_few_rows() {
    let rows: Vec<Row> = (0..900_u64)
        .map(|nth| Row::new(format!("d{}/e{}/k{nth}", nth % 11, nth % 130), nth).modified(nth * 1000))
        .collect();
    let folder = folder();
    for delivery in [Delivery::csv(&rows, 300), Delivery::parquet(&rows, 300, CURRENT)] {
        assert_eq!(delivery.files.len(), 300);
        let delivered = delivery.write(&folder.input());
        let summary = build(&folder, &delivered).arg("--workers", "4").run().summary();
        assert_eq!((&summary["rows"], &summary["chunks"]), (&json!(900), &json!(4)));
        assert_same(&sums(&exported(&folder.index())), &rolled_up(&rows, CURRENT));
        let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
        assert!(stat.answer().contains("Data files: 300\n"), "{}", stat.text());
    }
}

/// As AWS writes an inventory of all versions with every optional field of its day: null versions, a
/// marker without size, class and tag, and columns that nobody asks for.
#[test]
fn a_report_as_aws_writes_it() {
    let schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, \
                  IsMultipartUploaded, ReplicationStatus, EncryptionStatus, ObjectLockRetainUntilDate, \
                  ObjectLockMode, ObjectLockLegalHoldStatus, IntelligentTieringAccessTier, BucketKeyStatus, \
                  ChecksumAlgorithm, ObjectAccessControlList, ObjectOwner";
    let acl = "eyJ2ZXJzaW9uIjoiMjAyMi0xMS0xMCIsInN0YXR1cyI6IkFWQUlMQUJMRSIsImdyYW50cyI6W119";
    let line = |key: &str, version: &str, flags: &str, size: &str, date: &str, class: &str| {
        let (etag, encryption) = if class.is_empty() { ("", "") } else { ("d41d8cd98f00b204", "SSE-S3") };
        format!(
            "\"my-bucket\",\"{key}\",\"{version}\",{flags},\"{size}\",\"{date}\",\"{etag}\",\"{class}\",\"false\",\
             \"\",\"{encryption}\",\"\",\"\",\"\",\"\",\"DISABLED\",\"\",\"{acl}\",\"75aa57f09aa0c8ca\"\n"
        )
    };
    let (current, old, marker) = ("\"true\",\"false\"", "\"false\",\"false\"", "\"true\",\"true\"");
    let text = [
        line("photos/", "", current, "0", "2025-05-01T10:00:00.000Z", "STANDARD"),
        line("photos/a+b%3D1.jpg", "", old, "0", "2025-05-01T10:01:00.000Z", "STANDARD"),
        line("photos/a+b%3D1.jpg", "hV1.aBcDeFgH", current, "5", "2025-05-02T11:30:15.000Z", "STANDARD"),
        line("photos/c.jpg", "i_2JkLmNoPqR", marker, "", "2025-05-03T00:00:00.000Z", ""),
        line("photos/c.jpg", "x3YzStUvWxYz", old, "5", "2025-05-02T23:59:59.000Z", "STANDARD_IA"),
    ];
    let folder = folder();
    let delivery = Delivery::new("CSV", schema, vec![gzip(text.concat().as_bytes())]);
    let summary = build(&folder, &delivery.write(&folder.input())).run().summary();
    assert_eq!((&summary["rows"], &summary["prefixes"]), (&json!(5), &json!(2)));
    let asked = query(&folder.index(), "photos/").flag("--details").run();
    assert_eq!(
        told(&asked),
        "Prefix: photos/\nObjects: 2\nBytes: 5\nNoncurrent: 2 objects, 5 bytes\n\
         Delete markers: 1, 1 of them latest\nTier breakdown:\n  STANDARD: 2 objects, 5 bytes\n  \
         STANDARD, noncurrent: 1 objects, 0 bytes\n  STANDARD_IA, noncurrent: 1 objects, 5 bytes\n\
         Newest: 2025-05-02T11:30:15Z\nOldest: 2025-05-01T10:00:00Z\nAge:\n  <30d: 2 objects, 5 bytes\n\
         Size:\n  0: 1 objects, 0 bytes\n  <1KiB: 1 objects, 5 bytes\n"
    );
}

/// A manifest may list the same file's content under two keys, but no key twice.
#[test]
fn a_file_that_is_listed_twice() {
    let delivery = Delivery::csv(&rows(), 1);
    let file = delivery.files[0].clone();
    let copy = DataFile { key: format!("{}.copy.gz", file.key), ..file.clone() };
    let folder = indexed(&Delivery::csv(&rows(), 1).with_files(vec![file.clone(), copy]));
    assert_eq!(told(&query(&folder.index(), "").run()), "Prefix: \nObjects: 6\nBytes: 14\n");
    let twice = Delivery::csv(&rows(), 1).with_files(vec![file.clone(), file]).write(&folder.input());
    let error = build(&folder, &twice).run().error();
    assert!(error.contains("manifest: files[1].key") && error.ends_with("is in the list twice"), "{error}");
}

/// Sizes that no sum has room for are wrong of each file, and nothing else goes wrong before that.
#[test]
fn sizes_that_add_up_to_more_than_64_bits() {
    let rows = [Row::new("a/b", 1), Row::new("c", 2)];
    let mut delivery = Delivery::csv(&rows, 2);
    for nth in 0..2 {
        delivery.manifest["files"][nth]["size"] = u64::MAX.into();
    }
    let folder = folder();
    let error = build(&folder, &delivery.write(&folder.input())).run().error();
    assert!(error.ends_with("bytes, but the manifest says 18446744073709551615"), "{error}");
    folder.assert_left(&[]);
}
