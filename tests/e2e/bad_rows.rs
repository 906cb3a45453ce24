//! Rows that can't be read: an error that names the first, or counted by their reasons and left out.

use s3inv_tests::{
    Column, DAY, Delivery, Folder, Row, SNAPSHOT, VERSIONS, csv_text, folder, gzip, rolled_up, s3inv,
};
use serde_json::{Value, json};

use crate::build::{build, exported, json_lines, verify};
use crate::sums::{assert_same, sums};

/// Rows that are fine: more than one batch of them.
pub(crate) fn good() -> Vec<Row> {
    let row = |nth: u64| Row::new(format!("d{}/k{nth}", nth % 7), nth).modified(SNAPSHOT - nth * DAY);
    let mut rows: Vec<Row> = (0..1500).map(row).collect();
    rows.extend([Row::new("d1/k", 5).noncurrent(), Row::new("d2/k", 5).marker()]);
    rows
}

/// Rows that no format can tell, with the reason, and the words of the error.
pub(crate) fn bad() -> Vec<(Row, &'static str, String)> {
    let fine = || Row::new("bad/k", 7);
    let case = |row: Row, reason, text: &str| (row, reason, text.to_owned());
    let no_class = "is not 1 to 64 letters, digits, `_` or `-`";
    vec![
        case(Row::new("", 7), "bad_key", "a key of 0 bytes: 1 to 1024 are possible"),
        case(Row::new("bad/".repeat(257), 7), "bad_key", "a key of 1028 bytes: 1 to 1024 are possible"),
        case(Row::new("", 7).marker(), "bad_key", "a key of 0 bytes: 1 to 1024 are possible"),
        case(Row::new("", 7).noncurrent(), "bad_key", "a key of 0 bytes: 1 to 1024 are possible"),
        case(fine().missing(Column::Size), "bad_size", "Size is missing"),
        case(fine().noncurrent().missing(Column::Size), "bad_size", "Size is missing"),
        case(fine().missing(Column::StorageClass), "bad_class", "StorageClass is missing"),
        case(fine().class("A B"), "bad_class", &format!("storage class \"A B\" {no_class}")),
        case(fine().tier("no tier"), "bad_class", &format!("storage class \"no tier\" {no_class}")),
        case(
            fine().noncurrent().class("\u{e9}"),
            "bad_class",
            &format!("storage class \"\u{e9}\" {no_class}"),
        ),
        case(fine().missing(Column::LastModifiedDate), "bad_date", "LastModifiedDate is missing"),
    ]
}

/// Such as only columns of numbers and flags can tell.
pub(crate) fn bad_in_columns() -> Vec<(Row, &'static str, String)> {
    let fine = || Row::new("bad/k", 7);
    let mut bad = bad();
    bad.extend([
        (
            Row::new("bad/k", 5_i64.wrapping_neg().cast_unsigned()),
            "bad_size",
            "size -5 is negative".to_owned(),
        ),
        (
            fine().modified(10_000_i64.wrapping_neg().cast_unsigned()),
            "bad_date",
            "date -10000 is negative".to_owned(),
        ),
        (fine().missing(Column::IsLatest), "bad_flag", "IsLatest is missing".to_owned()),
        (fine().missing(Column::IsDeleteMarker), "bad_flag", "IsDeleteMarker is missing".to_owned()),
    ]);
    bad
}

/// All good rows with the bad ones between them, and at both ends.
pub(crate) fn mixed(bad: &[Row]) -> Vec<Row> {
    let good = good();
    let share = good.len() / (bad.len() - 1) + 1;
    let mut rows = vec![bad[0].clone()];
    for (good, bad) in good.chunks(share).zip(&bad[1..]) {
        rows.extend_from_slice(good);
        rows.push(bad.clone());
    }
    assert_eq!(rows.len(), good.len() + bad.len());
    rows
}

