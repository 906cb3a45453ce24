//! What most tests do: build an index, ask it.

use std::path::Path;

use s3inv_index_format::{Entry, Reader};
use s3inv_tests::{Cli, Delivered, Delivery, Finished, Folder, Row, folder, s3inv};
use serde_json::Value;

/// `build` of a delivery into a folder's own places.
pub(crate) fn build(folder: &Folder, delivered: &Delivered) -> Cli {
    build_to(folder, delivered, &folder.index())
}

/// The same, to another place.
pub(crate) fn build_to(folder: &Folder, delivered: &Delivered, out: &Path) -> Cli {
    let cli = s3inv(["build", "--mem-budget", "64MiB"]).arg("--s3-manifest", &delivered.manifest);
    cli.arg("--out", out).arg("--temp-dir", folder.temp())
}

/// A folder with the index of these rows in it.
pub(crate) fn indexed(rows: &[Row]) -> Folder {
    let folder = folder();
    let delivered = Delivery::csv(rows, 1).write(&folder.input());
    build(&folder, &delivered).run().summary();
    folder
}

/// `query --index INDEX --prefix PREFIX`.
pub(crate) fn query(index: &Path, prefix: &str) -> Cli {
    s3inv(["query"]).arg("--index", index).arg("--prefix", prefix)
}

/// What `query` or `verify` said as text, but for its last lines: these name the bucket, the snapshot and its age.
#[track_caller]
pub(crate) fn told(asked: &Finished) -> String {
    let answer = asked.answer().strip_suffix('\n').unwrap();
    let (told, last) = answer.rsplit_once("\nBucket: my-bucket\n").unwrap();
    assert!(last.starts_with("Snapshot: 2025-05-13T01:00:00Z, ") && last.ends_with(" days old"), "{answer}");
    told.to_owned() + "\n"
}

/// What `query` or `verify` said as JSON, but for what names the index and its snapshot.
#[track_caller]
pub(crate) fn asked(asked: &Finished) -> Value {
    let mut answer = aged(asked);
    let fields = answer.as_object_mut().unwrap();
    assert!(fields.remove("index").unwrap().is_string() && fields.remove("bucket").unwrap().is_string());
    assert_eq!(fields.remove("snapshot").unwrap(), "2025-05-13T01:00:00Z");
    assert_ne!(fields.remove("partial"), Some(true.into()));
    answer
}

/// An answer as JSON, but for ages of snapshots: they are longer each time.
#[track_caller]
pub(crate) fn aged(asked: &Finished) -> Value {
    let mut answer = json_lines(asked.answer()).remove(0);
    let headings = if answer.get("old").is_some() { vec!["/old", "/new"] } else { vec![""] };
    for heading in headings {
        let heading = answer.pointer_mut(heading).unwrap().as_object_mut().unwrap();
        assert!(heading.remove("age_hours").unwrap().as_u64() > Some(24 * 30), "{heading:?}");
        assert_eq!(heading.remove("max_depth"), Some(Value::Null));
        assert_eq!(heading.remove("skipped_rows"), Some(0.into()));
    }
    answer
}

/// `export` as text.
pub(crate) fn exported(index: &Path) -> String {
    let export = s3inv(["export", "--format", "jsonl"]).arg("--index", index).run();
    export.answer().to_owned()
}

/// Its pages with their checksums: two indexes that have the same ones say the same.
pub(crate) fn pages(index: &Path) -> Vec<Entry> {
    let reader = Reader::open(std::fs::File::open(index).unwrap()).unwrap();
    reader.page_starts().map(Result::unwrap).collect()
}

/// `verify`.
pub(crate) fn verify(index: &Path) -> Cli {
    s3inv(["verify"]).arg("--index", index)
}

/// The lines of an export.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
