//! What the command line answers.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use s3inv_tests::{DAY, Delivery, Row, SNAPSHOT, files_below, folder, s3inv};
use serde_json::{Value, json};

use crate::build::{asked, build, build_to, exported, indexed, json_lines, query, told, verify};

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = (0..10).map(|nth| Row::new(format!("logs/2024/{nth}.gz"), 2)).collect();
    rows.extend([
        Row::new("logs/readme", 100).class("STANDARD_IA"),
        Row::new("tiers/new", 1).tier(""),
        Row::new("tiers/frequent", 10).tier("FREQUENT"),
        Row::new("tiers/infrequent", 100).tier("INFREQUENT"),
        Row::new("tiers/instant", 1000).tier("ARCHIVE_INSTANT_ACCESS"),
        Row::new("tiers/archive", 10_000).tier("ARCHIVE"),
        Row::new("tiers/archive", 10_001).tier("ARCHIVE_ACCESS"),
        Row::new("tiers/deep", 100_000).tier("DEEP_ARCHIVE"),
        Row::new("tiers/deep", 100_001).tier("DEEP_ARCHIVE_ACCESS"),
        Row::new("odd/class", 7).class("QUANTUM_FOAM"),
        Row::new("top", 5),
    ]);
    rows
}

#[test]
fn a_query_is_answered_as_text() {
    let folder = indexed(&rows());
    let ask = |prefix: &str| query(&folder.index(), prefix).flag("--show-tiers").run();
    assert_eq!(
        told(&ask("logs/2024/")),
        "Prefix: logs/2024/\nObjects: 10\nBytes: 20\nTier breakdown:\n  STANDARD: 10 objects, 20 bytes\n"
    );
    assert_eq!(
        told(&ask("logs/")),
        "Prefix: logs/\nObjects: 11\nBytes: 120\nTier breakdown:\n  STANDARD: 10 objects, 20 bytes\n  \
         STANDARD_IA: 1 objects, 100 bytes\n"
    );
    let brief = query(&folder.index(), "logs/").run();
    assert_eq!(told(&brief), "Prefix: logs/\nObjects: 11\nBytes: 120\n");
    assert_eq!(brief.stderr, [""; 0]);
}

#[test]
fn tables_change_no_answer() {
    let plain = indexed(&rows());
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    build(&folder, &delivered).flag("--lookup").run().summary();
    let len = |folder: &s3inv_tests::Folder| fs::metadata(folder.index()).unwrap().len();
    assert!(len(&folder) > len(&plain));
    let described = s3inv(["stat"]).arg("--index", folder.index()).run();
    assert!(described.answer().contains(", with tables to look prefixes up\n"), "{}", described.text());
    assert_eq!(exported(&folder.index()), exported(&plain.index()));
    verify(&folder.index()).run().answer();
    for prefix in ["", "logs/", "logs/2024/", "tiers/", "odd/"] {
        let ask = |folder: &s3inv_tests::Folder| {
            query(&folder.index(), prefix).flag("--show-tiers").run().answer().to_owned()
        };
        assert_eq!(ask(&folder), ask(&plain), "{prefix}");
    }
    assert_eq!(
        query(&folder.index(), "logs/2023/").run().error(),
        "prefix not found: logs/2023/: the nearest above it is logs/"
    );
}

