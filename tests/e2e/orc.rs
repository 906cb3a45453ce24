//! ORC, as other programs write it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use s3inv_tests::{
    CURRENT, Column, Counts, DataFile, Delivery, Folder, Row, VERSIONS, folder, md5_hex, rolled_up, s3inv,
    without, written_by_others,
};
use serde_json::json;

use crate::bad_rows::{assert_each, bad_in_columns, good, mixed};
use crate::build::{build, exported, query, told, verify};
use crate::fields::assert_must_agree;
use crate::sums::{assert_same, sums};

fn rows() -> Vec<Row> {
    vec![
        Row::new("a/b", 1),
        Row::new("a/c", 2).class("GLACIER"),
        Row::new("a+b%2F/d", 4).tier("ARCHIVE_INSTANT_ACCESS").modified(1_715_035_068_123),
        Row::new("e", 8).noncurrent(),
        Row::new("f/g", 0).marker(),
    ]
}

/// Tables by name, each as several writers write it.
struct Written(Vec<(String, Vec<s3inv_tests::Written>)>);

/// Written once: Python starts slowly.
fn written() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let mut tables = vec![
            ("few".to_owned(), rows(), VERSIONS.to_vec()),
            ("none".to_owned(), Vec::new(), VERSIONS.to_vec()),
            ("many".to_owned(), good(), VERSIONS.to_vec()),
            ("current".to_owned(), rows()[..3].to_vec(), CURRENT.to_vec()),
        ];
        for column in OPTIONAL {
            // What isn't said to be a delete marker has a size.
            let mut rows = rows();
            rows.retain(|row| !row.marker);
            tables.push((format!("without {}", column.file_name()), rows, without(VERSIONS, column)));
        }
        for (name, rows) in bad_tables() {
            tables.push((name, rows, VERSIONS.to_vec()));
        }
        let shown: Vec<_> = tables.iter().map(|(_, rows, columns)| (&rows[..], &columns[..])).collect();
        let written = written_by_others(&shown);
        Written(tables.into_iter().map(|(name, ..)| name).zip(written).collect())
    })
}

const OPTIONAL: [Column; 6] = [
    Column::Size,
    Column::StorageClass,
    Column::Tier,
    Column::IsLatest,
    Column::IsDeleteMarker,
    Column::LastModifiedDate,
];

/// What `assert_each` asks for.
fn bad_tables() -> Vec<(String, Vec<Row>)> {
    let rows: Vec<Row> = bad_in_columns().into_iter().map(|(row, ..)| row).collect();
    let each = rows.iter().map(|row| vec![Row::new("a", 1), Row::new("b", 2), row.clone()]);
    let tables: Vec<_> = each.chain([mixed(&rows)]).collect();
    tables.into_iter().map(|rows| (name_of(&rows), rows)).collect()
}

fn name_of(rows: &[Row]) -> String {
    format!("bad {:?}", rows.iter().filter(|row| !good().contains(row)).collect::<Vec<_>>())
}

impl Written {
    /// The bytes of a table, by the writer.
    fn by(&self, name: &str) -> BTreeMap<&str, &[u8]> {
        let (_, written) = self.0.iter().find(|(there, _)| there == name).expect(name);
        let orc = written.iter().filter(|written| written.is_orc());
        orc.map(|written| (written.by.as_str(), written.delivery.files[0].bytes.as_slice())).collect()
    }

    /// As pyorc wrote it.
    fn bytes(&self, name: &str) -> Vec<u8> {
        self.by(name)["pyorc.orc"].to_vec()
    }
}

fn indexed(delivery: &Delivery) -> Folder {
    let folder = folder();
    build(&folder, &delivery.write(&folder.input())).run().summary();
    verify(&folder.index()).run().answer();
    folder
}

fn sums_of(files: Vec<Vec<u8>>) -> BTreeMap<Vec<u8>, Counts> {
    sums(&exported(&indexed(&Delivery::orc_files(files)).index()))
}

#[test]
fn each_writer_is_read() {
    let few = written().by("few");
    assert_eq!(few.len(), 4, "{:?}", few.keys());
    for (writer, bytes) in few {
        assert_same(&sums_of(vec![bytes.to_vec()]), &rolled_up(&rows(), VERSIONS));
        assert_same(&sums_of(vec![written().by("many")[writer].to_vec()]), &rolled_up(&good(), VERSIONS));
    }
    assert_same(&sums_of(vec![written().bytes("current")]), &rolled_up(&rows()[..3], CURRENT));
}

#[test]
fn files_without_rows() {
    for (writer, none) in written().by("none") {
        let folder = indexed(&Delivery::orc_files(vec![none.to_vec(), none.to_vec()]));
        assert_eq!(told(&query(&folder.index(), "").run()), "Prefix: \nObjects: 0\nBytes: 0\n", "{writer}");
        let few = written().by("few")[writer].to_vec();
        let among = sums_of(vec![none.to_vec(), few, none.to_vec()]);
        assert_same(&among, &rolled_up(&rows(), VERSIONS));
    }
}

