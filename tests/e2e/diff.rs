//! What differs between two indexes.

use std::fs;
use std::path::PathBuf;

use s3inv_tests::{
    Bucket, CURRENT, Cli, Column, DAY, Delivery, Finished, Folder, Row, SNAPSHOT, folder, s3inv, without,
};
use serde_json::{Value, json};

use crate::build::{aged, build_to, json_lines};
use crate::documented::without_age;
use crate::ls::{CURRENT_ONLY, next_to_nothing, prices};

const ANSWERS: &str = include_str!("../../docs/answers.md");

fn monday() -> Vec<Row> {
    vec![
        Row::new("logs/2024-01/a", 9000),
        Row::new("logs/2024-01/b", 1000),
        Row::new("logs/2024-02/a", 500),
        Row::new("logs/readme", 3),
        Row::new("data/x/1", 2000),
        Row::new("data/x/2", 2000),
        Row::new("tmp/y/z", 70),
        Row::new("same/a", 123_456),
    ]
}

fn tuesday() -> Vec<Row> {
    vec![
        Row::new("logs/2024-01/a", 9000),
        Row::new("logs/2024-02/a", 2500),
        Row::new("logs/2024-03/a", 4000),
        Row::new("logs/readme", 10),
        Row::new("data/x/1", 2000).class("GLACIER"),
        Row::new("data/x/2", 2000),
        Row::new("new/1", 1_000_000),
        Row::new("same/a", 123_456),
    ]
}

/// Builds the index of a day.
fn built(folder: &Folder, name: &str, mut delivery: Delivery, day: u64, more: &[&str]) -> PathBuf {
    delivery.manifest["creationTimestamp"] = (SNAPSHOT + day * DAY).to_string().into();
    let delivered = delivery.write(&folder.path(&format!("in-{name}")));
    let index = folder.out().join(format!("{name}.s3inv"));
    let build = build_to(folder, &delivered, &index);
    more.iter().fold(build, |build, flag| build.flag(flag)).run().summary();
    index
}

/// Two days of a bucket.
fn two_days() -> Folder {
    let folder = folder();
    built(&folder, "monday", Delivery::csv(&monday(), 1), 0, &[]);
    built(&folder, "tuesday", Delivery::csv(&tuesday(), 1), 1, &[]);
    folder
}

fn diff(folder: &Folder, args: &[&str]) -> Cli {
    s3inv(["diff"].iter().chain(args)).within(&folder.out())
}

/// A text without its first lines, which tell ages.
fn lines(finished: &Finished) -> Vec<&str> {
    let mut lines = finished.answer().lines();
    for begins in ["Old: my-bucket, snapshot of 2025-05-1", "New: my-bucket, snapshot of 2025-05-1"] {
        let heading = lines.next().unwrap();
        assert!(heading.starts_with(begins) && heading.contains(" days old"), "{heading}");
    }
    let of_costs = |line: &str| line.contains(COSTS) || line == format!("Note: {CURRENT_ONLY}");
    lines.filter(|line| !of_costs(line)).collect()
}

/// A line behind so many.
fn lines_below(finished: &Finished, above: usize) -> &str {
    finished.answer().lines().nth(above).unwrap()
}

/// What costs go by.
const COSTS: &str = " versions, prices of us-east-1, 2025-10, USD; without requests, ";

/// The blocks of the documentation that begin with this command, each with what it prints.
fn documented() -> Vec<(Vec<&'static str>, Vec<&'static str>)> {
    let blocks = ANSWERS.split("```").filter_map(|block| block.strip_prefix("console\n$ s3inv-index "));
    let parts = blocks.map(|block| {
        let mut lines = block.lines();
        (lines.next().unwrap().split(' ').collect(), lines.collect())
    });
    parts.filter(|(args, _): &(Vec<_>, Vec<_>)| args[0] == "diff").collect()
}

#[test]
fn the_documentation_shows_what_happens() {
    let folder = two_days();
    let examples = documented();
    assert_eq!(examples.len(), 3);
    for (args, shown) in examples {
        let finished = s3inv(&args).within(&folder.out()).run();
        assert_eq!(finished.stderr, [""; 0], "{args:?}");
        if args.contains(&"json") {
            assert_eq!(without_age(finished.answer()), without_age(&shown.join("\n")), "{args:?}");
        } else {
            let answer: Vec<_> = finished.answer().lines().skip(2).collect();
            assert_eq!(answer, shown[2..], "{args:?}");
            assert!(shown[2].contains(COSTS) && shown[3].ends_with(CURRENT_ONLY), "{args:?}");
        }
    }
}