/// All fields in their order: two objects, a noncurrent one and a marker.
#[test]
fn a_query_is_answered_as_json() {
    let folder = folder();
    let rows = [
        Row::new("logs/a", 10),
        Row::new("logs/b", 2000).class("STANDARD_IA").modified(SNAPSHOT - 40 * DAY + 120),
        Row::new("logs/b", 7).class("GLACIER").noncurrent(),
        Row::new("logs/c", 0).marker(),
        Row::new("logs/c", 0).marker().noncurrent(),
        Row::new("top", 5),
    ];
    let delivered = Delivery::csv_versions(&rows, 1).write(&folder.input());
    build(&folder, &delivered).run().summary();
    let ask = |prefix: &str| query(&folder.index(), prefix).arg("--output", "json").run();
    let none = "{\"objects\":0,\"bytes\":0}";
    let logs = ask("logs/");
    let index = folder.index();
    let heading = format!(
        "{{\"index\":{index:?},\"bucket\":\"my-bucket\",\"snapshot\":\"2025-05-13T01:00:00Z\",\"age_hours\":"
    );
    let (hours, row) = logs.answer().strip_prefix(&heading).unwrap().split_once(',').unwrap();
    assert!(hours.parse::<u32>().unwrap() > 24 * 30);
    assert_eq!(
        row,
        format!(
            "\"max_depth\":null,\"skipped_rows\":0,\"partial\":false,\"prefix\":\"logs/\",\"depth\":1,\"objects\":2,\"bytes\":2010,\
             \"classes\":{{\"STANDARD\":{{\"objects\":1,\"bytes\":10}},\
             \"STANDARD_IA\":{{\"objects\":1,\"bytes\":2000}}}},\
             \"noncurrent\":{{\"objects\":1,\"bytes\":7,\"classes\":{{\
             \"GLACIER\":{{\"objects\":1,\"bytes\":7}}}}}},\
             \"delete_markers\":2,\"latest_delete_markers\":1,\
             \"newest\":\"2025-04-03T01:00:00.120Z\",\"oldest\":\"2024-05-06T22:37:48Z\",\
             \"age\":{{\"<30d\":{none},\"<90d\":{{\"objects\":1,\"bytes\":2000}},\"<180d\":{none},\
             \"<365d\":{none},\"<730d\":{{\"objects\":1,\"bytes\":10}},\">=730d\":{none}}},\
             \"size\":{{\"0\":{none},\"<1KiB\":{{\"objects\":1,\"bytes\":10}},\
             \"<128KiB\":{{\"objects\":1,\"bytes\":2000}},\"<1MiB\":{none},\"<16MiB\":{none},\
             \"<128MiB\":{none},\"<1GiB\":{none},\"<5GiB\":{none},\">=5GiB\":{none}}}}}\n"
        )
    );
    let root = asked(&ask(""));
    assert_eq!((&root["prefix"], &root["depth"], &root["objects"]), (&json!(""), &json!(0), &json!(3)));
    assert_eq!(root["classes"]["STANDARD"], json!({ "objects": 2, "bytes": 15 }));
}

#[test]
fn tiers_and_unknown_classes_have_names_of_their_own() {
    let folder = indexed(&rows());
    let ask = |prefix: &str| query(&folder.index(), prefix).arg("--output", "json").run();
    let tiers = asked(&ask("tiers/"));
    assert_eq!(
        tiers["classes"],
        json!({
            "INTELLIGENT_TIERING_FREQUENT": { "objects": 2, "bytes": 11 },
            "INTELLIGENT_TIERING_INFREQUENT": { "objects": 1, "bytes": 100 },
            "INTELLIGENT_TIERING_ARCHIVE_INSTANT": { "objects": 1, "bytes": 1000 },
            "INTELLIGENT_TIERING_ARCHIVE": { "objects": 2, "bytes": 20_001 },
            "INTELLIGENT_TIERING_DEEP_ARCHIVE": { "objects": 2, "bytes": 200_001 },
        })
    );
    let odd = asked(&ask("odd/"));
    assert_eq!(odd["classes"], json!({ "QUANTUM_FOAM": { "objects": 1, "bytes": 7 } }));
}

#[test]
fn a_prefix_that_is_not_there_is_exit_code_1() {
    let folder = indexed(&rows());
    for output in ["text", "json"] {
        for (prefix, instead) in [
            ("nothing/", ""),
            ("lox", ""),
            ("logs/2024/0.gz", ": the nearest above it is logs/2024/"),
            ("logs/2024/01/x/y", ": the nearest above it is logs/2024/"),
            ("logs//", ": the nearest above it is logs/"),
            ("/logs/", ": no key begins with /"),
            ("/", ": no key begins with /"),
        ] {
            let finished = query(&folder.index(), prefix).arg("--output", output).run();
            assert_eq!(finished.error(), format!("prefix not found: {prefix}{instead}"));
            assert_eq!(finished.text(), "");
        }
    }
}

