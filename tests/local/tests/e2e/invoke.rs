//! Lambda's `Invoke`, as its clients send it.

use s3inv_local_aws::Fault;
use serde_json::{Value, json};

use crate::support::{LIMIT, Started, function, with};

/// Status, the header `name`, and the body.
fn post(local: &Started, function: &str, kind: &str, body: String, name: &str) -> (u16, String, Value) {
    let target = format!("/2015-03-31/functions/{function}/invocations");
    let (status, headers, body) =
        local.aws.s3("POST", &target, &[("x-amz-invocation-type", kind)], body).unwrap();
    let header = headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    (status, header, serde_json::from_slice(&body).unwrap_or_default())
}

fn error_type(local: &Started, function: &str, kind: &str, body: String) -> (u16, String) {
    let (status, error, _) = post(local, function, kind, body, "x-amzn-errortype");
    (status, error)
}

#[test]
fn a_function_is_invoked_by_each_of_its_names() {
    let local = with(function());
    let names = ["f", "f?Qualifier=1", "f:live", "arn:aws:lambda:us-east-1:123456789012:function:f"];
    let encoded = "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af%3A%24LATEST";
    for name in names.into_iter().chain([encoded]) {
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        let target = format!("/2015-03-31/functions/{name}/invocations?{query}");
        let (status, headers, body) = local.aws.s3("POST", &target, &[], r#"{"x":1}"#).unwrap();
        assert_eq!((status, headers.get("x-amz-function-error")), (200, None), "{name}");
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["event"], json!({ "x": 1 }), "{name}");
    }
}

#[test]
fn an_error_of_the_function_is_no_error_of_http() {
    let local = with(function());
    let fail = json!({ "do": "fail", "error": "BadInput" }).to_string();
    let (status, marked, error) = post(&local, "f", "RequestResponse", fail, "x-amz-function-error");
    assert_eq!((status, marked.as_str()), (200, "Unhandled"));
    assert_eq!(error, json!({ "errorType": "BadInput", "errorMessage": "as told" }));
}

#[test]
fn what_lambda_refuses_is_refused() {
    let local = with(function());
    let refused = |status: u16, name: &str| (status, name.to_owned());
    let none = || "{}".to_owned();
    assert_eq!(error_type(&local, "g", "Event", none()), refused(404, "ResourceNotFoundException"));
    local.aws.fault("f", [Fault::Throttle, Fault::DropAnswer]).unwrap();
    let answer = "RequestResponse";
    assert_eq!(error_type(&local, "f", answer, none()), refused(429, "TooManyRequestsException"));
    assert_eq!(error_type(&local, "f", answer, none()), refused(500, "ServiceException"));
    let sized = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert_eq!(
        error_type(&local, "f", answer, sized((6 << 20) + 1)),
        refused(413, "RequestTooLargeException")
    );
    assert_eq!(
        error_type(&local, "f", "Event", sized((1 << 20) + 1)),
        refused(413, "RequestTooLargeException")
    );
    let broken = error_type(&local, "f", answer, "{".to_owned());
    assert_eq!(broken, refused(400, "InvalidRequestContentException"));
    assert_eq!(local.aws.counters("f").unwrap().invocations, 1);
}

#[test]
fn an_event_is_accepted_before_it_is_handled() {
    let local = with(function());
    local.aws.fault("f", [Fault::Throttle]).unwrap();
    let (status, _, body) = post(&local, "f", "Event", "{}".to_owned(), "x");
    assert_eq!((status, body), (202, Value::Null));
    assert_eq!(post(&local, "f", "DryRun", "{}".to_owned(), "x").0, 204);
    local.aws.settle(LIMIT).unwrap();
    assert_eq!(local.aws.counters("f").unwrap().invocations, 1);
}
