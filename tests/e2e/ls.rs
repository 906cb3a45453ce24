//! Lists and trees of what is in a prefix.

use std::path::Path;

use s3inv_tests::{Bucket, Cli, DAY, Delivery, Row, SNAPSHOT, folder, s3inv, without};
use s3inv_tests::{CURRENT, Column};
use serde_json::{Value, json};

use crate::build::{aged, build, indexed};

/// Directories of odd names, of several classes and dates, and objects beside them.
fn rows() -> Vec<Row> {
    vec![
        Row::new("logs/2024-01/a", 100),
        Row::new("logs/2024-01/b", 200).class("GLACIER"),
        Row::new("logs/2024-02/x/c", 5000).modified(SNAPSHOT - 3 * DAY),
        Row::new("logs/2023-12/d", 40),
        Row::new("logs/2024-01.txt", 7),
        Row::new("other/\x1b[2J/f", 10),
        Row::new(&b"other/\xff/g"[..], 20),
        Row::new("top", 5),
    ]
}

fn ls(index: &Path, prefix: &str) -> Cli {
    s3inv(["ls"]).arg("--index", index).arg("--prefix", prefix)
}

fn ask(cli: Cli) -> Value {
    aged(&cli.arg("--output", "json").run())
}

/// The names of a list, in their order.
fn names(answer: &Value) -> Vec<&str> {
    answer["prefixes"].as_array().unwrap().iter().map(|one| one["prefix"].as_str().unwrap()).collect()
}

/// The lines of a text, without the first ones: the age is not compared, and what costs go by is always the same.
#[track_caller]
fn lines(text: &str) -> String {
    let (heading, lines) = text.split_once('\n').unwrap();
    let age = heading.strip_prefix("my-bucket, snapshot of 2025-05-13T01:00:00Z, ").expect(heading);
    assert!(age.ends_with(" days old"), "{age}");
    lines.strip_prefix(COSTS).unwrap_or(lines).to_owned()
}

/// What costs go by.
const COSTS: &str = "Cost a month of current versions, prices of us-east-1, 2025-10, USD; without requests, \
                     retrieval, early deletion, unfinished uploads\n\
                     Note: noncurrent versions are not counted: the inventory is of current versions\n";

/// What is noted of an inventory of current versions.
pub(crate) const CURRENT_ONLY: &str =
    "noncurrent versions are not counted: the inventory is of current versions";

/// The same for programs.
pub(crate) fn prices(notes: &[&str]) -> Value {
    json!({
        "region": "us-east-1", "date": "2025-10", "currency": "USD", "unpriced": [],
        "left_out": ["requests", "retrieval", "early deletion", "unfinished uploads"], "notes": notes,
    })
}

/// What is less than half of a millionth of a dollar.
pub(crate) fn next_to_nothing() -> Value {
    json!({ "micro_dollars": 0, "dollars": "0.000000" })
}

#[test]
fn what_is_in_a_prefix_adds_up_to_its_total() {
    let folder = indexed(&rows());
    let all = ls(&folder.index(), "logs/").run();
    assert_eq!(
        lines(all.answer()),
        "OBJECTS  BYTES   SHARE       COST                NEWEST  PREFIX\n      \
               1   5000   93.5%  $0.000000  2025-05-10T01:00:00Z  logs/2024-02/\n      \
               2    300    5.6%  $0.000000  2024-05-06T22:37:48Z  logs/2024-01/\n      \
               1     40    0.7%  $0.000000  2024-05-06T22:37:48Z  logs/2023-12/\n      \
               1      7    0.1%  $0.000000                     -  (directly here)\n      \
               5   5347  100.0%  $0.000000  2025-05-10T01:00:00Z  (total)\n"
    );
    let first = ls(&folder.index(), "logs/").arg("--limit", "1").flag("--human").run();
    assert_eq!(
        lines(first.answer()),
        "OBJECTS       BYTES   SHARE       COST                NEWEST  PREFIX\n      \
               1     4.9 KiB   93.5%  $0.000000  2025-05-10T01:00:00Z  logs/2024-02/\n      \
               3       340 B    6.4%  $0.000000                     -  (2 more)\n      \
               1         7 B    0.1%  $0.000000                     -  (directly here)\n      \
               5     5.2 KiB  100.0%  $0.000000  2025-05-10T01:00:00Z  (total)\n"
    );
    assert_eq!(first.stderr, [""; 0]);
}

#[test]
fn a_list_is_answered_as_json() {
    let folder = indexed(&rows());
    let answer = ask(ls(&folder.index(), "logs/").arg("--limit", "1").arg("--sort", "objects"));
    let part = |objects: u64, bytes: u64, newest: Option<&str>| json!({ "objects": objects, "bytes": bytes, "share": objects as f64 / 5.0, "cost": next_to_nothing(), "newest": newest });
    let mut first = part(2, 300, Some("2024-05-06T22:37:48Z"));
    first["prefix"] = "logs/2024-01/".into();
    let mut more = part(2, 5040, None);
    more["prefixes"] = 2.into();
    assert_eq!(
        answer,
        json!({
            "index": folder.index().to_str(), "bucket": "my-bucket", "snapshot": "2025-05-13T01:00:00Z",
            "prefix": "logs/", "partial": false, "prices": prices(&[CURRENT_ONLY]), "depth": 1, "sort": "objects",
            "class": null, "min_objects": 0, "min_bytes": 0, "match": null, "prefixes": [first], "more": more,
            "directly": part(1, 7, None), "total": part(5, 5347, Some("2025-05-10T01:00:00Z")),
        })
    );
}