#[test]
fn without_a_prefix_all_is_asked_about() {
    let folder = indexed(&rows());
    let all = s3inv(["query"]).arg("--index", folder.index()).run();
    assert_eq!(all.answer(), query(&folder.index(), "").run().answer());
    assert!(told(&all).starts_with("Prefix: \nObjects: 21\n"), "{}", all.text());
}

/// What begins so is summed, and said to be directories.
#[test]
fn a_partial_prefix_is_a_sum_of_directories() {
    let rows = [
        Row::new("logs/2024-01/a", 1),
        Row::new("logs/2024-02/b", 20).class("GLACIER").modified(SNAPSHOT - DAY),
        Row::new("logs/2024-02/eu/c", 300),
        Row::new("logs/2024-03.txt", 4000),
        Row::new("logs/2023-12/d", 50_000),
    ];
    let folder = indexed(&rows);
    assert_eq!(
        told(&query(&folder.index(), "logs/2024-").flag("--show-tiers").run()),
        "Prefix: logs/2024-\nObjects: 3\nBytes: 321\nTier breakdown:\n  GLACIER: 1 objects, 20 bytes\n  \
         STANDARD: 2 objects, 301 bytes\nNote: logs/2024-* sums directories: objects that begin so lie elsewhere\n"
    );
    let json = query(&folder.index(), "logs/2024-").arg("--output", "json").run();
    let json = json_lines(json.answer()).remove(0);
    assert_eq!(
        (&json["partial"], &json["prefix"], &json["bytes"]),
        (&json!(true), &json!("logs/2024-"), &json!(321))
    );
    assert_eq!(json["newest"], "2025-05-12T01:00:00Z");
    let cost = query(&folder.index(), "l").flag("--estimate-cost").run();
    let whole = query(&folder.index(), "logs/").flag("--estimate-cost").run();
    let total = |answer: &str| answer.lines().find(|line| line.starts_with("  Total: ")).unwrap().to_owned();
    assert_eq!(total(cost.answer()), total(whole.answer()));
}

#[test]
fn a_prefix_that_is_not_utf8_is_escaped_or_base64() {
    let folder = indexed(&[Row::new(&b"\xff\xfe/a"[..], 3), Row::new("b/c", 1)]);
    let ask = || {
        let query = s3inv(["query"]).arg("--index", folder.index());
        query.arg("--prefix", OsStr::from_bytes(b"\xff\xfe/"))
    };
    assert_eq!(told(&ask().run()), "Prefix: \\xff\\xfe/\nObjects: 1\nBytes: 3\n");
    let json = asked(&ask().arg("--output", "json").run());
    assert_eq!(
        (&json["prefix_b64"], &json["prefix"], &json["bytes"]),
        (&json!("//4v"), &Value::Null, &json!(3))
    );
    assert_eq!(json_lines(&exported(&folder.index())).last(), Some(&json));
}

#[test]
fn control_characters_are_escaped_for_people() {
    let folder = indexed(&[Row::new("a\x1b[2J\n/b", 1)]);
    let finished = query(&folder.index(), "a\x1b[2J\n/").run();
    assert_eq!(told(&finished), "Prefix: a\\u{1b}[2J\\n/\nObjects: 1\nBytes: 1\n");
    let json = query(&folder.index(), "a\x1b[2J\n/").arg("--output", "json").run();
    assert_eq!(json_lines(json.answer())[0]["prefix"], "a\x1b[2J\n/");
}

/// No name makes what comes behind it look like something else.
#[test]
fn the_order_of_characters_is_escaped_for_people() {
    let folder = indexed(&[Row::new("x\u{202e}gnp.exe/b", 1)]);
    let shown = s3inv(["ls"]).arg("--index", folder.index()).run();
    assert!(shown.answer().contains("  x\\u{202e}gnp.exe/\n"), "{}", shown.text());
}

