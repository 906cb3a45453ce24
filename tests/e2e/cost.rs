//! What objects cost, by the rules that AWS bills by.

use std::fs;
use std::path::PathBuf;

use s3inv_tests::{CURRENT, Cli, Column, Delivery, Finished, Folder, Row, folder, s3inv, without};
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

/// What is noted of an index that has Intelligent-Tiering in one tier.
const ONE_TIER: &str = "all of Intelligent-Tiering is priced as frequent: where there are other tiers, the inventory \
                        lacks the field IntelligentTieringAccessTier";

/// The classes that were warned of.
fn unpriced(finished: &Finished) -> Vec<Value> {
    let logs = finished.logs();
    logs.iter().filter(|log| log["msg"] == NO_PRICE).map(|log| log["class"].clone()).collect()
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

/// What is warned of, once for each class.
const NO_PRICE: &str =
    "no price for a storage class, so the cost is without its objects: give it one with --price-table";

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
        "msg": NO_PRICE,
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
    let cost = answer.as_object_mut().unwrap().remove("estimate").unwrap();
    assert_eq!(answer, asked(query(&folder.index(), "data/")));
    let amount = |micro: u64| json!({ "micro_dollars": micro, "dollars": format!("0.{micro:06}") });
    assert_eq!(cost["total"], json!({ "micro_dollars": 3_962_558, "dollars": "3.962558" }));
    // Of the exact amounts: those that are shown of the classes would add up to one micro-dollar more or less.
    assert_eq!(cost["noncurrent_total"]["dollars"], "3.686400");
    assert_eq!(
        cost["parts"],
        json!({
            "total": cost["total"], "storage": { "micro_dollars": 3_962_405, "dollars": "3.962405" },
            "minimum": amount(148), "monitoring": amount(5), "overhead": amount(0),
        })
    );
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
    let below = &asked(ask(&folder, "a/").flag("--volume-steps"))["estimate"];
    assert_eq!(below["volume_discount"]["dollars"], "153.600000");
    assert_eq!(below["total"]["dollars"], "4556.800000");
    assert_eq!(below["parts"]["total"]["dollars"], "4710.400000");
    assert_eq!(below["noncurrent_total"], Value::Null, "the inventory is of current versions");
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

/// Each command that shows costs names the classes that they are without, in the answer and on stderr, once.
#[test]
fn a_class_without_a_price_is_named_where_costs_are_shown() {
    let folder = with_versions();
    let index = folder.index().display().to_string();
    let heading = format!(
        "\nCost a month of all versions, prices of us-east-1, 2025-10, USD; without requests, retrieval, early \
         deletion, unfinished uploads\nNote: QUANTUM_FOAM: no price, left out\nNote: {ONE_TIER}\n"
    );
    let commands = [
        &["ls", "--index", &index][..],
        &["tree", "--index", &index],
        &["top", "--index", &index, "--by", "cost"],
        &["diff", &index, &index],
    ];
    for command in commands {
        let text = s3inv(command).run();
        assert!(text.answer().contains(&heading), "{}", text.text());
        let json = s3inv(command).arg("--output", "json").run();
        let prices = &json_lines(json.answer())[0]["prices"];
        assert_eq!((&prices["unpriced"], &prices["notes"]), (&json!(["QUANTUM_FOAM"]), &json!([ONE_TIER])));
        for finished in [text, json] {
            assert_eq!(unpriced(&finished), ["QUANTUM_FOAM"], "{command:?}");
        }
        let nothing = s3inv(command).arg("--prefix", "none/").run();
        assert_eq!(nothing.error(), "prefix not found: none/");
        assert_eq!(unpriced(&nothing), [Value::Null; 0], "{command:?}");
    }
    for command in commands {
        // Where there are none, nothing is said of them.
        let priced = s3inv(command).arg("--prefix", "priced/").run();
        assert!(priced.answer().contains("Cost a month of all versions"), "{}", priced.text());
        assert!(!priced.text().contains("QUANTUM_FOAM"), "{}", priced.text());
        assert_eq!(priced.stderr, [""; 0], "{command:?}");
    }
    let standard = s3inv(["ls", "--index", &index, "--class", "STANDARD"]).run();
    assert!(!standard.answer().contains("QUANTUM_FOAM"), "{}", standard.text());
    let tree = asked(s3inv(["tree", "--index", &index, "--class", "STANDARD"]));
    assert_eq!(tree["prices"]["unpriced"], json!([]));
    // On a terminal the answer is beside what would be warned.
    for command in [&["ls"][..], &["query", "--estimate-cost"]] {
        let (code, shown) = s3inv(command).arg("--index", &index).on_a_terminal();
        assert_eq!((code, shown.matches("QUANTUM_FOAM").count()), (Some(0), 1), "{shown}");
    }
    let by_bytes = s3inv(["top", "--index", &index]).run();
    assert!(!by_bytes.answer().contains("Cost"), "{}", by_bytes.text());
    assert_eq!(by_bytes.stderr, [""; 0], "no cost is shown");
}

#[test]
fn a_table_is_a_file() {
    let folder = with_versions();
    let printed = table(&folder, s3inv(["prices", "--output", "json"]).run().answer());
    let uri = format!("file://{}", printed.display());
    assert!(s3inv(["prices"]).arg("--price-table", uri).run().answer().contains("us-east-1"));
    let error = s3inv(["prices", "--price-table", "S3://bucket/prices.json"]).run().error();
    assert_eq!(error, "s3://bucket/prices.json: prices are read from a file: copy the table here");
}

#[test]
fn what_has_no_price_is_not_shown_as_costing_nothing() {
    let folder = with_versions();
    let ls = |class: &str| s3inv(["ls", "--class", class]).arg("--index", folder.index());
    let text = ls("QUANTUM_FOAM").run();
    let total = text.answer().lines().last().unwrap();
    assert_eq!(total.split_whitespace().collect::<Vec<_>>(), ["1", "7", "100.0%", "-", "(total)"]);
    let json = asked(ls("QUANTUM_FOAM"));
    assert_eq!([&json["total"]["cost"], &json["prefixes"][0]["cost"]], [&Value::Null; 2]);
    assert_eq!(asked(ls("STANDARD"))["total"]["cost"]["dollars"], "0.253000");
    let tree = asked(s3inv(["tree", "--class", "QUANTUM_FOAM"]).arg("--index", folder.index()));
    assert_eq!([&tree["cost"], &tree["children"][0]["cost"]], [&Value::Null; 2]);
}

/// People can check how a table of theirs is understood.
#[test]
fn a_table_is_shown_as_it_is_understood() {
    let folder = folder();
    let default = s3inv(["prices", "--output", "json"]).run().answer().to_owned();
    let dearer = default.replace("\"STANDARD\": \"0.023\"", "\"STANDARD\": 0.02450");
    let show = |json: &str, output: &str| {
        s3inv(["prices", "--output", output]).arg("--price-table", table(&folder, json)).run()
    };
    assert_eq!(show(&default, "json").answer(), default);
    assert_eq!(show(&dearer, "json").answer(), default.replace("D\": \"0.023\"", "D\": \"0.0245\""));
    let text = show(&dearer, "text");
    assert!(
        text.answer().contains("\n  STANDARD                            $0.0245, from"),
        "{}",
        text.text()
    );
    let go =
        r#"{ "per_gb_month": {}, "monitoring_per_1000_objects": 0.0025, "standard_price_per_gb": 0.02 }"#;
    let unnamed = show(go, "text");
    assert!(unnamed.answer().starts_with("Region:   unknown\nDate:     unknown\n"), "{}", unnamed.text());
    assert!(unnamed.text().contains("\n  STANDARD                            $0.02\n"), "{}", unnamed.text());
    let euros = show(&default.replace("USD", "EUR"), "text").error();
    assert!(euros.ends_with("currency is EUR, but only USD is read at line 4 column 19"), "{euros}");
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
    assert!(text.contains("\n  Prices: a Region and date that their table doesn't name, USD\n"), "{text}");
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
        (r#"{"STANDARD": "23000"}"#, "a flat map of classes is no price table: "),
        (r#"{"region": "r", "STANDARD": 23000}"#, "a flat map of classes is no price table: "),
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
