//! An S3 that stalls, against the real binary.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use s3inv_cancel::{Clock, SystemClock};
use s3inv_tests::{
    Answer, CURRENT, Cli, Delivery, FakeS3, Folder, Request, Row, Signal, csv_text, folder, gzip, s3inv,
    single_objects,
};

use crate::cancel::{PROMPT, assert_cancelled, long};

/// An index of so many has more than one part of an upload.
const OBJECTS: u64 = 1_300_000;

const STARTED: &str = "<InitiateMultipartUploadResult><Bucket>reports</Bucket><Key>k</Key>\
                       <UploadId>the-upload</UploadId></InitiateMultipartUploadResult>";

fn build_from(fake: &FakeS3, folder: &Folder) -> Cli {
    let manifest = format!("s3://reports/{}", small().manifest_key());
    let build = s3inv(["build", "--verbose"]).arg("--s3-manifest", manifest).arg("--temp-dir", folder.temp());
    build.arg("--out", folder.index()).envs(fake.environment())
}

fn small() -> Delivery {
    Delivery::csv(&[Row::new("a/b", 1), Row::new("c", 2)], 1)
}

/// Serves a delivery, but answers otherwise for data files.
fn serving(delivery: Delivery, data: impl Fn(&Request, Vec<u8>) -> Answer + Send + Sync + 'static) -> FakeS3 {
    FakeS3::start(move |request| {
        let found = delivery.objects().into_iter().find(|(key, _)| request.target.contains(key.as_str()));
        match found {
            Some((key, bytes)) if key.contains("/data/") => data(request, bytes),
            Some((_, bytes)) => Answer::Object(bytes),
            None => Answer::Stall,
        }
    })
}

fn both_signals(run: impl Fn(Signal, i32)) {
    run(Signal::SIGINT, 130);
    run(Signal::SIGTERM, 143);
}

#[test]
fn a_manifest_that_stalls() {
    both_signals(|signal, exit| {
        let (folder, fake) = (folder(), FakeS3::stalled());
        let running = build_from(&fake, &folder).start();
        fake.wait_for(|request| request.target.contains("manifest.json"));
        let (finished, took) = running.end_by(signal);
        assert_cancelled(&finished, exit, "manifest");
        assert!(took < PROMPT, "{took:?}");
        folder.assert_left(&[]);
    });
}

#[test]
fn a_download_that_stalls_before_or_within_its_body() {
    let stall: fn(&Request, Vec<u8>) -> Answer = |request, bytes| match request.method.as_str() {
        "HEAD" => Answer::Object(bytes),
        _ => Answer::Stall,
    };
    let half: fn(&Request, Vec<u8>) -> Answer = |_, bytes| Answer::Half(bytes);
    for data in [stall, half] {
        both_signals(|signal, exit| {
            let (folder, fake) = (folder(), serving(small(), data));
            let running = build_from(&fake, &folder).start();
            fake.wait_for(|request| request.method == "GET" && request.target.contains("/data/"));
            let (finished, took) = running.end_by(signal);
            assert_cancelled(&finished, exit, "ingest");
            assert!(took < PROMPT, "{took:?}");
            folder.assert_left(&[]);
        });
    }
}

/// Where the bodies of a long file stall: runs have been written by then.
const MIDDLE: u64 = 3 << 20;

fn is_from_the_middle(request: &Request) -> bool {
    let from = request
        .range
        .as_ref()
        .and_then(|range| range.strip_prefix("bytes=")?.split('-').next()?.parse().ok());
    request.target.contains("/data/") && from.is_some_and(|from: u64| from >= MIDDLE)
}

/// A long file that stalls in its middle, and a build of it in the least memory.
fn stalling_in_the_middle() -> (FakeS3, Folder, Cli) {
    let fake = serving(long(), |request, bytes| match request {
        request if is_from_the_middle(request) => Answer::Half(bytes),
        _ => Answer::Object(bytes),
    });
    let folder = folder();
    let build = build_from(&fake, &folder).arg("--mem-budget", "16MiB").arg("--workers", "1");
    (fake, folder, build)
}

#[test]
fn a_download_that_stalls_when_runs_are_there() {
    both_signals(|signal, exit| {
        let (fake, folder, build) = stalling_in_the_middle();
        let mut running = build.start();
        running.wait_for(&["run written"]);
        fake.wait_for(is_from_the_middle);
        let (finished, took) = running.end_by(signal);
        assert_cancelled(&finished, exit, "ingest");
        assert!(took < PROMPT, "{took:?}");
        folder.assert_left(&[]);
    });
}

