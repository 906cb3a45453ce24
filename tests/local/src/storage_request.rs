use std::sync::Arc;

use hyper::Method;
use hyper::header::HeaderMap;
use serde_json::Value;

/// A request to storage, as it passes the front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageRequest {
    /// `GET`, `PUT` …
    pub method: String,
    /// As it is sent: percent-encoded.
    pub path: String,
    /// As it is sent, without the question mark.
    pub query: String,
    /// The bucket.
    pub bucket: String,
    /// The key, decoded; empty in requests about the bucket.
    pub key: String,
    /// S3's name of the operation: `PutObject`, `CompleteMultipartUpload` …
    pub operation: &'static str,
    /// The function whose process made it; nothing for other clients.
    pub function: Option<String>,
    /// The invocation that made it; empty for other clients.
    pub request_id: String,
    /// The event of that invocation; null for other clients.
    pub event: Arc<Value>,
    /// Its place among the requests of its invocation, from 1; 0 for other clients.
    pub nth: u64,
}

impl StorageRequest {
    /// Of a client that is no function.
    pub(crate) fn new(method: &Method, path: &str, query: &str, headers: &HeaderMap) -> Self {
        let (bucket, key) =
            path.trim_start_matches('/').split_once('/').unwrap_or((&path[1.min(path.len())..], ""));
        let copies = headers.contains_key("x-amz-copy-source");
        Self {
            method: method.to_string(),
            path: path.to_owned(),
            query: query.to_owned(),
            bucket: bucket.to_owned(),
            key: decoded(key),
            operation: operation(method, query, bucket.is_empty(), key.is_empty(), copies),
            function: None,
            request_id: String::new(),
            event: Arc::default(),
            nth: 0,
        }
    }

    /// Whether an object exists when it has succeeded.
    pub(crate) fn makes_object(&self) -> bool {
        matches!(self.operation, "PutObject" | "CopyObject" | "CompleteMultipartUpload")
    }
}

fn operation(method: &Method, query: &str, root: bool, bucket: bool, copies: bool) -> &'static str {
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let other_part = ["tagging", "acl", "retention", "legal-hold", "policy", "versioning", "notification"];
    if root || other_part.into_iter().any(has) {
        return "Other";
    }
    match (method.as_str(), bucket) {
        ("GET", true) if has("uploads") => "ListMultipartUploads",
        ("GET", true) if has("location") => "Other",
        ("GET", true) => "ListObjects",
        ("PUT", true) => "CreateBucket",
        ("POST", true) if has("delete") => "DeleteObjects",
        ("DELETE", true) => "DeleteBucket",
        ("HEAD", true) => "HeadBucket",
        ("GET", false) if has("uploadId") => "ListParts",
        ("GET", false) => "GetObject",
        ("HEAD", false) => "HeadObject",
        ("PUT", false) if has("uploadId") && copies => "UploadPartCopy",
        ("PUT", false) if has("uploadId") => "UploadPart",
        ("PUT", false) if copies => "CopyObject",
        ("PUT", false) => "PutObject",
        ("POST", false) if has("uploads") => "CreateMultipartUpload",
        ("POST", false) if has("uploadId") => "CompleteMultipartUpload",
        ("DELETE", false) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", false) => "DeleteObject",
        _ => "Other",
    }
}

/// Percent-decoded; bytes that are no UTF-8 are replaced.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%');
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encoded, but for what is safe in a path or a query's value, and for `kept`.
pub(crate) fn encoded(text: &str, kept: &[u8]) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        byte if kept.contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, target: &str) -> StorageRequest {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        StorageRequest::new(&method.parse().unwrap(), path, query, &HeaderMap::new())
    }

    #[test]
    fn operations_have_their_names() {
        let cases = [
            ("PUT", "/b", "CreateBucket"),
            ("GET", "/b?list-type=2&prefix=a%2F", "ListObjects"),
            ("GET", "/b/?uploads", "ListMultipartUploads"),
            ("POST", "/b/?delete", "DeleteObjects"),
            ("PUT", "/b/k?x-id=PutObject", "PutObject"),
            ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
            ("POST", "/b/k?uploads=", "CreateMultipartUpload"),
            ("POST", "/b/k?uploadId=u", "CompleteMultipartUpload"),
            ("DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"),
            ("GET", "/b/k?tagging", "Other"),
            ("GET", "/", "Other"),
        ];
        for (method, target, operation) in cases {
            assert_eq!(request(method, target).operation, operation, "{method} {target}");
        }
    }

    #[test]
    fn keys_are_decoded_and_encoded() {
        let found = request("GET", "/b/a%20b/%C3%A9+%");
        assert_eq!((found.bucket.as_str(), found.key.as_str()), ("b", "a b/é+%"));
        assert_eq!(encoded("a b/é", b"/"), "a%20b/%C3%A9");
    }
}
