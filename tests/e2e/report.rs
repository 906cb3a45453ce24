//! The page that tells all about a prefix.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use s3inv_tests::{
    Bucket, CURRENT, Cli, Column, DAY, Delivery, Folder, Row, SNAPSHOT, folder, s3inv, without,
};
use serde_json::Value;

use crate::build::{self, build, query};

const GB: u64 = 1 << 30;

/// A directory with a name that would be markup, some classes, of which one has no price, and versions.
fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> =
        (0..100).map(|nth| Row::new(format!("data/small/{nth}"), 4096).class("STANDARD_IA")).collect();
    rows.extend([
        Row::new("data/<script>alert(\"&\")<b>/a", 10 * GB).modified(SNAPSHOT - 3 * DAY),
        Row::new("data/large/x/one", 1024 * GB).class("GLACIER"),
        Row::new("data/odd/b", 7).class("QUANTUM_FOAM"),
        Row::new("data/here", 5),
        Row::new("data/large/x/one", 2 * GB).class("STANDARD").noncurrent(),
        Row::new("data/gone", 0).marker(),
        Row::new("other/c", 3),
    ]);
    rows
}

fn versions(rows: &[Row]) -> Folder {
    let folder = folder();
    build(&folder, &Delivery::csv_versions(rows, 1).write(&folder.input())).run().summary();
    folder
}

fn report(index: &Path, prefix: &str) -> Cli {
    s3inv(["report"]).arg("--index", index).arg("--prefix", prefix)
}

/// What stands on a page.
#[derive(Debug, Default)]
struct Page {
    /// The first cell of a table's line, and the others; of what stands before the first heading, too.
    parts: BTreeMap<String, Vec<Vec<String>>>,
    notes: String,
}

impl Page {
    /// Reads a page, of which each element is closed that has to be, and each attribute is in quotes.
    #[track_caller]
    fn read(html: &str) -> Self {
        let (mut page, mut heading, mut open) =
            (Self::default(), "facts".to_owned(), Vec::<(&str, bool)>::new());
        let mut left = html.strip_prefix("<!DOCTYPE html>").unwrap();
        while let Some((text, behind)) = left.split_once('<') {
            page.add(&mut heading, &open, text);
            let (tag, rest) = behind.split_once('>').unwrap();
            left = rest;
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().map(|(name, _)| name), Some(name), "at {rest:.80}");
                continue;
            }
            let name = attributes(tag);
            let hidden =
                tag.contains("aria-hidden=\"true\"") || open.last().is_some_and(|(_, hidden)| *hidden);
            if name == "tr" && !hidden {
                page.parts.entry(heading.clone()).or_default().push(Vec::new());
            }
            if ["th", "td"].contains(&name) && !hidden {
                page.parts.get_mut(&heading).unwrap().last_mut().unwrap().push(String::new());
            }
            if !["meta", "wbr"].contains(&name) {
                open.push((name, hidden));
            }
        }
        assert!(open.is_empty() && left.is_empty(), "{open:?} {left}");
        page
    }

    fn add(&mut self, heading: &mut String, open: &[(&str, bool)], text: &str) {
        let text =
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        match open.last() {
            Some(("h2", _)) => *heading = text,
            Some(("th" | "td", false)) => {
                self.parts.get_mut(heading).unwrap().last_mut().unwrap().last_mut().unwrap().push_str(&text);
            }
            Some(("p", _)) => self.notes.extend([text.as_str(), "\n"]),
            Some((_, true)) => assert_eq!(text, ""),
            _ => {}
        }
    }

    /// The cells of a line behind its name.
    #[track_caller]
    fn line(&self, part: &str, name: &str) -> Vec<&str> {
        let lines = self.parts.get(part).unwrap_or_else(|| panic!("no {part:?}: {:?}", self.parts.keys()));
        let line = lines.iter().find(|line| line[0] == name);
        line.unwrap_or_else(|| panic!("no {name:?}: {lines:?}"))[1..].iter().map(String::as_str).collect()
    }
}

/// The name of an element, of which all attributes are in quotes, and none is an address.
#[track_caller]
fn attributes(tag: &str) -> &str {
    let (name, mut left) = tag.split_once(' ').unwrap_or((tag, ""));
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{tag}");
    assert!(!["script", "link", "img", "style", "iframe", "a"].contains(&name), "{tag}");
    while !left.is_empty() {
        let (attribute, value) = left.split_once("=\"").unwrap_or_else(|| panic!("{tag}"));
        let (value, rest) = value.split_once('"').unwrap();
        assert!(!["src", "href", "background"].contains(&attribute) && !attribute.starts_with("on"), "{tag}");
        assert!(!value.contains("http") && !value.contains("url("), "{tag}");
        left = rest.trim_start();
    }
    name
}

