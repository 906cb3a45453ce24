//! Inventories have the fields that somebody chose: what is lacking is unknown, and said to be.

use s3inv_tests::{
    CURRENT, Column, Delivery, Folder, Row, VERSIONS, csv_gz, folder, rolled_up, s3inv, without,
};
use serde_json::{Value, json};

use crate::build::{self, build, exported, json_lines, query, told};
use crate::sums::{assert_same, nulls, sums};
use crate::tables::random_versions;

const OPTIONAL: [Column; 6] = [
    Column::Size,
    Column::StorageClass,
    Column::Tier,
    Column::IsLatest,
    Column::IsDeleteMarker,
    Column::LastModifiedDate,
];

fn rows() -> Vec<Row> {
    vec![
        Row::new("logs/a", 10),
        Row::new("logs/b", 2000).class("STANDARD_IA"),
        Row::new("logs/b", 7).class("GLACIER").noncurrent(),
        Row::new("logs/c", 0).marker(),
    ]
}

/// The index of a delivery.
fn indexed(delivery: &Delivery) -> Folder {
    let folder = folder();
    build(&folder, &delivery.write(&folder.input())).run().summary();
    folder
}

/// The rows without these columns, in each format.
fn lacking(column: Column) -> [Delivery; 2] {
    let columns = without(VERSIONS, column);
    [Delivery::csv_of(&rows(), 1, &columns), Delivery::parquet(&rows(), 1, &columns)]
}

fn stat(folder: &Folder) -> Vec<String> {
    let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
    stat.answer().lines().map(str::to_owned).collect()
}

fn asked(folder: &Folder, flags: &[&str]) -> String {
    let query = flags.iter().fold(query(&folder.index(), "logs/"), |query, flag| query.flag(flag));
    told(&query.run())
}

fn as_json(folder: &Folder) -> Value {
    build::asked(&query(&folder.index(), "logs/").arg("--output", "json").run())
}

fn assert_unknown(folder: &Folder, measures: &str, unknown: &str) {
    let stat = stat(folder);
    for line in [
        format!("Measures:   {measures}"),
        format!("Unknown:    {unknown}: the inventory lacks their fields"),
    ] {
        assert!(stat.contains(&line), "{line:?} in {stat:#?}");
    }
}

#[test]
fn without_size_no_bytes_are_known() {
    for delivery in lacking(Column::Size) {
        let folder = indexed(&delivery);
        assert_eq!(
            asked(&folder, &["--details"]),
            "Prefix: logs/\nObjects: 2\nBytes: unknown, the inventory has no Size\nNoncurrent: 1 objects\n\
             Delete markers: 1, 1 of them latest\nTier breakdown:\n  STANDARD: 1 objects\n  \
             STANDARD_IA: 1 objects\n  GLACIER, noncurrent: 1 objects\nNewest: 2024-05-06T22:37:48Z\n\
             Oldest: 2024-05-06T22:37:48Z\nAge:\n  365d-730d: 2 objects\nSize: not in this index\n"
        );
        let row = as_json(&folder);
        let objects = |objects: u64| json!({ "objects": objects, "bytes": null });
        assert_eq!(row["bytes"], Value::Null);
        assert_eq!(row["size"], Value::Null);
        assert_eq!(row["classes"], json!({ "STANDARD": objects(1), "STANDARD_IA": objects(1) }));
        let noncurrent = json!({ "objects": 1, "bytes": null, "classes": { "GLACIER": objects(1) } });
        assert_eq!(row["noncurrent"], noncurrent);
        assert_eq!((&row["age"]["<730d"], &row["age"]["<30d"]), (&objects(2), &objects(0)));
        assert_unknown(&folder, "classes, noncurrent, dates, age", "bytes, cost, size");
        assert!(stat(&folder).contains(&"Class:      STANDARD: 1 objects".to_owned()));
    }
}

#[test]
fn without_storage_class_no_classes_are_known() {
    for delivery in lacking(Column::StorageClass) {
        let folder = indexed(&delivery);
        assert_eq!(
            asked(&folder, &["--show-tiers"]),
            "Prefix: logs/\nObjects: 2\nBytes: 2010\nNoncurrent: 1 objects, 7 bytes\n\
             Delete markers: 1, 1 of them latest\nTier breakdown: unknown, the inventory has no StorageClass\n"
        );
        let row = as_json(&folder);
        assert_eq!(row["classes"], Value::Null);
        assert_eq!(row["noncurrent"], json!({ "objects": 1, "bytes": 7, "classes": null }));
        assert_unknown(&folder, "bytes, noncurrent, dates, age, size", "classes, cost");
        assert!(
            !stat(&folder).iter().any(|line| line.starts_with("Class:") || line.starts_with("Noncurrent:"))
        );
    }
}

#[test]
fn without_dates_no_ages_are_known() {
    for delivery in lacking(Column::LastModifiedDate) {
        let folder = indexed(&delivery);
        let row = as_json(&folder);
        assert_eq!([&row["newest"], &row["oldest"], &row["age"]], [&Value::Null; 3]);
        assert_unknown(&folder, "bytes, classes, cost, noncurrent, size", "dates, age");
        let details = asked(&folder, &["--details"]);
        let unknown = "Newest: not in this index\nOldest: not in this index\nAge: not in this index\n";
        assert!(details.contains(unknown), "{details}");
        assert!(
            details.contains("Size:\n  <1KiB: 1 objects, 10 bytes\n  1KiB-128KiB: 1 objects, 2000 bytes\n")
        );
    }
}

