//! What is measured beside objects, bytes and classes is up to who builds.

use std::collections::BTreeMap;
use std::fs::File;

use s3inv_index_format::Reader;
use s3inv_tests::{DAY, Delivery, MODIFIED, Row, SNAPSHOT, Sums, VERSIONS, folder, rolled_up, s3inv};

use crate::build::{build, exported, json_lines, query, told, verify};
use crate::sums::{assert_same, nulls, sums};
use crate::tables::random_versions;

const CHOICE: [&str; 5] = ["cost", "noncurrent", "dates", "age", "size"];

/// What is left of sums where only these are measured.
fn measured(sums: &Sums, measures: &[&str]) -> Sums {
    let left = |label: &str| match label.split(' ').next().unwrap() {
        "noncurrent" | "delete" | "latest" => measures.contains(&"noncurrent"),
        name @ ("dates" | "age" | "size") => measures.contains(&name),
        _ => true,
    };
    let mut sums = sums.clone();
    for counts in sums.values_mut() {
        counts.retain(|label, _| left(label));
    }
    // What has nothing that is measured isn't there.
    sums.retain(|prefix, counts| prefix.is_empty() || !counts.is_empty());
    sums
}

fn expected_nulls(measures: &[&str]) -> Vec<&'static str> {
    let mut nulls = Vec::new();
    for (measure, names) in [
        ("age", &["age"][..]),
        ("dates", &["newest", "oldest"]),
        ("noncurrent", &["delete_markers", "latest_delete_markers", "noncurrent"]),
        ("size", &["size"]),
    ] {
        if !measures.contains(&measure) {
            nulls.extend(names);
        }
    }
    nulls.sort_unstable();
    nulls
}

#[test]
fn each_set_of_measures() {
    let folder = folder();
    let mut rows = random_versions(21, 250);
    // A prefix that goes when versions don't count.
    rows.push(Row::new("only/old", 3).noncurrent());
    // Each prefix has current objects, and so dates.
    let current: Vec<Row> =
        rows.iter().cloned().map(|row| Row { latest: true, marker: false, ..row }).collect();
    let all = rolled_up(&rows, VERSIONS);
    assert!(all.contains_key(&b"only/"[..]) && !measured(&all, &["age"]).contains_key(&b"only/"[..]));
    let versions = Delivery::csv_versions(&rows, 1).write(&folder.input());
    let current = Delivery::csv_versions(&current, 1).write(&folder.path("current"));
    let mut sizes = BTreeMap::new();
    for chosen in 0..1 << CHOICE.len() {
        let has = |nth: usize| chosen >> nth & 1 == 1;
        let measures: Vec<&str> = (0..CHOICE.len()).filter(|nth| has(*nth)).map(|nth| CHOICE[nth]).collect();
        let list = if measures.is_empty() { "none".to_owned() } else { measures.join(",") };
        let summary = build(&folder, &versions).arg("--measures", &list).run().summary();
        sizes.insert(list.clone(), summary["index_bytes"].as_u64().unwrap());
        // In the order in which the program names them.
        let named: Vec<_> = ["bytes", "classes"].into_iter().chain(measures.iter().copied()).collect();
        assert_eq!(summary["measures"], named.join(", "));
        assert_same(&sums(&exported(&folder.index())), &measured(&all, &measures));
        build(&folder, &current).arg("--measures", &list).run().summary();
        assert_eq!(nulls(&exported(&folder.index())), expected_nulls(&measures), "{list}");
    }
    let (none, all) = (sizes["none"], sizes["cost,noncurrent,dates,age,size"]);
    for measure in CHOICE {
        assert!(none < sizes[measure] && sizes[measure] < all, "{measure}: {sizes:?}");
    }
}

#[test]
fn all_and_the_list_of_all_are_the_same() {
    let folder = folder();
    let delivered = Delivery::csv_versions(&random_versions(22, 100), 1).write(&folder.input());
    build(&folder, &delivered).run().summary();
    let by_default = std::fs::read(folder.index()).unwrap();
    for list in ["all", "size, age, dates, noncurrent, cost", "bytes,classes,size,age,dates,noncurrent,cost"]
    {
        build(&folder, &delivered).arg("--measures", list).run().summary();
        assert!(std::fs::read(folder.index()).unwrap() == by_default, "{list}");
    }
}

#[test]
fn what_was_not_asked_for_is_not_called_unknown() {
    let folder = folder();
    let delivered = Delivery::csv_versions(&random_versions(23, 50), 1).write(&folder.input());
    build(&folder, &delivered).arg("--measures", "age").run().summary();
    verify(&folder.index()).run().answer();
    let stat = s3inv(["stat"]).arg("--index", folder.index()).run();
    assert!(stat.answer().contains("Measures:   bytes, classes, age\n"), "{}", stat.text());
    assert!(!stat.text().contains("Unknown"), "{}", stat.text());
}

#[test]
fn details_show_all_that_is_known() {
    let folder = folder();
    let rows = [
        Row::new("a/new", 0).modified(SNAPSHOT + 1),
        Row::new("a/month", 1023).modified(SNAPSHOT - 30 * DAY),
        Row::new("a/old", 5 << 30).class("GLACIER").modified(1),
        Row::new("a/old", 1).noncurrent(),
    ];
    let delivered = Delivery::csv_versions(&rows, 1).write(&folder.input());
    build(&folder, &delivered).run().summary();
    let asked = query(&folder.index(), "a/").flag("--details").run();
    assert_eq!(
        told(&asked),
        "Prefix: a/\nObjects: 3\nBytes: 5368710143\nNoncurrent: 1 objects, 1 bytes\nTier breakdown:\n  \
         GLACIER: 1 objects, 5368709120 bytes\n  STANDARD: 2 objects, 1023 bytes\n  \
         STANDARD, noncurrent: 1 objects, 1 bytes\nNewest: 2025-05-13T01:00:00.001Z\n\
         Oldest: 1970-01-01T00:00:00.001Z\nAge:\n  <30d: 1 objects, 0 bytes\n  30d-90d: 1 objects, 1023 bytes\n  \
         >=730d: 1 objects, 5368709120 bytes\nSize:\n  0: 1 objects, 0 bytes\n  <1KiB: 1 objects, 1023 bytes\n  \
         >=5GiB: 1 objects, 5368709120 bytes\n"
    );
}

