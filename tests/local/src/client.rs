//! Requests to AWS's services, as their clients send them; only the signature is missing.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response};
use serde_json::Value;

use crate::error::{Context as _, Error};
use crate::http::{full, send};
use crate::names::REGION;
use crate::xml;

/// An answer that has come completely.
pub(crate) type Answer = Response<Bytes>;

/// Says which service is meant; nobody checks the rest.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20250101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

async fn ask(port: u16, request: Request<Bytes>, action: &str) -> Result<Answer, Error> {
    let answer = send(port, request.map(full)).await.context(action)?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other).context(action)?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// A call of Step Functions.
pub(crate) async fn states(port: u16, action: &str, input: &Value) -> Result<Value, Error> {
    let request = Request::post("/")
        .header("Host", format!("127.0.0.1:{port}"))
        .header("Authorization", authorization("states"))
        .header("Content-Type", "application/x-amz-json-1.0")
        .header("X-Amz-Target", format!("AWSStepFunctions.{action}"))
        .body(Bytes::from(input.to_string()));
    let answer = ask(port, request.map_err(std::io::Error::other).context(action)?, action).await?;
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if answer.status().is_success() {
        return Ok(body);
    }
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    Err(Error::Refused {
        action: action.to_owned(),
        status: answer.status().as_u16(),
        code: text("__type").rsplit('#').next().unwrap_or_default().to_owned(),
        message: format!("{}{}", text("message"), text("Message")),
    })
}

/// A call of S3; answers of all statuses come back.
pub(crate) async fn s3(
    port: u16,
    method: Method,
    target: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Error> {
    let action = format!("{method} {target}");
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("Host", format!("127.0.0.1:{port}"))
        .header("Authorization", authorization("s3"))
        .header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
        .body(body);
    let mut request = request.map_err(std::io::Error::other).context(&action)?;
    request.headers_mut().extend(headers);
    ask(port, request, &action).await
}

/// The answer, if it is a success.
pub(crate) fn success(action: &str, answer: Answer) -> Result<Answer, Error> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    Err(Error::Refused {
        action: action.to_owned(),
        status: answer.status().as_u16(),
        code: xml::element(&body, "Code"),
        message: xml::element(&body, "Message"),
    })
}