#[test]
fn a_prefix_may_begin_like_an_option() {
    let folder = indexed(&[Row::new("-x/b", 3), Row::new("c", 1)]);
    assert_eq!(told(&query(&folder.index(), "-x/").run()), "Prefix: -x/\nObjects: 1\nBytes: 3\n");
    for command in ["ls", "tree", "top"] {
        s3inv([command, "--prefix", "-x"]).arg("--index", folder.index()).run().answer();
    }
}

#[test]
fn numbers_are_in_units_for_people() {
    let rows: Vec<Row> = (0..1234).map(|nth| Row::new(format!("a/{nth}"), 1 << 20)).collect();
    let folder = indexed(&rows);
    let human = query(&folder.index(), "a/").flag("--human").flag("--show-tiers").run();
    assert_eq!(
        told(&human),
        "Prefix: a/\nObjects: 1,234\nBytes: 1.2 GiB\nTier breakdown:\n  STANDARD: 1,234 objects, 1.2 GiB\n"
    );
}

#[test]
fn an_export_has_every_prefix_in_order() {
    let folder = indexed(&rows());
    let export = json_lines(&exported(&folder.index()));
    let prefixes: Vec<_> = export.iter().map(|row| row["prefix"].as_str().unwrap()).collect();
    assert_eq!(prefixes, ["", "logs/", "odd/", "tiers/", "logs/2024/"]);
    for row in &export {
        let prefix = row["prefix"].as_str().unwrap();
        let answer = query(&folder.index(), prefix).arg("--output", "json").run();
        assert_eq!(&asked(&answer), row);
    }
}

/// Nothing is no error, whatever is asked.
#[test]
fn an_empty_bucket_answers_all() {
    let folder = indexed(&[]);
    let index = folder.index();
    for args in [
        &["query", "--details", "--estimate-cost"][..],
        &["ls"],
        &["ls", "--depth", "3", "--class", "STANDARD"],
        &["tree"],
        &["top"],
        &["top", "--by", "cost", "--all"],
        &["stat"],
        &["verify"],
        &["report"],
        &["export", "--format", "jsonl"],
        &["export", "--format", "csv"],
        &["export", "--format", "parquet"],
        &["export", "--format", "ncdu"],
        &["export", "--format", "ncdu-binary"],
        &["export", "--ddl"],
    ] {
        let finished = s3inv(args).arg("--index", &index).run();
        let expected = if args.contains(&"STANDARD") { Some(1) } else { Some(0) };
        assert_eq!(finished.code, expected, "{args:?}: {:?}", finished.stderr);
        assert!(finished.code == Some(1) || !finished.stdout.is_empty(), "{args:?}");
    }
    let same = s3inv(["diff"]).flag(index.to_str().unwrap()).flag(index.to_str().unwrap()).run();
    assert!(same.answer().ends_with("\nnothing changed\n"), "{}", same.text());
}

#[test]
fn stat_describes_an_index() {
    let folder = indexed(&rows());
    let text = s3inv(["stat"]).arg("--index", folder.index()).run();
    for line in [
        "Bucket:     my-bucket",
        "Data files: 1",
        "Rows:       21",
        "Prefixes:   5, to depth 2",
        "Measures:   bytes, classes, cost, dates, age, size",
        "Class:      QUANTUM_FOAM: 1 objects, 7 B",
    ] {
        assert!(text.answer().lines().any(|there| there == line), "{line:?} in {}", text.text());
    }
    let mut lines = text.text().lines();
    let snapshot = lines.find_map(|line| line.strip_prefix("Snapshot:   2025-05-13T01:00:00Z, "));
    assert!(snapshot.unwrap().ends_with(" days old"));
    assert!(!text.text().contains("Excluded:"), "{}", text.text());
    let stat = s3inv(["stat", "--output", "json"]).arg("--index", folder.index()).run();
    let stat = json_lines(stat.answer()).remove(0);
    assert_eq!(stat["index_bytes"], fs::metadata(folder.index()).unwrap().len());
    assert_eq!((&stat["lookup"], &stat["info"]["rows"]), (&json!(false), &json!(21)));
    assert_eq!(stat["info"]["origin"]["source_bucket"], "my-bucket");
    assert_eq!((&stat["bucket"], &stat["snapshot"]), (&json!("my-bucket"), &json!("2025-05-13T01:00:00Z")));
    assert!(stat["age_hours"].as_u64() > Some(24 * 30));
    assert_eq!(stat["root"]["objects"], 21);
}