/// Builds what has bad rows, skips them, and looks at what was counted and what is left.
pub(crate) fn assert_skipped(folder: &Folder, delivery: &Delivery, reasons: &[(&str, u64)]) {
    let delivered = delivery.write(&folder.input());
    let all: u64 = reasons.iter().map(|(_, rows)| rows).sum();
    for workers in ["1", "3"] {
        let build = build(folder, &delivered).arg("--on-bad-row", "skip").arg("--workers", workers);
        let summary = build.run().summary();
        assert_eq!(summary["rows"], good().len() as u64 + all);
        for reason in ["bad_fields", "bad_key", "bad_size", "bad_class", "bad_date", "bad_flag"] {
            let rows = reasons.iter().find(|(name, _)| *name == reason).map_or(0, |(_, rows)| *rows);
            assert_eq!(summary[format!("excluded_{reason}")], rows, "{reason}");
        }
        assert_same(&sums(&exported(&folder.index())), &rolled_up(&good(), VERSIONS));
        verify(&folder.index()).run().answer();
    }
    let stat = s3inv(["stat", "--output", "json"]).arg("--index", folder.index()).run();
    let excluded = &json_lines(stat.answer())[0]["info"]["excluded"];
    let mut expected: serde_json::Map<String, Value> =
        reasons.iter().map(|(reason, rows)| ((*reason).to_owned(), json!(rows))).collect();
    expected.extend([("noncurrent".to_owned(), json!(1)), ("delete_marker".to_owned(), json!(1))]);
    assert_eq!(excluded, &Value::Object(expected));
}

