use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::data::{DataSet, Format, Order};
use super::measure::{self, Usage};
use super::ours::{Built, Measures, Ours, Settings};
use super::{Bench, turns};
use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::inventory::Delivery;
use crate::table::Table;
use crate::workspace::output;

/// What is asked, as one types it: `INDEX`, `OLDER`, `SPARSER`, and `LARGE`, a prefix that has much.
const QUESTIONS: [&str; 15] = [
    "query --index INDEX --prefix LARGE --estimate-cost",
    "ls --index INDEX",
    "ls --index INDEX --prefix LARGE",
    "ls --index INDEX --depth 9 --limit 20",
    "tree --index INDEX --depth 3 --limit 5",
    "top --index INDEX",
    "top --index INDEX --by cost",
    "top --index INDEX --all",
    "diff OLDER INDEX",
    "diff OLDER INDEX --depth 9",
    "diff SPARSER INDEX",
    "diff SPARSER INDEX --depth 9",
    "report --index INDEX --older OLDER",
    "export --index INDEX --format jsonl",
    "export --index INDEX --format parquet",
];

/// What a question took.
struct Asked {
    question: &'static str,
    usage: Usage,
}

/// Indexes of one bucket, and a prefix that has much in all.
struct Subject {
    newer: Built,
    index: PathBuf,
    /// Before the last keys were there: most pages are the same.
    older: PathBuf,
    /// Without as many keys that lie anywhere: most pages differ.
    sparser: PathBuf,
    large: String,
}

pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let ours = Ours::ready(&bench.workspace, &bench.data)?;
    let sets = bench.sets(Format::Csv).filter(|set| set.order == Order::Sorted);
    let tables: Vec<_> = sets.map(|set| answers(bench, &ours, set)).collect::<Result<_, _>>()?;
    Ok(tables.join("\n"))
}

/// The answers of one data set.
fn answers(bench: &Bench, ours: &Ours, set: DataSet) -> Result<String, Failure> {
    let subject = Subject::new(bench, ours, set)?;
    eprintln!("{set}: answers …");
    let usages = turns::best(
        bench.runs,
        &QUESTIONS,
        |usage: &Usage| usage.seconds,
        |question| measure::measured(&subject.ask(ours, question)).map(|(usage, _)| usage),
    )?;
    let mut table = Table::new(vec![
        ("question", |asked: &Asked| format!("`{}`", asked.question)),
        ("ms", |asked| format!("{:.1}", asked.usage.seconds * 1e3)),
        ("peak RSS, MiB", |asked| (asked.usage.peak_bytes >> 20).to_string()),
    ]);
    for (question, usage) in QUESTIONS.into_iter().zip(usages) {
        table.push(&Asked { question, usage });
    }
    let Built { prefixes, index_bytes, .. } = subject.newer;
    Ok(format!(
        "{}: {prefixes} prefixes, {index_bytes} bytes; LARGE is `{}`.\n\n{table}",
        set.kind, subject.large
    ))
}

impl Subject {
    fn new(bench: &Bench, ours: &Ours, set: DataSet) -> Result<Self, Failure> {
        eprintln!("{set}: indexes to ask …");
        let delivery = bench.delivery(set)?;
        let shuffled = bench.delivery(DataSet { order: Order::Shuffled, ..set })?;
        let settings = Settings { measures: Measures::All, ..Settings::ONE };
        let at = |which: &str| bench.data.join(format!("{}-{which}.s3inv", set.kind));
        let [index, older, sparser] = ["newer", "older", "sparser"].map(at);
        ours.build_at(&without_the_last_file(&delivery)?, &older, settings)?;
        ours.build_at(&without_the_last_file(&shuffled)?, &sparser, settings)?;
        let newer = ours.build_at(&delivery.manifest(), &index, settings)?.built;
        let mut subject = Self { newer, index, older, sparser, large: String::new() };
        // Two levels down along what has most.
        for _ in 0..2 {
            subject.large = subject.largest_child(ours)?;
        }
        Ok(subject)
    }

    fn largest_child(&self, ours: &Ours) -> Result<String, Failure> {
        let mut ls = self.ask(ours, "ls --index INDEX --limit 1 --output json");
        let listed = output(ls.arg("--prefix").arg(&self.large), "see what it says above")?;
        let listed: Listed =
            serde_json::from_slice(&listed).advise("`ls`", "see whether what it prints has changed")?;
        Ok(listed.prefixes.into_iter().next().map_or_else(|| self.large.clone(), |child| child.prefix))
    }

    fn ask(&self, ours: &Ours, question: &str) -> Command {
        let mut command = Command::new(ours.binary());
        for word in question.split(' ') {
            match word {
                "INDEX" => command.arg(&self.index),
                "OLDER" => command.arg(&self.older),
                "SPARSER" => command.arg(&self.sparser),
                "LARGE" => command.arg(&self.large),
                word => command.arg(word),
            };
        }
        command
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // What is left is overwritten by the next run.
        let _ = [&self.index, &self.older, &self.sparser].map(fs::remove_file);
    }
}

#[derive(Deserialize)]
struct Listed {
    prefixes: Vec<Child>,
}

#[derive(Deserialize)]
struct Child {
    prefix: String,
}

/// A manifest of the same inventory without some keys: the last ones, or any, if they are shuffled.
fn without_the_last_file(delivery: &Delivery) -> Result<PathBuf, Failure> {
    let older = delivery.folder().join("older.json");
    let mut manifest = read(&delivery.manifest())?;
    manifest["files"].as_array_mut().and_then(Vec::pop);
    fs::write(&older, manifest.to_string()).advise(older.display(), CHECK_DISK)?;
    Ok(older)
}

fn read(manifest: &Path) -> Result<Value, Failure> {
    let text = fs::read(manifest).advise(manifest.display(), CHECK_DISK)?;
    serde_json::from_slice(&text).advise(manifest.display(), "remove its folder, so that it is made anew")
}