#[test]
fn verify_says_that_all_is_well() {
    let folder = indexed(&rows());
    let index = folder.index();
    let expected = format!("{}: 5 prefixes, all checksums and sums hold\n", index.display());
    assert_eq!(told(&verify(&index).run()), expected);
    let json = asked(&verify(&index).arg("--output", "json").run());
    assert_eq!(json, json!({ "prefixes": 5, "verified": true }));
}

#[test]
fn a_directory_means_the_index_in_it() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let summary = build_to(&folder, &delivered, &folder.out()).run().summary();
    assert_eq!(summary["index"], folder.index().to_str().unwrap());
    folder.assert_left(&["index.s3inv"]);
    let by_directory = query(&folder.out(), "logs/").run();
    assert_eq!(by_directory.answer(), query(&folder.index(), "logs/").run().answer());
}

#[test]
fn file_uris_are_paths() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let uri = |path: &std::path::Path| format!("file://{}", path.display());
    let build = s3inv(["build"]).arg("--s3-manifest", uri(&delivered.manifest));
    build.arg("--out", uri(&folder.index())).arg("--temp-dir", folder.temp()).run().summary();
    let answer = s3inv(["query", "--prefix", "logs/"]).arg("--index", uri(&folder.index())).run();
    assert_eq!(told(&answer), "Prefix: logs/\nObjects: 11\nBytes: 120\n");
    folder.assert_left(&["index.s3inv"]);
}

#[test]
fn relative_paths_start_where_it_runs() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let here = delivered.manifest.parent().unwrap();
    let build = s3inv(["build", "--s3-manifest", "manifest.json", "--out", "new.s3inv"]);
    build.arg("--temp-dir", folder.temp()).within(here).run().summary();
    let answer = s3inv(["query", "--prefix", "logs/", "--index", "new.s3inv"]).within(here).run();
    assert_eq!(told(&answer), "Prefix: logs/\nObjects: 11\nBytes: 120\n");
}

#[test]
fn data_files_are_found_below_the_manifests_folder_too() {
    let folder = folder();
    let delivery = Delivery::csv(&rows(), 2);
    let delivered = delivery.write(&folder.input());
    let here = delivered.manifest.parent().unwrap();
    for (file, path) in delivery.files.iter().zip(&delivered.files) {
        let beside = here.join(&file.key);
        fs::create_dir_all(beside.parent().unwrap()).unwrap();
        fs::rename(path, beside).unwrap();
    }
    assert_eq!(build(&folder, &delivered).run().summary()["rows"], 21);
}

