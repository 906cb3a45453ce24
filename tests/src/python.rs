use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Row;

/// Reads `N.rows` of a folder (a JSON array of rows, keys as hex) and writes `N.pyarrow.parquet` and
/// `N.duckdb.parquet` beside it, and `N.sums`: what `DuckDB` adds up, `hex of prefix, class, objects, bytes`.
const WRITE: &str = r#"
import glob, json, sys
import duckdb, pyarrow as pa, pyarrow.parquet as pq

SUMS = """
    SELECT hex(encode(prefix)), class, count(*), sum(size) FROM (
        SELECT unnest([''] || [array_to_string(parts[1:n], '/') || '/' FOR n IN range(1, len(parts))]) AS prefix,
               storage_class || CASE WHEN storage_class = 'INTELLIGENT_TIERING'
                   THEN '_' || regexp_replace(coalesce(intelligent_tiering_access_tier, 'FREQUENT'), '_ACCESS$', '') ELSE '' END AS class,
               size
        FROM (SELECT *, string_split(key, '/') AS parts FROM t WHERE is_latest AND NOT is_delete_marker))
    GROUP BY ALL"""

def utf8(key):
    try:
        return key.decode() is not None
    except UnicodeDecodeError:
        return False

for path in glob.glob(sys.argv[1] + "/*.rows"):
    rows, base = json.load(open(path)), path[:-len(".rows")]
    keys = [bytes.fromhex(row["key"]) for row in rows]
    text = all(map(utf8, keys))
    of = lambda name: [row[name] for row in rows]
    t = pa.table({
        "bucket": pa.array(["my-bucket"] * len(rows), pa.string()),
        "key": pa.array([key.decode() for key in keys], pa.string()) if text else pa.array(keys, pa.binary()),
        "version_id": pa.array([None] * len(rows), pa.string()),
        "is_latest": pa.array(of("latest"), pa.bool_()),
        "is_delete_marker": pa.array(of("marker"), pa.bool_()),
        "size": pa.array(of("size"), pa.int64()),
        "last_modified_date": pa.array([1715035068000] * len(rows), pa.timestamp("ms", "UTC")),
        "storage_class": pa.array(of("class"), pa.string()),
        "intelligent_tiering_access_tier": pa.array(of("tier"), pa.string()),
    })
    pq.write_table(t, base + ".pyarrow.parquet", row_group_size=150, data_page_size=512)
    duckdb.sql(f"COPY t TO '{base}.duckdb.parquet' (FORMAT parquet, COMPRESSION snappy)")
    if text:
        sums = duckdb.sql(SUMS).fetchall()
        open(base + ".sums", "w").write("".join(f"{p} {c} {n} {s}\n" for p, c, n, s in sums))
"#;

/// Runs a script, and gives what it prints.
pub(crate) fn python(script: &str, args: &[&OsStr]) -> String {
    let python = std::env::var_os("S3INV_TEST_PYTHON")
        .expect("S3INV_TEST_PYTHON is not set: run `cargo xtask test`, which installs what is needed");
    let output =
        Command::new(python).arg("-c").arg(script).args(args).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "python failed: see above");
    String::from_utf8(output.stdout).unwrap()
}

/// A table as other programs wrote it.
pub struct Others {
    /// `PyArrow`'s Parquet.
    pub pyarrow: Vec<u8>,
    /// `DuckDB`'s.
    pub duckdb: Vec<u8>,
    /// What `DuckDB` adds up, a line each: hex of the prefix, class, objects, bytes. Nothing where keys
    /// are not UTF-8.
    pub sums: Option<String>,
}

/// Has other programs write these tables, all at once: they start slowly.
pub fn written_by_others(tables: &[Vec<Row>]) -> Vec<Others> {
    let folder = tempfile::tempdir().unwrap();
    for (nth, rows) in tables.iter().enumerate() {
        fs::write(folder.path().join(format!("{nth}.rows")), json(rows)).unwrap();
    }
    python(WRITE, &[folder.path().as_os_str()]);
    (0..tables.len()).map(|nth| others(folder.path(), nth)).collect()
}

fn others(folder: &Path, nth: usize) -> Others {
    let path = |end: &str| folder.join(format!("{nth}.{end}"));
    Others {
        pyarrow: fs::read(path("pyarrow.parquet")).unwrap(),
        duckdb: fs::read(path("duckdb.parquet")).unwrap(),
        sums: fs::read_to_string(path("sums")).ok(),
    }
}

fn json(rows: &[Row]) -> String {
    let rows: Vec<_> = rows.iter().map(row_json).collect();
    serde_json::to_string(&rows).unwrap()
}

fn row_json(row: &Row) -> serde_json::Value {
    let text = |text: &'static str| (!row.marker && !text.is_empty()).then_some(text);
    serde_json::json!({
        "key": hex(&row.key),
        "size": (!row.marker).then_some(row.size),
        "class": text(row.class),
        "tier": text(row.tier),
        "latest": row.latest,
        "marker": row.marker,
    })
}

/// Bytes as upper-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string can't fail.
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}
