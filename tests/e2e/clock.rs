//! A wall clock that jumps: timeouts run on the monotonic clock, and age tells nothing about leftovers.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use s3inv_cancel::{Clock, SystemClock};
use s3inv_tests::{Delivery, FakeS3, Row, Shim, Signal, files_below, s3inv};

use crate::cancel::{PROMPT, long};
use crate::trial::Trial;

const YEAR: i64 = 31_536_000;

/// Years forwards, years back, and there and back, each time that somebody asks.
fn jumps() -> [String; 3] {
    [YEAR.to_string(), (-YEAR).to_string(), "both".to_owned()]
}

#[test]
fn a_build_does_not_mind_a_clock_that_jumps() {
    let trial = Trial::new(20_000);
    let shim = Shim::new(&trial.folder, "clock");
    for jump in jumps() {
        let build = shim.before(trial.build()).env("JUMP", &jump).arg("--timeout", "1h");
        let finished = build.run();
        assert_eq!(trial.ended(&finished), None, "{finished:?}");
    }
    // The wall clock is what a moment is compared with, and that this one jumps can be seen by it.
    let log = trial.folder.path("asked");
    let build = shim.before(trial.build()).env("JUMP", (2 * 1_000 * YEAR).to_string()).env("JUMP_LOG", &log);
    let finished = build.arg("--deadline", "2999-01-01T00:00:00Z").run();
    assert_eq!(finished.code, Some(124), "{finished:?}");
    assert_eq!(fs::metadata(&log).unwrap().len(), 1, "the wall clock is asked once, for the deadline");
}

#[test]
fn a_timeout_takes_its_time_whatever_the_wall_clock_says() {
    const TIMEOUT: Duration = Duration::from_millis(1200);
    let trial = Trial::new(1_000);
    let shim = Shim::new(&trial.folder, "clock");
    for jump in jumps() {
        let (fake, log) = (FakeS3::stalled(), trial.folder.path("asked"));
        let _ = fs::remove_file(&log);
        let build = s3inv(["build", "--s3-manifest", "s3://reports/manifest.json", "--timeout", "1200ms"]);
        let build = build.arg("--out", trial.folder.index()).arg("--temp-dir", trial.folder.temp());
        let build = shim.before(build.envs(fake.environment())).env("JUMP", &jump).env("JUMP_LOG", &log);
        let clock = SystemClock::new();
        let finished = build.run();
        let took = clock.now();
        assert_eq!(finished.code, Some(124), "{finished:?}");
        assert!(took >= TIMEOUT && took < TIMEOUT + PROMPT, "{jump}: {took:?}");
        assert!(fs::metadata(&log).unwrap().len() > 0, "nobody asked the wall clock");
        trial.folder.assert_left(&["index.s3inv"]);
    }
}

/// Gives everything below a folder this age.
fn date(folder: &Path, moment: SystemTime) {
    for name in files_below(folder) {
        File::open(folder.join(name)).unwrap().set_modified(moment).unwrap();
    }
}

#[test]
fn leftovers_are_known_by_their_lock_and_not_by_their_age() {
    let trial = Trial::new(1_000);
    let long = long().write(&trial.folder.path("long"));
    let slow = |out: &str| {
        let build = s3inv(["build", "--verbose", "--mem-budget", "16MiB", "--workers", "1"]);
        let build = build.arg("--s3-manifest", &long.manifest).arg("--temp-dir", trial.folder.temp());
        let mut running = build.arg("--out", trial.folder.path(out)).start();
        running.wait_for(&["run written"]);
        running
    };
    // One that is older than any file may be, but lives; and two dead ones: from now on, and from the future.
    let live = slow("live.s3inv");
    live.signal(Signal::SIGSTOP);
    date(&trial.folder.temp(), SystemTime::UNIX_EPOCH);
    let of_live = files_below(&trial.folder.temp());
    for moment in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 200)] {
        slow("dead.s3inv").end_by(Signal::SIGKILL);
        let dead: Vec<_> = files_below(&trial.folder.temp()).difference(&of_live).cloned().collect();
        assert!(dead.iter().any(|name| name.contains('/')), "{dead:?}");
        date(&trial.folder.temp(), moment);
        let small = Delivery::csv(&[Row::new("a/b", 1)], 1).write(&trial.folder.path("small"));
        let build = s3inv(["build"]).arg("--s3-manifest", small.manifest).arg("--out", trial.folder.index());
        build.arg("--temp-dir", trial.folder.temp()).run().summary();
        assert_eq!(files_below(&trial.folder.temp()), of_live);
    }
    live.signal(Signal::SIGCONT);
    live.finish().summary();
    trial.folder.assert_left(&["index.s3inv"]);
}
