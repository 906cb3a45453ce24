//! What other programs make of exports.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use s3inv_tests::{
    Answer, Bucket, CURRENT, Cli, Column, Delivery, FakeS3, Folder, Row, Signal, asked_of_duckdb,
    files_below, folder, hex, read_ddl, read_ncdu, s3inv, single_objects, without,
};
use serde_json::{Value, json};

use crate::build::{build, exported, indexed, json_lines, verify};
use crate::cancel::PROMPT;
use crate::tables::random_objects;
use crate::trial::skipped;

const FORMATS: [&str; 5] = ["jsonl", "csv", "parquet", "ncdu", "ncdu-binary"];
const MIB: u64 = 1 << 20;

fn export(index: &Path, format: &str) -> Cli {
    s3inv(["export", "--format", format]).arg("--index", index)
}

/// An export in a file beside the index.
fn exported_to(folder: &Folder, format: &str) -> String {
    let out = folder.path(&format!("out.{format}"));
    export(&folder.index(), format).arg("--out", &out).run().answer();
    out.to_str().unwrap().to_owned()
}

fn odd_rows() -> Vec<Row> {
    vec![
        Row::new("a,b/\"c\"\n/x", 3),
        Row::new(&b"\xff/y"[..], 5).class("STANDARD_IA"),
        Row::new("top", 1),
        Row::new("top", 100).class("GLACIER").noncurrent(),
    ]
}

#[test]
fn csv_is_quoted_and_what_is_not_utf8_is_base64() {
    let folder = folder();
    let delivered = Delivery::csv_versions(&odd_rows(), 1).write(&folder.input());
    build(&folder, &delivered).run().summary();
    assert_eq!(
        export(&folder.index(), "csv").run().answer(),
        "prefix,depth,objects,bytes,objects_GLACIER,bytes_GLACIER,objects_STANDARD,bytes_STANDARD,\
         objects_STANDARD_IA,bytes_STANDARD_IA,prefix_b64\n\
         ,0,3,9,0,0,2,4,1,5,\n\
         \"a,b/\",1,1,3,0,0,1,3,0,0,\n\
         ,1,1,5,0,0,0,0,1,5,/y8=\n\
         \"a,b/\"\"c\"\"\n/\",2,1,3,0,0,1,3,0,0,\n"
    );
}

#[test]
fn what_is_not_measured_has_no_column() {
    let folder = folder();
    let columns = without(&without(CURRENT, Column::Size), Column::StorageClass);
    let delivered = Delivery::parquet(&[Row::new("a/b", 7)], 1, &columns).write(&folder.input());
    build(&folder, &delivered).run().summary();
    let csv = export(&folder.index(), "csv").run();
    assert_eq!(csv.answer(), "prefix,depth,objects,prefix_b64\n,0,1,\na/,1,1,\n");
    let parquet = exported_to(&folder, "parquet");
    assert_eq!(
        asked_of_duckdb(&format!("SELECT * FROM '{parquet}'")),
        [json!(["", 0, 1, null]), json!(["a/", 1, 1, null])]
    );
    for format in ["ncdu", "ncdu-binary"] {
        let error = export(&folder.index(), format).run().error();
        let told = "ncdu shows sizes, and the inventory of this index has no Size";
        assert!(error.starts_with(told), "{error}");
    }
}

/// A prefix, or what directories begin with, to a depth, is what a filter finds in the whole.
#[test]
fn a_part_is_what_the_whole_has_of_it() {
    let folder = indexed(&random_objects(3, 3000));
    let whole = json_lines(&exported(&folder.index()));
    let prefixes: Vec<&str> = whole.iter().map(|row| row["prefix"].as_str().unwrap()).collect();
    let exact = prefixes.iter().step_by(prefixes.len() / 15).copied();
    let partial = ["l", "logs/dt", "caf", "a/caf\u{e9}/w", "/", "//lo"];
    for asked in exact.chain(partial) {
        let top = asked.matches('/').count();
        for depth in [None, Some(0), Some(1), Some(3)] {
            let wanted = |row: &&Value| {
                let (prefix, deep) = (row["prefix"].as_str().unwrap(), row["depth"].as_u64().unwrap());
                prefix.starts_with(asked) && depth.is_none_or(|depth| deep as usize <= top + depth)
            };
            let expected: Vec<_> = whole.iter().filter(wanted).cloned().collect();
            let mut part = export(&folder.index(), "jsonl").arg("--prefix", asked);
            if let Some(depth) = depth {
                part = part.arg("--depth", depth.to_string());
            }
            let part = part.run();
            if expected.is_empty() {
                let no_row = depth == Some(0) && !asked.ends_with('/');
                let error = if no_row { "--depth 0: " } else { "prefix not found: " };
                assert!(part.error().starts_with(error), "{asked:?} {depth:?}");
            } else {
                assert_eq!(json_lines(part.answer()), expected, "{asked:?} {depth:?}");
            }
        }
    }
}

