//! What objects cost, by the rules that AWS bills by.

use std::fs;
use std::path::PathBuf;

use s3inv_tests::{CURRENT, Cli, Column, Delivery, Folder, Row, folder, s3inv, without};
use serde_json::{Value, json};

use crate::build::{self, build, indexed, json_lines, query, told};

const GB: u64 = 1 << 30;

/// Each part of a cost at least once.
fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> =
        (0..100).map(|nth| Row::new(format!("data/small-{nth}"), 4096).class("STANDARD_IA")).collect();
    rows.extend([
        Row::new("data/large", 10 * GB),
        Row::new("data/tiered-1", GB).tier("FREQUENT"),
        Row::new("data/tiered-2", GB).tier(""),
        Row::new("data/odd", 7).class("QUANTUM_FOAM"),
        Row::new("data/large", 1024 * GB).class("GLACIER").noncurrent(),
        Row::new("priced/one", GB),
    ]);
    rows
}

fn with_versions() -> Folder {
    let folder = folder();
    build(&folder, &Delivery::csv_versions(&rows(), 1).write(&folder.input())).run().summary();
    folder
}

fn ask(folder: &Folder, prefix: &str) -> Cli {
    query(&folder.index(), prefix).flag("--estimate-cost")
}

/// The answer as JSON.
fn asked(cli: Cli) -> Value {
    json_lines(cli.arg("--output", "json").run().answer()).remove(0)
}

/// By hand, at us-east-1's prices:
/// 10 GB of `STANDARD` at $0.023, $0.23.
/// 100 objects of `STANDARD_IA`, billed as 128 KB each, 0.01220703125 GB at $0.0125: $0.000152587890625.
/// 2 GB of the frequent tier at $0.023, $0.046, and two objects' monitoring at $0.0025 for 1,000, $0.000005.
/// 1,024 GB of `GLACIER` at $0.0036, $3.6864; 32 KB at that price and 8 KB at $0.023 are $0.000000285339355.
const COST: &str = "\
Estimated monthly cost:
  Total: $3.96/month
  INTELLIGENT_TIERING_FREQUENT: $0.0460/month (storage $0.0460, monitoring $0.000005)
  STANDARD: $0.2300/month
  STANDARD_IA: $0.000153/month (storage $0.000005, 128 KB minimum $0.000148)
  GLACIER, noncurrent: $3.69/month (storage $3.69, archive overhead $0.000000)
  QUANTUM_FOAM: no price, left out: 1 objects, 7 bytes
  Prices: us-east-1, 2025-10, USD
  Left out: requests, retrieval, early deletion, unfinished uploads
  Note: all of Intelligent-Tiering is priced as frequent: where there are other tiers, the inventory lacks \
the field IntelligentTieringAccessTier
";

#[test]
fn a_cost_is_told_as_text() {
    let folder = with_versions();
    let sums =
        "Prefix: data/\nObjects: 104\nBytes: 12885311495\nNoncurrent: 1 objects, 1099511627776 bytes\n";
    let finished = ask(&folder, "data/").run();
    assert_eq!(told(&finished), format!("{sums}{COST}"));
    let logs = finished.logs();
    let warned = json!({
        "level": "warn", "class": "QUANTUM_FOAM", "objects": 1, "bytes": 7,
        "msg": "no price for a storage class, so the cost is without its objects: give it one with --price-table",
    });
    assert_eq!(logs, [warned]);
    // With classes, too.
    let tiers = told(&query(&folder.index(), "data/").flag("--show-tiers").run());
    let both = ask(&folder, "data/").flag("--show-tiers").run();
    assert_eq!(told(&both), format!("{tiers}{COST}"));
    // Where all has a price, nothing is said of what hasn't.
    let priced = ask(&folder, "priced/").run();
    let whole = "\n  Total: $0.0230/month\n  STANDARD: $0.0230/month\n  Prices: us-east-1, 2025-10, USD\n  \
                 Left out: requests, retrieval, early deletion, unfinished uploads\n";
    assert!(told(&priced).ends_with(whole), "{}", priced.text());
    assert_eq!(priced.stderr, [""; 0]);
}