#[test]
fn parts_that_changed_are_answered_as_json() {
    let folder = two_days();
    let args = ["monday.s3inv", "tuesday.s3inv", "--prefix", "logs/", "--output", "json", "-n", "3"];
    let answer = aged(&diff(&folder, &args).run());
    let bytes = |old: u64, new: u64, difference: i64, change: Option<f64>| json!({ "old": old, "new": new, "difference": difference, "change": change });
    let cost = |change: Option<f64>| json!({ "old": next_to_nothing(), "new": next_to_nothing(), "difference": next_to_nothing(), "change": change });
    assert_eq!(answer["prices"], prices(&[CURRENT_ONLY]));
    assert_eq!(
        answer["total"],
        json!({
            "prefix": "logs/", "directly": false, "change": "grew", "objects": bytes(4, 4, 0, Some(0.0)),
            "bytes": bytes(10_503, 15_510, 5007, Some(0.476_721)), "noncurrent_bytes": null,
            "cost": cost(Some(0.476_721)),
        })
    );
    assert_eq!(
        answer["changes"][0],
        json!({
            "prefix": "logs/2024-03/", "directly": false, "change": "came", "objects": bytes(0, 1, 1, None),
            "bytes": bytes(0, 4000, 4000, None), "noncurrent_bytes": null, "cost": cost(None),
        })
    );
    let shown: Vec<_> =
        answer["changes"].as_array().unwrap().iter().map(|change| &change["prefix"]).collect();
    assert_eq!(shown, ["logs/2024-03/", "logs/2024-02/", "logs/2024-01/"]);
    assert_eq!(
        (&answer["more"]["parts"], &answer["partial"], &answer["notes"]),
        (&json!(1), &json!(false), &json!([]))
    );
    assert_eq!((&answer["by"], &answer["depth"]), (&json!("bytes"), &json!(1)));
    let heading =
        json!({ "index": "tuesday.s3inv", "bucket": "my-bucket", "snapshot": "2025-05-14T01:00:00Z" });
    assert_eq!(answer["new"], heading);
}

#[test]
fn noncurrent_objects_have_a_column_where_they_change() {
    let folder = two_days();
    let versions = |more: Vec<Row>| Delivery::csv_versions(&[monday(), more].concat(), 1);
    built(&folder, "before", versions(Vec::new()), 0, &[]);
    built(&folder, "after", versions(vec![Row::new("data/x/1", 77).noncurrent()]), 1, &[]);
    let args = ["before.s3inv", "after.s3inv"];
    assert_eq!(
        lines(&diff(&folder, &args).run()),
        [
            "OLD BYTES  NEW BYTES  DIFFERENCE  CHANGE  OBJECTS  NONCURRENT BYTES       COST  PREFIX",
            "   138029     138029           0    0.0%        0               +77  $0.000000  (total)",
            "     4000       4000           0    0.0%        0               +77  $0.000000  data/",
        ]
    );
    assert_eq!(
        lines(&diff(&folder, &[&args[..], &["--by", "noncurrent"]].concat()).run()),
        [
            "OLD NONCURRENT BYTES  NEW NONCURRENT BYTES  DIFFERENCE  CHANGE  BYTES  OBJECTS       COST  PREFIX",
            "                   0                    77         +77       -      0        0  $0.000000  (total)",
            "                   0                    77         +77       -      0        0  $0.000000  data/",
        ]
    );
}

#[test]
fn what_makes_it_doubtful_is_said_loudly() {
    let folder = two_days();
    let mut other = Delivery::csv(&tuesday(), 1);
    other.manifest["sourceBucket"] = "other".into();
    built(&folder, "other", other, 0, &[]);
    for (old, new, doubt) in [
        ("monday", "other", "these are different buckets: my-bucket and other"),
        ("monday", "monday", "both indexes are of the same snapshot"),
        ("tuesday", "monday", "OLD is newer than NEW"),
    ] {
        let (old, new) = (format!("{old}.s3inv"), format!("{new}.s3inv"));
        let text = diff(&folder, &[&old, &new]).run();
        assert_eq!(lines_below(&text, 4), format!("Note: {doubt}"));
        assert_eq!(text.stderr, [""; 0]);
        let json = diff(&folder, &[&old, &new, "--output", "json"]).run();
        assert_eq!(json_lines(json.answer())[0]["notes"], json!([doubt]));
    }
    let same = diff(&folder, &["monday.s3inv", "monday.s3inv"]).run();
    assert!(same.answer().ends_with("\nnothing changed\n"), "{}", same.text());
}

