//! Where most is.

use std::fs;

use s3inv_tests::{Bucket, CURRENT, Cli, Column, Delivery, Folder, Row, folder, s3inv, without};
use serde_json::{Value, json};

use crate::build::{aged, build, indexed, json_lines};
use crate::ls::{next_to_nothing, prices};

fn top(folder: &Folder) -> Cli {
    s3inv(["top"]).arg("--index", folder.index())
}

fn rows() -> Vec<Row> {
    vec![
        Row::new("logs/2024-01/a", 9000),
        Row::new("logs/2024-01/b", 5),
        Row::new("logs/2024-02/a", 500),
        Row::new("logs/readme", 3),
        Row::new("data/x/y/z", 2000),
        Row::new("data/x/y/z", 70).noncurrent(),
        Row::new("top", 1),
    ]
}

fn versions() -> Folder {
    let folder = folder();
    let delivered = Delivery::csv_versions(&rows(), 1).write(&folder.input());
    build(&folder, &delivered).run().summary();
    folder
}

/// A text without its first line, which tells the age.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = text.lines();
    let heading = lines.next().unwrap();
    assert!(heading.starts_with("my-bucket, snapshot of 2025-05-13T01:00:00Z, "), "{heading}");
    assert!(heading.ends_with(" days old"), "{heading}");
    lines.collect()
}

#[test]
fn what_has_most_is_shown_without_what_holds_it() {
    let folder = versions();
    let two = top(&folder).arg("-n", "2").run();
    assert_eq!(
        lines(two.answer()),
        [
            "BYTES   SHARE  WITH BELOW  PREFIX",
            " 9005   78.2%        9005  logs/2024-01/",
            " 2000   17.4%        2000  data/x/y/",
            "  504    4.4%              (in none of these)",
            "11509  100.0%              (total)",
        ]
    );
    let all = top(&folder).arg("-n", "3").flag("--all").flag("--human").run();
    assert_eq!(
        lines(all.answer()),
        [
            "   BYTES   SHARE  PREFIX",
            "11.2 KiB  100.0%  (root)",
            " 9.3 KiB   82.6%  logs/",
            " 8.8 KiB   78.2%  logs/2024-01/",
            "11.2 KiB  100.0%  (total)",
        ]
    );
    let old = top(&folder).arg("--by", "noncurrent").run();
    assert_eq!(
        lines(old.answer()),
        [
            "NONCURRENT BYTES   SHARE  WITH BELOW  PREFIX",
            "              70  100.0%          70  data/x/y/",
            "              70  100.0%              (total)",
        ]
    );
}

#[test]
fn a_partial_name_is_of_directories() {
    let folder = versions();
    let partial = top(&folder).arg("--prefix", "logs/2024-").arg("--by", "objects").run();
    assert_eq!(
        lines(partial.answer()),
        [
            "Note: logs/2024-* sums directories: objects that begin so lie elsewhere",
            "OBJECTS   SHARE  WITH BELOW  PREFIX",
            "      2   66.7%           2  logs/2024-01/",
            "      1   33.3%           1  logs/2024-02/",
            "      3  100.0%              (total)",
        ]
    );
    for prefix in ["logs/2023-", "logs/2023-01/", "nothing"] {
        let error = top(&folder).arg("--prefix", prefix).run().error();
        assert!(error.starts_with(&format!("prefix not found: {prefix}")), "{error}");
    }
}

/// All fields in their order.
#[test]
fn it_is_answered_as_json() {
    let folder = versions();
    let ask = |limit: &str| top(&folder).arg("--prefix", "logs/").arg("-n", limit).arg("--output", "json");
    let expected = json!({
        "index": folder.index(), "bucket": "my-bucket", "snapshot": "2025-05-13T01:00:00Z", "prefix": "logs/",
        "partial": false, "prices": prices(&[]), "by": "bytes", "all": false, "total": 9508, "rest": 503,
        "prefixes": [{
            "prefix": "logs/2024-01/", "depth": 2, "counts_for": 9005, "share": 0.947_097,
            "objects": 2, "bytes": 9005, "noncurrent_bytes": 0, "cost": next_to_nothing(),
        }],
    });
    let one = ask("1").run();
    assert_eq!(aged(&one), expected);
    let fields = [
        "index",
        "bucket",
        "snapshot",
        "age_hours",
        "skipped_rows",
        "prefix",
        "partial",
        "prices",
        "by",
        "all",
        "total",
        "rest",
        "prefixes",
    ];
    let places: Vec<_> =
        fields.iter().map(|field| one.text().find(&format!("\"{field}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{}", one.text());
    let all = ask("2").flag("--all").run();
    let all: Value = json_lines(all.answer()).remove(0);
    assert_eq!((&all["all"], &all["rest"]), (&json!(true), &Value::Null));
    let shown: Vec<_> = all["prefixes"].as_array().unwrap().iter().map(|large| &large["prefix"]).collect();
    assert_eq!(shown, ["logs/", "logs/2024-01/"]);
}

#[test]
fn what_an_index_does_not_know_is_no_answer() {
    let folder = folder();
    let columns = without(CURRENT, Column::Size);
    let delivered = Delivery::csv_of(&rows()[..5], 1, &columns).write(&folder.input());
    build(&folder, &delivered).arg("--measures", "none").run().summary();
    let index = folder.index().display().to_string();
    let needs = "the index has no measure bytes: the inventory needs the field Size";
    assert_eq!(
        top(&folder).arg("--by", "bytes").run().error(),
        format!("{index}: bytes can't be told: {needs}")
    );
    let error = top(&folder).arg("--by", "noncurrent").run().error();
    assert!(error.contains("noncurrent can't be told: the index has no measure noncurrent"), "{error}");
    let objects = top(&folder).arg("-n", "1").arg("--output", "json").run();
    let objects = json_lines(objects.answer()).remove(0);
    assert_eq!((&objects["by"], &objects["total"]), (&json!("objects"), &json!(5)));
    assert_eq!(objects["prefixes"][0]["bytes"], Value::Null);
    assert_eq!(objects["prefixes"][0]["noncurrent_bytes"], Value::Null);
}

#[test]
fn names_can_not_steer_a_terminal() {
    let folder = indexed(&[Row::new("a\x1b[2J\n/b", 1)]);
    let shown = top(&folder).env("CLICOLOR_FORCE", "1").run();
    let line = "    1  100.0%           1  \x1b[34ma\\u{1b}[2J\\n/\x1b[0m";
    assert_eq!(shown.answer().lines().nth(2), Some(line));
}

#[test]
fn an_index_in_s3_is_asked() {
    let folder = versions();
    let root = folder.path("indexes");
    fs::create_dir(&root).unwrap();
    fs::copy(folder.index(), root.join("index.s3inv")).unwrap();
    let bucket = Bucket::with_files("top", &root);
    let remote = s3inv(["top", "-n", "3"]).arg("--index", bucket.uri("")).envs(bucket.environment()).run();
    assert_eq!(remote.answer(), top(&folder).arg("-n", "3").run().answer());
}