#[test]
fn depth_is_cut() {
    let folder = folder();
    let rows = [Row::new("a/b/c/d", 1), Row::new("a/b/e", 2), Row::new("a/f", 4), Row::new("g", 8)];
    let delivered = Delivery::csv(&rows, 1).write(&folder.input());
    for (depth, prefixes) in [("0", vec![""]), ("1", vec!["", "a/"]), ("2", vec!["", "a/", "a/b/"])] {
        let summary = build(&folder, &delivered).arg("--max-depth", depth).run().summary();
        assert_eq!(summary["prefixes"], prefixes.len());
        assert_eq!(summary["depth"].to_string(), depth);
        let export = json_lines(&exported(&folder.index()));
        let exported: Vec<_> = export.iter().map(|row| row["prefix"].as_str().unwrap()).collect();
        assert_eq!(exported, prefixes);
        verify(&folder.index()).run().answer();
    }
    let deepest = query(&folder.index(), "a/b/").run();
    assert_eq!(told(&deepest), "Prefix: a/b/\nObjects: 2\nBytes: 3\n");
    // What is deeper isn't there, and isn't said to lie in what it is counted in.
    let ask =
        |command: &str, prefix: &str| s3inv([command, "--prefix", prefix]).arg("--index", folder.index());
    for command in ["query", "ls", "tree", "top"] {
        let error = ask(command, "a/b/c/").run().error();
        assert_eq!(error, "prefix not found: a/b/c/: prefixes are cut at depth 2: ask for one above it");
    }
    let list = ask("ls", "a/b/").run();
    assert!(list.answer().contains(" days old, cut at depth 2\n"), "{}", list.text());
    assert!(
        list.text().contains("  (here and below)\n") && !list.text().contains("(directly"),
        "{}",
        list.text()
    );
    let json = json_lines(ask("ls", "a/b/").arg("--output", "json").run().answer()).remove(0);
    assert_eq!((&json["max_depth"], &json["directly"]["objects"]), (&json!(2), &json!(2)));
    let ncdu = ask("export", "").arg("--format", "ncdu").run();
    assert!(ncdu.answer().contains("(2 objects, here and below)"), "{}", ncdu.text());
    assert!(ncdu.text().contains("(1 objects)"), "{}", ncdu.text());
    let tree = ask("tree", "a/").run();
    assert!(
        tree.answer().contains("── b/\n") && tree.text().contains("── (directly here)\n"),
        "{}",
        tree.text()
    );
}

#[test]
fn worker_counts_make_the_same_index() {
    let folder = folder();
    let rows: Vec<Row> =
        (0..3000_u64).map(|nth| Row::new(format!("d{}/e{}/k{nth}", nth % 7, nth % 400), nth)).collect();
    let delivered = Delivery::csv(&rows, 5).write(&folder.input());
    let built = |workers: &str| {
        let summary = build(&folder, &delivered).arg("--workers", workers).run().summary();
        (fs::read(folder.index()).unwrap(), summary["chunks"].as_u64())
    };
    let (one, three) = (built("1"), built("3"));
    assert_eq!((one.1, three.1), (Some(1), Some(3)));
    assert!(one.0 == three.0, "the index files differ");
}

#[test]
fn the_summary_has_its_fields() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 3).write(&folder.input());
    let finished = build(&folder, &delivered).arg("--workers", "2").run();
    let summary = finished.summary();
    let expected = json!({
        "level": "info", "msg": "build complete", "index": folder.index().to_str(), "rows": 21, "chunks": 2,
        "excluded_delete_marker": 0, "excluded_noncurrent": 0, "excluded_bad_fields": 0, "excluded_bad_key": 0,
        "excluded_bad_size": 0, "excluded_bad_class": 0, "excluded_bad_date": 0, "excluded_bad_flag": 0,
        "measures": "bytes, classes, cost, dates, age, size", "unknown": "noncurrent", "prefixes": 5, "depth": 2, "run_files": 2,
        "merge_rounds": 1, "index_bytes": fs::metadata(folder.index()).unwrap().len(),
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&summary[name], value, "{name}");
    }
    assert!(summary.get("retries").is_none() && summary.get("retries_throttled").is_none());
    assert!(summary["peak_memory_bytes"].as_u64().unwrap() > 0);
    assert!(summary["seconds"].is_number() && summary["rows_per_second"].is_u64());
    assert_eq!(finished.text(), "");
}

#[test]
fn verbose_logs_name_the_phases() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let finished = build(&folder, &delivered).flag("--verbose").run();
    let logs = finished.logs();
    let begun = logs.iter().filter(|log| log["msg"] == "phase begins");
    let mut phases: Vec<_> = begun.map(|log| log["phase"].as_str().unwrap()).collect();
    phases.dedup();
    assert_eq!(phases, ["Manifest", "Ingest", "Merge", "Finalize", "Publish"]);
    assert!(logs.iter().any(|log| log["level"] == "debug"));
    let quiet = build(&folder, &delivered).run();
    assert!(quiet.logs().iter().all(|log| log["level"] != "debug"));
}