#[test]
fn what_one_does_not_know_is_not_shown_as_nothing() {
    let folder = two_days();
    let columns = without(CURRENT, Column::Size);
    let sizeless = Delivery::csv_of(&monday(), 1, &columns);
    built(&folder, "sizeless", sizeless, 0, &["--measures", "none"]);
    let args = ["sizeless.s3inv", "tuesday.s3inv"];
    let error = diff(&folder, &[&args[..], &["--by", "bytes"]].concat()).run().error();
    let needs = "bytes can't be told: the index has no measure bytes: the inventory needs the field Size";
    assert_eq!(error, format!("sizeless.s3inv: {needs}"));
    let objects = diff(&folder, &args).run();
    assert_eq!(
        lines(&objects),
        [
            "Note: bytes can't be compared: OLD doesn't know it",
            "Note: cost can't be compared: OLD doesn't know it",
            "OLD OBJECTS  NEW OBJECTS  DIFFERENCE  CHANGE  PREFIX",
            "          8            8           0    0.0%  (total)",
            "          0            1          +1    came  new/",
            "          1            0          -1    went  tmp/",
        ]
    );
    let json = diff(&folder, &[&args[..], &["--output", "json"]].concat()).run();
    let json = json_lines(json.answer()).remove(0);
    assert_eq!((&json["total"]["bytes"], &json["total"]["noncurrent_bytes"]), (&Value::Null, &Value::Null));
}

/// Versions that an older inventory didn't list have not come since, and don't cost more than before.
#[test]
fn versions_that_only_one_inventory_lists_are_no_growth() {
    let folder = two_days();
    let all = [tuesday(), vec![Row::new("data/x/1", 77).noncurrent()]].concat();
    built(&folder, "all", Delivery::csv_versions(&all, 1), 2, &[]);
    let args = ["tuesday.s3inv", "all.s3inv"];
    let text = diff(&folder, &args).run();
    assert_eq!(
        lines(&text),
        [
            "Note: noncurrent can't be compared: OLD doesn't know it",
            "Note: cost can't be compared: only one of them has that of noncurrent versions",
            "OLD BYTES  NEW BYTES  DIFFERENCE  CHANGE  OBJECTS  PREFIX",
            "  1142966    1142966           0    0.0%        0  (total)",
            "nothing changed",
        ]
    );
    let json = diff(&folder, &[&args[..], &["--output", "json"]].concat()).run();
    let json = json_lines(json.answer()).remove(0);
    assert_eq!(json["total"]["noncurrent_bytes"], Value::Null);
    assert_eq!((&json["total"]["cost"], &json["prices"]), (&Value::Null, &Value::Null));
    assert_eq!(text.stderr, [""; 0]);
    let error = diff(&folder, &[&args[..], &["--by", "noncurrent"]].concat()).run().error();
    assert!(error.starts_with("tuesday.s3inv: noncurrent can't be told: "), "{error}");
    for args in [args, ["all.s3inv", "tuesday.s3inv"]] {
        let error = diff(&folder, &[&args[..], &["--by", "cost"]].concat()).run().error();
        assert!(error.starts_with("tuesday.s3inv: cost can't be compared: "), "{error}");
    }
}

/// Classes without a price may have come or gone.
#[test]
fn classes_without_a_price_are_those_of_both() {
    let folder = two_days();
    let with = |class: &'static str| vec![Row::new("data/odd", 9).class(class), Row::new("data/even", 1)];
    built(&folder, "before", Delivery::csv(&with("QUANTUM_FOAM"), 1), 0, &[]);
    built(&folder, "after", Delivery::csv(&with("COLD_FUSION"), 1), 1, &[]);
    let text = diff(&folder, &["before.s3inv", "after.s3inv"]).run();
    assert_eq!(
        lines(&text)[..2],
        ["Note: COLD_FUSION: no price, left out", "Note: QUANTUM_FOAM: no price, left out"]
    );
    let warned: Vec<_> = text.logs().iter().map(|log| log["class"].clone()).collect();
    assert_eq!(warned, ["COLD_FUSION", "QUANTUM_FOAM"]);
    let json = diff(&folder, &["before.s3inv", "after.s3inv", "--output", "json"]).run();
    let unpriced = &json_lines(json.answer())[0]["prices"]["unpriced"];
    assert_eq!(unpriced, &json!(["COLD_FUSION", "QUANTUM_FOAM"]));
}

