//! The same rows, whoever wrote them and in which format, make the same index: the plain one.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use s3inv_index_format::{Entry, Reader};
use s3inv_model::Schema;
use s3inv_tests::{
    CURRENT, Counts, Delivery, DuckDb, Folder, Row, Sums, Written, added_up_by_duckdb, folder, hex,
    rolled_up, written_by_others,
};
use serde_json::Value;

use crate::build::{build, exported, json_lines, pages, verify};
use crate::sums::{assert_same, prefix, sums};
use crate::tables::{Table, random_objects, tables};

/// An index, as far as its rows make it: its pages with their checksums, and what their numbers are of.
struct Built {
    folder: Folder,
    pages: Vec<Entry>,
    schema: Schema,
}

impl Built {
    fn export(&self) -> String {
        exported(&self.folder.index())
    }
}

fn built(delivery: &Delivery, workers: &str) -> Built {
    let folder = folder();
    let delivered = delivery.write(&folder.input());
    build(&folder, &delivered).arg("--workers", workers).run().summary();
    let reader = Reader::open(std::fs::File::open(folder.index()).unwrap()).unwrap();
    let schema = reader.info().schema.clone();
    Built { pages: pages(&folder.index()), folder, schema }
}

fn assert_built_same(a: &Built, b: &Built, what: &str) {
    if a.pages != b.pages || a.schema != b.schema {
        assert_same(&sums(&a.export()), &sums(&b.export()));
        panic!("{what} says the same, but in other pages");
    }
}

/// A table, what its CSV makes, and what others made of it.
struct Case {
    table: Table,
    csv: Built,
    export: String,
    others: Vec<Written>,
}

/// All tables: made once, for Python starts slowly.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let tables = tables();
        let shown: Vec<_> = tables.iter().map(|table| (&table.rows[..], &table.columns[..])).collect();
        let others = written_by_others(&shown);
        let case = |(table, others): (Table, _)| {
            let csv = built(&Delivery::csv_of(&table.rows, 3, &table.columns), "2");
            verify(&csv.folder.index()).run().answer();
            Case { export: csv.export(), table, csv, others }
        };
        tables.into_iter().zip(others).map(case).collect()
    })
}

/// Parents before children, children of a prefix together.
fn assert_ordered(export: &str) {
    let place = |row: &Value| {
        let prefix = prefix(row);
        let parent = prefix[..prefix.len().saturating_sub(1)].iter().rposition(|byte| *byte == b'/');
        let (parent, name) = prefix.split_at(parent.map_or(0, |at| at + 1));
        (parent.to_vec(), name.to_vec())
    };
    let places: Vec<_> = json_lines(export).iter().map(place).collect();
    assert!(places.is_sorted_by(|a, b| a < b));
}

#[test]
fn csv_and_parquet_agree_with_the_plain_definition() {
    for Case { table: Table { name, rows, columns }, csv, export, .. } in cases() {
        assert_same(&sums(export), &rolled_up(rows, columns));
        assert_ordered(export);
        for (format, delivery, workers) in [
            ("csv, one file", Delivery::csv_of(rows, 1, columns), "1"),
            ("csv, not compressed", uncompressed(rows, columns), "1"),
            ("parquet", Delivery::parquet(rows, 2, columns), "2"),
        ] {
            assert_built_same(&built(&delivery, workers), csv, &format!("{name}, {format}"));
        }
    }
}

fn uncompressed(rows: &[Row], columns: &[s3inv_tests::Column]) -> Delivery {
    let text = s3inv_tests::csv_text(rows.iter().cloned(), columns);
    Delivery::csv_files(columns, vec![text]).ending(".csv.gz", ".csv")
}

/// Compares what other programs wrote in a format, in this many ways at most.
fn others_agree(orc: bool, ways: usize) {
    let mut most = 0;
    for Case { table, csv, others, .. } in cases() {
        let others: Vec<_> = others.iter().filter(|other| other.is_orc() == orc).collect();
        for Written { by, delivery } in &others {
            assert_built_same(&built(delivery, "1"), csv, &format!("{}, {by}", table.name));
        }
        most = most.max(others.len());
    }
    assert_eq!(most, ways);
}

#[test]
fn parquet_of_others_makes_the_same_index() {
    others_agree(false, 5);
}