fn counted(bad: &[(Row, &'static str, String)]) -> Vec<(&'static str, u64)> {
    let mut counted: Vec<(&str, u64)> = Vec::new();
    for (_, reason, _) in bad {
        match counted.iter_mut().find(|(name, _)| name == reason) {
            Some((_, rows)) => *rows += 1,
            None => counted.push((reason, 1)),
        }
    }
    counted
}

/// Skips, and fails: for each of these rows alone, after two good ones.
pub(crate) fn assert_each(bad: &[(Row, &'static str, String)], delivery: impl Fn(&[Row]) -> Delivery) {
    let folder = folder();
    let rows: Vec<Row> = bad.iter().map(|(row, ..)| row.clone()).collect();
    assert_skipped(&folder, &delivery(&mixed(&rows)), &counted(bad));
    for (row, reason, text) in bad {
        let delivery = delivery(&[Row::new("a", 1), Row::new("b", 2), row.clone()]);
        let key = delivery.files[0].key.clone();
        let delivered = delivery.write(&folder.input());
        for fails in [build(&folder, &delivered), build(&folder, &delivered).arg("--on-bad-row", "fail")] {
            let error = fails.run().error();
            assert!(error.ends_with(&format!("{key}: row 3: {text}")), "{reason}: {error}");
        }
    }
}

#[test]
fn bad_rows_of_csv() {
    assert_each(&bad(), |rows| Delivery::csv_of(rows, 1, VERSIONS));
}

#[test]
fn bad_rows_of_parquet() {
    let mut bad = bad_in_columns();
    let late = Row::new("bad/k", 7).modified(253_402_207_200_000);
    bad.push((late, "bad_date", "date 253402207200000 isn't before 9999-12-30T22:00:00Z".to_owned()));
    assert_each(&bad, |rows| Delivery::parquet(rows, 1, VERSIONS));
}

/// What only a text can have wrong.
#[test]
fn bad_lines_of_csv() {
    let line = String::from_utf8(csv_text([Row::new("bad/k", 7)], VERSIONS)).unwrap();
    let replaced = |from: &str, to: &str| {
        assert!(line.contains(from));
        line.replacen(from, to, 1)
    };
    let date = "2024-05-06T22:37:48.000Z";
    let lines = [
        ("bad_fields", replaced(",\"\"\n", "\n")),
        ("bad_fields", replaced(",\"\"\n", ",\"\",\"\"\n")),
        ("bad_fields", "\n".to_owned()),
        ("bad_fields", replaced("\"7\"", "\"7\"7")),
        ("bad_fields", replaced("\"7\"", "7\"")),
        ("bad_key", replaced("bad/k", "bad/%4")),
        ("bad_key", replaced("bad/k", "bad/%zz")),
        ("bad_key", replaced("bad/k", "")),
        ("bad_key", replaced("bad/k", &"%41".repeat(1025))),
        ("bad_size", replaced("\"7\"", "\"seven\"")),
        ("bad_size", replaced("\"7\"", "\"-7\"")),
        ("bad_size", replaced("\"7\"", "\"18446744073709551616\"")),
        ("bad_size", replaced("\"7\"", "\"7.0\"")),
        ("bad_class", replaced("STANDARD", "")),
        ("bad_class", replaced("STANDARD", &"A".repeat(65))),
        ("bad_date", replaced(date, "")),
        ("bad_date", replaced(date, "2023-02-29T00:00:00.000Z")),
        ("bad_date", replaced(date, "1969-12-31T23:59:59.999Z")),
        ("bad_date", replaced(date, "1715035068000")),
        ("bad_flag", replaced("true", "")),
        ("bad_flag", replaced("true", "1")),
        ("bad_flag", replaced("\"false\"", "\"no\"")),
    ];
    let good = good();
    let share = good.len() / lines.len() + 1;
    let mut text = Vec::new();
    for (rows, (_, line)) in good.chunks(share).zip(&lines) {
        text.extend(csv_text(rows.iter().cloned(), VERSIONS));
        text.extend_from_slice(line.as_bytes());
    }
    // At its very end, a quote that nothing closes.
    text.extend_from_slice(b"\"b\",\"k");
    let reasons = [
        ("bad_fields", 6),
        ("bad_key", 4),
        ("bad_size", 4),
        ("bad_class", 2),
        ("bad_date", 4),
        ("bad_flag", 3),
    ];
    let folder = folder();
    assert_skipped(&folder, &Delivery::csv_files(VERSIONS, vec![gzip(&text)]), &reasons);
    let plain = Delivery::csv_files(VERSIONS, vec![text]).ending(".csv.gz", ".csv");
    assert_skipped(&folder, &plain, &reasons);
}

#[test]
fn people_are_told_what_was_skipped() {
    let folder = folder();
    let mut rows = vec![Row::new("", 1); 1200];
    rows.extend([Row::new("a/b", 1), Row::new("a/c", 1).missing(Column::Size)]);
    let delivered = Delivery::csv(&rows, 2).write(&folder.input());
    let finished = build(&folder, &delivered).arg("--on-bad-row", "skip").flag("--pretty-logs").run();
    assert_eq!(finished.code, Some(0), "{:#?}", finished.stderr);
    for line in
        ["skipped 1,200 rows that can't be read: bad_key", "skipped 1 rows that can't be read: bad_size"]
    {
        assert!(finished.stderr.iter().any(|there| there == line), "{:#?}", finished.stderr);
    }
    let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
    for line in ["Rows:       1,202", "Excluded:   1,200 bad key", "Excluded:   1 bad size"] {
        assert!(stat.answer().lines().any(|there| there == line), "{line} in {}", stat.text());
    }
    // Every answer says it.
    for command in ["query", "ls", "tree", "top", "report", "stat", "verify"] {
        let told = s3inv([command]).arg("--index", folder.index()).run();
        let told = told.answer();
        assert!(told.contains(" days old, without 1,201 rows that could not be read"), "{told}");
    }
    let index = folder.index().display().to_string();
    let diff = s3inv(["diff", &index, &index]).run();
    let without = "without 1,201 rows that could not be read";
    assert_eq!(diff.answer().matches(without).count(), 2, "{}", diff.text());
    let export = s3inv(["export", "--format", "csv"]).arg("--index", folder.index()).run();
    assert_eq!(export.logs().pop().unwrap()["skipped_rows"], 1201);
    let json = s3inv(["top", "--output", "json"]).arg("--index", folder.index()).run();
    assert_eq!(json_lines(json.answer())[0]["skipped_rows"], 1201);
}

#[test]
fn an_inventory_of_bad_rows_alone_is_a_root_of_zero() {
    let rows = vec![Row::new("a/b", 1).class("A B"); 3000];
    let folder = folder();
    for delivery in [Delivery::csv(&rows, 2), Delivery::parquet(&rows, 2, VERSIONS)] {
        let delivered = delivery.write(&folder.input());
        let summary = build(&folder, &delivered).arg("--on-bad-row", "skip").run().summary();
        assert_eq!((&summary["rows"], &summary["excluded_bad_class"]), (&json!(3000), &json!(3000)));
        assert_eq!(exported(&folder.index()).lines().count(), 1);
        verify(&folder.index()).run().answer();
    }
}

/// Only rows are skipped: a file that is damaged is damaged.
#[test]
fn what_is_no_row_is_not_skipped() {
    let folder = folder();
    let whole = gzip(&csv_text(good(), VERSIONS));
    let cut = Delivery::csv_files(VERSIONS, vec![whole[..whole.len() / 2].to_vec()]).write(&folder.input());
    let error = build(&folder, &cut).arg("--on-bad-row", "skip").run().error();
    assert!(error.ends_with(": truncated gzip"), "{error}");
    // So much without a newline is no CSV: nobody knows where the next row begins.
    let long = "x".repeat(300_000);
    let text = [&csv_text(good(), VERSIONS), long.as_bytes(), b"\n"].concat();
    let odd = Delivery::csv_files(VERSIONS, vec![gzip(&text)]).write(&folder.input());
    let error = build(&folder, &odd).arg("--on-bad-row", "skip").run().error();
    assert!(error.ends_with(": row 1503: longer than 262144 bytes"), "{error}");
    let mut parquet = s3inv_tests::parquet(&good(), VERSIONS);
    parquet[100..200].fill(0xff);
    let damaged = Delivery::parquet_files(vec![parquet]).write(&folder.input());
    let error = build(&folder, &damaged).arg("--on-bad-row", "skip").run().error();
    assert!(error.contains(": damaged parquet file: "), "{error}");
    folder.assert_left(&[]);
}

#[test]
fn too_many_classes_are_no_classes() {
    let names: Vec<&'static str> = (0..65).map(|nth| &*format!("CLASS_{nth}").leak()).collect();
    let rows: Vec<Row> = names.iter().map(|name| Row::new("a/b", 1).class(name)).collect();
    let folder = folder();
    for delivery in [Delivery::csv(&rows, 1), Delivery::parquet(&rows, 1, VERSIONS)] {
        let error = build(&folder, &delivery.write(&folder.input())).run().error();
        assert!(error.ends_with("row 65: more than 64 storage classes: is it the right column?"), "{error}");
    }
    for delivery in [Delivery::csv(&rows[1..], 2), Delivery::parquet(&rows[1..], 2, VERSIONS)] {
        build(&folder, &delivery.write(&folder.input())).arg("--workers", "2").run().summary();
        assert_same(&sums(&exported(&folder.index())), &rolled_up(&rows[1..], s3inv_tests::CURRENT));
    }
}

/// Which of the classes are the first 64 depends on who reads which file: nothing that could be skipped.
#[test]
fn too_many_classes_can_not_be_skipped() {
    let names: Vec<&'static str> = (0..80).map(|nth| &*format!("CLASS_{nth}").leak()).collect();
    let rows: Vec<Row> = names.iter().map(|name| Row::new("a/b", 1).class(name)).collect();
    let folder = folder();
    let delivered = Delivery::csv(&rows, 2).write(&folder.input());
    let ends = ["1", "2"].map(|workers| {
        let build = build(&folder, &delivered).arg("--on-bad-row", "skip").arg("--workers", workers);
        build.run().code
    });
    assert_eq!(ends, [Some(1), Some(1)]);
}
