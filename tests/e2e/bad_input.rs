//! Input that is wrong: one line that names the thing and the cause, and nothing left behind.

use std::fs;
use std::path::{Path, PathBuf};

use s3inv_tests::{CURRENT, Delivered, Delivery, Folder, Row, csv_gz, folder, gzip, md5_hex, parquet, s3inv};
use serde_json::{Value, json};

use crate::build::{build, build_to, exported, json_lines, query, told, verify};

const OLD: &str = "Prefix: old/\nObjects: 1\nBytes: 3\n";

/// Some bytes that are not at the destination by chance.
fn with_previous() -> Folder {
    let folder = folder();
    let old = Delivery::csv(&[Row::new("old/a", 3)], 1).write(&folder.path("old"));
    build(&folder, &old).run().summary();
    folder
}

fn rows() -> Vec<Row> {
    (0..100).map(|nth| Row::new(format!("d{}/k{nth}", nth % 9), nth)).collect()
}

/// Builds what must fail: its error, when nothing else has changed.
fn refused(folder: &Folder, delivered: &Delivered, args: &[&str]) -> String {
    let build = args.iter().fold(build(folder, delivered), |build, arg| build.flag(arg));
    let error = build.run().error();
    folder.assert_left(&["index.s3inv"]);
    assert_eq!(told(&query(&folder.index(), "old/").run()), OLD);
    error
}

/// The error of a delivery that must be refused, without the folder's own name.
fn refused_delivery(delivery: &Delivery) -> String {
    refused_after(delivery, |_| ())
}

/// The same, when something is done to the delivered files first.
fn refused_after(delivery: &Delivery, harm: impl FnOnce(&Delivered)) -> String {
    let folder = with_previous();
    let delivered = delivery.write(&folder.input());
    harm(&delivered);
    refused(&folder, &delivered, &[]).replace(&format!("{}/", folder.input().display()), "")
}

const MANIFEST: &str = "inventories/my-bucket/daily/2025-05-13T01-00Z/manifest.json";
const FILE: &str = "inventories/my-bucket/daily/data/00000000-5b2c-4d1e-9f3a-000000000000.csv.gz";
const PARQUET_FILE: &str = "inventories/my-bucket/daily/data/00000000-5b2c-4d1e-9f3a-000000000000.parquet";

#[test]
fn a_missing_manifest() {
    let error = refused_after(&Delivery::csv(&rows(), 1), |there| fs::remove_file(&there.manifest).unwrap());
    assert_eq!(error, format!("manifest phase: read manifest: {MANIFEST}: not found"));
}

#[test]
fn a_manifest_that_is_a_directory() {
    let error = refused_after(&Delivery::csv(&rows(), 1), |there| {
        fs::remove_file(&there.manifest).unwrap();
        fs::create_dir(&there.manifest).unwrap();
    });
    assert_eq!(error, format!("manifest phase: read manifest: {MANIFEST}: a directory"));
}

/// Replaces a delivered manifest and its checksum.
fn rewrite_manifest(delivered: &Delivered, text: &[u8]) {
    fs::write(&delivered.manifest, text).unwrap();
    let checksum = delivered.manifest.with_extension("checksum");
    fs::write(checksum, format!("{}\n", md5_hex(text))).unwrap();
}

#[test]
fn a_malformed_manifest() {
    for (text, cause) in [
        (
            &b"{\"sourceBucket\": \"b\""[..],
            "manifest isn't JSON: EOF while parsing an object at line 1 column 20",
        ),
        (b"", "manifest isn't JSON: EOF while parsing a value at line 1 column 0"),
        (b"{}", "manifest: files is missing"),
        (b"[]", "manifest: files is missing"),
        (b"{\"files\":[]}", "manifest: sourceBucket is missing"),
    ] {
        let error = refused_after(&Delivery::csv(&rows(), 1), |there| rewrite_manifest(there, text));
        assert_eq!(error, format!("manifest phase: read manifest: {MANIFEST}: {cause}"));
    }
}