#[test]
fn what_begins_so_has_no_row_of_its_own() {
    let folder = indexed(&odd_rows());
    for format in FORMATS {
        let error = export(&folder.index(), format).arg("--prefix", "l").arg("--depth", "0").run().error();
        assert_eq!(error, "--depth 0: l* has no row of its own: take --depth 1");
    }
}

#[test]
fn what_is_not_there_is_exit_code_1_and_no_file() {
    let folder = indexed(&odd_rows());
    for prefix in ["none/", "none", "a,b"] {
        let out = folder.out().join("none.csv");
        let finished = export(&folder.index(), "csv").arg("--prefix", prefix).arg("--out", &out).run();
        match prefix {
            "a,b" => drop(finished.answer()),
            _ => assert_eq!(finished.error(), format!("prefix not found: {prefix}")),
        }
        assert_eq!(out.exists(), prefix == "a,b");
    }
}

/// What a column of a table has of a row of JSON.
fn cell(row: &Value, column: &str) -> Value {
    if let Some(value) = row.get(column) {
        return value.clone();
    }
    let Some((what @ ("objects" | "bytes"), class)) = column.split_once('_') else { return Value::Null };
    let mut classes = row["classes"].as_object().unwrap().iter();
    let found = classes.find(|(name, _)| name.replace('-', "_") == class);
    found.map_or(json!(0), |(_, sums)| sums[what].clone())
}

/// A table in Parquet and one in CSV, as `DuckDB` reads them, are what JSON lines say; so are sums over them.
#[test]
fn tables_say_what_json_lines_say() {
    let rows = random_objects(4, 3000).into_iter().chain(odd_rows().into_iter().take(3));
    let folder = indexed(&rows.collect::<Vec<_>>());
    let lines = json_lines(&exported(&folder.index()));
    let parquet = exported_to(&folder, "parquet");
    let described = asked_of_duckdb(&format!("DESCRIBE SELECT * FROM '{parquet}'"));
    let columns: Vec<_> = described.iter().map(|column| column[0].as_str().unwrap()).collect();
    assert_eq!(columns[..4], ["prefix", "depth", "objects", "bytes"]);
    assert!(columns.contains(&"bytes_NOT_YET_KNOWN"), "{columns:?}");
    for (column, described) in columns.iter().zip(&described) {
        let kind = if column.starts_with("prefix") { "VARCHAR" } else { "BIGINT" };
        assert_eq!(described[1], kind, "{column}");
    }
    let row = |line| columns.iter().map(|column| cell(line, column)).collect::<Value>();
    let expected: Vec<_> = lines.iter().map(row).collect();
    assert_eq!(asked_of_duckdb(&format!("SELECT * FROM '{parquet}'")), expected);

    let csv = exported_to(&folder, "csv");
    let csv = format!("read_csv('{csv}', header = true, quote = '\"', escape = '\"', new_line = '\\n')");
    let texts = "coalesce(prefix, '') AS prefix, coalesce(prefix_b64, '') AS prefix_b64";
    let both = |one: &str, other: &str| {
        format!(
            "SELECT count(*) FROM (SELECT * REPLACE ({texts}) FROM {one} EXCEPT ALL SELECT * REPLACE ({texts}) FROM {other})"
        )
    };
    let parquet = format!("'{parquet}'");
    assert_eq!(asked_of_duckdb(&both(&csv, &parquet)), [json!([0])]);
    assert_eq!(asked_of_duckdb(&both(&parquet, &csv)), [json!([0])]);

    let sums = "SELECT depth, count(*), sum(objects)::BIGINT, sum(bytes)::BIGINT FROM";
    let sums = asked_of_duckdb(&format!("{sums} {parquet} GROUP BY depth ORDER BY depth"));
    let of = |depth: u64, name: &str| {
        let rows = lines.iter().filter(|row| row["depth"] == depth);
        rows.map(|row| row[name].as_u64().unwrap()).sum::<u64>()
    };
    assert!(sums.len() > 4);
    for (depth, sum) in (0..).zip(sums) {
        let rows = lines.iter().filter(|row| row["depth"] == depth).count();
        assert_eq!(sum, json!([depth, rows, of(depth, "objects"), of(depth, "bytes")]));
    }
}

