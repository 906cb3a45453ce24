//! What most tests do: build an index, ask it.

use std::path::Path;

use s3inv_index_format::{Entry, Reader};
use s3inv_tests::{Cli, Delivered, Delivery, Folder, Row, folder, s3inv};
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
