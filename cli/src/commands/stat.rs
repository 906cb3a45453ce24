use std::collections::BTreeMap;

use s3inv::{FormatError, Info};
use s3inv_model::{ClassCount, Count, Measure, Measures, Stats};
use serde::Serialize;

use super::{failed, open, print};
use crate::args::{Output, StatArgs};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::row::Row;
use crate::text;

pub(crate) fn stat(args: &StatArgs) -> Result<(), Failure> {
    let index = open(&args.index.index)?;
    let info = index.info();
    let root = index.stats(b"").map_err(failed(&index))?;
    let missing = || FormatError::Sums("the root is missing".to_owned());
    let root = root.ok_or_else(missing).map_err(failed(&index))?;
    let heading = Heading::new(&index);
    let (bytes, lookup) = (index.reader().len(), index.reader().has_tables());
    print(|out| match args.answer.output {
        Output::Text => write!(out, "{}", describe(&heading, info, &root, bytes, lookup)),
        Output::Json => {
            let root = Row::new(b"", &root);
            let answer = Answer { heading, index_bytes: bytes, lookup, info, root };
            writeln!(out, "{}", serde_json::to_string(&answer)?)
        }
    })
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    heading: Heading<'a>,
    index_bytes: u64,
    lookup: bool,
    info: &'a Info,
    root: Row<'a>,
}

fn describe(heading: &Heading<'_>, info: &Info, root: &Stats<'_>, bytes: u64, lookup: bool) -> String {
    let tables = if lookup { ", with tables to look prefixes up" } else { "" };
    let mut lines =
        vec![("Index", heading.index.to_owned()), ("Size", format!("{}{tables}", text::bytes(bytes)))];
    if let Some(origin) = &info.origin {
        lines.push(("Bucket", origin.source_bucket.clone()));
        lines.push(("Snapshot", heading.snapshot()));
        lines.push(("Data files", text::count(origin.data_files)));
    }
    lines.push(("Rows", text::count(info.counts.rows)));
    for (reason, rows) in &info.counts.excluded {
        lines.push(("Excluded", format!("{} {}", text::count(*rows), reason.name().replace('_', " "))));
    }
    let cut = info.max_depth.map(|depth| format!(", cut at depth {depth}")).unwrap_or_default();
    lines.push(("Prefixes", format!("{}, to depth {}{cut}", text::count(info.prefixes), info.depth)));
    lines.push(("Measures", text::measures(&info.schema.measures)));
    if info.unknown != Measures::default() {
        lines.push((
            "Unknown",
            format!("{}: the inventory lacks their fields", text::measures(&info.unknown)),
        ));
    }
    let sums = |Count { objects, bytes }: Count| {
        let bytes = root.has(Measure::Bytes).then(|| format!(", {}", text::bytes(bytes)));
        format!("{} objects{}", text::count(objects), bytes.unwrap_or_default())
    };
    if root.has(Measure::Classes) {
        let classes = |label, classes: &BTreeMap<&str, ClassCount>| -> Vec<_> {
            classes.iter().map(|(class, count)| (label, format!("{class}: {}", sums(count.all)))).collect()
        };
        lines.extend(classes("Class", &root.classes));
        lines.extend(classes("Noncurrent", &root.noncurrent_classes));
    }
    let line = |(label, value): (&str, String)| {
        let label = format!("{label}:");
        format!("{label:<12}{}\n", text::printable(&value))
    };
    lines.into_iter().map(line).collect()
}