/// Larger than a row group, and than what is kept of siblings: in little memory, with row groups that readers
/// leave out.
#[test]
fn large_exports_take_little_memory_and_are_read_in_part() {
    const OBJECTS: u64 = 300_000;
    let folder = indexed(&single_objects(OBJECTS).collect::<Vec<_>>());
    for format in FORMATS {
        let out = folder.path(&format!("out.{format}"));
        let finished = export(&folder.index(), format).arg("--out", &out).run();
        let told = finished.logs().pop().unwrap();
        assert_eq!(
            (told["msg"].as_str(), told["prefixes"].as_u64()),
            (Some("export complete"), Some(OBJECTS + 1))
        );
        let peak = told["peak_memory_bytes"].as_u64().unwrap();
        eprintln!("{format}: {} MiB at most, {} bytes", peak / MIB, fs::metadata(&out).unwrap().len());
        assert!(peak < 128 * MIB, "{format}: {peak}");
    }
    let parquet = folder.path("out.parquet");
    let groups = asked_of_duckdb(&format!(
        "SELECT row_group_num_rows, stats_min_value, stats_max_value FROM parquet_metadata('{}')
         WHERE path_in_schema = 'prefix' ORDER BY row_group_id",
        parquet.display()
    ));
    let rows: Vec<_> = groups.iter().map(|group| group[0].as_u64().unwrap()).collect();
    assert_eq!(rows, [122_880, 122_880, OBJECTS + 1 - 2 * 122_880]);
    // Siblings come by name: no group has what another has.
    let ends: Vec<_> = groups.iter().flat_map(|group| [&group[1], &group[2]]).map(Value::to_string).collect();
    assert!(ends.is_sorted(), "{ends:?}");
    for wanted in [format!("= '{}'", groups[1][1].as_str().unwrap()), "LIKE 'ff00%'".to_owned()] {
        let ask = format!("SELECT bytes FROM '{}' WHERE prefix {wanted}", parquet.display());
        let plan = asked_of_duckdb(&format!("EXPLAIN (ANALYZE, FORMAT json) {ask}")).remove(0);
        let plan: Value = serde_json::from_str(plan[1].as_str().unwrap()).unwrap();
        let groups = |name: &str| plan["query"][name].as_u64().unwrap();
        assert_eq!(
            (groups("total_row_groups_scanned"), groups("total_row_groups_to_scan")),
            (1, 3),
            "{wanted}"
        );
    }
    few_requests(&folder);
}

/// From S3, rows are read ahead, and what is too deep is not read.
fn few_requests(folder: &Folder) {
    let index = fs::read(folder.index()).unwrap();
    let len = index.len();
    let fake = FakeS3::start(move |_| Answer::Object(index.clone()));
    let requests = |args: &[&str]| {
        let before = fake.seen().len();
        let export = s3inv(["export", "--index", "s3://indexes/my.s3inv"]).envs(fake.environment());
        let text = args.iter().fold(export, |cli, arg| cli.flag(arg)).run().answer().to_owned();
        (text, fake.seen().len() - before)
    };
    let (csv, all) = requests(&["--format", "csv"]);
    assert!(csv == fs::read_to_string(folder.path("out.csv")).unwrap());
    let (ncdu, walked) = requests(&["--format", "ncdu"]);
    assert!(ncdu == fs::read_to_string(folder.path("out.ncdu")).unwrap());
    let (_, top) = requests(&["--format", "csv", "--depth", "0"]);
    let told = format!("of {len} bytes: {all} for all, {walked} for ncdu, {top} for the root");
    assert!(all <= 10 && walked <= 12 && top <= 3, "{told}");
}