#[test]
fn a_cost_is_told_as_json() {
    let folder = with_versions();
    let mut answer = asked(ask(&folder, "data/"));
    let cost = answer.as_object_mut().unwrap().remove("cost").unwrap();
    assert_eq!(answer, asked(query(&folder.index(), "data/")));
    let amount = |micro: u64| json!({ "micro_dollars": micro, "dollars": format!("0.{micro:06}") });
    assert_eq!(cost["total"], json!({ "micro_dollars": 3_962_558, "dollars": "3.962558" }));
    assert_eq!(
        cost["current"]["STANDARD_IA"],
        json!({
            "total": amount(153), "storage": amount(5), "minimum": amount(148), "monitoring": amount(0),
            "overhead": amount(0),
        })
    );
    let classes: Vec<_> = cost["current"].as_object().unwrap().keys().collect();
    assert_eq!(classes, ["INTELLIGENT_TIERING_FREQUENT", "STANDARD", "STANDARD_IA"]);
    assert_eq!(cost["current"]["INTELLIGENT_TIERING_FREQUENT"]["monitoring"], amount(5));
    assert_eq!(cost["noncurrent"]["GLACIER"]["storage"]["dollars"], "3.686400");
    assert_eq!(cost["unpriced"], json!({ "QUANTUM_FOAM": { "objects": 1, "bytes": 7 } }));
    assert_eq!(cost["left_out"], json!(["requests", "retrieval", "early deletion", "unfinished uploads"]));
    let named = [&cost["region"], &cost["date"], &cost["currency"], &cost["volume_discount"]];
    assert_eq!(named, [&json!("us-east-1"), &json!("2025-10"), &json!("USD"), &Value::Null]);
    assert_eq!(cost["notes"].as_array().unwrap().len(), 1);
}

/// 600 TB: 51,200 GB at $0.023, 460,800 at $0.022 and 102,400 at $0.021.
#[test]
fn volume_steps_are_taken_off_if_asked_for() {
    let folder = indexed(&[Row::new("a/b", 200 * 1024 * GB), Row::new("c", 400 * 1024 * GB)]);
    assert!(ask(&folder, "").run().answer().contains("  Total: $14131/month\n"));
    let stepped = ask(&folder, "").flag("--volume-steps").run();
    assert!(
        stepped.answer().contains("  Total: $13466/month\n  STANDARD: $14131/month\n"),
        "{}",
        stepped.text()
    );
    let line = "\n  Volume steps, as if this were all of the account: -$666/month\n";
    assert!(stepped.answer().contains(line), "{}", stepped.text());
    // A prefix below has its own: 200 TB, of which 150 are $0.001 less.
    let below = &asked(ask(&folder, "a/").flag("--volume-steps"))["cost"];
    assert_eq!(below["volume_discount"]["dollars"], "153.600000");
    assert_eq!(below["total"]["dollars"], "4556.800000");
}

/// A price table of its own in the folder.
fn table(folder: &Folder, json: &str) -> PathBuf {
    let path = folder.path("prices.json");
    fs::write(&path, json).unwrap();
    path
}

#[test]
fn what_prices_prints_can_be_read_back() {
    let folder = with_versions();
    let printed = s3inv(["prices", "--output", "json"]).run().answer().to_owned();
    let again = ask(&folder, "data/").arg("--price-table", table(&folder, &printed));
    assert_eq!(asked(again), asked(ask(&folder, "data/")));
    let dearer =
        printed.replace("\"STANDARD\": \"0.023\"", "\"STANDARD\": 0.0245").replace("us-east-1", "elsewhere");
    let dearer = ask(&folder, "priced/").arg("--price-table", table(&folder, &dearer)).run();
    assert!(dearer.answer().contains("  STANDARD: $0.0245/month\n  Prices: elsewhere, 2025-10, USD\n"));
}

