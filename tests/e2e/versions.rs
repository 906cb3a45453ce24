//! All versions: noncurrent objects and delete markers are counted apart.

use s3inv_tests::{Delivery, Folder, Row, VERSIONS, folder, rolled_up, s3inv};
use serde_json::{Value, json};

use crate::build::{asked, build, exported, json_lines, query, told, verify};
use crate::sums::{assert_same, sums};

fn rows() -> Vec<Row> {
    vec![
        Row::new("a/b", 5),
        Row::new("a/b", 7).class("GLACIER").noncurrent(),
        Row::new("a/old", 9).noncurrent(),
        Row::new("gone/c", 0).marker(),
        Row::new("gone/c", 11).noncurrent(),
        Row::new("gone/d", 0).marker().noncurrent(),
        Row::new("hidden/only/e", 0).marker(),
    ]
}

fn indexed(delivery: &Delivery) -> (Folder, Value) {
    let folder = folder();
    let summary = build(&folder, &delivery.write(&folder.input())).run().summary();
    verify(&folder.index()).run().answer();
    (folder, summary)
}

#[test]
fn rows_that_are_no_current_objects_are_counted_by_reason() {
    for delivery in [Delivery::csv_versions(&rows(), 2), Delivery::parquet(&rows(), 2, VERSIONS)] {
        let (folder, summary) = indexed(&delivery);
        assert_eq!((&summary["rows"], &summary["prefixes"]), (&json!(7), &json!(5)));
        assert_eq!(summary["excluded_delete_marker"], 3);
        assert_eq!(summary["excluded_noncurrent"], 3);
        let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
        for line in
            ["Excluded:   3 delete marker", "Excluded:   3 noncurrent", "Noncurrent: GLACIER: 1 objects, 7 B"]
        {
            assert!(stat.answer().lines().any(|there| there == line), "{line} in {}", stat.text());
        }
        let stat = s3inv(["stat", "--output", "json"]).arg("--index", folder.index()).run();
        let excluded = &json_lines(stat.answer())[0]["info"]["excluded"];
        assert_eq!(excluded, &json!({ "delete_marker": 3, "noncurrent": 3 }));
        assert_same(&sums(&exported(&folder.index())), &rolled_up(&rows(), VERSIONS));
    }
}

#[test]
fn versions_are_shown_to_people_where_there_are_any() {
    let (folder, _) = indexed(&Delivery::csv_versions(&rows(), 1));
    for (prefix, flag, expected) in [
        (
            "",
            "",
            "Objects: 1\nBytes: 5\nNoncurrent: 3 objects, 27 bytes\nDelete markers: 3, 2 of them latest\n",
        ),
        (
            "a/",
            "--show-tiers",
            "Objects: 1\nBytes: 5\nNoncurrent: 2 objects, 16 bytes\nTier breakdown:\n  STANDARD: 1 objects, \
             5 bytes\n  GLACIER, noncurrent: 1 objects, 7 bytes\n  STANDARD, noncurrent: 1 objects, 9 bytes\n",
        ),
        ("hidden/", "", "Objects: 0\nBytes: 0\nDelete markers: 1, 1 of them latest\n"),
    ] {
        let query = query(&folder.index(), prefix);
        let query = if flag.is_empty() { query } else { query.flag(flag) };
        assert_eq!(told(&query.run()), format!("Prefix: {prefix}\n{expected}"));
    }
}

/// A prefix with nothing but noncurrent versions or markers is there.
#[test]
fn a_prefix_without_current_objects_exists() {
    let (folder, _) = indexed(&Delivery::csv_versions(&rows(), 1));
    let ask = |prefix: &str| asked(&query(&folder.index(), prefix).arg("--output", "json").run());
    let gone = ask("gone/");
    let none = json!({ "objects": 0, "bytes": 0 });
    assert_eq!((&gone["objects"], &gone["bytes"], &gone["classes"]), (&json!(0), &json!(0), &json!({})));
    assert_eq!((&gone["delete_markers"], &gone["latest_delete_markers"]), (&json!(2), &json!(1)));
    let class = json!({ "STANDARD": { "objects": 1, "bytes": 11 } });
    assert_eq!(gone["noncurrent"], json!({ "objects": 1, "bytes": 11, "classes": class }));
    // Versions have no dates, ages or size bands.
    assert_eq!((&gone["newest"], &gone["oldest"]), (&Value::Null, &Value::Null));
    for band in ["age", "size"] {
        assert!(gone[band].as_object().unwrap().values().all(|sums| *sums == none), "{gone}");
    }
    assert_eq!(ask("hidden/only/")["latest_delete_markers"], 1);
}

/// An inventory of current versions doesn't tell whether there are others.
#[test]
fn inventories_without_versions_know_of_no_others() {
    let rows: Vec<Row> = (0..50).map(|nth| Row::new(format!("d{}/k{nth}", nth % 5), nth)).collect();
    let (folder, summary) = indexed(&Delivery::csv(&rows, 1));
    assert_eq!((&summary["excluded_noncurrent"], &summary["excluded_delete_marker"]), (&json!(0), &json!(0)));
    assert_eq!(summary["unknown"], "noncurrent");
    let root = json_lines(&exported(&folder.index())).remove(0);
    assert_eq!(root["objects"], 50);
    for name in ["noncurrent", "delete_markers", "latest_delete_markers"] {
        assert_eq!(root[name], Value::Null, "{name}");
    }
    let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
    for line in [
        "Measures:   bytes, classes, cost, dates, age, size",
        "Unknown:    noncurrent: the inventory lacks their fields",
    ] {
        assert!(stat.answer().lines().any(|there| there == line), "{line} in {}", stat.text());
    }
    let top = s3inv(["top", "--by", "noncurrent"]).arg("--index", folder.index()).run();
    let needs = "noncurrent can't be told: the index has no measure noncurrent: it needs an inventory of all versions, \
                 and not to be left out of `build --measures`";
    assert_eq!(top.error(), format!("{}: {needs}", folder.index().display()));
    let report = s3inv(["report"]).arg("--index", folder.index()).run();
    assert!(report.answer().contains("unknown: the inventory is of current versions"), "{}", report.text());
    let cost = query(&folder.index(), "").flag("--estimate-cost").run();
    let note = "  Note: noncurrent versions are not counted: the inventory is of current versions\n";
    assert!(told(&cost).ends_with(note), "{}", cost.text());
}

#[test]
fn versions_below_a_cut_are_counted_in_their_ancestor() {
    let folder = folder();
    let delivered = Delivery::csv_versions(&rows(), 1).write(&folder.input());
    build(&folder, &delivered).arg("--max-depth", "1").run().summary();
    let export = exported(&folder.index());
    let mut expected = rolled_up(&rows(), VERSIONS);
    assert!(expected.remove(&b"hidden/only/"[..]).is_some());
    assert_same(&sums(&export), &expected);
}

#[test]
fn an_inventory_of_markers_alone() {
    let rows = [Row::new("a/b", 1).marker(), Row::new("c", 1).marker().noncurrent()];
    for delivery in [Delivery::csv_versions(&rows, 1), Delivery::parquet(&rows, 1, VERSIONS)] {
        let (folder, summary) = indexed(&delivery);
        assert_eq!(summary["prefixes"], 2);
        let root = query(&folder.index(), "").run();
        assert_eq!(told(&root), "Prefix: \nObjects: 0\nBytes: 0\nDelete markers: 2, 1 of them latest\n");
    }
}
