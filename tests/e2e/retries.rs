//! An S3 that fails for a while, against the real binary.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use s3inv_cancel::{Clock, SystemClock};
use s3inv_tests::{Answer, Cli, Delivery, FakeS3, Folder, Row, folder, s3inv};

use crate::cancel::PROMPT;

/// Serves the delivery, but answers otherwise for some of the first requests for its data.
fn failing(faults: fn(usize, Vec<u8>) -> Answer) -> (FakeS3, Delivery) {
    let rows: Vec<Row> = (0..500).map(|nth| Row::new(format!("d{}/k{nth}", nth % 7), nth)).collect();
    let delivery = Delivery::csv(&rows, 1);
    let (objects, asked) = (delivery.objects(), AtomicUsize::new(0));
    let fake = FakeS3::start(move |request| {
        match objects.iter().find(|(key, _)| request.target.contains(key.as_str())) {
            Some((key, bytes)) if key.contains("/data/") && request.method == "GET" => {
                faults(asked.fetch_add(1, Ordering::Relaxed), bytes.clone())
            }
            Some((_, bytes)) => Answer::Object(bytes.clone()),
            None => Answer::Busy,
        }
    });
    (fake, delivery)
}

fn build(fake: &FakeS3, delivery: &Delivery, folder: &Folder) -> Cli {
    let manifest = format!("s3://reports/{}", delivery.manifest_key());
    let build = s3inv(["build"]).arg("--s3-manifest", manifest).arg("--temp-dir", folder.temp());
    build.arg("--out", folder.index()).envs(fake.environment())
}

#[test]
fn what_passes_is_counted_and_leaves_no_trace_in_the_index() {
    let folder = folder();
    let (fake, delivery) = failing(|_, bytes| Answer::Object(bytes));
    let summary = build(&fake, &delivery, &folder).run().summary();
    assert!(summary.get("retries").is_none(), "{summary}");
    let index = fs::read(folder.index()).unwrap();

    let faults = |nth, bytes| match nth {
        0 => Answer::Busy,
        1 => Answer::Cut(bytes),
        _ => Answer::Object(bytes),
    };
    let (fake, delivery) = failing(faults);
    let summary = build(&fake, &delivery, &folder).run().summary();
    assert_eq!((&summary["retries"], &summary["retries_throttled"]), (&2.into(), &1.into()), "{summary}");
    assert!(fs::read(folder.index()).unwrap() == index, "another index");

    let (fake, delivery) = failing(faults);
    let finished = build(&fake, &delivery, &folder).flag("--pretty-logs").run();
    let line = "  retries   2 requests to S3, 1 of them because S3 was busy";
    assert!(finished.stderr.iter().any(|said| said == line), "{:#?}", finished.stderr);
}

#[test]
fn a_deadline_ends_what_is_busy() {
    let folder = folder();
    let (fake, delivery) = failing(|_, _| Answer::Busy);
    let clock = SystemClock::new();
    let finished = build(&fake, &delivery, &folder).arg("--timeout", "1500ms").run();
    assert_eq!(finished.code, Some(124), "{:#?}", finished.stderr);
    assert!(clock.now() < Duration::from_millis(1500) + PROMPT, "{:?}", clock.now());
    folder.assert_left(&[]);
}
