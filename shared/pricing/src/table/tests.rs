use serde_json::{Value, json};

use super::*;

/// The default as JSON, with something done to it.
fn edited(edit: impl FnOnce(&mut Value)) -> Result<PriceTable, String> {
    let mut table = serde_json::to_value(PriceTable::default()).unwrap();
    edit(&mut table);
    PriceTable::parse(&table.to_string()).map_err(|error| error.to_string())
}

fn refused(edit: impl FnOnce(&mut Value), why: &str) {
    let error = edited(edit).unwrap_err();
    assert!(error.starts_with(why), "{error:?} is not {why:?}");
    assert!(!error.contains('\n'), "{error:?}");
}

#[test]
fn what_is_printed_can_be_read_back() {
    assert_eq!(edited(|_| ()).unwrap(), PriceTable::default());
    let pretty = serde_json::to_string_pretty(&PriceTable::default()).unwrap();
    assert_eq!(PriceTable::parse(&pretty).unwrap(), PriceTable::default());
}

#[test]
fn prices_are_strings_or_numbers() {
    for price in [json!("0.0245"), json!(0.0245)] {
        let table = edited(|table| table["classes"]["STANDARD"] = price).unwrap();
        assert_eq!(table.price("STANDARD"), Some(Price::nano(24_500_000)));
        assert_eq!((table.region(), table.date()), (Some("us-east-1"), Some("2025-10")));
    }
}

#[test]
fn what_would_be_passed_over_is_refused() {
    refused(|table| table["region"] = json!(null), "region is missing");
    refused(|table| table["date"] = json!(""), "date is missing");
    refused(
        |table| table["region"] = json!("\u{1b}[31mred"),
        "a name with control characters: \"\\u{1b}[31mred\"",
    );
    refused(|table| table["minimum"]["classes"] = json!(["A\u{7}"]), "a name with control characters");
    refused(|table| table["classes"]["A\nB"] = json!(1), "a name with control characters");
    refused(|table| table["currency"] = json!("EUR"), "currency is EUR, but only USD is read");
    refused(|table| table["extra"] = json!(1), "unknown field `extra`");
    refused(|table| table["minimum"]["kb"] = json!(1), "unknown field `kb`");
    refused(|table| drop(table.as_object_mut().unwrap().remove("overhead")), "missing field `overhead`");
    refused(
        |table| table["minimum"]["bytes"] = json!(65536),
        "minimum: bytes is 65536, but indexes know 131072",
    );
    refused(|table| table["monitoring"]["from_bytes"] = json!(0), "monitoring: from_bytes is 0, but");
    refused(
        |table| table["overhead"]["bytes"] = json!(u64::MAX),
        "overhead: more than 131072 bytes an object",
    );
    refused(|table| table["overhead"]["bytes"] = json!(131_072), "overhead: more than");
}

#[test]
fn prices_that_are_none_name_their_class() {
    let price = |class: &'static str, price| move |table: &mut Value| table["classes"][class] = price;
    refused(price("GLACIER", json!(-1)), "GLACIER: price -1 is not a number of dollars");
    refused(price("GLACIER", json!(null)), "GLACIER: price null is not");
    refused(price("STANDARD", json!(23_000)), "STANDARD: price 23000 is above 10 dollars");
    refused(price("STANDARD", json!("0.0230000001")), "STANDARD: price 0.0230000001 has more than 9");
    refused(|table| table["monitoring"]["per_1000_objects"] = json!("x"), "price x is not");
}

#[test]
fn a_rule_that_can_not_apply_is_refused() {
    let class = |rule: &'static str, class: &'static str| {
        move |table: &mut Value| table[rule]["classes"] = json!([class])
    };
    refused(class("minimum", "STANDARD-IA"), "minimum: STANDARD-IA has no price in classes");
    refused(class("overhead", "OUTPOSTS"), "overhead: OUTPOSTS has no price in classes");
    let apart = "minimum: indexes don't count the objects of GLACIER below 128 KiB apart";
    refused(class("minimum", "GLACIER"), apart);
    refused(class("monitoring", "STANDARD"), "monitoring: indexes don't count the objects of STANDARD");
    let no_standard = |table: &mut Value| {
        table["classes"].as_object_mut().unwrap().remove("STANDARD");
        table["volume_steps"] = json!({});
    };
    refused(no_standard, "overhead: STANDARD has no price in classes");
}

#[test]
fn steps_come_later_and_cost_less() {
    let steps = |steps| move |table: &mut Value| table["volume_steps"] = json!({ "STANDARD": steps });
    assert!(edited(steps(json!([{ "from_gb": 1, "price": 0.022 }]))).is_ok());
    for wrong in [
        json!([{ "from_gb": 0, "price": 0.022 }]),
        json!([{ "from_gb": 1, "price": 0.023 }]),
        json!([{ "from_gb": 2, "price": 0.022 }, { "from_gb": 2, "price": 0.021 }]),
        json!([{ "from_gb": 2, "price": 0.022 }, { "from_gb": 3, "price": 0.0225 }]),
    ] {
        refused(steps(wrong), "volume_steps: STANDARD from ");
    }
    let unpriced = |table: &mut Value| table["volume_steps"] = json!({ "SNOW": [] });
    refused(unpriced, "volume_steps: SNOW has no price in classes");
}