/// Bytes as people see them, of what JSON tells.
fn shown(bytes: &Value) -> String {
    bytesize::ByteSize::b(bytes.as_u64().unwrap()).display().iec().to_string()
}

#[test]
fn a_page_says_what_queries_answer() {
    let folder = versions(&rows());
    let html = report(&folder.index(), "data/").run().answer().to_owned();
    let page = Page::read(&html);
    let asked = query(&folder.index(), "data/").flag("--estimate-cost").arg("--output", "json").run();
    let asked = build::asked(&asked);
    let fact = |name: &str| page.line("facts", name)[0].to_owned();
    assert_eq!(fact("Bucket"), "my-bucket");
    assert!(
        fact("Snapshot").starts_with("2025-05-13T01:00:00Z, ") && fact("Snapshot").ends_with(" days old")
    );
    assert_eq!((fact("Prefix").as_str(), fact("Objects")), ("data/", asked["objects"].to_string()));
    assert_eq!(
        fact("Bytes").replace(',', ""),
        format!("{} ({} bytes)", shown(&asked["bytes"]), asked["bytes"])
    );
    assert_eq!(fact("Noncurrent"), "1 objects, 2.0 GiB (2,147,483,648 bytes)");
    assert_eq!(fact("Delete markers"), "1, 1 of them latest");
    assert_eq!((fact("Newest"), fact("Oldest")), (text(&asked["newest"]), text(&asked["oldest"])));
    for (class, sums) in asked["classes"].as_object().unwrap() {
        let line = page.line("Storage classes", class);
        assert_eq!(line[..2], [sums["objects"].to_string(), shown(&sums["bytes"])], "{class}");
        assert_eq!(line[3] == "no price", class == "QUANTUM_FOAM", "{class}");
    }
    assert_eq!(
        page.line("Storage classes of noncurrent versions", "STANDARD"),
        ["1", "2.0 GiB", "100.0%", "$0.0460"]
    );
    for (part, measure) in [("Ages", "age"), ("Sizes", "size")] {
        for (band, sums) in asked[measure].as_object().unwrap() {
            // JSON says where it ends; people are told where it begins, too.
            let is_it = |name: &str| name == band || name.ends_with(&band.replace('<', "-"));
            let line = page.parts[part].iter().find(|line| is_it(&line[0])).unwrap();
            assert_eq!(line[1..3], [sums["objects"].to_string(), shown(&sums["bytes"])], "{band}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// By hand, at us-east-1's prices: 10 GB and 400 KB of `STANDARD_IA`, 1,024 GB of `GLACIER`, and 2 GB noncurrent.
#[test]
fn a_cost_is_told_with_its_parts_and_what_it_leaves_out() {
    let folder = versions(&rows());
    let finished = report(&folder.index(), "data/").run();
    let unpriced: Vec<_> = finished.logs().iter().map(|log| log["class"].clone()).collect();
    assert_eq!(unpriced, ["QUANTUM_FOAM"]);
    let page = Page::read(finished.answer());
    assert_eq!(page.line("facts", "Cost a month"), ["$3.96"]);
    let part = |name: &str| page.line("Cost a month", name);
    assert_eq!(part("Storage"), ["$3.96", "100.0%"]);
    assert_eq!(part("Minimum of 128 KB")[0], "$0.000148");
    assert_eq!(part("Monitoring"), ["$0.000000", "0.0%"]);
    assert_eq!(part("(total)"), ["$3.96", "100.0%"]);
    for note in [
        "Prices: us-east-1, 2025-10, USD.",
        "Left out: requests, retrieval, early deletion, unfinished uploads.",
        "QUANTUM_FOAM: no price, left out: 1 objects, 7 B.",
    ] {
        assert!(page.notes.lines().any(|line| line == note), "{}", page.notes);
    }
}

#[test]
fn names_are_text_in_every_table() {
    let folder = versions(&rows());
    let html = report(&folder.index(), "data/").arg("--limit", "2").run().answer().to_owned();
    assert!(!html.contains("<script"), "{html}");
    let page = Page::read(&html);
    let name = "data/<script>alert(\"&\")<b>/";
    assert_eq!(page.line("Largest directories", name), ["1", "10.0 GiB", "1.0%", "$0.2300", "2025-05-10"]);
    assert_eq!(page.line("Where most is", name), ["10.0 GiB", "1.0%", "10.0 GiB"]);
    assert_eq!(page.line("Where most is", "data/large/x/"), ["1.0 TiB", "99.0%", "1.0 TiB"]);
    assert_eq!(page.line("Largest directories", "(2 more)")[..2], ["101", "400.0 KiB"]);
    assert_eq!(page.line("Largest directories", "(directly here)")[..2], ["1", "5 B"]);
    let deep = Page::read(report(&folder.index(), name).run().answer());
    assert_eq!(deep.line("facts", "Prefix"), [name]);
}

#[test]
fn growth_is_told_against_an_older_index() {
    let (old, new) = (versions(&rows()), {
        let mut rows = rows();
        rows.retain(|row| row.key != b"data/odd/b");
        rows.extend([Row::new("data/small/more", 3 * GB), Row::new("data/new/d", 9)]);
        versions(&rows)
    });
    let ask =
        |prefix: &str| Page::read(report(&new.index(), prefix).arg("--older", old.index()).run().answer());
    let page = ask("data/");
    assert_eq!(page.line("Growth", "data/small/")[0], "+3.0 GiB");
    assert_eq!(page.line("Growth", "data/new/"), ["+9 B", "came", "0 B", "9 B", "$0.000000"]);
    // Its class has no price.
    assert_eq!(page.line("Growth", "data/odd/"), ["-7 B", "went", "7 B", "0 B", "$0.000000"]);
    for note in ["both indexes are of the same snapshot", "QUANTUM_FOAM: no price, left out"] {
        assert!(page.notes.contains(&format!("Note: {note}.")), "{}", page.notes);
    }
    assert!(!Page::read(report(&new.index(), "data/").run().answer()).parts.contains_key("Growth"));
}

#[test]
fn a_partial_prefix_says_that_it_sums_directories() {
    let folder = versions(&rows());
    let page = Page::read(report(&folder.index(), "data/l").run().answer());
    assert_eq!(
        page.line("facts", "Prefix"),
        ["data/l* sums directories: objects that begin so lie elsewhere"]
    );
    assert_eq!(page.line("facts", "Objects"), ["1"]);
    let directories = &page.parts["Largest directories"];
    assert!(directories.iter().all(|line| line[0] != "(directly here)"), "{directories:?}");
    assert_eq!(report(&folder.index(), "nothing").run().error(), "prefix not found: nothing");
}

/// Each part that the inventory can't tell says so, and the rest is told.
#[test]
fn what_is_not_known_is_said() {
    let folder = folder();
    let lacking = [Column::Size, Column::StorageClass, Column::LastModifiedDate];
    let columns = lacking.into_iter().fold(CURRENT.to_vec(), |columns, column| without(&columns, column));
    let delivery = Delivery::csv_of(&[Row::new("a/b", 1), Row::new("c", 1)], 1, &columns);
    build(&folder, &delivery.write(&folder.input())).run().summary();
    let page = Page::read(report(&folder.index(), "").arg("--older", folder.index()).run().answer());
    assert_eq!(page.line("facts", "Bytes"), ["unknown: the inventory lacks the field Size"]);
    assert_eq!(page.line("facts", "Newest"), ["unknown: the inventory lacks the field LastModifiedDate"]);
    assert_eq!(page.line("Largest directories", "a/"), ["1", "50.0%"]);
    assert_eq!(page.line("Where most is", "a/"), ["1", "50.0%", "1"]);
    assert!(page.notes.contains("no cost without sizes"), "{}", page.notes);
    for part in ["Storage classes", "Cost a month", "Ages", "Sizes"] {
        assert!(!page.parts.contains_key(part), "{part}: {:?}", page.parts);
    }
}

#[test]
fn a_page_goes_where_it_is_told_to_or_nowhere() {
    let folder = versions(&rows());
    let out = folder.path("page.html");
    let finished = report(&folder.index(), "").arg("--out", &out).run();
    assert_eq!(finished.answer(), "");
    assert_eq!(fs::read_to_string(&out).unwrap(), report(&folder.index(), "").run().answer());
    let nowhere = folder.path("none.html");
    report(&folder.index(), "none/").arg("--out", &nowhere).run().error();
    assert!(!nowhere.exists());
}

/// What has no media type is saved by browsers, not shown.
#[test]
fn a_page_in_s3_is_one_for_browsers() {
    let folder = versions(&rows());
    let bucket = Bucket::with_files("report", &folder.out());
    let report = s3inv(["report", "--index", &bucket.uri("index.s3inv"), "--out", &bucket.uri("page.html")]);
    assert_eq!(report.envs(bucket.environment()).run().answer(), "");
    assert_eq!(bucket.listing(), ["index.s3inv", "page.html"]);
    assert_eq!(bucket.media_type("page.html"), "text/html; charset=utf-8");
}