#[test]
fn pretty_logs_are_for_people() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let finished = build(&folder, &delivered).flag("--pretty-logs").run();
    assert_eq!(finished.code, Some(0));
    assert!(finished.stderr.iter().all(|line| !line.contains('{')), "{:?}", finished.stderr);
    assert!(finished.stderr.iter().any(|line| line.trim_start().starts_with("rows      21 (")));
    let wrong = query(&folder.index(), "no/").flag("--pretty-logs").run();
    assert_eq!((wrong.code, wrong.stderr), (Some(1), vec!["error: prefix not found: no/".to_owned()]));
}

#[test]
fn progress_is_logged_by_tenths() {
    let folder = folder();
    let rows: Vec<Row> = s3inv_tests::single_objects(300_000).collect();
    let delivered = Delivery::csv(&rows, 1).write(&folder.input());
    let build = s3inv(["build", "--workers", "1", "--mem-budget", "16MiB"]);
    let build = build.arg("--s3-manifest", &delivered.manifest).arg("--temp-dir", folder.temp());
    let finished = build.arg("--out", folder.index()).run();
    let logs = finished.logs();
    let progress: Vec<_> = logs.iter().filter(|log| log["msg"] == "progress").collect();
    let percents: Vec<_> = progress.iter().map(|log| log["percent"].as_u64().unwrap()).collect();
    assert!(!percents.is_empty() && percents.is_sorted_by(|a, b| a < b), "{percents:?}");
    assert!(percents.iter().all(|percent| percent % 10 == 0 && (10..100).contains(percent)), "{percents:?}");
    for log in progress {
        assert!(log["seconds_left"].is_number() && log["rows"].is_u64() && log["bytes"].is_u64(), "{log}");
    }
}

#[test]
fn a_budget_comes_from_the_flag_or_the_environment() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let bare = || {
        let build = s3inv(["build"]).arg("--s3-manifest", &delivered.manifest);
        build.arg("--out", folder.index()).arg("--temp-dir", folder.temp())
    };
    bare().run().summary();
    for good in ["16MiB", "64MB", "1GiB", "16777216"] {
        bare().env("S3INV_MEM_BUDGET", good).run().summary();
        bare().env("S3INV_MEM_BUDGET", "16MiB").arg("--mem-budget", good).run().summary();
    }
    for bad in ["1024", "15MiB", "-1", "many", "", "1e9"] {
        let flag = bare().flag(&format!("--mem-budget={bad}")).run();
        assert_eq!(flag.code, Some(2), "{bad}");
        assert!(flag.stderr.join(" ").contains("--mem-budget"), "{:?}", flag.stderr);
    }
    for bad in ["1024", "many"] {
        let variable = bare().env("S3INV_MEM_BUDGET", bad).run();
        assert_eq!(variable.code, Some(2), "{bad}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for args in [
        &["build"][..],
        &["build", "--s3-manifest", "m.json", "--out", "o", "--workers", "0"],
        &["build", "--s3-manifest", "m.json", "--out", "o", "--timeout", "soon"],
        &["build", "--s3-manifest", "m.json", "--out", "o", "--measures", "cost,weight"],
        &["build", "--s3-manifest", "m.json", "--out", "o", "--measures", ""],
        &["build", "--s3-manifest", "m.json", "--out", "o", "--on-bad-row", "guess"],
        &["build", "--s3-manifest", "m.json", "--out", "o", "--deadline", "tomorrow"],
        &["query"],
        &["query", "--index", "i", "--prefix", "", "--output", "xml"],
        &["query", "--index", "i", "--prefix", "", "--price-table", "p"],
        &["query", "--index", "i", "--prefix", "", "--volume-steps"],
        &["export", "--index", "i"],
        &["top", "--index", "i", "-n", "0"],
        &["top", "--index", "i", "--by", "weight"],
        &["diff", "i"],
        &["diff", "i", "j", "--depth", "0"],
        &["nonsense"],
    ] {
        assert_eq!(s3inv(args).run().code, Some(2), "{args:?}");
    }
}

