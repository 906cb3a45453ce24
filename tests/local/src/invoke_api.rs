//! Lambda's `Invoke`.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response};
use serde_json::{Value, json};

use crate::asynchronous::Asynchronous;
use crate::ended::Invoked;
use crate::host::{Host, Refusal};
use crate::http::{Body, CutOff, collect, json, response};
use crate::ids;
use crate::names::{function_arn, function_name};
use crate::storage_request::decoded;

/// The most that an event may have, bytes.
const LARGEST: usize = 6 << 20;

/// The same, of an asynchronous invocation.
const LARGEST_ASYNCHRONOUS: usize = 1 << 20;

const START: &str = "/2015-03-31/functions/";

/// Answers it.
pub(crate) struct InvokeApi {
    pub(crate) host: Arc<Host>,
    pub(crate) asynchronous: Arc<Asynchronous>,
}

/// The function, of a request that invokes one.
pub(crate) fn invoked_function(request: &Request<Incoming>) -> Option<String> {
    let path = request.uri().path().strip_prefix(START)?;
    let name = path.strip_suffix("/invocations").filter(|_| request.method() == Method::POST)?;
    Some(function_name(&decoded(name)).to_owned())
}

impl InvokeApi {
    pub(crate) async fn answer(
        &self,
        function: &str,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, CutOff> {
        let kind = request.headers().get("x-amz-invocation-type").map(HeaderValue::as_bytes);
        let kind = kind.unwrap_or(b"RequestResponse").to_owned();
        let payload = collect(request.into_body()).await.map_err(|_| CutOff)?;
        let payload = if payload.is_empty() { "{}".into() } else { payload };
        let is_event = kind == b"Event";
        let largest = if is_event { LARGEST_ASYNCHRONOUS } else { LARGEST };
        if payload.len() > largest {
            return Ok(too_large(payload.len(), largest));
        }
        if serde_json::from_slice::<Value>(&payload).is_err() {
            let message = "Could not parse request body into json";
            return Ok(refused(400, "InvalidRequestContentException", message));
        }
        if !self.host.functions.contains_key(function) {
            return Ok(refusal(Refusal::NotFound, function));
        }
        match kind.as_slice() {
            b"DryRun" => Ok(response(204, "application/json", "")),
            b"Event" => {
                self.asynchronous.invoke(function, payload);
                Ok(response(202, "application/json", ""))
            }
            _ => Ok(match self.host.invoke(function, payload).await {
                Ok(invoked) => answered(invoked),
                Err(refused) => refusal(refused, function),
            }),
        }
    }
}

fn answered(invoked: Invoked) -> Response<Body> {
    let mut answer = response(200, "application/json", invoked.payload);
    let headers = answer.headers_mut();
    headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
    if let Ok(id) = HeaderValue::from_str(&invoked.request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    if invoked.is_error {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    answer
}

fn refusal(refusal: Refusal, function: &str) -> Response<Body> {
    match refusal {
        Refusal::NotFound => {
            let message = format!("Function not found: {}", function_arn(function));
            refused(404, "ResourceNotFoundException", &message)
        }
        Refusal::Throttled => refused(429, "TooManyRequestsException", "Rate Exceeded."),
        Refusal::Service => refused(500, "ServiceException", "The service encountered an internal error."),
    }
}

fn too_large(size: usize, largest: usize) -> Response<Body> {
    let message = format!(
        "{size} byte payload is too large for the RequestResponse invocation type (limit {largest} bytes)"
    );
    refused(413, "RequestTooLargeException", &message)
}

fn refused(status: u16, name: &'static str, message: &str) -> Response<Body> {
    let kind = if status >= 500 { "Service" } else { "User" };
    let mut body = json!({ "Type": kind, "message": message });
    if status == 429 {
        body["Reason"] = "ConcurrentInvocationLimitExceeded".into();
    }
    let mut answer = json(status, &body);
    answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(name));
    if let Ok(id) = HeaderValue::from_str(&ids::unique()) {
        answer.headers_mut().insert("x-amzn-requestid", id);
    }
    answer
}