/// Whatever stalls in a phase, a timeout bounds it; one that is long enough to come so far.
fn a_timeout_bounds(phase: &str, start: impl Fn() -> (FakeS3, Folder, Cli)) {
    let told = format!("pipeline cancelled during {phase} phase");
    let came_so_far = [2, 4, 8, 16].map(Duration::from_secs).into_iter().any(|timeout| {
        let (_fake, folder, build) = start();
        let clock = SystemClock::new();
        let finished = build.arg("--timeout", format!("{}s", timeout.as_secs())).run();
        let took = clock.now();
        assert!(took >= timeout && took < timeout + PROMPT, "{took:?}");
        assert_eq!(finished.code, Some(124), "{:#?}", finished.stderr);
        folder.assert_left(&[]);
        finished.messages("warn").contains(&told)
    });
    assert!(came_so_far, "it never came to the {phase} phase");
}

#[test]
fn a_timeout_bounds_a_download_that_stalls_when_runs_are_there() {
    a_timeout_bounds("ingest", stalling_in_the_middle);
}

#[test]
fn a_timeout_bounds_a_put_that_stalls() {
    a_timeout_bounds("publish", || {
        let (folder, fake) = (folder(), FakeS3::stalled());
        let build = build_to(&fake, &folder, &small());
        (fake, folder, build)
    });
}

#[test]
fn a_timeout_bounds_an_upload_that_is_never_completed() {
    a_timeout_bounds("publish", || {
        let fake = FakeS3::start(|request| match request {
            start if is_start(start) => Answer::Xml(STARTED.to_owned()),
            part if is_part(part) || is_abort(part) => Answer::Xml(String::new()),
            _ => Answer::Stall,
        });
        let folder = folder();
        let build = build_to(&fake, &folder, &large());
        (fake, folder, build)
    });
}

/// Its columns are asked for with the manifest; its rows later.
#[test]
fn a_parquet_file_that_stalls() {
    for (answered, phase) in [(0, "manifest"), (1, "ingest")] {
        let delivery = Delivery::parquet(&[Row::new("a/b", 1)], 1, CURRENT);
        let asked = AtomicUsize::new(0);
        let is_over = move |request: &Request| {
            request.method == "GET" && asked.fetch_add(1, Ordering::Relaxed) >= answered
        };
        let fake =
            serving(
                delivery,
                move |request, bytes| {
                    if is_over(request) { Answer::Half(bytes) } else { Answer::Object(bytes) }
                },
            );
        let folder = folder();
        let running = build_from(&fake, &folder).start();
        (0..=answered).for_each(|_| {
            fake.wait_for(|request| request.method == "GET" && request.target.contains("/data/"));
        });
        let (finished, took) = running.end_by(Signal::SIGINT);
        assert_cancelled(&finished, 130, phase);
        assert!(took < PROMPT, "{took:?}");
        folder.assert_left(&[]);
    }
}

#[test]
fn a_timeout_ends_what_stalls() {
    let folder = folder();
    let stalls = |request: &Request, bytes: Vec<u8>| match request.method.as_str() {
        "HEAD" => Answer::Object(bytes),
        _ => Answer::Stall,
    };
    for (fake, phase) in [(FakeS3::stalled(), "manifest"), (serving(small(), stalls), "ingest")] {
        // Long enough to come as far as that.
        let clock = SystemClock::new();
        let finished = build_from(&fake, &folder).arg("--timeout", "1500ms").run();
        assert!(clock.now() < Duration::from_millis(1500) + PROMPT, "{:?}", clock.now());
        assert_eq!(finished.code, Some(124), "{:#?}", finished.stderr);
        let told = [format!("pipeline cancelled during {phase} phase"), "build timed out".to_owned()];
        assert_eq!(finished.messages("warn"), told);
        folder.assert_left(&[]);
    }
}

/// Without a region, it is asked of the machine's metadata service, which may not answer either.
#[test]
fn a_metadata_service_that_stalls() {
    let (folder, fake) = (folder(), FakeS3::stalled());
    let build = build_from(&fake, &folder).env("AWS_EC2_METADATA_DISABLED", "false");
    let build = build.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.endpoint());
    let mut command = build.env("AWS_CONFIG_FILE", "").env("AWS_SHARED_CREDENTIALS_FILE", "");
    command = command.without("AWS_REGION");
    let running = command.start();
    fake.wait_for(|request| request.target.contains("/latest/"));
    let (finished, took) = running.end_by(Signal::SIGINT);
    assert!(took < PROMPT, "{took:?}");
    assert_cancelled(&finished, 130, "manifest");
    folder.assert_left(&[]);
}

