//! What functions are called with: events and payloads, as JSON.

use s3inv_pipeline::fleet::{
    CleanupRequest, Delivery, Input, Latest, Options, Place, PlanRequest, PublishRequest, Request,
    TaskRequest, parse,
};
use s3inv_trigger::event::{Wish, wishes};
use serde_json::Value;

/// A payload of any function. What is wished for becomes a request, or an error.
pub(crate) fn event(data: &[u8]) {
    let Ok(payload) = serde_json::from_slice::<Value>(data) else { return };
    for wish in wishes(&payload).unwrap_or_default() {
        match wish {
            Wish::Build(input) => request(&input),
            Wish::Delivered(delivery) => delivered(&delivery),
            Wish::Look | Wish::Nothing(_) => {}
        }
    }
    if let Ok(PlanRequest::Plan { input, .. }) = parse(&payload) {
        request(&input);
    }
    let _ = parse::<TaskRequest>(&payload);
    let _ = parse::<PublishRequest>(&payload);
    if let Ok(CleanupRequest::Fail { error, .. }) = parse(&payload) {
        assert!(!error.plain().cause.contains('\n'), "a cause is one line");
    }
    if let Ok(latest) = parse::<Latest>(&payload) {
        assert!(!latest.is_sound() || !latest.index.contains('/'), "an index lies in its folder");
    }
}

fn request(input: &Input) {
    let scratch = Place { bucket: "scratch".to_owned(), key: String::new() };
    let Ok(request) = Request::new(input, Some("s3://indexes/"), &Options::default(), &scratch) else {
        return;
    };
    let _ = request.options.deadline_ms(1_750_000_000_000);
    delivered(&request.delivery);
    assert!(request.index_key().starts_with(&request.output.key), "an index lies below its output");
    let again = Request::new(&request.canonical(), None, &Options::default(), &scratch);
    assert_eq!(again.as_ref(), Ok(&request), "what is canonical stays so");
}

fn delivered(delivery: &Delivery) {
    let folder = delivery.index_folder("");
    let parts: Vec<_> = folder.split('/').collect();
    assert!(matches!(parts[..], [a, b, ""] if !a.is_empty() && !b.is_empty()), "{folder}");
    assert!(!parts.contains(&"..") && !parts.contains(&"."), "{folder}");
    assert_eq!(Delivery::completed_by(&delivery.bucket, &delivery.checksum_key()).as_ref(), Some(delivery));
}