/// A row for each side of each limit, a directory each.
#[test]
fn bands_begin_at_their_limits() {
    let ages = [(30, "<90d"), (90, "<180d"), (180, "<365d"), (365, "<730d"), (730, ">=730d")];
    let sizes = [
        (1, "<1KiB"),
        (1 << 10, "<128KiB"),
        (128 << 10, "<1MiB"),
        (1 << 20, "<16MiB"),
        (16 << 20, "<128MiB"),
        (128 << 20, "<1GiB"),
        (1 << 30, "<5GiB"),
        (5 << 30, ">=5GiB"),
    ];
    let (mut rows, mut expected) = (Vec::new(), Vec::new());
    let mut add = |row: Row, band: &str, label: &str| {
        let prefix = format!("{}/", rows.len());
        rows.push(Row { key: format!("{prefix}x").into_bytes(), ..row });
        expected.push((prefix, band.to_owned(), label.to_owned()));
    };
    let mut younger = "<30d";
    for (days, label) in ages {
        let at = SNAPSHOT - days * DAY;
        add(Row::new("", 1).modified(at + 1), "age", younger);
        add(Row::new("", 1).modified(at), "age", label);
        younger = label;
    }
    for after in [0, 1, 400 * DAY] {
        add(Row::new("", 1).modified(SNAPSHOT + after), "age", "<30d");
    }
    let mut smaller = "0";
    for (size, label) in sizes {
        add(Row::new("", size - 1), "size", smaller);
        add(Row::new("", size), "size", label);
        smaller = label;
    }
    let folder = folder();
    for delivery in [Delivery::csv(&rows, 1), Delivery::parquet(&rows, 1, VERSIONS)] {
        build(&folder, &delivery.write(&folder.input())).run().summary();
        let export = json_lines(&exported(&folder.index()));
        for (prefix, band, label) in &expected {
            let row = export.iter().find(|row| row["prefix"] == prefix.as_str()).unwrap();
            assert_eq!(row[band][label]["objects"], 1, "{row}");
        }
    }
}

/// Ages count from the snapshot, whenever the index is built.
#[test]
fn ages_count_from_the_manifests_moment() {
    let folder = folder();
    for (snapshot, label) in [
        (MODIFIED - 1, "<30d"),
        (MODIFIED + 30 * DAY - 1, "<30d"),
        (MODIFIED + 30 * DAY, "<90d"),
        (MODIFIED + 10_000 * DAY, ">=730d"),
        (0, "<30d"),
    ] {
        let mut delivery = Delivery::csv(&[Row::new("a", 1)], 1);
        delivery.manifest["creationTimestamp"] = snapshot.to_string().into();
        build(&folder, &delivery.write(&folder.input())).run().summary();
        let root = json_lines(&exported(&folder.index())).remove(0);
        assert_eq!(root["age"][label]["objects"], 1, "{snapshot}");
    }
}

/// Objects below 128 KiB, and how many bytes they have, by class.
type Small = BTreeMap<String, (u64, u64)>;

/// Classes that don't bill small objects in another way.
const PLAIN: [&str; 3] = ["STANDARD", "GLACIER", "DEEP_ARCHIVE"];

fn small<'a>(rows: impl Iterator<Item = &'a Row>) -> Small {
    let mut small = Small::new();
    for row in rows.filter(|row| !row.marker) {
        let (objects, bytes) = small.entry(row.class_name()).or_default();
        if row.size < 131_072 && !PLAIN.contains(&row.class) {
            (*objects, *bytes) = (*objects + 1, *bytes + row.size);
        }
    }
    small
}

/// For the cost: where a class bills by it, an index knows which objects are small.
#[test]
fn small_objects_are_known_by_class() {
    let folder = folder();
    let mut rows = random_versions(24, 400);
    rows.push(Row::new("z", 5).class("GLACIER_IR"));
    rows.push(Row::new("z", 131_071).class("ONEZONE_IA"));
    rows.push(Row::new("z", 131_072).class("ONEZONE_IA"));
    let delivered = Delivery::csv_versions(&rows, 1).write(&folder.input());
    let current = small(rows.iter().filter(|row| row.latest));
    let noncurrent = small(rows.iter().filter(|row| !row.latest));
    assert_eq!((current["GLACIER_IR"], current["ONEZONE_IA"]), ((1, 5), (1, 131_071)));
    for list in ["cost,noncurrent", "all"] {
        build(&folder, &delivered).arg("--measures", list).run().summary();
        let reader = Reader::open(File::open(folder.index()).unwrap()).unwrap();
        let stats = reader.stats(b"").unwrap().unwrap();
        let told = |classes: &BTreeMap<&str, s3inv_model::ClassCount>| -> Small {
            let small = |count: &s3inv_model::ClassCount| (count.small.objects, count.small.bytes);
            classes.iter().map(|(class, count)| ((*class).to_owned(), small(count))).collect()
        };
        assert_eq!(told(&stats.classes), current, "{list}");
        assert_eq!(told(&stats.noncurrent_classes), noncurrent, "{list}");
    }
}