/// A build of a small local inventory to this S3.
fn build_to(fake: &FakeS3, folder: &Folder, delivery: &Delivery) -> Cli {
    let delivered = delivery.write(&folder.input());
    let build = s3inv(["build", "--verbose", "--out", "s3://reports/the-index", "--mem-budget", "256MiB"]);
    let build = build.arg("--s3-manifest", &delivered.manifest).arg("--temp-dir", folder.temp());
    build.envs(fake.environment())
}

#[test]
fn a_destination_that_stalls() {
    both_signals(|signal, exit| {
        let (folder, fake) = (folder(), FakeS3::stalled());
        let running = build_to(&fake, &folder, &small()).start();
        fake.wait_for(|request| request.method == "PUT");
        let (finished, took) = running.end_by(signal);
        assert_cancelled(&finished, exit, "publish");
        assert!(took < PROMPT, "{took:?}");
        folder.assert_left(&[]);
    });
}

fn large() -> Delivery {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    let file = FILE.get_or_init(|| gzip(&csv_text(single_objects(OBJECTS), CURRENT)));
    Delivery::csv_files(CURRENT, vec![file.clone()])
}

fn is_abort(request: &Request) -> bool {
    request.method == "DELETE" && request.target.contains("uploadId=the-upload")
}

fn is_part(request: &Request) -> bool {
    request.method == "PUT" && request.target.contains("partNumber=")
}

fn is_start(request: &Request) -> bool {
    request.method == "POST" && request.target.contains("uploads")
}

/// The parts go through; then S3 neither completes the upload nor aborts it.
#[test]
fn an_upload_that_can_be_neither_completed_nor_aborted() {
    let fake = FakeS3::start(|request| match request {
        start if is_start(start) => Answer::Xml(STARTED.to_owned()),
        part if is_part(part) => Answer::Xml(String::new()),
        _ => Answer::Stall,
    });
    let folder = folder();
    let running = build_to(&fake, &folder, &large()).start();
    fake.wait_for(|request| request.method == "POST" && request.target.contains("uploadId="));
    let (finished, took) = running.end_by(Signal::SIGINT);
    assert!(took < PROMPT, "{took:?}: {:#?}", finished.stderr);
    assert_eq!(finished.code, Some(130), "{:#?}", finished.stderr);
    folder.assert_left(&[]);
}

/// S3 takes parts and never answers. The build is stopped at a request, and its upload is aborted.
fn stopped_while_it_uploads(starting: fn(Answer) -> Answer, at: fn(&Request) -> bool) {
    let fake = FakeS3::start(move |request| match request {
        start if is_start(start) => starting(Answer::Xml(STARTED.to_owned())),
        abort if is_abort(abort) => Answer::Xml(String::new()),
        _ => Answer::Stall,
    });
    let folder = folder();
    let running = build_to(&fake, &folder, &large()).start();
    fake.wait_for(at);
    let (finished, took) = running.end_by(Signal::SIGINT);
    assert_cancelled(&finished, 130, "finalize");
    assert!(took < PROMPT, "{took:?}");
    assert!(fake.seen().iter().any(is_abort), "the upload stays open");
    folder.assert_left(&[]);
}

#[test]
fn a_part_that_stalls_is_cut_off_and_its_upload_aborted() {
    stopped_while_it_uploads(|started| started, is_part);
}

/// S3 starts the upload, but answers only after the signal: nobody may forget it then.
#[test]
fn an_upload_that_starts_while_it_is_cancelled_is_aborted() {
    let late = |started| Answer::Late(Duration::from_millis(200), Box::new(started));
    stopped_while_it_uploads(late, is_start);
}

/// The first signal waits for an abort that stalls; the second doesn't.
#[test]
fn a_second_signal_ends_at_once() {
    let fake = FakeS3::start(|request| match request {
        start if is_start(start) => Answer::Xml(STARTED.to_owned()),
        _ => Answer::Stall,
    });
    let folder = folder();
    let running = build_to(&fake, &folder, &large()).start();
    fake.wait_for(is_part);
    running.signal(Signal::SIGINT);
    fake.wait_for(is_abort);
    let (finished, took) = running.end_by(Signal::SIGTERM);
    assert_eq!(finished.code, Some(143), "{:#?}", finished.stderr);
    assert!(took < PROMPT / 2, "{took:?}");
}