#[test]
fn the_statement_for_athena_has_the_columns_of_the_file() {
    let folder = indexed(&random_objects(5, 200));
    let parquet = exported_to(&folder, "parquet");
    let described = asked_of_duckdb(&format!("DESCRIBE SELECT * FROM '{parquet}'"));
    // Athena has the names of columns in lower case.
    let column = |column: &Value| json!([column[0].as_str().unwrap().to_ascii_lowercase(), column[1]]);
    let columns: Vec<_> = described.iter().map(column).collect();
    let ask = || s3inv(["export", "--ddl"]).arg("--index", folder.index());
    let elsewhere = ask().arg("--location", "s3://reports/a b/");
    for (asked, location) in [(ask(), "s3://BUCKET/FOLDER/"), (elsewhere, "s3://reports/a b/")] {
        let expected = json!({
            "table": "my_bucket_prefixes", "columns": columns, "format": "PARQUET", "location": location,
        });
        assert_eq!(read_ddl(asked.run().answer()), expected);
    }
    for wrong in ["s3://reports/a", "/tmp/", "s3://reports/it's/"] {
        assert_eq!(ask().arg("--location", wrong).run().code, Some(2), "{wrong}");
    }
    let no_statement = export(&folder.index(), "csv").arg("--location", "s3://reports/a/").run();
    assert_eq!((no_statement.code, no_statement.text()), (Some(2), ""));
}

/// Directories of an export for ncdu with the bytes and objects of their files, at any depth below.
fn sums_of(item: &Value, parent: &str, found: &mut Vec<(String, u64, u64)>) -> (u64, u64) {
    let Some(items) = item.as_array() else {
        let name = item["name"].as_str().unwrap();
        let objects: String = name.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(item["asize"], item["dsize"]);
        return (objects.parse().unwrap(), item["asize"].as_u64().unwrap());
    };
    let name = items[0]["name"].as_str().unwrap();
    let prefix = match (parent, name) {
        ("", name) => format!("{name}/"),
        (parent, "\u{2215}") => format!("{parent}/"),
        (parent, name) => format!("{parent}{name}/"),
    };
    let at = found.len();
    found.push((prefix.clone(), 0, 0));
    let sums = items[1..].iter().map(|item| sums_of(item, &prefix, found));
    let sums = sums.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    (found[at].1, found[at].2) = sums;
    sums
}

/// What an export for ncdu says, by full names.
fn tree(text: &str) -> Vec<(String, u64, u64)> {
    let tree: Value = serde_json::from_str(text).unwrap();
    assert_eq!((&tree[0], &tree[1], &tree[2]["progname"]), (&json!(1), &json!(2), &json!("s3inv-index")));
    let mut found = Vec::new();
    sums_of(&tree[3], "", &mut found);
    found
}

/// The same, as JSON lines say it.
fn tree_of_lines(lines: &str) -> Vec<(String, u64, u64)> {
    let row = |row: Value| {
        let prefix = format!("s3://my-bucket/{}", row["prefix"].as_str().unwrap());
        (prefix, row["objects"].as_u64().unwrap(), row["bytes"].as_u64().unwrap())
    };
    let mut rows: Vec<_> = json_lines(lines).into_iter().map(row).collect();
    // Each directory before what is in it, siblings by name: just the order of their full names.
    rows.sort();
    rows
}

/// The same with names in hexadecimal.
fn in_hex(tree: Vec<(String, u64, u64)>) -> Vec<(String, u64, u64)> {
    let row =
        |(name, objects, bytes): (String, u64, u64)| (hex(name.as_bytes()).to_lowercase(), objects, bytes);
    tree.into_iter().map(row).collect()
}

#[test]
fn ncdu_shows_the_sums_of_every_directory() {
    let folder = indexed(&random_objects(6, 3000));
    let binary = folder.path("binary");
    let cases = [&[][..], &["--prefix", "logs/"], &["--depth", "2"], &["--prefix", "a/", "--depth", "0"]];
    for args in cases.into_iter().chain([&["--prefix", "lo"][..]]) {
        let run = |format| args.iter().fold(export(&folder.index(), format), |cli, arg| cli.flag(arg));
        let shown = tree(run("ncdu").run().answer());
        if args != ["--prefix", "lo"] {
            assert_eq!(shown, tree_of_lines(run("jsonl").run().answer()), "{args:?}");
        }
        run("ncdu-binary").arg("--out", &binary).run().answer();
        assert_eq!(read_ncdu(&binary).directories, in_hex(shown), "{args:?}");
    }
    let part = export(&folder.index(), "ncdu").arg("--prefix", "lo").run();
    let part = tree(part.answer());
    let logs = tree_of_lines(export(&folder.index(), "jsonl").arg("--prefix", "lo").run().answer());
    assert_eq!(part[0], ("s3://my-bucket/lo*/".to_owned(), logs[0].1, logs[0].2));
    assert_eq!(part[1].1, logs[0].1);
    assert_eq!(part.len(), logs.len() + 1);
}

