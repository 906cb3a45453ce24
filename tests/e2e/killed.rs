//! `kill -9` at any moment: a whole index or what was there before, and nothing left after the next build.

use std::fs;
use std::time::Duration;

use s3inv_cancel::{Clock, SystemClock};
use s3inv_tests::{
    CURRENT, Cli, Delivered, Delivery, Finished, Folder, Shim, Signal, Started, csv_text, folder, gzip,
    s3inv, single_objects,
};

use crate::cancel::long;

/// Before it has said anything, and the phases of a build.
const MOMENTS: [&str; 6] = ["Start", "Manifest", "Ingest", "Merge", "Finalize", "Publish"];
/// Multiples of it, without their whole part, are spread evenly however many there are.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// The least memory: a few thousand prefixes are a run.
fn build(folder: &Folder, delivered: &Delivered) -> Cli {
    let build = s3inv(["build", "--verbose", "--mem-budget", "16MiB", "--workers", "2"]);
    let build = build.arg("--s3-manifest", &delivered.manifest);
    build.arg("--out", folder.index()).arg("--temp-dir", folder.temp())
}

/// An inventory, and what is known of its build.
struct Inventory {
    delivered: Delivered,
    index: Vec<u8>,
    /// How long each of [`MOMENTS`] takes when nothing happens.
    took: [Duration; MOMENTS.len()],
}

impl Inventory {
    fn new(folder: &Folder, name: &str, delivery: &Delivery) -> Self {
        let delivered = delivery.write(&folder.path(name));
        let clock = SystemClock::new();
        let mut running = build(folder, &delivered).start();
        let mut ends: Vec<Duration> = Vec::new();
        for phase in &MOMENTS[1..] {
            running.wait_for_phase(phase);
            ends.push(clock.now());
        }
        running.finish().summary();
        ends.push(clock.now());
        let begin = |at: usize| at.checked_sub(1).map_or(Duration::ZERO, |before| ends[before]);
        let took = std::array::from_fn(|at| ends[at].saturating_sub(begin(at)));
        let index = fs::read(folder.index()).unwrap();
        fs::remove_file(folder.index()).unwrap();
        Self { delivered, index, took }
    }

    /// `objects` prefixes in three files.
    fn of(folder: &Folder, name: &str, objects: usize) -> Self {
        let rows: Vec<_> = single_objects(objects as u64).collect();
        let files = rows.chunks(objects.div_ceil(3)).map(|rows| gzip(&csv_text(rows.to_vec(), CURRENT)));
        Self::new(folder, name, &Delivery::csv_files(CURRENT, files.collect()))
    }

    /// Builds, and kills it this share of the way through a moment.
    fn killed(&self, folder: &Folder, moment: usize, share: f64) -> Finished {
        let mut running: Started = build(folder, &self.delivered).start();
        if moment > 0 {
            running.wait_for_phase(MOMENTS[moment]);
        }
        running.listen(self.took[moment].mul_f64(share));
        running.end_by(Signal::SIGKILL).0
    }

    /// Builds it, after which nothing else is there.
    fn built(&self, folder: &Folder) {
        build(folder, &self.delivered).run().summary();
        folder.assert_left(&["index.s3inv"]);
        assert!(fs::read(folder.index()).unwrap() == self.index, "another index than the first time");
    }
}

/// In which of [`MOMENTS`] it was.
fn moment_of(finished: &Finished) -> usize {
    let begun = finished.stderr.iter().filter(|line| line.contains("phase begins"));
    begun.count()
}

/// How many kills met a build that lived, by moment.
#[derive(Debug, Default)]
struct Met {
    kills: usize,
    alive: [usize; MOMENTS.len()],
    replaced: usize,
    runs_left: usize,
}

impl Met {
    /// Kills a build: the destination holds what was there, or the new index.
    fn kill(&mut self, folder: &Folder, inventory: &Inventory, moment: usize) {
        let before = fs::read(folder.index()).ok();
        let share = (self.kills as f64 * GOLDEN).fract();
        let finished = inventory.killed(folder, moment, share);
        self.kills += 1;
        let after = fs::read(folder.index()).ok();
        if finished.signal == Some(9) {
            self.alive[moment_of(&finished)] += 1;
        } else {
            finished.summary();
            assert!(after.as_ref() == Some(&inventory.index), "a build succeeded without its index");
        }
        self.replaced += usize::from(after != before);
        assert!(after == before || after.as_ref() == Some(&inventory.index), "{moment} {share}: not whole");
        let left = s3inv_tests::files_below(&folder.temp());
        self.runs_left += usize::from(left.iter().any(|name| name.contains('/')));
    }

    fn alive(&self) -> usize {
        self.alive.iter().sum()
    }
}

/// Kills builds of two inventories in turn, each moment as often; after every third, one is built.
fn kill_all(folder: &Folder, [one, other]: [&Inventory; 2], kills: usize) -> Met {
    let mut met = Met::default();
    for nth in 0..kills {
        if nth % 10 == 0 {
            // This time there is nothing yet.
            let _ = fs::remove_file(folder.index());
        }
        let (killed, built) = if nth % 2 == 0 { (one, other) } else { (other, one) };
        met.kill(folder, killed, nth % MOMENTS.len());
        if nth % 3 == 2 || nth + 1 == kills {
            built.built(folder);
        }
    }
    met
}

#[test]
fn two_hundred_kills_leave_a_whole_index_or_what_was_there() {
    let folder = folder();
    let small = [Inventory::of(&folder, "a", 2_000), Inventory::of(&folder, "b", 3_000)];
    let large = [Inventory::of(&folder, "c", 50_000), Inventory::of(&folder, "d", 60_000)];
    let long = Inventory::new(&folder, "e", &long());
    let rounds = [
        kill_all(&folder, [&small[0], &small[1]], 132),
        kill_all(&folder, [&large[0], &large[1]], 60),
        kill_all(&folder, [&long, &small[0]], 8),
    ];
    eprintln!("{MOMENTS:?}: {rounds:#?}");
    assert_eq!(rounds.iter().map(|met| met.kills).sum::<usize>(), 200);
    let alive: usize = rounds.iter().map(Met::alive).sum();
    assert!(alive >= 120, "only {alive} kills met a build");
    for (at, moment) in MOMENTS.iter().enumerate() {
        let met: usize = rounds.iter().map(|met| met.alive[at]).sum();
        assert!(met >= 5, "only {met} kills met {moment}");
    }
}

/// Whatever the last thing is that a killed build did to a file.
#[test]
fn a_kill_at_each_call_that_changes_a_file() {
    let folder = folder();
    let shim = Shim::new(&folder, "calls");
    let (old, new) = (Inventory::of(&folder, "old", 1_000), Inventory::of(&folder, "new", 2_000));
    let mut replaced = 0;
    for at in 1.. {
        old.built(&folder);
        let build = shim.before(build(&folder, &new.delivered));
        let finished = build.env("FAULT_AT", at.to_string()).env("FAULT_IS", "kill").run();
        if finished.signal.is_none() {
            finished.summary();
            eprintln!("killed at each of {} calls: {replaced} times the new index was there", at - 1);
            assert!(at > 40 && replaced > 0, "{at} {replaced}");
            break;
        }
        let left = fs::read(folder.index()).unwrap();
        replaced += usize::from(left == new.index);
        assert!(left == old.index || left == new.index, "call {at}: not whole");
    }
    folder.assert_left(&["index.s3inv"]);
}