#[test]
fn a_partial_prefix_means_the_directories_that_begin_so() {
    let folder = indexed(&rows());
    let text = ls(&folder.index(), "logs/2024-").run();
    let (note, _) = lines(text.answer()).split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(note, "Note: logs/2024-* sums directories: objects that begin so lie elsewhere");
    let answer = ask(ls(&folder.index(), "logs/2024-"));
    assert_eq!(names(&answer), ["logs/2024-02/", "logs/2024-01/"]);
    assert_eq!((&answer["partial"], &answer["directly"]), (&json!(true), &Value::Null));
    assert_eq!(answer["total"]["bytes"], 5300, "and not the object beside them");
    let deeper = ask(ls(&folder.index(), "lo").arg("--depth", "2"));
    assert_eq!(names(&deeper), ["logs/", "logs/2024-02/", "logs/2024-01/", "logs/2023-12/"]);
}

#[test]
fn lists_are_sorted_limited_and_filtered() {
    let folder = indexed(&rows());
    let list = |args: &[&str]| {
        let cli = args.chunks(2).fold(ls(&folder.index(), "logs/"), |cli, two| cli.arg(two[0], two[1]));
        names(&ask(cli)).iter().map(|name| name["logs/".len()..].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(&["--sort", "name"]), ["2023-12/", "2024-01/", "2024-02/"]);
    assert_eq!(list(&["--sort", "newest"])[0], "2024-02/");
    assert_eq!(list(&["--sort", "objects", "--limit", "1"]), ["2024-01/"]);
    assert_eq!(list(&["--depth", "2", "--sort", "name"]), ["2023-12/", "2024-01/", "2024-02/", "2024-02/x/"]);
    assert_eq!(list(&["--min-bytes", "1KB"]), ["2024-02/"]);
    assert_eq!(list(&["--min-objects", "2"]), ["2024-01/"]);
    assert_eq!(list(&["--match", "*-1?"]), ["2023-12/"]);
    assert_eq!(list(&["--match", "logs/**/x", "--depth", "2"]), ["2024-02/x/"]);
    assert_eq!(list(&["--class", "GLACIER"]), ["2024-01/"]);
    assert_eq!(list(&["--limit", "0"]), [""; 0]);
}

/// What is asked for is repeated, and what shares are of follows from it.
#[test]
fn an_answer_says_what_it_is_of() {
    let folder = indexed(&rows());
    let answer = ask(ls(&folder.index(), "logs/").arg("--class", "STANDARD").arg("--match", "2024-*/"));
    assert_eq!((&answer["class"], &answer["match"]), (&json!("STANDARD"), &json!("2024-*")));
    assert_eq!((&answer["sort"], &answer["depth"]), (&json!("bytes"), &json!(1)));
    let text = ls(&folder.index(), "logs/").arg("--class", "STANDARD").run();
    assert!(
        lines(text.answer()).starts_with("Note: only objects of STANDARD are counted\n"),
        "{}",
        text.text()
    );
    let shares =
        |sort: &str| ask(ls(&folder.index(), "").arg("--sort", sort))["prefixes"][0]["share"].clone();
    assert_eq!(shares("name"), shares("bytes"));
    let text = ls(&folder.index(), "logs/").arg("--sort", "objects").arg("-n", "1").run();
    let shown = lines(text.answer());
    assert!(
        shown.starts_with("OBJECTS   SHARE  BYTES       COST                NEWEST  PREFIX\n"),
        "{shown}"
    );
    assert!(shown.contains("\n      2   40.0%    300  "), "{shown}");
    let deep = ls(&folder.index(), "").arg("--depth", "9").arg("-n", "1").run();
    assert!(deep.answer().contains(" more are not listed, for --limit or a filter\n"), "{}", deep.text());
}

#[test]
fn a_class_has_sums_of_its_own() {
    let folder = indexed(&rows());
    let answer = ask(ls(&folder.index(), "logs/").arg("--class", "STANDARD"));
    assert_eq!((&answer["total"]["bytes"], &answer["directly"]["bytes"]), (&json!(5147), &json!(7)));
    assert_eq!(answer["total"]["newest"], Value::Null, "dates are of all classes");
    let unknown = ls(&folder.index(), "").arg("--class", "SNOW").run();
    assert_eq!(unknown.error(), "no such class in this index: SNOW: it has GLACIER, STANDARD");
}

#[test]
fn what_an_inventory_lacks_is_said() {
    let folder = folder();
    let columns = without(&without(CURRENT, Column::Size), Column::LastModifiedDate);
    let delivered = Delivery::csv_files(&columns, vec![s3inv_tests::csv_gz(&rows(), &columns)]);
    build(&folder, &delivered.write(&folder.input())).run().summary();
    let text = ls(&folder.index(), "logs/").run();
    assert!(
        lines(text.answer()).starts_with("OBJECTS   SHARE  PREFIX\n      2   40.0%  logs/2024-01/\n"),
        "{}",
        text.text()
    );
    assert_eq!(ask(ls(&folder.index(), "logs/"))["total"]["bytes"], Value::Null);
    for args in [["--sort", "bytes"], ["--min-bytes", "1"], ["--sort", "newest"]] {
        let error = ls(&folder.index(), "logs/").arg(args[0], args[1]).run().error();
        assert!(error.contains("this index has no "), "{error}");
    }
}

#[test]
fn names_can_not_steer_a_terminal() {
    let folder = indexed(&rows());
    let text = ls(&folder.index(), "other/").arg("--sort", "name").run();
    assert!(text.answer().contains("  other/\\u{1b}[2J/\n"), "{}", text.text());
    assert!(text.text().contains("  other/\\xff/\n"), "{}", text.text());
    let tree = s3inv(["tree"]).arg("--index", folder.index()).run();
    assert!(tree.answer().contains("├── \\xff/\n"), "{}", tree.text());
    assert!(!text.text().contains('\x1b') && !tree.text().contains('\x1b'));
    let answer = ask(ls(&folder.index(), "other/"));
    assert_eq!(answer["prefixes"][0]["prefix_b64"], "b3RoZXIv/y8=");
}

#[test]
fn a_tree_shows_what_is_below() {
    let folder = indexed(&rows());
    let tree = || s3inv(["tree"]).arg("--index", folder.index()).arg("--prefix", "logs/");
    assert_eq!(
        lines(tree().arg("--limit", "1").run().answer()),
        "OBJECTS  BYTES   SHARE       COST                NEWEST  PREFIX\n      \
               5   5347  100.0%  $0.000000  2025-05-10T01:00:00Z  logs/\n      \
               1   5000   93.5%  $0.000000  2025-05-10T01:00:00Z  ├── 2024-02/\n      \
               1   5000   93.5%  $0.000000  2025-05-10T01:00:00Z  │   └── x/\n      \
               3    340    6.4%  $0.000000                     -  ├── … 2 more\n      \
               1      7    0.1%  $0.000000                     -  └── (directly here)\n"
    );
    let answer = ask(tree().arg("--depth", "1"));
    assert_eq!((&answer["prefix"], &answer["objects"]), (&json!("logs/"), &json!(5)));
    assert_eq!(answer["children"][2]["prefix"], "logs/2023-12/");
    assert_eq!(answer["children"][2].get("children"), None, "the tree ends there");
    let some = ask(tree().arg("--class", "STANDARD").arg("--min-bytes", "1KB").arg("--sort", "name"));
    assert_eq!((&some["children"].as_array().unwrap().len(), &some["bytes"]), (&1, &json!(5147)));
    assert_eq!(some["children"][0]["prefix"], "logs/2024-02/");
    assert_eq!((&some["more"]["prefixes"], &some["directly"]["bytes"]), (&json!(2), &json!(7)));
    let by_name = ask(tree().arg("--sort", "name"));
    assert_eq!(by_name["children"][0]["prefix"], "logs/2023-12/");
    let partial = s3inv(["tree", "--prefix", "logs/2024-"]).arg("--index", folder.index()).run();
    assert!(partial.answer().contains("  logs/2024-*\n"), "{}", partial.text());
    assert!(partial.text().contains("├── 2024-02/\n"), "{}", partial.text());
}

#[test]
fn what_is_not_there_is_exit_code_1() {
    let folder = indexed(&rows());
    for command in ["ls", "tree"] {
        for prefix in ["none/", "logs/2025-", "logs/2024-01/a"] {
            let finished = s3inv([command, "--prefix", prefix]).arg("--index", folder.index()).run();
            assert!(finished.error().starts_with(&format!("prefix not found: {prefix}")));
        }
        assert_eq!(s3inv([command, "--depth", "0"]).arg("--index", folder.index()).run().code, Some(2));
    }
    let wrong = ls(&folder.index(), "").arg("--match", "[a").run();
    assert_eq!(wrong.code, Some(2), "{:?}", wrong.stderr);
}

#[test]
fn an_index_in_s3_answers_alike() {
    let folder = indexed(&rows());
    let root = folder.path("indexes");
    std::fs::create_dir(&root).unwrap();
    std::fs::copy(folder.index(), root.join("my.s3inv")).unwrap();
    let bucket = Bucket::with_files("ls", &root);
    for args in [
        &["ls", "--prefix", "logs/"][..],
        &["ls", "--prefix", "logs/2024-", "--depth", "2", "--sort", "name"],
        &["tree", "--depth", "3"],
    ] {
        let local = s3inv(args).arg("--index", folder.index()).run();
        let remote = s3inv(args).arg("--index", bucket.uri("my.s3inv")).envs(bucket.environment()).run();
        assert_eq!(lines(remote.answer()), lines(local.answer()), "{args:?}");
    }
}