#[test]
fn a_manifest_with_a_wrong_field() {
    let md5 = "MD5checksum \"abc\" isn't 32 hexadecimal digits";
    for (at, value, cause) in [
        ("/fileFormat", json!("XML"), "manifest: fileFormat \"XML\" is none of CSV, ORC and Parquet"),
        ("/fileFormat", json!(7), "manifest: fileFormat isn't a text"),
        ("/fileSchema", json!(null), "manifest: fileSchema is missing"),
        ("/files", json!({}), "manifest: files isn't a list"),
        ("/files/0/size", json!("12 KB"), "manifest: files[0].size \"12 KB\" isn't a whole number"),
        ("/files/0/size", json!(-1), "manifest: files[0].size -1 isn't a whole number"),
        ("/files/0/MD5checksum", json!("abc"), &format!("manifest: files[0].{md5}")),
        ("/creationTimestamp", json!("today"), "manifest: creationTimestamp \"today\" isn't a whole number"),
        ("/creationTimestamp", json!(null), "manifest: creationTimestamp is missing"),
        (
            "/destinationBucket",
            json!("arn:aws:sqs:::reports"),
            "manifest: destinationBucket \"arn:aws:sqs:::reports\" is neither a bucket nor its ARN",
        ),
        (
            "/fileSchema",
            json!("Bucket, Size, StorageClass"),
            "fileSchema has no column Key: is it the schema of a CSV inventory?",
        ),
        ("/fileSchema", json!("Key, Size, size"), "fileSchema has the column \"size\" twice"),
    ] {
        let mut delivery = Delivery::csv(&rows(), 1);
        *delivery.manifest.pointer_mut(at).unwrap() = value;
        assert_eq!(
            refused_delivery(&delivery),
            format!("manifest phase: read manifest: {MANIFEST}: {cause}")
        );
    }
}

#[test]
fn a_wrong_checksum_is_an_error_and_a_missing_one_a_warning() {
    let delivery = Delivery::csv(&rows(), 1);
    let error = refused_after(&delivery, |there| {
        let checksum = there.manifest.with_extension("checksum");
        fs::write(checksum, "00000000000000000000000000000000\n").unwrap();
    });
    let (start, end) =
        ("manifest's MD5 is ", ", but manifest.checksum says 00000000000000000000000000000000");
    assert!(error.starts_with(&format!("manifest phase: read manifest: {MANIFEST}: {start}")), "{error}");
    assert!(error.ends_with(end), "{error}");
    let error = refused_after(&delivery, |there| {
        fs::write(there.manifest.with_extension("checksum"), "nonsense").unwrap();
    });
    assert!(error.ends_with("manifest.checksum says \"nonsense\": not 32 hexadecimal digits"), "{error}");

    let folder = folder();
    let delivered = Delivery { checksum: false, ..delivery }.write(&folder.input());
    let finished = build(&folder, &delivered).run();
    assert_eq!(finished.summary()["rows"], 100);
    assert_eq!(finished.messages("warn"), ["manifest.checksum is missing: the manifest is not verified"]);
}

#[test]
fn a_missing_data_file() {
    let error = refused_after(&Delivery::csv(&rows(), 1), |there| fs::remove_file(&there.files[0]).unwrap());
    let cause = "not found in the manifest's folder, nor in one above it";
    assert_eq!(error, format!("manifest phase: read manifest: {FILE}: {cause}"));
}

#[test]
fn a_data_file_of_another_size() {
    for (delivery, phase) in [
        (Delivery::csv(&rows(), 1), "ingest phase: process chunk"),
        // The first file of columns is asked for its columns with the manifest.
        (Delivery::parquet(&rows(), 1, CURRENT), "manifest phase: read manifest"),
    ] {
        let size = delivery.files[0].bytes.len();
        let error = refused_after(&delivery, |there| {
            let longer = [delivery.files[0].bytes.as_slice(), b"more"].concat();
            fs::write(&there.files[0], longer).unwrap();
        });
        let (file, longer) = (&delivery.files[0].key, size + 4);
        let cause = format!("is {longer} bytes, but the manifest says {size}");
        assert_eq!(error, format!("{phase}: {file}: {cause}"));
    }
}

