//! The few requests that are made of the local AWS.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::failure::{Advise, Failure};

const SEE_LOGS: &str = "see the logs of the local AWS";

/// Talks to an endpoint. Signatures aren't checked there: none are made.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: String,
}

struct Request<'a> {
    method: &'a str,
    target: &'a str,
    headers: String,
    body: &'a [u8],
}

impl Client {
    /// Of a local AWS's URL, `http://HOST:PORT`.
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { address: endpoint.trim_start_matches("http://").to_owned() }
    }

    /// A call of Step Functions.
    pub(crate) fn states(&self, action: &str, input: &Value) -> Result<Value, Failure> {
        let headers = format!(
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AWSStepFunctions.{action}\r\n"
        );
        let body = input.to_string();
        let request = Request { method: "POST", target: "/", headers, body: body.as_bytes() };
        let answer = self.send(&request, "states").advise(action, SEE_LOGS)?;
        serde_json::from_slice(&answer).advise(action, SEE_LOGS)
    }

    /// Writes an object.
    pub(crate) fn put(&self, bucket: &str, key: &str, body: &[u8]) -> Result<(), Failure> {
        self.s3("PUT", &format!("/{bucket}/{key}"), body).map(drop)
    }

    /// Reads an object.
    pub(crate) fn get(&self, bucket: &str, key: &str) -> Result<Vec<u8>, Failure> {
        self.s3("GET", &format!("/{bucket}/{key}"), &[])
    }

    /// The keys of a bucket, the first thousand. Nothing here has special characters in its key.
    pub(crate) fn keys(&self, bucket: &str) -> Result<Vec<String>, Failure> {
        let listed = self.s3("GET", &format!("/{bucket}?list-type=2"), &[])?;
        Ok(keys_of(&String::from_utf8_lossy(&listed)))
    }

    fn s3(&self, method: &str, target: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let headers = "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n".to_owned();
        let request = Request { method, target, headers, body };
        self.send(&request, "s3").advise(format_args!("{method} {target}"), SEE_LOGS)
    }

    /// The body of the answer. HTTP/1.0, so that it ends where the connection does.
    fn send(&self, request: &Request, service: &str) -> io::Result<Vec<u8>> {
        let Request { method, target, headers, body } = request;
        let mut stream = TcpStream::connect(&self.address)?;
        let scope = format!("test/20250101/us-east-1/{service}/aws4_request");
        let head = format!(
            "{method} {target} HTTP/1.0\r\nHost: {}\r\nContent-Length: {}\r\n{headers}Authorization: \
             AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n",
            self.address,
            body.len(),
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        body_of(answer)
    }
}

/// The body of an answer that is a success.
fn body_of(mut answer: Vec<u8>) -> io::Result<Vec<u8>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| io::Error::other("the connection ended before the answer"))?;
    let body = answer.split_off(end + 4);
    let status = answer.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
    if status.starts_with(b"2") {
        return Ok(body);
    }
    let (status, body) = (String::from_utf8_lossy(status), String::from_utf8_lossy(&body));
    Err(io::Error::other(format!("{status} {}", body.trim())))
}

fn keys_of(listed: &str) -> Vec<String> {
    let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
    keys.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_body_or_an_error() {
        let body = |answer: &[u8]| body_of(answer.to_vec()).map_err(|error| error.to_string());
        assert_eq!(body(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n{}\r\n\r\n"), Ok(b"{}\r\n\r\n".to_vec()));
        assert_eq!(body(b"HTTP/1.0 404 Not Found\r\n\r\n<Error/>\n").unwrap_err(), "404 <Error/>");
        assert_eq!(body(b"HTTP/1.0 200").unwrap_err(), "the connection ended before the answer");
    }

    #[test]
    fn keys_are_listed_in_their_order() {
        let listed = "<Contents><Key>a/b</Key><Size>1</Size></Contents><Contents><Key>c</Key></Contents>";
        assert_eq!(keys_of(listed), ["a/b", "c"]);
        assert!(keys_of("<ListBucketResult/>").is_empty());
    }
}
