//! What an export says, in the words of the plain definition.

use std::collections::BTreeMap;
use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3inv_tests::{Counts, Sums};
use serde_json::Value;

use crate::build::json_lines;

const AGES: [&str; 6] = ["<30d", "<90d", "<180d", "<365d", "<730d", ">=730d"];
const SIZES: [&str; 9] = ["0", "<1KiB", "<128KiB", "<1MiB", "<16MiB", "<128MiB", "<1GiB", "<5GiB", ">=5GiB"];

/// What an export says; its sums have to agree with each other.
pub(crate) fn sums(export: &str) -> Sums {
    json_lines(export).iter().map(|row| (prefix(row), counts(row))).collect()
}

pub(crate) fn prefix(row: &Value) -> Vec<u8> {
    match (row["prefix"].as_str(), row["prefix_b64"].as_str()) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(b64)) => {
            let prefix = STANDARD.decode(b64).unwrap();
            assert!(String::from_utf8(prefix.clone()).is_err(), "{row}");
            prefix
        }
        _ => panic!("{row}"),
    }
}

fn counts(row: &Value) -> Counts {
    let slashes = prefix(row).split(|byte| *byte == b'/').count() - 1;
    assert_eq!(row["depth"], slashes, "{row}");
    let mut counts = Counts::new();
    add_whose("current", row, &mut counts);
    add_bands("age", &AGES, row, &mut counts);
    add_bands("size", &SIZES, row, &mut counts);
    if !row["noncurrent"].is_null() {
        add_whose("noncurrent", &row["noncurrent"], &mut counts);
        for (label, name) in
            [("delete markers", "delete_markers"), ("latest delete markers", "latest_delete_markers")]
        {
            counts.insert(label.to_owned(), (row[name].as_u64().unwrap(), 0));
        }
    }
    counts.retain(|_, count| *count != (0, 0));
    let date = |name: &str| row[name].as_str().map(moment);
    if let (Some(newest), Some(oldest)) = (date("newest"), date("oldest")) {
        counts.insert("dates".to_owned(), (newest, oldest));
    }
    counts
}

/// Milliseconds since 1970, of a date that is written as short as it can be.
fn moment(text: &str) -> u64 {
    let moment: jiff::Timestamp = text.parse().unwrap();
    let ms = moment.as_millisecond().try_into().unwrap();
    let expected =
        if text.contains('.') { "2024-05-06T22:37:48.000Z".len() } else { "2024-05-06T22:37:48Z".len() };
    assert!(text.len() == expected && text.contains('.') != (ms % 1000 == 0), "{text}");
    ms
}

/// Objects and bytes; no bytes where sizes are not known.
fn number(sums: &Value) -> (u64, u64) {
    let bytes = if sums["bytes"].is_null() { Some(0) } else { sums["bytes"].as_u64() };
    (sums["objects"].as_u64().unwrap(), bytes.unwrap())
}

fn total<'a>(parts: impl Iterator<Item = &'a Value>) -> (u64, u64) {
    parts.map(number).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// Adds objects and their classes.
fn add_whose(whose: &str, sums: &Value, counts: &mut Counts) {
    counts.insert(whose.to_owned(), number(sums));
    let Some(classes) = sums["classes"].as_object() else {
        assert!(sums["classes"].is_null(), "{sums}");
        return;
    };
    assert_eq!(number(sums), total(classes.values()), "{sums}");
    counts.extend(classes.iter().map(|(class, sums)| (format!("{whose} {class}"), number(sums))));
}

/// Adds the bands of all current objects.
fn add_bands(name: &str, labels: &[&str], row: &Value, counts: &mut Counts) {
    let Some(bands) = row[name].as_object() else {
        assert!(row[name].is_null(), "{row}");
        return;
    };
    assert_eq!(number(row), total(bands.values()), "{row}");
    assert_eq!(bands.len(), labels.len(), "{row}");
    counts.extend(labels.iter().map(|label| (format!("{name} {label}"), number(&bands[*label]))));
}

/// Shows the first difference: all of them are too much to read.
pub(crate) fn assert_same<K: PartialEq + Debug, V: PartialEq + Debug>(
    a: &BTreeMap<K, V>,
    b: &BTreeMap<K, V>,
) {
    if a == b {
        return;
    }
    let differ = a.iter().zip(b).find(|(a, b)| a != b);
    assert!(differ.is_none(), "{differ:#?}");
    assert_eq!(a.len(), b.len());
}

/// The names of what is null in every row, and in no row if it isn't in all.
pub(crate) fn nulls(export: &str) -> Vec<String> {
    let of = |row: &Value| -> Vec<String> {
        let row = row.as_object().unwrap();
        row.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect()
    };
    let rows = json_lines(export);
    assert!(rows.iter().all(|row| of(row) == of(&rows[0])), "{export}");
    of(&rows[0])
}