#[test]
fn a_csv_file_with_another_md5() {
    let mut delivery = Delivery::csv(&rows(), 1);
    let right = delivery.manifest["files"][0]["MD5checksum"].as_str().unwrap().to_owned();
    let wrong = "0123456789abcdef0123456789abcdef";
    delivery.manifest["files"][0]["MD5checksum"] = wrong.into();
    let cause = format!("its MD5 is {right}, but the manifest says {wrong}");
    assert_eq!(refused_delivery(&delivery), format!("ingest phase: process chunk: {FILE}: {cause}"));
}

#[test]
fn a_parquet_file_with_another_md5_is_noticed_on_demand() {
    let mut delivery = Delivery::parquet(&rows(), 1, CURRENT);
    let right = delivery.manifest["files"][0]["MD5checksum"].as_str().unwrap().to_owned();
    let wrong = "0123456789abcdef0123456789abcdef";
    delivery.manifest["files"][0]["MD5checksum"] = wrong.into();
    let folder = with_previous();
    let delivered = delivery.write(&folder.input());
    let error = refused(&folder, &delivered, &["--verify-md5"]);
    let cause = format!("its MD5 is {right}, but the manifest says {wrong}");
    assert!(error.ends_with(&format!("{PARQUET_FILE}: {cause}")), "{error}");
    build(&folder, &delivered).run().summary();
}

/// A delivery of one data file that checks out, whatever is in it.
fn csv_of(bytes: Vec<u8>) -> Delivery {
    Delivery::csv_files(CURRENT, vec![bytes])
}

fn refused_file(bytes: Vec<u8>) -> String {
    let error = refused_delivery(&csv_of(bytes));
    error.strip_prefix(&format!("ingest phase: process chunk: {FILE}: ")).expect(&error).to_owned()
}

#[test]
fn a_truncated_or_damaged_gzip() {
    let whole = csv_gz(&rows(), CURRENT);
    for len in [whole.len() - 1, whole.len() / 2, 5] {
        assert_eq!(refused_file(whole[..len].to_vec()), "truncated gzip");
    }
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    assert!(refused_file(flipped).starts_with("damaged gzip: "));
    let followed = refused_file([&whole[..], b"something that is no gzip"].concat());
    assert!(followed.starts_with("damaged gzip: "), "{followed}");
    assert!(refused_file(b"\"b\",\"plain text\",\"1\"\n".to_vec()).starts_with("damaged gzip: "));
}

#[test]
fn a_row_that_can_not_be_understood() {
    let good = "\"b\",\"k\",\"1\",\"2024-05-06T22:37:48.000Z\",\"e\",\"STANDARD\",\"\"\n";
    let row = |key: &str, size: &str, class: &str| {
        format!("\"b\",\"{key}\",\"{size}\",\"2024-05-06T22:37:48.000Z\",\"\",\"{class}\",\"\"\n")
    };
    let bad_date = |date: &str| format!("date {date:?} isn't one since 1970, as in 2024-05-06T22:37:48.000Z");
    for (bad, cause) in [
        ("\"b\",\"k\",\"1\"\n".to_owned(), "3 fields, expected 7"),
        ("\"b\"\n".to_owned(), "1 field, expected 7"),
        (good.replace("\"\"\n", "\"\",\"more\"\n"), "8 fields, expected 7"),
        (row("k", "12 KB", "STANDARD"), "size \"12 KB\" isn't a whole number"),
        (row("k", "-5", "STANDARD"), "size \"-5\" isn't a whole number"),
        (row("k", "", "STANDARD"), "Size is missing"),
        (row("k", "18446744073709551616", "STANDARD"), "size \"18446744073709551616\" isn't a whole number"),
        (row("", "1", "STANDARD"), "a key of 0 bytes: 1 to 1024 are possible"),
        (row(&"k".repeat(1025), "1", "STANDARD"), "a key of 1025 bytes: 1 to 1024 are possible"),
        (row("a%2", "1", "STANDARD"), "key \"a%2\" has a malformed % escape"),
        (row("k", "1", ""), "StorageClass is missing"),
        (row("k", "1", "A B"), "storage class \"A B\" is not 1 to 64 letters, digits, `_` or `-`"),
        (good.replace("22:37", "24:37"), &bad_date("2024-05-06T24:37:48.000Z")),
        (good.replace("2024-05-06T22:37:48.000Z", "yesterday"), &bad_date("yesterday")),
        (good.replace("2024-05-06T22:37:48.000Z", ""), "LastModifiedDate is missing"),
        ("\"b\",\"k".to_owned(), "a quoted field that doesn't end"),
    ] {
        let text = format!("{good}{good}{bad}");
        assert_eq!(refused_file(gzip(text.as_bytes())), format!("row 3: {cause}"));
    }
}

