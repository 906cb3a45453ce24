//! The Lambda Runtime API of one process.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::http::{Body, CutOff, collect, full, json};

const RUNTIME: &str = "/2018-06-01/runtime/";

/// What a process tells its sandbox.
#[derive(Debug)]
pub(crate) enum Call {
    /// It is ready for an event.
    Next(oneshot::Sender<Event>),
    /// The invocation of this id ended with an answer, or with an error.
    Done { id: String, payload: Bytes, is_error: bool, known: oneshot::Sender<bool> },
    /// It could not start.
    InitError(Bytes),
}

/// What a process is handed.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) payload: Bytes,
    /// Milliseconds since 1970.
    pub(crate) deadline: u128,
    pub(crate) arn: String,
}

impl Event {
    fn into_response(self) -> Response<Body> {
        let trace = format!("Root=1-{:08x}-{:024x};Sampled=0", self.deadline / 1000, 0);
        Response::builder()
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", self.id)
            .header("Lambda-Runtime-Deadline-Ms", self.deadline.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", self.arn)
            .header("Lambda-Runtime-Trace-Id", trace)
            .body(full(self.payload))
            .unwrap_or_default()
    }
}

/// Answers one request of the process.
pub(crate) async fn handle(
    request: Request<Incoming>,
    sandbox: Arc<mpsc::Sender<Call>>,
) -> Result<Response<Body>, CutOff> {
    let (parts, body) = request.into_parts();
    let route = parts.uri.path().strip_prefix(RUNTIME).unwrap_or_default().to_owned();
    let route: Vec<&str> = route.split('/').collect();
    match (parts.method, &route[..]) {
        (Method::GET, ["invocation", "next"]) => next(&sandbox).await,
        (Method::POST, ["invocation", id, what @ ("response" | "error")]) => {
            let payload = collect(body).await.map_err(|_| CutOff)?;
            done(&sandbox, id, payload, *what == "error").await
        }
        (Method::POST, ["init", "error"]) => {
            let payload = collect(body).await.map_err(|_| CutOff)?;
            sandbox.send(Call::InitError(payload)).await.map_err(|_| CutOff)?;
            Ok(json(202, &json!({ "status": "OK" })))
        }
        _ => Ok(json(404, &json!({ "errorType": "NotFound", "errorMessage": "no such call" }))),
    }
}

async fn next(sandbox: &mpsc::Sender<Call>) -> Result<Response<Body>, CutOff> {
    let (send, event) = oneshot::channel();
    sandbox.send(Call::Next(send)).await.map_err(|_| CutOff)?;
    Ok(event.await.map_err(|_| CutOff)?.into_response())
}

async fn done(
    sandbox: &mpsc::Sender<Call>,
    id: &str,
    payload: Bytes,
    is_error: bool,
) -> Result<Response<Body>, CutOff> {
    let (known, is_known) = oneshot::channel();
    let call = Call::Done { id: id.to_owned(), payload, is_error, known };
    sandbox.send(call).await.map_err(|_| CutOff)?;
    if is_known.await.map_err(|_| CutOff)? {
        return Ok(json(StatusCode::ACCEPTED.as_u16(), &json!({ "status": "OK" })));
    }
    let message = format!("{id} is not the invocation that this process has");
    Ok(json(400, &json!({ "errorType": "InvalidRequestID", "errorMessage": message })))
}