#[test]
fn hundreds_of_files() {
    let files = vec![written().bytes("few"); 300];
    let rows: Vec<Row> = (0..300).flat_map(|_| rows()).collect();
    assert_same(&sums_of(files), &rolled_up(&rows, VERSIONS));
}

#[test]
fn a_format_in_any_case_or_told_by_the_files() {
    let expected = rolled_up(&rows(), VERSIONS);
    for format in [json!("orc"), json!("Orc"), json!("ORC"), json!(null), json!("")] {
        let mut delivery = Delivery::orc_files(vec![written().bytes("few")]);
        delivery.manifest["fileFormat"] = format;
        assert_same(&sums(&exported(&indexed(&delivery).index())), &expected);
    }
}

#[test]
fn fields_that_are_not_there_are_unknown() {
    for column in OPTIONAL {
        let columns = without(VERSIONS, column);
        let mut rows = rows();
        rows.retain(|row| !row.marker);
        let bytes = written().bytes(&format!("without {}", column.file_name()));
        assert_same(&sums_of(vec![bytes]), &rolled_up(&rows, &columns));
    }
    let folder = indexed(&Delivery::orc_files(vec![written().bytes("without size")]));
    let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
    assert!(stat.answer().contains("Unknown:    bytes, cost, size: the inventory lacks"), "{}", stat.text());
    assert!(
        query(&folder.index(), "").run().answer().contains("Bytes: unknown, the inventory has no Size\n")
    );
}

/// All files of an inventory have the same columns, or they are not of one.
#[test]
fn a_file_with_other_columns_than_the_first() {
    let all = written().bytes("few");
    for column in OPTIONAL {
        let fewer = written().bytes(&format!("without {}", column.file_name()));
        assert_must_agree(column, &all, &fewer, Delivery::orc_files);
    }
}

#[test]
fn bad_rows() {
    assert_each(&bad_in_columns(), |rows| Delivery::orc_files(vec![written().bytes(&name_of(rows))]));
}

/// Whatever is wrong, it is an error that names the file, or it goes unnoticed; it never panics.
#[test]
fn damaged_files() {
    let whole = written().bytes("few");
    let folder = folder();
    let run = |bytes: Vec<u8>| {
        let delivery = Delivery::orc_files(vec![bytes]);
        let key = delivery.files[0].key.clone();
        (key, build(&folder, &delivery.write(&folder.input())).run())
    };
    for len in [0, 1, 3, whole.len() / 2, whole.len() - 1] {
        let (key, finished) = run(whole[..len].to_vec());
        assert!(finished.error().contains(&format!("{key}: ")), "{len}: {}", finished.error());
    }
    let (key, finished) = run(b"no orc at all".to_vec());
    assert!(finished.error().contains(&format!("{key}: ")), "{}", finished.error());
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        let (key, finished) = run(flipped);
        assert!([Some(0), Some(1)].contains(&finished.code), "{at}: {finished:?}");
        assert!(!finished.stderr.concat().contains("panicked"), "{at}: {finished:?}");
        assert!(
            finished.code == Some(0) || finished.error().contains(&format!("{key}: ")),
            "{at}: {finished:?}"
        );
    }
}

#[test]
fn another_md5_is_noticed_on_demand() {
    let mut delivery = Delivery::orc_files(vec![written().bytes("few"); 2]);
    let file = delivery.files[1].clone();
    let wrong = "0123456789abcdef0123456789abcdef";
    delivery.manifest["files"][1]["MD5checksum"] = wrong.into();
    let folder = folder();
    let delivered = delivery.write(&folder.input());
    let error = build(&folder, &delivered).flag("--verify-md5").run().error();
    let cause = format!("its MD5 is {}, but the manifest says {wrong}", md5_hex(&file.bytes));
    assert!(error.ends_with(&format!("{}: {cause}", file.key)), "{error}");
    folder.assert_left(&[]);
    build(&folder, &delivered).run().summary();
}

#[test]
fn a_file_of_another_format() {
    let folder = folder();
    let parquet = Delivery::parquet(&rows(), 1, VERSIONS).files[0].bytes.clone();
    let orc = written().bytes("few");
    for delivery in [
        Delivery::orc_files(vec![parquet]),
        Delivery::parquet_files(vec![orc.clone()]),
        Delivery::csv_files(VERSIONS, vec![orc]),
    ] {
        let DataFile { key, .. } = delivery.files[0].clone();
        let error = build(&folder, &delivery.write(&folder.input())).run().error();
        assert!(error.contains(&format!("{key}: damaged ")), "{error}");
    }
    fs::remove_dir_all(folder.input()).unwrap();
    folder.assert_left(&[]);
}