#[test]
fn orc_of_others_makes_the_same_index() {
    others_agree(true, 4);
}

/// `DuckDB` reads the very files, and adds them up with SQL.
#[test]
fn duckdb_adds_up_the_same() {
    let folder = folder();
    let (mut deliveries, mut expected) = (Vec::new(), Vec::new());
    for (nth, Case { table, export, others, .. }) in cases().iter().enumerate() {
        if table.rows.iter().any(|row| std::str::from_utf8(&row.key).is_err()) {
            continue;
        }
        let orc = others.iter().find(|other| other.by == "pyorc.orc").unwrap();
        let csv_files = Delivery::csv_of(&table.rows, 3, &table.columns);
        let parquet = Delivery::parquet(&table.rows, 2, &table.columns);
        for (format, delivery) in [("csv", &csv_files), ("parquet", &parquet), ("orc", &orc.delivery)] {
            let delivered = delivery.write(&folder.path(&format!("{nth}-{format}")));
            deliveries.push((format, delivered, table));
            expected.push(hexed(&sums(export)));
        }
    }
    let shown = deliveries.iter().map(|(format, delivered, table)| {
        let columns = &table.columns;
        DuckDb { format, files: &delivered.files, columns }
    });
    let inventories: Vec<DuckDb<'_>> = shown.collect();
    let all = added_up_by_duckdb(&inventories);
    for ((by_duckdb, expected), (format, _, table)) in all.iter().zip(&expected).zip(&deliveries) {
        assert!(expected.len() > 10, "{}", table.name);
        assert_same(by_duckdb, expected);
        assert!(by_duckdb.contains_key(""), "{} as {format}", table.name);
    }
    assert_eq!(all.len(), 30);
}

fn hexed(sums: &Sums) -> BTreeMap<String, Counts> {
    sums.iter().map(|(prefix, counts)| (hex(prefix), counts.clone())).collect()
}

/// Many pages, runs and partitions: the formats agree there too.
#[test]
fn large_tables_have_the_same_pages_in_all_formats() {
    let rows: Vec<Row> = s3inv_tests::single_objects(30_000)
        .chain((0..10_000).map(|nth| Row::new(format!("p/{}/{}/k{nth}", nth % 97, nth % 1009), nth)))
        .collect();
    let csv = built(&Delivery::csv(&rows, 4), "3");
    let parquet = built(&Delivery::parquet(&rows, 1, CURRENT), "1");
    assert!(csv.pages.len() > 5, "{}", csv.pages.len());
    assert_built_same(&parquet, &csv, "parquet");
    let others = written_by_others(&[(&rows, CURRENT)]).remove(0);
    for Written { by, delivery } in others.iter().filter(|other| other.is_orc()) {
        assert_built_same(&built(delivery, "1"), &csv, by);
    }
    let expected = rolled_up(&rows, CURRENT);
    let export = csv.export();
    // All of it takes long.
    let lines: Vec<&str> = export.lines().collect();
    assert_eq!(lines.len(), expected.len());
    for line in lines.iter().step_by(13) {
        let (prefix, counts) = sums(line).pop_first().unwrap();
        assert_eq!(counts, expected[&prefix], "{line}");
    }
}

/// The same rows in another order, in other files and by other workers.
#[test]
fn order_and_division_of_rows_do_not_matter() {
    let rows = random_objects(11, 3000);
    let reversed: Vec<Row> = rows.iter().rev().cloned().collect();
    let one = built(&Delivery::csv(&rows, 1), "1");
    for (files, workers) in [(2, "2"), (7, "3"), (300, "4")] {
        assert_built_same(&built(&Delivery::csv(&reversed, files), workers), &one, &format!("{files} files"));
    }
}

/// A build again gives the same bytes.
#[test]
fn a_build_depends_on_its_input_alone() {
    let folder = folder();
    let delivered = Delivery::csv(&random_objects(12, 500), 3).write(&folder.input());
    let bytes = |workers: &str| {
        build(&folder, &delivered).arg("--workers", workers).run().summary();
        verify(&folder.index()).run().answer();
        std::fs::read(folder.index()).unwrap()
    };
    assert!(bytes("1") == bytes("1"));
    assert!(bytes("3") == bytes("1"));
}