#[test]
fn a_parquet_file_without_a_key_column_or_damaged() {
    let whole = parquet(&rows(), CURRENT);
    let refused = |bytes: Vec<u8>| {
        let error = refused_delivery(&Delivery::parquet_files(vec![bytes]));
        let start = format!("manifest phase: read manifest: {PARQUET_FILE}: ");
        error.strip_prefix(&start).expect(&error).to_owned()
    };
    for len in [whole.len() - 1, whole.len() / 2, 3] {
        assert!(refused(whole[..len].to_vec()).starts_with("damaged parquet file: "));
    }
    assert!(refused(b"no parquet at all".to_vec()).starts_with("damaged parquet file: "));
    // The column's name is in the schema once, and in the metadata of each row group.
    let renamed = replace_all(&whole, b"\x03key", b"\x03kex");
    let cause = "column key: is missing: is it a file of an inventory?";
    assert_eq!(refused(renamed), cause);
}

fn replace_all(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let found: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    for at in found {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn a_key_that_leads_out_of_the_folder() {
    for key in ["../outside.csv.gz", "/etc/hostname", "a/../../../../../outside.csv.gz", "./x"] {
        let mut delivery = Delivery::csv(&rows(), 1);
        delivery.manifest["files"][0]["key"] = key.into();
        let folder = with_previous();
        let delivered = delivery.write(&folder.input());
        fs::write(folder.input().parent().unwrap().join("outside.csv.gz"), csv_gz(&rows(), CURRENT)).unwrap();
        let error = refused(&folder, &delivered, &[]);
        assert!(error.starts_with(&format!("manifest phase: read manifest: {key}: ")), "{error}");
    }
}

#[test]
fn a_destination_that_can_not_be_written() {
    let folder = with_previous();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let file = folder.path("file");
    fs::write(&file, "a file").unwrap();
    fs::create_dir(folder.path("taken")).unwrap();
    fs::create_dir(folder.path("taken/index.s3inv")).unwrap();
    let refused = |out: &Path| {
        let error = build_to(&folder, &delivered, out).run().error();
        folder.assert_left(&["index.s3inv"]);
        error.replace(folder.path("").to_str().unwrap(), "")
    };
    let missing = refused(&folder.path("no/such/dir.s3inv"));
    assert!(
        missing.ends_with("no/such/dir.s3inv: the directory no/such does not exist: make it first"),
        "{missing}"
    );
    let below_file = refused(&file.join("index.s3inv"));
    assert!(below_file.contains("file/index.s3inv: "), "{below_file}");
    let directory = refused(&folder.path("taken"));
    assert!(directory.ends_with("taken/index.s3inv: a directory"), "{directory}");
    let device = refused(Path::new("/dev/null"));
    assert!(device.ends_with("/dev/null: not a regular file"), "{device}");
    assert_eq!(fs::read_to_string(file).unwrap(), "a file");
}

#[test]
fn a_place_that_nobody_knows() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let refused =
        |manifest: &str, out: &str| s3inv(["build", "--s3-manifest", manifest, "--out", out]).run().error();
    let manifest = delivered.manifest.to_str().unwrap();
    let cause = "gs:// is not supported: use s3://bucket/key, file:///path or a path";
    assert_eq!(refused("gs://b/manifest.json", "o"), format!("gs://b/manifest.json: {cause}"));
    assert_eq!(refused(manifest, "gs://b/o"), format!("gs://b/o: {cause}"));
    let bucket = refused("s3://bucket", folder.index().to_str().unwrap());
    assert!(bucket.ends_with("s3://bucket/: names a bucket, not an object"), "{bucket}");
}

#[test]
fn a_temporary_folder_that_is_not_there() {
    let folder = with_previous();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let missing = folder.path("no-temp");
    let build = s3inv(["build"]).arg("--s3-manifest", &delivered.manifest).arg("--out", folder.index());
    let error = build.arg("--temp-dir", &missing).run().error();
    assert!(error.starts_with(&format!("manifest phase: read manifest: {}: ", missing.display())), "{error}");
    assert!(error.contains("No such file or directory"), "{error}");
    folder.assert_left(&["index.s3inv"]);
    assert!(!missing.exists());
}

/// One file of several is bad: the workers with the good ones stop too.
#[test]
fn one_bad_file_among_many() {
    let mut delivery = Delivery::csv(&rows(), 4);
    let bad = gzip(b"\"b\",\"k\"\n");
    delivery.manifest["files"][2]["size"] = bad.len().into();
    delivery.manifest["files"][2]["MD5checksum"] = md5_hex(&bad).into();
    delivery.files[2].bytes = bad;
    let folder = with_previous();
    let delivered = delivery.write(&folder.input());
    for workers in ["1", "2", "4"] {
        let error = refused(&folder, &delivered, &[&format!("--workers={workers}")]);
        assert!(
            error.ends_with("00000002-5b2c-4d1e-9f3a-000000000000.csv.gz: row 1: 2 fields, expected 7"),
            "{error}"
        );
    }
}

/// A small index, its bytes, and what it says.
fn small_index() -> (Folder, PathBuf, Vec<u8>, String) {
    let folder = folder();
    let rows = [Row::new("a/b", 1), Row::new("a/c/d", 2).class("GLACIER"), Row::new("e", 4)];
    let delivered = Delivery::csv(&rows, 1).write(&folder.input());
    build(&folder, &delivered).run().summary();
    let export = exported(&folder.index());
    let bytes = fs::read(folder.index()).unwrap();
    let damaged = folder.path("damaged.s3inv");
    (folder, damaged, bytes, export)
}

#[test]
fn every_byte_of_an_index_counts() {
    let (_folder, damaged, bytes, export) = small_index();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&damaged, flipped).unwrap();
        let error = verify(&damaged).run().error();
        assert!(error.starts_with(&format!("{}: ", damaged.display())), "byte {at}: {error}");
        assert_same_or_failed(&damaged, &export, at);
    }
}

