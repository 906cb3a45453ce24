//! Signals, timeouts and kills, against the real binary.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use s3inv_tests::{
    CURRENT, Cli, Delivered, Delivery, Finished, Folder, Row, Signal, Started, csv_text, files_below, folder,
    gzip, s3inv, single_objects,
};

use crate::build::{build, query, told, verify};

/// From signal to exit, at any point.
pub(crate) const PROMPT: Duration = Duration::from_secs(1);
const OBJECTS: u64 = 400_000;
const OLD: &str = "Prefix: old/\nObjects: 1\nBytes: 3\n";

/// Data that takes a while to read and to merge in little memory.
pub(crate) fn long() -> Delivery {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    let file = FILE.get_or_init(|| gzip(&csv_text(single_objects(OBJECTS), CURRENT)));
    Delivery::csv_files(CURRENT, vec![file.clone()])
}

/// A folder with a long inventory, and a previous index at the destination.
fn long_with_previous() -> (Folder, Delivered) {
    let folder = folder();
    let old = Delivery::csv(&[Row::new("old/a", 3)], 1).write(&folder.path("old"));
    build(&folder, &old).run().summary();
    let delivered = long().write(&folder.input());
    (folder, delivered)
}

fn slow_build(folder: &Folder, delivered: &Delivered) -> Cli {
    let build = s3inv(["build", "--verbose", "--mem-budget", "16MiB", "--workers", "1"]);
    let build = build.arg("--s3-manifest", &delivered.manifest);
    build.arg("--out", folder.index()).arg("--temp-dir", folder.temp())
}

/// The two lines of a build that was stopped, as they stand.
pub(crate) fn assert_cancelled(finished: &Finished, exit: i32, phase: &str) {
    assert_eq!(finished.code, Some(exit), "{:#?}", finished.stderr);
    let warnings: Vec<_> =
        finished.stderr.iter().filter(|line| line.starts_with("{\"level\":\"warn\"")).collect();
    assert_eq!(
        warnings,
        [
            &format!("{{\"level\":\"warn\",\"msg\":\"pipeline cancelled during {phase} phase\"}}"),
            &"{\"level\":\"warn\",\"msg\":\"build cancelled by user\"}".to_owned(),
        ]
    );
    assert_eq!(finished.messages("error"), [""; 0]);
    assert!(!finished.stderr.concat().contains("panicked"));
}

fn assert_previous(folder: &Folder) {
    folder.assert_left(&["index.s3inv"]);
    assert_eq!(told(&query(&folder.index(), "old/").run()), OLD);
    verify(&folder.index()).run().answer();
}

fn cancelled_when(ready: impl Fn(&mut Started), phase: &str) {
    let (folder, delivered) = long_with_previous();
    for (signal, exit) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut running = slow_build(&folder, &delivered).start();
        ready(&mut running);
        let (finished, took) = running.end_by(signal);
        assert_cancelled(&finished, exit, phase);
        assert!(took < PROMPT, "{took:?}");
        assert_previous(&folder);
    }
}

#[test]
fn a_signal_when_ingest_begins() {
    cancelled_when(|running| running.wait_for_phase("Ingest"), "ingest");
}

#[test]
fn a_signal_when_runs_are_there() {
    cancelled_when(|running| (0..3).for_each(|_| running.wait_for(&["run written"])), "ingest");
}

#[test]
fn a_signal_when_merging_begins() {
    cancelled_when(|running| running.wait_for_phase("Merge"), "merge");
}

#[test]
fn a_signal_in_a_merge_round() {
    cancelled_when(|running| running.wait_for(&["merge round"]), "merge");
}

/// These phases are too short to be met for certain: whether it stops or ends, the index is whole.
#[test]
fn a_signal_in_the_last_phases() {
    let (folder, delivered) = long_with_previous();
    for (signal, exit) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        for phase in ["Finalize", "Publish"] {
            let mut running = slow_build(&folder, &delivered).start();
            running.wait_for_phase(phase);
            let (finished, took) = running.end_by(signal);
            assert!(took < PROMPT, "{took:?}");
            if finished.code == Some(exit) {
                assert!(finished.stderr.concat().contains("build cancelled by user"));
            } else {
                finished.summary();
            }
            folder.assert_left(&["index.s3inv"]);
            verify(&folder.index()).run().answer();
        }
    }
}

#[test]
fn people_are_told_without_json() {
    let (folder, delivered) = long_with_previous();
    let mut running = slow_build(&folder, &delivered).flag("--pretty-logs").start();
    running.wait_for(&["phase begins", "Ingest"]);
    let (finished, _) = running.end_by(Signal::SIGINT);
    assert_eq!(finished.code, Some(130));
    for line in ["warn: pipeline cancelled during ingest phase", "warn: build cancelled by user"] {
        assert!(finished.stderr.iter().any(|there| there == line), "{:?}", finished.stderr);
    }
}

