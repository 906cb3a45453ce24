//! A budget of memory is kept, and what it forces to disk comes back whole.

use s3inv_tests::{
    CURRENT, Cli, Delivered, Delivery, Folder, Row, csv_text, folder, gzip, large_files, s3inv,
    single_objects,
};
use serde_json::Value;

use crate::build::{query, told, verify};

const OBJECTS: u64 = 1_000_000;
const MIB: u64 = 1 << 20;
/// What a build may need beyond its budget.
const BEYOND: u64 = 64 * MIB;

fn delivered(folder: &Folder) -> Delivered {
    let mut rows = single_objects(OBJECTS);
    let mut half = || gzip(&csv_text(rows.by_ref().take(OBJECTS as usize / 2), CURRENT));
    Delivery::csv_files(CURRENT, vec![half(), half()]).write(&folder.input())
}

fn built(folder: &Folder, delivered: &Delivered, place: (u64, &str)) -> Value {
    build_in(folder, delivered, place).run().summary()
}

fn build_in(folder: &Folder, delivered: &Delivered, (budget, workers): (u64, &str)) -> Cli {
    let build = s3inv(["build"]).arg("--s3-manifest", &delivered.manifest).arg("--out", folder.index());
    let build = build.arg("--temp-dir", folder.temp()).arg("--workers", workers);
    build.arg("--mem-budget", format!("{budget}MiB"))
}

#[test]
fn a_million_prefixes_in_little_memory() {
    let folder = folder();
    let delivered = delivered(&folder);
    for place in [(16, "2"), (64, "1")] {
        let summary = built(&folder, &delivered, place);
        let number = |name: &str| summary[name].as_u64().unwrap();
        assert!(number("peak_memory_bytes") <= place.0 * MIB + BEYOND, "{summary}");
        assert!(number("run_files") > 1, "{summary}");
        // With so little, more runs were written than can be open at once.
        assert!(place.0 > 16 || number("merge_rounds") > 1, "{summary}");
        assert_eq!((number("rows"), number("prefixes"), number("depth")), (OBJECTS, OBJECTS + 1, 1));
        folder.assert_left(&["index.s3inv"]);
        assert_whole(&folder, OBJECTS);
    }
}

/// Row groups and stripes that are larger than the budget.
#[test]
fn large_files_of_columns_in_little_memory() {
    const OBJECTS: u64 = 300_000;
    let large = large_files(OBJECTS);
    let folder = folder();
    for delivery in [Delivery::parquet_files(vec![large.parquet]), Delivery::orc_files(vec![large.orc])] {
        let delivered = delivery.write(&folder.input());
        let summary = built(&folder, &delivered, (16, "1"));
        let number = |name: &str| summary[name].as_u64().unwrap();
        assert!(number("peak_memory_bytes") <= 16 * MIB + BEYOND, "{summary}");
        assert!(number("run_files") > 1, "{summary}");
        assert_eq!((number("rows"), number("prefixes")), (OBJECTS, OBJECTS + 1));
        assert_whole(&folder, OBJECTS);
    }
    let delivery = Delivery::orc_files(vec![large.dictionary]);
    let key = delivery.files[0].key.clone();
    let delivered = delivery.write(&folder.input());
    assert_eq!(built(&folder, &delivered, (256, "1"))["rows"], OBJECTS);
    let error = build_in(&folder, &delivered, (16, "1")).run().error();
    let cause = "a dictionary of more than 16777216 bytes doesn't fit the memory budget";
    assert!(error.ends_with(&format!("{key}: stripe 1: column key: {cause}")), "{error}");
    folder.assert_left(&["index.s3inv"]);
}

/// As many classes, sizes and ages as there can be, below as many prefixes as a key has.
#[test]
fn all_kinds_of_objects_at_the_greatest_depth_in_little_memory() {
    const DAY: u64 = 86_400_000;
    let sizes = [0, 1, 2000, 200_000, 2 << 20, 20 << 20, 200 << 20, 2 << 30, 6 << 30];
    let key = format!("{}x", "/".repeat(1023));
    let mut rows = Vec::new();
    for class in (0..64).map(|nth| &*format!("CLASS_{nth}").leak()) {
        for (size, days) in
            sizes.into_iter().flat_map(|size| [1, 40, 100, 200, 400, 800].map(|days| (size, days)))
        {
            let modified = 1_747_098_000_000 - days * DAY;
            rows.push(Row { modified, ..Row::new(key.as_str(), size).class(class) });
        }
    }
    let folder = folder();
    let delivered = Delivery::csv(&rows, 1).write(&folder.input());
    let summary = built(&folder, &delivered, (16, "1"));
    assert!(summary["peak_memory_bytes"].as_u64().unwrap() <= 16 * MIB + BEYOND, "{summary}");
    assert!(summary["run_files"].as_u64().unwrap() > 1, "{summary}");
    assert_eq!((&summary["rows"], &summary["prefixes"]), (&Value::from(rows.len()), &Value::from(1024)));
    verify(&folder.index()).run().answer();
    let bytes: u64 = rows.iter().map(|row| row.size).sum();
    let deepest = query(&folder.index(), &"/".repeat(1023)).run();
    assert!(deepest.answer().contains(&format!("\nObjects: {}\nBytes: {bytes}\n", rows.len())));
}

fn assert_whole(folder: &Folder, objects: u64) {
    verify(&folder.index()).run().answer();
    let bytes = objects / 1000 * (999 * 1000 / 2);
    let root = query(&folder.index(), "").run();
    assert_eq!(told(&root), format!("Prefix: \nObjects: {objects}\nBytes: {bytes}\n"));
    let one = single_objects(4321).last().unwrap();
    let prefix = String::from_utf8(one.key).unwrap().replace("object", "");
    let found = query(&folder.index(), &prefix).run();
    assert_eq!(told(&found), format!("Prefix: {prefix}\nObjects: 1\nBytes: {}\n", one.size));
}