/// Whatever is wrong, no wrong answer is given.
fn assert_same_or_failed(index: &Path, export: &str, at: usize) {
    let finished = s3inv(["export", "--format", "jsonl"]).arg("--index", index).run();
    match finished.code {
        Some(0) => assert_eq!(finished.text(), export, "byte {at}"),
        _ => assert!(export.starts_with(finished.text()) && !finished.error().is_empty(), "byte {at}"),
    }
    let finished = query(index, "a/").run();
    match finished.code {
        Some(0) => assert_eq!(told(&finished), "Prefix: a/\nObjects: 2\nBytes: 3\n", "byte {at}"),
        _ => assert!(finished.text().is_empty() && !finished.error().contains("not found"), "byte {at}"),
    }
    let finished =
        s3inv(["ls", "--depth", "9", "--sort", "name", "--output", "json"]).arg("--index", index).run();
    match finished.code {
        Some(0) => {
            let prefixes = &json_lines(finished.text())[0]["prefixes"];
            let objects = |at: usize| (prefixes[at]["prefix"].as_str(), prefixes[at]["objects"].as_u64());
            assert_eq!(
                [objects(0), objects(1)],
                [(Some("a/"), Some(2)), (Some("a/c/"), Some(1))],
                "byte {at}"
            );
        }
        _ => assert!(finished.text().is_empty() && !finished.error().is_empty(), "byte {at}"),
    }
}