/// More siblings than are kept, of which some have more children than are kept.
#[test]
fn ncdu_shows_wide_directories() {
    let wide = (0..5000).map(|n| Row::new(format!("{n:04}/x"), n));
    let deep = (0..5000).map(|n| Row::new(format!("{:04}/{n:04}/{}/x", n % 3 * 2000, n % 7), 1));
    let folder = indexed(&wide.chain(deep).collect::<Vec<_>>());
    let lines = tree_of_lines(&exported(&folder.index()));
    assert!(tree(export(&folder.index(), "ncdu").run().answer()) == lines);
    let binary = read_ncdu(exported_to(&folder, "ncdu-binary").as_ref());
    assert!(binary.directories == in_hex(lines));
    assert!(binary.blocks > 5, "{}", binary.blocks);
}

/// Names that are no text, or that ncdu can't show as they are.
#[test]
fn ncdu_shows_any_name() {
    let rows = [Row::new(&b"\xff/\0\n/x"[..], 5), Row::new("a//b", 2), Row::new([b'n'; 1023].to_vec(), 1)];
    let long = Row::new([vec![b'n'; 1022], b"/x".to_vec()].concat(), 3);
    let folder = indexed(&rows.into_iter().chain([long]).collect::<Vec<_>>());
    let binary = read_ncdu(exported_to(&folder, "ncdu-binary").as_ref());
    let row = |name: &[u8], objects, bytes| {
        (hex(&[b"s3://my-bucket/", name].concat()).to_lowercase(), objects, bytes)
    };
    let name = [vec![b'n'; 1022], b"/".to_vec()].concat();
    let expected = [
        row(b"", 4, 11),
        row(b"a/", 1, 2),
        row(b"a//", 1, 2),
        row(&name, 1, 3),
        row(b"\xff/", 1, 5),
        row(b"\xff/\xe2\x90\x80\n/", 1, 5),
    ];
    assert_eq!(binary.directories, expected);
}

#[test]
fn ncdu_opens_it() {
    if let Err(error) = Command::new("ncdu").arg("-v").output() {
        skipped("ncdu opens an export", &format!("ncdu: {error}: install it (Debian: ncdu)"));
        return;
    }
    let rows = random_objects(7, 500).into_iter().chain(odd_rows().into_iter().take(3));
    let folder = indexed(&rows.chain([Row::new("\0/\u{7f}\0/x", 1)]).collect::<Vec<_>>());
    let file = exported_to(&folder, "ncdu");
    let again = folder.path("again");
    let done = Command::new("ncdu").args(["-0", "-f", &file, "-o"]).arg(&again).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let sizes = |path: &Path| {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let sizes = text.split("\"asize\":").skip(1);
        let sizes = sizes.map(|rest| rest.split([',', '}']).next().unwrap().parse::<u64>().unwrap());
        (sizes.sum::<u64>(), text.matches("[{").count())
    };
    assert_eq!(sizes(&again), sizes(file.as_ref()));
}

#[test]
fn who_closes_the_pipe_is_no_error() {
    let folder = indexed(&single_objects(20_000).collect::<Vec<_>>());
    for format in FORMATS {
        let mut command = export(&folder.index(), format).command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let done = child.wait_with_output().unwrap();
        assert_eq!(
            (done.status.code(), String::from_utf8(done.stderr).unwrap()),
            (Some(0), String::new()),
            "{format}"
        );
    }
}

