//! A budget of memory is kept, and what it forces to disk comes back whole.

use s3inv_tests::{Delivered, Delivery, Folder, Row, csv_text, folder, gzip, s3inv, single_objects};
use serde_json::Value;

use crate::build::{query, verify};

const OBJECTS: u64 = 1_000_000;
const MIB: u64 = 1 << 20;
/// What a build may need beyond its budget.
const BEYOND: u64 = 64 * MIB;

fn delivered(folder: &Folder) -> Delivered {
    let schema = Delivery::csv(&[Row::new("a", 1)], 1).manifest["fileSchema"].as_str().unwrap().to_owned();
    let mut rows = single_objects(OBJECTS);
    let mut half = || gzip(&csv_text(rows.by_ref().take(OBJECTS as usize / 2), false));
    Delivery::new("CSV", &schema, vec![half(), half()]).write(&folder.input())
}

fn built(folder: &Folder, delivered: &Delivered, (budget, workers): (u64, &str)) -> Value {
    let build = s3inv(["build"]).arg("--s3-manifest", &delivered.manifest).arg("--out", folder.index());
    let build = build.arg("--temp-dir", folder.temp()).arg("--workers", workers);
    build.arg("--mem-budget", format!("{budget}MiB")).run().summary()
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
        assert_whole(&folder);
    }
}

fn assert_whole(folder: &Folder) {
    verify(&folder.index()).run().answer();
    let bytes = OBJECTS / 1000 * (999 * 1000 / 2);
    let root = query(&folder.index(), "").run();
    assert_eq!(root.answer(), format!("Prefix: \nObjects: {OBJECTS}\nBytes: {bytes}\n"));
    let one = single_objects(4321).last().unwrap();
    let prefix = String::from_utf8(one.key).unwrap().replace("object", "");
    let found = query(&folder.index(), &prefix).run();
    assert_eq!(found.answer(), format!("Prefix: {prefix}\nObjects: 1\nBytes: {}\n", one.size));
}