#[test]
fn an_index_cut_short_or_grown() {
    let (_folder, damaged, bytes, _) = small_index();
    let errors = |bytes: &[u8]| -> Vec<String> {
        fs::write(&damaged, bytes).unwrap();
        let commands =
            [&["query", "--prefix", "a/"][..], &["export", "--format", "jsonl"], &["stat"], &["verify"]];
        let run = |args: &&[&str]| s3inv(*args).arg("--index", &damaged).run();
        let finished = commands.iter().map(run);
        finished
            .map(|finished| {
                assert_eq!(finished.text(), "");
                finished.error()
            })
            .collect()
    };
    for len in (0..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        for error in errors(&bytes[..len]) {
            assert!(error.starts_with(&format!("{}: not an index: ", damaged.display())), "{len}: {error}");
        }
    }
    for error in errors(&[&bytes[..], b"more"].concat()) {
        assert!(error.contains("not an index: it does not end with S3INVIDX"), "{error}");
    }
    for error in errors(&[b"more", &bytes[..]].concat()) {
        assert!(error.contains("add up"), "{error}");
    }
}

#[test]
fn what_is_no_index() {
    let (folder, damaged, _, _) = small_index();
    let refused = |index: &Path| {
        let errors = [query(index, "").run().error(), verify(index).run().error()];
        assert_eq!(errors[0], errors[1]);
        errors[0].replace(folder.path("").to_str().unwrap(), "")
    };
    fs::write(&damaged, "a text\n".repeat(1000)).unwrap();
    assert_eq!(refused(&damaged), "damaged.s3inv: not an index: it does not end with S3INVIDX");
    fs::write(&damaged, "").unwrap();
    assert_eq!(refused(&damaged), "damaged.s3inv: not an index: it is too short");
    assert!(refused(&folder.path("missing")).starts_with("missing: No such file or directory"));
    assert!(refused(&folder.path("temp")).starts_with("temp/index.s3inv: No such file or directory"));
    assert!(refused(Path::new("/dev/null")).starts_with("/dev/null: not a regular file"));
}

#[test]
fn a_run_or_a_segment_is_no_index() {
    use s3inv_index_format::{FileKind, Form, Writer};
    let (folder, damaged, _, _) = small_index();
    for (kind, name) in [(FileKind::Run, "run"), (FileKind::Segment, "segment")] {
        let schema = s3inv_model::Schema::default();
        let mut writer = Writer::new(Vec::new(), Form { kind, ..Form::segment(false) }, &schema).unwrap();
        writer.push(b"", &[], s3inv_model::Dates::NONE).unwrap();
        let (bytes, _) = writer.finish(s3inv_model::RowCounts::default()).unwrap();
        fs::write(&damaged, bytes).unwrap();
        for error in [query(&damaged, "").run().error(), verify(&damaged).run().error()] {
            assert_eq!(error, format!("{}: this is a {name}, not an index", damaged.display()));
        }
    }
    drop(folder);
}

#[test]
fn errors_are_one_line_whatever_is_quoted() {
    let mut delivery = Delivery::csv(&rows(), 1);
    delivery.manifest["files"][0]["key"] = Value::from("evil\nname\u{1b}[2J");
    let folder = with_previous();
    let delivered = delivery.write(&folder.input());
    let pretty = build(&folder, &delivered).flag("--pretty-logs").run();
    assert_eq!(pretty.code, Some(1));
    let errors: Vec<_> = pretty.stderr.iter().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{:?}", pretty.stderr);
    assert!(errors[0].contains("evil\\nname\\u{1b}[2J"), "{errors:?}");
}
