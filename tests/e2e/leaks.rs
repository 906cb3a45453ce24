//! A process that builds 500 times holds no more than one that has built 50 times.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use s3inv_cancel::Cancellation;
use s3inv_model::ErrorKind;
use s3inv_pipeline::{BuildOptions, build};
use s3inv_tests::{CURRENT, Delivered, Delivery, Folder, csv_text, folder, gzip, single_objects};

const BUILDS: usize = 500;
/// After these, what a process keeps for the next time is there.
const WARM: usize = 100;
/// What the allocator may keep more at one moment than at another: less than 3 KiB lost by each build would be as much.
const SLACK: u64 = 1 << 20;
/// One arena, which gives back at once what is free: otherwise the memory that a process holds goes up and
/// down by 20 MiB with the arenas that its threads find.
const ALLOCATOR: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "65536"), ("MALLOC_MMAP_THRESHOLD_", "65536")];

/// What a process holds.
#[derive(Debug)]
struct Held {
    files: usize,
    threads: usize,
    resident: u64,
}

impl Held {
    fn now() -> Self {
        let count = |path: &str| fs::read_dir(path).unwrap().count();
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
        Self { files: count("/proc/self/fd"), threads: count("/proc/self/task"), resident: pages * 4096 }
    }

    /// A thread that has been joined is listed until the kernel is done with it.
    fn settled(threads: usize) -> Self {
        let settled = (0..1000).map(|_| Self::now()).find(|held| held.threads <= threads);
        settled.unwrap_or_else(Self::now)
    }
}

fn options(folder: &Folder, delivered: &Delivered) -> BuildOptions {
    let (manifest, out) = (delivered.manifest.display().to_string(), folder.index().display().to_string());
    let mut options = BuildOptions::new(&manifest, &out).unwrap();
    options.memory = 16 << 20;
    options.temp_dir = folder.temp();
    options
}

/// Most succeed; each fifth is stopped somewhere, or finds a file that is wrong.
async fn build_one(nth: usize, folder: &Folder, right: &Delivered, wrong: &Delivered) -> &'static str {
    let (delivered, timeout) = match nth % 10 {
        3 => (wrong, None),
        7 => (right, Some(Duration::from_micros(nth as u64 * 20))),
        _ => (right, None),
    };
    let mut options = options(folder, delivered);
    if let Some(timeout) = timeout {
        options.cancellation = Cancellation::never().with_timeout(timeout);
    }
    match build(options).await {
        Ok(_) => "built",
        Err(error) if error.kind() == ErrorKind::BadInput && nth % 10 == 3 => "failed",
        Err(error) if error.kind() == ErrorKind::DeadlineExceeded && nth % 10 == 7 => "stopped",
        Err(error) => panic!("build {nth}: {error}"),
    }
}

/// Alone in its process: files, threads and memory are the process's.
#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn builds_in_one_process() {
    let folder = folder();
    let rows: Vec<_> = single_objects(3_000).collect();
    let files: Vec<_> = rows.chunks(1_000).map(|rows| gzip(&csv_text(rows.to_vec(), CURRENT))).collect();
    let right = Delivery::csv_files(CURRENT, files.clone()).write(&folder.input());
    let wrong = Delivery::csv_files(CURRENT, files).write(&folder.path("wrong"));
    fs::write(&wrong.files[2], b"not what was delivered").unwrap();
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    let mut warm = None;
    let mut resident = Vec::new();
    for nth in 0..BUILDS {
        *ends.entry(build_one(nth, &folder, &right, &wrong).await).or_default() += 1;
        folder.assert_left(&["index.s3inv"]);
        if nth + 1 == WARM {
            // The test's own thread, and the harness's.
            warm = Some(Held::settled(2));
        }
        if nth % 50 == 49 {
            resident.push(Held::now().resident >> 10);
        }
    }
    let warm = warm.unwrap();
    let end = Held::settled(warm.threads);
    eprintln!("KiB resident after each 50: {resident:?}");
    eprintln!("{ends:?}: after {WARM} {warm:?}, after {BUILDS} {end:?}");
    assert!(ends["built"] >= BUILDS * 8 / 10 && ends["failed"] == BUILDS / 10, "{ends:?}");
    assert_eq!((warm.files, warm.threads), (end.files, end.threads));
    assert!(end.resident <= warm.resident + SLACK, "{warm:?} {end:?}");
}

#[test]
fn five_hundred_builds_in_one_process_leak_nothing() {
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", "leaks::builds_in_one_process", "--ignored", "--nocapture"]).envs(ALLOCATOR);
    let done = alone.output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    eprintln!("{told}");
    assert!(done.status.success() && told.contains("after 500"), "{told}");
}