/// What is there stays where an export fails, and nothing else is left.
#[test]
fn a_file_is_whole_or_stays_as_it_was() {
    let folder = indexed(&single_objects(20_000).collect::<Vec<_>>());
    let out = folder.path("exported");
    fs::create_dir(&out).unwrap();
    let file = out.join("table");
    let left = |name: &str| assert_eq!(files_below(&out).into_iter().collect::<Vec<_>>(), [name]);
    fs::write(&file, "old").unwrap();
    let mut bytes = fs::read(folder.index()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = folder.path("damaged.s3inv");
    fs::write(&damaged, bytes).unwrap();
    for format in FORMATS {
        let error = export(&damaged, format).arg("--out", &file).run().error();
        let told = format!("{}: damaged index: checksum of the page at byte ", damaged.display());
        assert!(error.starts_with(&told), "{error}");
        let full = export(&folder.index(), format).arg("--out", &file);
        let error = full.under("prlimit", ["--fsize=65536"]).run().error();
        assert_eq!(error, format!("{}: File too large (os error 27)", file.display()), "{format}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        left("table");
    }
    export(&folder.index(), "jsonl").arg("--out", &file).run().answer();
    assert_eq!(fs::read_to_string(&file).unwrap(), exported(&folder.index()));
    left("table");
    let missing = out.join("none/table");
    let error = export(&folder.index(), "csv").arg("--out", &missing).run().error();
    assert!(error.ends_with("does not exist: make it first"), "{error}");
    verify(&folder.index()).run().answer();
}

#[test]
fn a_signal_ends_what_goes_to_s3_that_stalls() {
    let folder = indexed(&odd_rows());
    let report = || s3inv(["report"]).arg("--index", folder.index());
    for (what, cli, signal, exit) in [
        ("export", export(&folder.index(), "parquet"), Signal::SIGINT, 130),
        ("export", export(&folder.index(), "ncdu-binary"), Signal::SIGTERM, 143),
        ("report", report(), Signal::SIGINT, 130),
    ] {
        let fake = FakeS3::stalled();
        let running = cli.arg("--out", "s3://reports/of-all").envs(fake.environment()).start();
        fake.wait_for(|request| request.target.contains("of-all"));
        let (finished, took) = running.end_by(signal);
        let told = vec![format!("{what} cancelled by user")];
        assert_eq!((finished.code, finished.messages("warn")), (Some(exit), told));
        assert!(took < PROMPT, "{took:?}");
    }
}

/// By whatever path: what is asked is not what is written.
#[test]
fn an_index_is_not_written_over() {
    let folder = indexed(&odd_rows());
    let index = folder.index();
    let before = fs::read(&index).unwrap();
    let link = folder.path("link.s3inv");
    std::os::unix::fs::symlink(&index, &link).unwrap();
    let around = folder.out().join("../out/index.s3inv");
    let other = folder.path("other.s3inv");
    fs::copy(&index, &other).unwrap();
    let report = |index: &Path| s3inv(["report"]).arg("--index", index);
    for command in [
        export(&index, "csv").arg("--out", &index),
        export(&index, "csv").arg("--out", &around),
        export(&link, "csv").arg("--out", &index),
        export(&index, "csv").arg("--out", &link),
        export(&folder.out(), "csv").arg("--out", &index),
        report(&index).arg("--out", &index),
        report(&other).arg("--older", &index).arg("--out", &index),
    ] {
        let error = command.run().error();
        assert!(error.ends_with(": that is the index itself: write elsewhere"), "{error}");
    }
    assert!(fs::read(&index).unwrap() == before);
    let bucket = Bucket::with_files("exports", &folder.out());
    let index = bucket.uri("index.s3inv");
    let export = |out: &str| {
        let export = s3inv(["export", "--format", "csv", "--index", &index]).arg("--out", out);
        export.envs(bucket.environment()).run().error()
    };
    assert!(export(&index).ends_with(": that is the index itself: write elsewhere"));
    assert!(export(&bucket.uri("folder/")).ends_with(": a folder: name the file or object to write in it"));
    assert_eq!(bucket.listing(), ["index.s3inv"]);
}

#[test]
fn what_is_no_text_does_not_go_to_a_terminal() {
    let folder = indexed(&odd_rows());
    for format in ["parquet", "ncdu-binary"] {
        let (code, shown) = export(&folder.index(), format).on_a_terminal();
        assert!(code == Some(1) && shown.contains("stdout is a terminal"), "{shown:?}");
    }
    let (code, shown) = export(&folder.index(), "csv").on_a_terminal();
    assert!(code == Some(0) && shown.starts_with("prefix,depth,"), "{shown:?}");
}

#[test]
fn from_s3_to_s3() {
    let folder = indexed(&odd_rows());
    let bucket = Bucket::with_files("exports", &folder.out());
    let (index, table) = (bucket.uri("index.s3inv"), bucket.uri("tables/t.csv"));
    let run = |out: &str| {
        let export = s3inv(["export", "--format", "csv", "--index", &index]);
        export.arg("--out", out).envs(bucket.environment()).run().answer().to_owned()
    };
    assert_eq!(run(&table), "");
    assert_eq!(bucket.listing(), ["index.s3inv", "tables/t.csv"]);
    assert_eq!(bucket.media_type("tables/t.csv"), "text/csv; charset=utf-8");
    let local = folder.path("t.csv");
    run(local.to_str().unwrap());
    assert_eq!(fs::read_to_string(local).unwrap(), export(&folder.index(), "csv").run().answer());
}
