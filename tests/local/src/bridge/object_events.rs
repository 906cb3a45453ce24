use serde_json::{Value, json};

use super::Shape;
use crate::names::{ACCOUNT, REGION};
use crate::storage_request::{StorageRequest, encoded};
use crate::{ids, time};

/// The event about an object that a request made.
pub(super) fn event(shape: Shape, request: &StorageRequest, size: u64, etag: &str) -> Value {
    match shape {
        Shape::EventBridge => event_bridge(request, size, etag),
        Shape::Notification => notification(request, size, etag),
    }
}

fn event_bridge(request: &StorageRequest, size: u64, etag: &str) -> Value {
    json!({
        "version": "0",
        "id": ids::unique(),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "time": time::in_seconds(time::epoch()),
        "region": REGION,
        "resources": [format!("arn:aws:s3:::{}", request.bucket)],
        "detail": {
            "version": "0",
            "bucket": { "name": request.bucket },
            "object": { "key": request.key, "size": size, "etag": etag, "sequencer": sequencer() },
            "request-id": "C3D13FE58DE4C810",
            "requester": ACCOUNT,
            "source-ip-address": "127.0.0.1",
            "reason": request.operation,
        },
    })
}

fn notification(request: &StorageRequest, size: u64, etag: &str) -> Value {
    let name = match request.operation {
        "CopyObject" => "ObjectCreated:Copy",
        "CompleteMultipartUpload" => "ObjectCreated:CompleteMultipartUpload",
        _ => "ObjectCreated:Put",
    };
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": time::in_milliseconds(time::epoch()),
        "eventName": name,
        "userIdentity": { "principalId": "AWS:LOCAL" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "LOCAL" },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "local",
            "bucket": {
                "name": request.bucket,
                "ownerIdentity": { "principalId": "LOCAL" },
                "arn": format!("arn:aws:s3:::{}", request.bucket),
            },
            "object": { "key": form_encoded(&request.key), "size": size, "eTag": etag, "sequencer": sequencer() },
        },
    }]})
}

/// As S3 writes keys in its notifications: a space is `+`.
fn form_encoded(key: &str) -> String {
    encoded(key, b"/ *").replace(' ', "+")
}

/// Grows with time, in hexadecimal.
fn sequencer() -> String {
    format!("{:018X}", time::epoch().as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_raw_in_one_and_encoded_in_the_other() {
        let path = "/b/a%20b/50%25+/manifest.json";
        let request = StorageRequest::new(&hyper::Method::PUT, path, "", &hyper::HeaderMap::new());
        let raw = event(Shape::EventBridge, &request, 5, "e");
        assert_eq!(raw["detail"]["object"]["key"], "a b/50%+/manifest.json");
        let encoded = event(Shape::Notification, &request, 5, "e");
        assert_eq!(encoded["Records"][0]["s3"]["object"]["key"], "a+b/50%25%2B/manifest.json");
    }
}