#[test]
fn a_closed_pipe_ends_an_export_quietly() {
    let rows: Vec<Row> = s3inv_tests::single_objects(20_000).collect();
    let folder = indexed(&rows);
    let mut export = s3inv(["export", "--format", "jsonl"]).arg("--index", folder.index()).command();
    let mut child = export.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(first.starts_with("{\"prefix\":\"\""));
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn the_demo_needs_nothing() {
    let folder = folder();
    let temp = folder.temp();
    let finished = s3inv(["demo"]).env("TMPDIR", &temp).within(&temp).run();
    let text = finished.answer();
    assert!(text.contains("Prefix: pool/main/l/linux/") && text.contains("Tier breakdown:"), "{text}");
    assert!(text.contains("  STANDARD: "), "{text}");
    assert!(finished.stderr.iter().any(|line| line.starts_with("built ")), "{:?}", finished.stderr);
    folder.assert_left(&[]);
}

#[test]
fn the_demo_keeps_its_index_where_it_is_told() {
    let folder = folder();
    let demo = s3inv(["demo"]).arg("--out", folder.index()).env("TMPDIR", folder.temp()).run();
    let shown = demo.answer().split("--prefix 'pool/main/l/linux/' --show-tiers\n").nth(1).unwrap();
    folder.assert_left(&["index.s3inv"]);
    verify(&folder.index()).run().answer();
    let asked = query(&folder.index(), "pool/main/l/linux/").flag("--show-tiers").run();
    assert!(shown.starts_with(asked.answer()), "{shown}");
}

#[test]
fn help_has_an_example_of_every_command() {
    for command in
        ["build", "query", "ls", "tree", "top", "export", "report", "stat", "verify", "prices", "demo"]
    {
        let help = s3inv([command, "--help"]).run();
        let example = format!("s3inv-index {command} --");
        let (_, after) = help.answer().split_once("Example").unwrap();
        assert!(after.contains(&example), "{}", help.text());
    }
    let help = s3inv(["diff", "--help"]).run();
    assert!(help.answer().contains("s3inv-index diff monday.s3inv tuesday.s3inv"), "{}", help.text());
    let help = s3inv(["--help"]).run();
    assert!(help.answer().contains("s3inv-index demo"), "{}", help.text());
}

/// Lines are broken once: where the terminal ends, or, in commands, behind a backslash.
#[test]
fn help_fits_a_terminal() {
    let all = s3inv(["--help"]).env("COLUMNS", "80").run().answer().to_owned();
    let (_, commands) = all.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line[2..].split(' ').next().filter(|name| !name.is_empty()));
    let helps = commands.filter(|command| *command != "help").map(|command| {
        let help = s3inv([command, "--help"]).env("COLUMNS", "80").run();
        help.answer().to_owned()
    });
    for help in helps.collect::<Vec<_>>().iter().chain([&all]) {
        let (_, after) = help.split_once("\nExample").unwrap();
        for (line, next) in after.lines().zip(after.lines().skip(1).chain([""])) {
            let (goes_on, word) = (next.starts_with("    "), next.split(' ').next().unwrap());
            assert!(line.len() <= 80, "{line}");
            assert_eq!(line.ends_with(" \\"), goes_on, "{line}");
            if line.starts_with(' ') {
                assert!(goes_on || next.is_empty() || next.starts_with("  s3inv-index "), "{line}\n{next}");
            } else if !line.is_empty() && !word.is_empty() {
                assert!(line.len() + 1 + word.len() > 80, "{line}\n{next}");
            }
        }
    }
}

#[test]
fn a_build_leaves_nothing_but_its_index() {
    let folder = folder();
    let delivered = Delivery::csv(&rows(), 1).write(&folder.input());
    let before = files_below(&folder.input());
    build(&folder, &delivered).run().summary();
    folder.assert_left(&["index.s3inv"]);
    assert_eq!(files_below(&folder.input()), before);
}
