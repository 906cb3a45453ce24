//! S3, for tests.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use crate::aws::LocalAws;
use crate::client::{self, Answer, success};
use crate::error::{Context as _, Error};
use crate::storage_request::encoded;
use crate::xml;

/// A multipart upload that is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upload {
    /// Its key.
    pub key: String,
    /// Its id.
    pub id: String,
}

impl LocalAws {
    /// A request to S3: `target` is path and query as they are sent. Answers of all statuses come
    /// back: status, headers, body.
    pub fn s3(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<(u16, HeaderMap, Bytes), Error> {
        let (parts, body) = self.ask_s3(method, target, headers, body.into())?.into_parts();
        Ok((parts.status.as_u16(), parts.headers, body))
    }

    fn ask_s3(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, Error> {
        let invalid = || std::io::Error::other("not a method or a header");
        let method: Method = method.parse().map_err(|_| invalid()).context(method)?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let header: HeaderName = name.parse().map_err(|_| invalid()).context(*name)?;
            map.insert(header, HeaderValue::from_str(value).map_err(|_| invalid()).context(*name)?);
        }
        let (port, target) = (self.port(), target.to_owned());
        self.wait(async move { client::s3(port, method, &target, map, body).await })?
    }

    fn s3_success(&self, method: &str, target: &str, body: Bytes) -> Result<Answer, Error> {
        success(&format!("{method} {target}"), self.ask_s3(method, target, &[], body)?)
    }

    /// Makes a bucket.
    pub fn create_bucket(&self, bucket: &str) -> Result<(), Error> {
        self.s3_success("PUT", &format!("/{bucket}"), Bytes::new()).map(drop)
    }

    /// Writes an object.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) -> Result<(), Error> {
        self.s3_success("PUT", &object(bucket, key), body.into()).map(drop)
    }

    /// Reads an object.
    pub fn get(&self, bucket: &str, key: &str) -> Result<Bytes, Error> {
        Ok(self.s3_success("GET", &object(bucket, key), Bytes::new())?.into_body())
    }

    /// Whether there is an object.
    pub fn exists(&self, bucket: &str, key: &str) -> Result<bool, Error> {
        let answer = self.ask_s3("HEAD", &object(bucket, key), &[], Bytes::new())?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(false),
            _ => success("HEAD", answer).map(|_| true),
        }
    }

    /// Deletes an object; one that isn't there is deleted, too.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<(), Error> {
        self.s3_success("DELETE", &object(bucket, key), Bytes::new()).map(drop)
    }

    /// All keys that begin with a prefix, in S3's order.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, Error> {
        let first = format!("/{bucket}?list-type=2&prefix={}", encoded(prefix, b""));
        let (mut keys, mut target) = (Vec::new(), first.clone());
        loop {
            let page = self.s3_success("GET", &target, Bytes::new())?;
            let page = String::from_utf8_lossy(page.body()).into_owned();
            keys.extend(xml::elements(&page, "Contents").iter().map(|found| xml::element(found, "Key")));
            let token = xml::element(&page, "NextContinuationToken");
            if token.is_empty() {
                return Ok(keys);
            }
            target = format!("{first}&continuation-token={}", encoded(&token, b""));
        }
    }

    /// All multipart uploads of a bucket that are open.
    pub fn uploads(&self, bucket: &str) -> Result<Vec<Upload>, Error> {
        let page = self.s3_success("GET", &format!("/{bucket}?uploads"), Bytes::new())?;
        let page = String::from_utf8_lossy(page.body()).into_owned();
        let upload =
            |found: &&str| Upload { key: xml::element(found, "Key"), id: xml::element(found, "UploadId") };
        let mut uploads: Vec<_> = xml::elements(&page, "Upload").iter().map(upload).collect();
        uploads.sort();
        Ok(uploads)
    }
}

fn object(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", encoded(key, b"/"))
}
