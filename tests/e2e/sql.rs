//! Answers about real paths, those of Debian's packages and of a day later, are what SQL says of exported tables.

use std::path::{Path, PathBuf};

use s3inv_tests::{Cli, Folder, answered_by_sql, demo_later, folder, s3inv};
use serde_json::{Value, json};

use crate::build::json_lines;

/// Two indexes with their tables.
struct Days {
    _folder: Folder,
    old: PathBuf,
    new: PathBuf,
}

impl Days {
    fn new() -> Self {
        let folder = folder();
        let (old, new) = (folder.path("old.s3inv"), folder.path("new.s3inv"));
        s3inv(["demo", "--out"]).flag(old.to_str().unwrap()).run().answer();
        let later = folder.path("later");
        std::fs::create_dir(&later).unwrap();
        s3inv(["build"]).arg("--s3-manifest", demo_later(&later)).arg("--out", &new).run().summary();
        for index in [&old, &new] {
            let export = s3inv(["export", "--format", "parquet"]).arg("--index", index);
            export.arg("--out", table(index)).run().answer();
        }
        Self { _folder: folder, old, new }
    }

    /// The question that a program asks SQL, as one to the command line.
    fn ask(&self, question: &Value) -> Cli {
        let command = question["ask"].as_str().unwrap();
        let cli = s3inv([command, "--output", "json"]);
        let cli = match command {
            "diff" => cli.flag(self.old.to_str().unwrap()).flag(self.new.to_str().unwrap()),
            _ => cli.arg("--index", &self.new),
        };
        let options = question.as_object().unwrap().iter().filter(|(name, _)| *name != "ask");
        options.fold(cli, |cli, (name, value)| match (name.as_str(), value) {
            ("of_class", class) => cli.arg("--class", class.as_str().unwrap()),
            ("like", pattern) => cli.arg("--match", pattern.as_str().unwrap().replace('%', "*")),
            (name, Value::Bool(_)) => cli.flag(&format!("--{name}")),
            (name, Value::String(text)) => cli.arg(&format!("--{name}"), text),
            (name, value) => cli.arg(&format!("--{}", name.replace('_', "-")), value.to_string()),
        })
    }

    /// Asks both, and compares.
    fn compare(&self, questions: &[Value]) {
        let answers = answered_by_sql(&table(&self.old), &table(&self.new), questions);
        assert_eq!(answers.len(), questions.len());
        for (question, expected) in questions.iter().zip(answers) {
            let told = json_lines(self.ask(question).run().answer()).remove(0);
            if let Some(difference) = difference(&told, &expected, "") {
                panic!("{question}: {difference}");
            }
        }
    }
}

fn table(index: &Path) -> PathBuf {
    index.with_extension("parquet")
}

/// Where an answer is not what is expected; it may tell more.
fn difference(told: &Value, expected: &Value, at: &str) -> Option<String> {
    match (told, expected) {
        (Value::Object(told), Value::Object(expected)) => expected.iter().find_map(|(name, expected)| {
            difference(told.get(name).unwrap_or(&Value::Null), expected, &format!("{at}.{name}"))
        }),
        (Value::Array(told), Value::Array(expected)) if told.len() == expected.len() => {
            let pairs = told.iter().zip(expected).enumerate();
            pairs
                .into_iter()
                .find_map(|(nth, (told, expected))| difference(told, expected, &format!("{at}[{nth}]")))
        }
        _ => (told != expected).then(|| format!("{at}: {told} is not {expected}")),
    }
}

/// What is asked about: on every level, of every size, and what names begin with.
const PREFIXES: [&str; 11] = [
    "",
    "pool/main/",
    "pool/main/libp/",
    "pool/main/l/linux/",
    "pool/main/g/gcc-defaults-ports/old/",
    "pool/non-free/p/",
    "pool/main/lib",
    "pool/main/p/py",
    "pool/non",
    "p",
    // Nothing of it is left.
    WENT,
];
const WENT: &str = "pool/main/0/";

fn of_lists_and_trees() -> Vec<Value> {
    let some = PREFIXES.iter().filter(|prefix| **prefix != WENT).flat_map(|prefix| {
        [
            json!({ "ask": "ls", "prefix": prefix }),
            json!({ "ask": "ls", "prefix": prefix, "sort": "objects", "depth": 2, "limit": 5 }),
            json!({ "ask": "tree", "prefix": prefix, "limit": 3 }),
        ]
    });
    some.chain([
        json!({ "ask": "ls", "prefix": "", "depth": 9, "sort": "name" }),
        json!({ "ask": "ls", "prefix": "pool/main/", "depth": 2, "min_bytes": 100_000_000, "min_objects": 10 }),
        json!({ "ask": "ls", "prefix": "pool/main/libs", "depth": 2, "like": "lib%-perl" }),
        json!({ "ask": "ls", "prefix": "pool/", "depth": 3, "of_class": "INTELLIGENT_TIERING_FREQUENT" }),
        json!({ "ask": "ls", "prefix": "pool/main/l", "of_class": "GLACIER_IR", "limit": 7 }),
        json!({ "ask": "ls", "prefix": "pool/main/l/", "of_class": "STANDARD_IA", "min_objects": 2 }),
        json!({ "ask": "tree", "prefix": "", "depth": 9, "limit": 6 }),
        json!({ "ask": "tree", "prefix": "pool/main/p", "depth": 3, "limit": 40 }),
    ])
    .collect()
}

fn of_what_is_largest() -> Vec<Value> {
    let some = PREFIXES.iter().filter(|prefix| **prefix != WENT).flat_map(|prefix| {
        [
            json!({ "ask": "top", "prefix": prefix, "limit": 20 }),
            json!({ "ask": "top", "prefix": prefix, "limit": 9, "by": "objects" }),
            json!({ "ask": "top", "prefix": prefix, "limit": 15, "by": "objects", "all": true }),
        ]
    });
    let numbers = [1, 2, 3, 500].map(|limit| json!({ "ask": "top", "prefix": "", "limit": limit }));
    some.chain(numbers).collect()
}

fn of_what_changed() -> Vec<Value> {
    let some = PREFIXES.iter().flat_map(|prefix| {
        [(1, "bytes"), (2, "objects"), (3, "bytes")].map(
            |(depth, by)| json!({ "ask": "diff", "prefix": prefix, "depth": depth, "by": by, "limit": 8 }),
        )
    });
    some.chain([json!({ "ask": "diff", "prefix": "", "depth": 9, "limit": 150 })]).collect()
}

#[test]
fn answers_about_real_paths_are_what_sql_says() {
    let questions = [of_lists_and_trees(), of_what_is_largest(), of_what_changed()].concat();
    Days::new().compare(&questions);
}