#[test]
fn people_are_told_what_is_not_known() {
    let folder = folder();
    let delivered = lacking(Column::Size)[0].write(&folder.input());
    let finished = build(&folder, &delivered).flag("--pretty-logs").run();
    let line = "not known, because the inventory lacks their fields: bytes, cost, size";
    assert!(finished.stderr.iter().any(|there| there == line), "{:#?}", finished.stderr);
    let summary = build(&folder, &delivered).run().summary();
    assert_eq!(summary["measures"], "classes, noncurrent, dates, age");
}

/// Whichever of the optional fields there are.
#[test]
fn any_fields_do() {
    for chosen in 0..1 << OPTIONAL.len() {
        let has = |nth: usize| chosen >> nth & 1 == 1;
        let mut columns = vec![Column::New, Column::Key];
        columns.extend((0..OPTIONAL.len()).filter(|nth| has(*nth)).map(|nth| OPTIONAL[nth]));
        let mut rows = random_versions(chosen, 60);
        // A delete marker that isn't said to be one is an object without a size.
        rows.retain(|row| !row.marker || columns.contains(&Column::IsDeleteMarker));
        // Of two sets that differ by one field, one is told in each format.
        let delivery = if columns.len().is_multiple_of(2) {
            Delivery::csv_of(&rows, 2, &columns)
        } else {
            Delivery::parquet(&rows, 2, &columns)
        };
        let folder = indexed(&delivery);
        let export = exported(&folder.index());
        assert_same(&sums(&export), &rolled_up(&rows, &columns));
        let row = &json_lines(&export)[0];
        for (name, column) in [
            ("bytes", Column::Size),
            ("size", Column::Size),
            ("classes", Column::StorageClass),
            ("age", Column::LastModifiedDate),
            ("noncurrent", Column::IsLatest),
            ("delete_markers", Column::IsLatest),
            ("latest_delete_markers", Column::IsLatest),
        ] {
            assert_eq!(row[name].is_null(), !columns.contains(&column), "{name} of {columns:?}");
        }
    }
}

#[test]
fn what_is_not_known_is_null_in_every_row() {
    let of_versions = ["delete_markers", "latest_delete_markers", "noncurrent"];
    for (columns, lacking) in [
        (CURRENT.to_vec(), &[][..]),
        (without(CURRENT, Column::Size), &["bytes", "size"]),
        (without(CURRENT, Column::StorageClass), &["classes"]),
        (without(CURRENT, Column::LastModifiedDate), &["age", "newest", "oldest"]),
        (vec![Column::Key], &["age", "bytes", "classes", "newest", "oldest", "size"]),
    ] {
        let mut expected = [&of_versions[..], lacking].concat();
        expected.sort_unstable();
        let rows = [Row::new("a/b", 1), Row::new("c/d/e", 2), Row::new("f", 3)];
        let folder = indexed(&Delivery::csv_of(&rows, 1, &columns));
        assert_eq!(nulls(&exported(&folder.index())), expected, "{columns:?}");
    }
}

#[test]
fn names_of_columns_are_compared_without_regard_to_case_and_blanks() {
    let expected = exported(&indexed(&Delivery::csv(&rows()[..2], 1)).index());
    for schema in [
        "bucket,KEY,size,lastmodifieddate,etag,storageclass,intelligenttieringaccesstier",
        "  Bucket ,Key  ,  Size,LastModifiedDate,ETag,StorageClass,IntelligentTieringAccessTier  ",
    ] {
        let delivery = Delivery::new("CSV", schema, vec![csv_gz(&rows()[..2], CURRENT)]);
        assert_eq!(exported(&indexed(&delivery).index()), expected, "{schema}");
    }
}

/// All files of an inventory have the same columns, or they are not of one.
#[test]
fn a_parquet_file_with_other_columns_than_the_first() {
    let rows = [Row::new("a/b", 1), Row::new("c", 2)];
    let all = s3inv_tests::parquet(&rows, VERSIONS);
    for column in OPTIONAL {
        let fewer = s3inv_tests::parquet(&rows, &without(VERSIONS, column));
        assert_must_agree(column, &all, &fewer, Delivery::parquet_files);
    }
}

/// A third file that has a column which the first lacks, or the other way, is named with it.
pub(crate) fn assert_must_agree(
    column: Column,
    all: &[u8],
    fewer: &[u8],
    deliver: fn(Vec<Vec<u8>>) -> Delivery,
) {
    for (files, problem) in [
        ([all, all, fewer], "is missing, but the inventory's first file has it"),
        ([fewer, fewer, all], "is there, but the inventory's first file lacks it"),
    ] {
        let folder = folder();
        let delivery = deliver(files.map(<[u8]>::to_vec).into());
        let third = delivery.files[2].key.clone();
        let error = build(&folder, &delivery.write(&folder.input())).run().error();
        let expected = format!("{third}: column {}: {problem}", column.file_name());
        assert!(error.ends_with(&expected), "{error}");
        folder.assert_left(&[]);
    }
}

/// Columns that nobody asks for may come and go from file to file.
#[test]
fn parquet_files_may_differ_in_order_and_in_unknown_columns() {
    let rows = [Row::new("a/b", 1), Row::new("c", 2)];
    let reversed: Vec<Column> = VERSIONS.iter().rev().copied().collect();
    let more: Vec<Column> = [&[Column::New], VERSIONS].concat();
    let fewer = without(&without(VERSIONS, Column::Bucket), Column::ETag);
    let files = [VERSIONS, &reversed, &more, &fewer].map(|columns| s3inv_tests::parquet(&rows, columns));
    let folder = indexed(&Delivery::parquet_files(files.into()));
    let four: Vec<Row> = (0..4).flat_map(|_| rows.clone()).collect();
    assert_same(&sums(&exported(&folder.index())), &rolled_up(&four, VERSIONS));
}
