use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::{Column, Counts, Delivery, Row, SNAPSHOT, VERSIONS};

const WRITE: &str = include_str!("../python/write.py");
const ADD_UP: &str = include_str!("../python/add_up.py");
const ASK: &str = include_str!("../python/ask.py");
const LARGE: &str = include_str!("../python/large.py");
const LATER: &str = include_str!("../python/later.py");
const ANSWERS: &str = include_str!("../python/answers.py");
const READ_DDL: &str = include_str!("../python/read_ddl.py");
const READ_NCDU: &str = include_str!("../python/read_ncdu.py");

/// Runs a script, and gives what it prints.
pub(crate) fn python(script: &str, args: &[&OsStr]) -> String {
    let python = std::env::var_os("S3INV_TEST_PYTHON")
        .expect("S3INV_TEST_PYTHON is not set: run `cargo xtask test`, which installs what is needed");
    let output =
        Command::new(python).arg("-c").arg(script).args(args).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "python failed: see above");
    String::from_utf8(output.stdout).unwrap()
}

/// A table as another program wrote it.
pub struct Written {
    /// Which one, and how: `pyarrow-us.parquet`.
    pub by: String,
    /// A delivery of it.
    pub delivery: Delivery,
}

impl Written {
    /// Whether it is ORC, and not Parquet.
    pub fn is_orc(&self) -> bool {
        self.delivery.manifest["fileFormat"] == "ORC"
    }
}

/// Has other programs write these tables as Parquet and as ORC, all at once: they start slowly.
pub fn written_by_others(tables: &[(&[Row], &[Column])]) -> Vec<Vec<Written>> {
    let folder = tempfile::tempdir().unwrap();
    for (nth, (rows, columns)) in tables.iter().enumerate() {
        fs::write(folder.path().join(format!("{nth}.json")), table(rows, columns)).unwrap();
    }
    python(WRITE, &[folder.path().as_os_str()]);
    (0..tables.len()).map(|nth| written(folder.path(), nth)).collect()
}

fn written(folder: &Path, nth: usize) -> Vec<Written> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let start = format!("{nth}.");
    let one = |path: PathBuf| {
        let by = path.file_name()?.to_str()?.strip_prefix(&start)?.to_owned();
        let files = || vec![fs::read(&path).unwrap()];
        let delivery = match by.rsplit_once('.')?.1 {
            "parquet" => Delivery::parquet_files(files()),
            "orc" => Delivery::orc_files(files()),
            _ => return None,
        };
        Some(Written { by, delivery })
    };
    paths.into_iter().filter_map(one).collect()
}

fn table(rows: &[Row], columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|column| column.file_name()).collect();
    let rows: Vec<_> = rows.iter().map(row_json).collect();
    json!({ "columns": names, "rows": rows }).to_string()
}

fn row_json(row: &Row) -> serde_json::Value {
    let text = |text: &'static str| (!text.is_empty()).then_some(text);
    let mut cells = json!({
        "bucket": "my-bucket",
        "key": hex(&row.key),
        "version_id": null,
        "is_latest": row.latest,
        "is_delete_marker": row.marker,
        "size": row.size.cast_signed(),
        "last_modified_date": row.modified.cast_signed(),
        "e_tag": "d41d8cd9",
        "storage_class": text(row.class),
        "intelligent_tiering_access_tier": text(row.tier),
        "quantum_state": "|0> + |1>",
    });
    for column in VERSIONS.iter().filter(|column| row.lacks(**column)) {
        cells[column.file_name()] = serde_json::Value::Null;
    }
    cells
}

/// Data files of one large piece each.
pub struct Large {
    /// [`single_objects`](crate::single_objects) as Parquet.
    pub parquet: Vec<u8>,
    /// The same as ORC.
    pub orc: Vec<u8>,
    /// The same as ORC with keys that are 40 bytes longer, in a dictionary.
    pub dictionary: Vec<u8>,
}

/// Has them written, of this many objects.
pub fn large_files(objects: u64) -> Large {
    let folder = tempfile::tempdir().unwrap();
    python(LARGE, &[folder.path().as_os_str(), objects.to_string().as_ref()]);
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    Large { parquet: read("large.parquet"), orc: read("large.orc"), dictionary: read("dictionary.orc") }
}

/// Data files for `DuckDB` to read.
pub struct DuckDb<'a> {
    /// `csv`, `parquet` or `orc`.
    pub format: &'static str,
    /// Where they are.
    pub files: &'a [PathBuf],
    /// Their columns; of CSV, in their order.
    pub columns: &'a [Column],
}

/// What `DuckDB` adds up from data files by itself; prefixes in hexadecimal.
pub fn added_up_by_duckdb(inventories: &[DuckDb<'_>]) -> Vec<BTreeMap<String, Counts>> {
    let described: Vec<_> = inventories
        .iter()
        .map(|DuckDb { format, files, columns }| {
            let columns: Vec<_> = columns.iter().map(|column| column.file_name()).collect();
            json!({ "format": format, "files": files, "columns": columns, "snapshot": SNAPSHOT })
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, serde_json::to_vec(&described).unwrap()).unwrap();
    let printed = python(ADD_UP, &[file.path().as_os_str()]);
    let mut all: Vec<BTreeMap<String, Counts>> = Vec::new();
    for line in printed.lines() {
        if line.starts_with('=') {
            all.push(BTreeMap::new());
            continue;
        }
        let [prefix, what, a, b] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let counts = all.last_mut().unwrap().entry(prefix.to_owned()).or_default();
        counts.insert(what.to_owned(), (a.parse().unwrap(), b.parse().unwrap()));
    }
    assert_eq!(all.len(), inventories.len());
    all
}

/// What `DuckDB` answers, a list of values a row.
pub fn asked_of_duckdb(sql: &str) -> Vec<serde_json::Value> {
    let printed = python(ASK, &[sql.as_ref()]);
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Has a delivery written into this folder: the demo's inventory a day later. Its manifest.
pub fn demo_later(folder: &Path) -> PathBuf {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/demo");
    python(LATER, &[demo.as_os_str(), folder.as_os_str()]);
    folder.join("manifest.json")
}

/// What SQL says of two exported tables, in the form of the command line's answers.
pub fn answered_by_sql(old: &Path, new: &Path, questions: &[serde_json::Value]) -> Vec<serde_json::Value> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, serde_json::to_vec(questions).unwrap()).unwrap();
    let printed = python(ANSWERS, &[old.as_os_str(), new.as_os_str(), file.path().as_os_str()]);
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a statement creates in Athena, as an independent parser reads it.
pub fn read_ddl(sql: &str) -> serde_json::Value {
    serde_json::from_str(&python(READ_DDL, &[sql.as_ref()])).unwrap()
}

/// An export in ncdu's binary format, checked.
pub struct Ncdu {
    /// How many blocks its items take.
    pub blocks: u64,
    /// Full names in hexadecimal, objects and bytes: each directory before those in it.
    pub directories: Vec<(String, u64, u64)>,
}

/// Has an export in ncdu's binary format read.
pub fn read_ncdu(path: &Path) -> Ncdu {
    let printed = python(READ_NCDU, &[path.as_os_str()]);
    let mut lines = printed.lines();
    let blocks = lines.next().unwrap().parse().unwrap();
    Ncdu { blocks, directories: lines.map(|line| serde_json::from_str(line).unwrap()).collect() }
}

/// Bytes as upper-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string can't fail.
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}
