//! Storage refuses, breaks off, stands still, or answers too late.

use std::sync::OnceLock;
use std::time::Duration;

use s3inv_cancel::{Clock as _, SystemClock};
use s3inv_tests::StorageFault::{Pass, Reset, ResetAfter, Stall, Status};

use super::cases::{befall, each};
use super::site::Site;
use super::small::{STEPS, Small};

#[test]
fn each_request_is_refused_or_broken_off_once() {
    let ran = befall("fleet-answers", &[Status(500), Status(503), Reset, ResetAfter], |_| true, 12);
    // The function that makes the request makes it again: the state machine hears nothing of it.
    assert_eq!(ran.errors, 0);
}

#[test]
fn questions_that_nobody_answers_are_asked_again() {
    let ran = befall("fleet-stalls", &[Stall], Site::is_question, 3);
    assert_eq!(ran.errors, 0);
}

/// As when S3 splits a prefix: all requests of a function are refused for a while.
#[test]
fn a_second_in_which_all_is_refused() {
    let refuse = |small: &Small, name: &str, &(function, step): &(&'static str, &str)| {
        let (step, began) = (step.to_owned(), OnceLock::new());
        small.cloud.on_storage(name, move |request| {
            let concerned = request.function.as_deref() == Some(function)
                && (step.is_empty() || request.event["step"] == step.as_str());
            let refused = concerned && began.get_or_init(SystemClock::new).now() < Duration::from_secs(1);
            if refused { Status(503) } else { Pass }
        });
    };
    let ran = each(Small::start("fleet-refused"), &STEPS, refuse, |step| format!("{step:?} refused"));
    assert_eq!(ran.errors, 0);
    // At least one of each worker, and of publish: the others' are only logged.
    assert!(ran.throttled >= 3, "{ran:?}");
    eprintln!("fleet-refused: {ran:?}");
}