#[test]
fn a_class_that_is_there_twice_is_refused() {
    let json = serde_json::to_string(&PriceTable::default()).unwrap();
    let twice = json.replace(r#""classes":{"#, r#""classes":{"STANDARD":"0.05","#);
    let error = PriceTable::parse(&twice).unwrap_err().to_string();
    assert!(error.starts_with("STANDARD is there twice"), "{error}");
}

/// As `pkg/pricing` of s3-inv-db writes them, and as its documentation shows them.
const GO: [&str; 2] = [
    r#"{
  "per_gb_month": {
    "DEEP_ARCHIVE": 0.00099,
    "GLACIER": 0.0036,
    "INTELLIGENT_TIERING_FREQUENT": 0.0245,
    "STANDARD": 0.0245,
    "STANDARD_IA": 0.0135
  },
  "monitoring_per_1000_objects": 0.0025,
  "standard_price_per_gb": 0.0245
}"#,
    r#"{
  "per_gb_month": {
    "STANDARD":     0.0245,
    "STANDARD_IA":  0.0135,
    "GLACIER":      0.0036,
    "DEEP_ARCHIVE": 9.9e-04,
    "INTELLIGENT_TIERING_FREQUENT": 0.0245,
    "INTELLIGENT_TIERING_FREQUENT_SMALL": 0.0245
  },
  "monitoring_per_1000_objects": 0.0025,
  "put_per_1000_requests": 0.005,
  "standard_price_per_gb": 0.0245
}"#,
];

#[test]
fn tables_of_s3_inv_db_are_read() {
    let [first, second] = GO.map(|json| PriceTable::parse(json).unwrap());
    assert_eq!(first, second);
    assert_eq!((first.region(), first.date()), (None, None));
    assert_eq!(first.price("STANDARD_IA"), Some(Price::nano(13_500_000)));
    assert_eq!(first.price("ONEZONE_IA"), None);
    assert_eq!(first.minimum, PriceTable::default().minimum);
    assert_eq!(first.overhead, PriceTable::default().overhead);
    assert!(first.volume_steps.is_empty());
    let without = GO[0].replace("\"STANDARD\": 0.0245,", "");
    assert_eq!(PriceTable::parse(&without).unwrap(), first);
}

#[test]
fn tables_of_s3_inv_db_are_checked() {
    for (from, to, why) in [
        ("\"monitoring_per_1000_objects\": 0.0025,", "", "missing field `monitoring_per_1000_objects`"),
        ("\"put_per", "\"get_per", "unknown field `get_per_1000_requests`"),
        (
            "gb\": 0.0245",
            "gb\": 0.023",
            "standard_price_per_gb is 0.023, but STANDARD is 0.0245: they are one",
        ),
        ("SMALL\": 0.0245", "SMALL\": 0.01", "INTELLIGENT_TIERING_FREQUENT_SMALL is 0.01, but INTELLIGENT"),
        ("0.0135", "13500", "STANDARD_IA: price 13500 is above 10 dollars"),
    ] {
        let error = PriceTable::parse(&GO[1].replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with(why), "{error}");
    }
}

#[test]
fn a_flat_map_is_refused_by_name() {
    for flat in [
        r#"{"STANDARD":23000,"STANDARD_IA":12500}"#,
        r#"{"STANDARD":0.023}"#,
        r#"{"standard":0.023}"#,
        r#"{"STANDARD":"23000"}"#,
        r#"{"region":"eu-west-1","STANDARD":23000,"GLACIER_IR":"4000"}"#,
        r#"{"region":"eu-west-1","date":"2025-10","currency":"USD","STANDARD":"0.023","overhead":{}}"#,
    ] {
        assert!(matches!(PriceTable::parse(flat), Err(TableError::Flat)), "{flat}");
    }
    for other in ["", "[]", "{}", "null", "{\"STANDARD\":{}}", "{\"region\":\"x\"}", &"[".repeat(9999)] {
        assert!(matches!(PriceTable::parse(other), Err(TableError::Json(_))), "{other}");
    }
}

#[test]
fn a_table_for_people() {
    let text = PriceTable::default().to_string();
    for line in [
        "Region:   us-east-1",
        "Date:     2025-10",
        "  STANDARD                            $0.023, from 51200 GB on $0.022, from 512000 GB on $0.021",
        "  INTELLIGENT_TIERING_ARCHIVE_INSTANT $0.004",
        "Monitoring costs $0.0025 for 1000 objects of 128 KiB and more:",
        "Each object takes 32 KiB more, and 8 KiB at the price of STANDARD:",
    ] {
        assert!(text.lines().any(|there| there == line), "{line:?} in {text}");
    }
    let unnamed = PriceTable::parse(GO[0]).unwrap().to_string();
    assert!(unnamed.starts_with("Region:   unknown\nDate:     unknown\n"), "{unnamed}");
}