#[test]
fn what_is_cut_is_not_compared_with_what_is_not() {
    let folder = two_days();
    built(&folder, "cut", Delivery::csv(&monday(), 1), 0, &["--max-depth", "1"]);
    let args = ["cut.s3inv", "tuesday.s3inv"];
    let whole = diff(&folder, &["monday.s3inv", "tuesday.s3inv"]).run();
    assert_eq!(lines(&diff(&folder, &args).run()), lines(&whole));
    let error = diff(&folder, &[&args[..], &["--depth", "2"]].concat()).run().error();
    assert!(error.starts_with("cut.s3inv: prefixes are cut at depth 1, but"), "{error}");
}

/// Of no changes there is the total, and what is more.
#[test]
fn no_changes_may_be_asked_for() {
    let folder = two_days();
    let total = diff(&folder, &["monday.s3inv", "tuesday.s3inv", "-n", "0"]).run();
    let shown: Vec<_> = total.answer().lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(shown[shown.len() - 3..], ["PREFIX", "(total)", "more)"], "{}", total.text());
    for (command, wrong) in
        [("diff", "--depth"), ("top", "-n"), ("build", "--workers"), ("report", "--limit")]
    {
        let error = s3inv([command, wrong, "0"]).run();
        let told = error.stderr.join("\n");
        assert!(error.code == Some(2) && told.contains("not a number from 1 on"), "{told}");
    }
}

#[test]
fn a_partial_name_is_of_directories() {
    let folder = two_days();
    let args = ["monday.s3inv", "tuesday.s3inv", "--prefix"];
    let partial = diff(&folder, &[&args[..], &["logs/2024-"]].concat()).run();
    assert_eq!(
        lines(&partial),
        [
            "Note: logs/2024-* sums directories: objects that begin so lie elsewhere",
            "OLD BYTES  NEW BYTES  DIFFERENCE   CHANGE  OBJECTS       COST  PREFIX",
            "    10500      15500       +5000   +47.6%        0  $0.000000  (total)",
            "        0       4000       +4000     came       +1  $0.000000  logs/2024-03/",
            "      500       2500       +2000  +400.0%        0  $0.000000  logs/2024-02/",
            "    10000       9000       -1000   -10.0%       -1  $0.000000  logs/2024-01/",
        ]
    );
    let error = diff(&folder, &[&args[..], &["nothing/"]].concat()).run().error();
    assert_eq!(error, "prefix not found: nothing/");
}

/// What becomes more is red, and what becomes less is green.
#[test]
fn colours_are_for_terminals() {
    let folder = two_days();
    let python = std::env::var_os("S3INV_TEST_PYTHON").expect("run by `cargo xtask test`, which sets it");
    let on_terminal = |no_color: &str| {
        let spawn = ["-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))"];
        let shown = diff(&folder, &["monday.s3inv", "tuesday.s3inv"]).env("TERM", "xterm");
        let shown = shown.env("NO_COLOR", no_color).under(python.to_str().unwrap(), spawn).run();
        shown.answer().replace('\r', "")
    };
    let piped = diff(&folder, &["monday.s3inv", "tuesday.s3inv"]).env("TERM", "xterm").run();
    assert_eq!(on_terminal("1"), piped.answer());
    assert!(!piped.text().contains('\x1b'));
    let coloured = on_terminal("");
    for text in ["   \x1b[31m+1000000\x1b[0m  ", "  \x1b[32m-70\x1b[0m  ", "\x1b[1m(total)\x1b[0m"] {
        assert!(coloured.contains(text), "{coloured:?}");
    }
}

#[test]
fn indexes_in_s3_are_compared() {
    let folder = two_days();
    let bucket = Bucket::with_files("diff", &folder.out());
    let [old, new] = ["monday", "tuesday"].map(|day| bucket.uri(&format!("{day}.s3inv")));
    let remote = diff(&folder, &[&old, &new, "--depth", "2"]).envs(bucket.environment()).run();
    let local = diff(&folder, &["monday.s3inv", "tuesday.s3inv", "--depth", "2"]).run();
    assert_eq!(remote.answer(), local.answer());
    let beside = diff(&folder, &["monday.s3inv", &new, "--depth", "2"]).envs(bucket.environment()).run();
    assert_eq!(beside.answer(), local.answer());
    fs::remove_file(folder.out().join("monday.s3inv")).unwrap();
    let error = diff(&folder, &["monday.s3inv", "tuesday.s3inv"]).run().error();
    assert!(error.starts_with("monday.s3inv: "), "{error}");
}