#[test]
fn prices_are_shown_to_people() {
    let shown = s3inv(["prices"]).run();
    for line in ["Region:   us-east-1", "  GLACIER                             $0.0036", "  ONEZONE_IA"] {
        assert!(shown.answer().lines().any(|there| there == line), "{line:?} in {}", shown.text());
    }
}

#[test]
fn a_table_of_s3_inv_db_is_accepted() {
    let folder = with_versions();
    let go = r#"{ "per_gb_month": { "STANDARD": 0.02, "STANDARD_IA": 0.01 },
                  "monitoring_per_1000_objects": 0.0025, "standard_price_per_gb": 0.02 }"#;
    let finished = ask(&folder, "data/").arg("--price-table", table(&folder, go)).run();
    let text = finished.answer();
    assert!(text.contains("\n  STANDARD: $0.2000/month\n"), "{text}");
    assert!(text.contains("\n  Prices: of a Region and date that their table doesn't name, USD\n"), "{text}");
    let left = "  GLACIER: no price, left out: 1 objects, 1099511627776 bytes\n  \
                INTELLIGENT_TIERING_FREQUENT: no price, left out: 2 objects, 2147483648 bytes\n";
    assert!(text.contains(left), "{text}");
    assert_eq!(finished.messages("warn").len(), 3);
}

#[test]
fn a_table_that_can_not_be_read_is_named() {
    let folder = indexed(&[Row::new("a/b", GB)]);
    for (json, why) in [
        (r#"{"STANDARD": 23000, "STANDARD_IA": 12500}"#, "a flat map of classes is no price table: "),
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{\"region\":\"r\"}", "missing field `currency`"),
        (r#"{"per_gb_month": {"STANDARD": -1}}"#, "STANDARD: price -1 is not a number of dollars"),
        (&" ".repeat(2 << 20), "more than 1 MiB: this is no price table"),
    ] {
        let path = table(&folder, json);
        let finished = ask(&folder, "a/").arg("--price-table", &path).run();
        let expected = format!("{}: {why}", path.display());
        assert!(finished.error().starts_with(&expected), "{} is not {expected}", finished.error());
        assert_eq!(finished.text(), "");
    }
    let nowhere = ask(&folder, "a/").arg("--price-table", folder.path("nowhere.json")).run();
    assert!(nowhere.error().ends_with("nowhere.json: No such file or directory (os error 2)"));
}

#[test]
fn without_what_cost_needs_there_is_no_figure() {
    let told = |folder: &Folder, why: &str| {
        for output in ["text", "json"] {
            let finished = ask(folder, "a/").arg("--output", output).run();
            assert_eq!(finished.error(), format!("{}: {why}", folder.index().display()));
            assert_eq!(finished.text(), "");
        }
    };
    let rows = [Row::new("a/b", GB)];
    for (column, why) in [
        (
            Column::Size,
            "no cost without sizes: add the field Size to the inventory, and build the index of its next delivery",
        ),
        (
            Column::StorageClass,
            "no cost without storage classes: add the field StorageClass to the inventory, and build the index of \
             its next delivery",
        ),
    ] {
        let folder = folder();
        let delivery = Delivery::csv_of(&rows, 1, &without(CURRENT, column));
        build(&folder, &delivery.write(&folder.input())).run().summary();
        told(&folder, why);
    }
    let folder = folder();
    let delivered = Delivery::csv(&rows, 1).write(&folder.input());
    build(&folder, &delivered).arg("--measures", "none").run().summary();
    let why = "no cost without the measure cost, which the index was built without: build it again with \
               `--measures cost`, or with all measures";
    told(&folder, why);
    // What it says to do helps; and what is still left out is noted.
    build(&folder, &delivered).arg("--measures", "cost").run().summary();
    let cost = ask(&folder, "a/").run();
    let note =
        "  Note: noncurrent versions are not counted: the index was built without the measure noncurrent\n";
    assert!(
        cost.answer().contains("  Total: $0.0230/month\n") && build::told(&cost).ends_with(note),
        "{}",
        cost.text()
    );
}