#[test]
fn a_demo_can_be_stopped() {
    let folder = folder();
    let running = s3inv(["demo"]).env("TMPDIR", folder.temp()).start();
    let mut running = running;
    running.wait_for(&["Inventory"]);
    let (finished, took) = running.end_by(Signal::SIGINT);
    assert!(took < PROMPT, "{took:?}");
    // It may have been ready first.
    assert!([Some(130), Some(0)].contains(&finished.code) || finished.signal.is_some(), "{finished:?}");
    if finished.signal.is_none() {
        folder.assert_left(&[]);
    }
}

fn assert_timed_out(finished: &Finished, phases: &[&str]) {
    assert_eq!(finished.code, Some(124), "{:#?}", finished.stderr);
    let warnings = finished.messages("warn");
    let layers: Vec<_> =
        phases.iter().map(|phase| format!("pipeline cancelled during {phase} phase")).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(layers.contains(&warnings[0]), "{warnings:?}");
    assert_eq!(warnings[1], "build timed out");
    assert_eq!(finished.messages("error"), [""; 0]);
}

#[test]
fn a_timeout_is_exit_code_124() {
    let (folder, delivered) = long_with_previous();
    for (timeout, phases) in
        [("0s", &["manifest"][..]), ("1ms", &["manifest", "ingest"]), ("100ms", &["manifest", "ingest"])]
    {
        let finished = slow_build(&folder, &delivered).arg("--timeout", timeout).run();
        assert_timed_out(&finished, phases);
        assert_previous(&folder);
    }
}

#[test]
fn a_deadline_that_is_over_is_exit_code_124() {
    let (folder, delivered) = long_with_previous();
    let finished = slow_build(&folder, &delivered).arg("--deadline", "2020-01-01T00:00:00Z").run();
    assert_timed_out(&finished, &["manifest"]);
    assert_previous(&folder);
}

#[test]
fn the_shorter_of_timeout_and_deadline_counts() {
    let (folder, delivered) = long_with_previous();
    let late = slow_build(&folder, &delivered).arg("--deadline", "2999-01-01T00:00:00Z");
    assert_timed_out(&late.arg("--timeout", "1ms").run(), &["manifest", "ingest"]);
    let early = slow_build(&folder, &delivered).arg("--deadline", "2020-01-01T00:00:00Z");
    assert_timed_out(&early.arg("--timeout", "1h").run(), &["manifest"]);
    let small = Delivery::csv(&[Row::new("new/a", 4)], 1).write(&folder.path("small"));
    let enough = build(&folder, &small).arg("--deadline", "2999-01-01T00:00:00Z").arg("--timeout", "1h");
    enough.run().summary();
}

#[test]
fn what_a_killed_build_left_is_removed_by_the_next() {
    let (folder, delivered) = long_with_previous();
    let mut running = slow_build(&folder, &delivered).start();
    running.wait_for(&["run written"]);
    let (finished, _) = running.end_by(Signal::SIGKILL);
    assert_eq!(finished.signal, Some(9));
    let left = files_below(&folder.temp());
    assert!(left.iter().any(|name| name.contains('/')), "runs are left: {left:?}");
    assert_eq!(told(&query(&folder.index(), "old/").run()), OLD);
    let small = Delivery::csv(&[Row::new("new/a", 4)], 1).write(&folder.path("small"));
    build(&folder, &small).run().summary();
    folder.assert_left(&["index.s3inv"]);
}

#[test]
fn a_build_killed_at_its_end_leaves_no_part_of_an_index() {
    let (folder, delivered) = long_with_previous();
    for phase in ["Finalize", "Publish"] {
        let mut running = slow_build(&folder, &delivered).start();
        running.wait_for_phase(phase);
        running.end_by(Signal::SIGKILL);
        verify(&folder.index()).run().answer();
    }
    let small = Delivery::csv(&[Row::new("new/a", 4)], 1).write(&folder.path("small"));
    build(&folder, &small).run().summary();
    folder.assert_left(&["index.s3inv"]);
}

#[test]
fn a_live_build_keeps_its_files() {
    let (folder, delivered) = long_with_previous();
    let mut first = slow_build(&folder, &delivered).start();
    first.wait_for(&["run written"]);
    first.signal(Signal::SIGSTOP);
    let before = files_below(&folder.temp());
    let small = Delivery::csv(&[Row::new("new/a", 4)], 1).write(&folder.path("small"));
    let second = s3inv(["build"]).arg("--s3-manifest", &small.manifest).arg("--temp-dir", folder.temp());
    second.arg("--out", folder.path("second.s3inv")).run().summary();
    assert_eq!(files_below(&folder.temp()), before);
    first.signal(Signal::SIGCONT);
    assert_eq!(first.finish().summary()["rows"], OBJECTS);
    folder.assert_left(&["index.s3inv"]);
    verify(&folder.index()).run().answer();
    fs::remove_file(folder.path("second.s3inv")).unwrap();
}
