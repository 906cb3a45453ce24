//! What the function is called with: events of S3, of `EventBridge`, a schedule, or a person's input.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use percent_encoding::percent_decode_str;
use s3inv_lambda_kit::StepError;
use s3inv_pipeline::fleet::{self, Delivery, Input};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A delivery is complete.
    Delivered(Delivery),
    /// A person wants this built.
    Build(Input),
    /// It is time to look for deliveries.
    Look,
    /// Nothing that this function is for, and what it is.
    Nothing(String),
}

/// Reads a payload of any of these kinds.
pub fn wishes(payload: &Value) -> Result<Vec<Wish>, StepError> {
    let has = |name: &str| payload.get(name).is_some();
    if has("Records") {
        let event: S3Event = fleet::parse(payload)?;
        return Ok(event.records.iter().map(notified).collect());
    }
    if has("detail-type") {
        return bridged(payload).map(|wish| vec![wish]);
    }
    if payload.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(vec![Wish::Nothing("S3's test of its notifications".to_owned())]);
    }
    if has("manifest") {
        return fleet::parse(payload).map(|input| vec![Wish::Build(input)]);
    }
    Err(StepError::bad_input(
        "payload: neither an event of S3 or EventBridge nor an input {\"manifest\": \"s3://…/manifest.json\"}",
    ))
}

/// A record of an S3 notification, whose key is form-encoded.
fn notified(record: &S3EventRecord) -> Wish {
    let name = record.event_name.as_deref().unwrap_or_default();
    let (Some(bucket), Some(key)) = (&record.s3.bucket.name, &record.s3.object.key) else {
        return Wish::Nothing(format!("{name} without a bucket or a key"));
    };
    if !name.starts_with("ObjectCreated:") {
        return Wish::Nothing(format!("{name} of {key}"));
    }
    let spaced = key.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(key) => created(bucket, &key),
        // Names of inventories are ASCII.
        Err(_) => Wish::Nothing(format!("a key that is not UTF-8: {key}")),
    }
}

fn created(bucket: &str, key: &str) -> Wish {
    let other = || Wish::Nothing(format!("s3://{bucket}/{key} completes no delivery"));
    Delivery::completed_by(bucket, key).map_or_else(other, Wish::Delivered)
}

/// An event of `EventBridge`, whose key is as it is.
fn bridged(payload: &Value) -> Result<Wish, StepError> {
    let event: EventBridgeEvent = fleet::parse(payload)?;
    match (event.source.as_str(), event.detail_type.as_str()) {
        ("aws.s3", "Object Created") => {
            let Created { bucket, object } = fleet::parse(&event.detail)?;
            Ok(created(&bucket.name, &object.key))
        }
        ("aws.events" | "aws.scheduler", "Scheduled Event") => Ok(Wish::Look),
        (source, kind) => Ok(Wish::Nothing(format!("{kind:?} of {source}"))),
    }
}

/// What is needed of S3's event.
#[derive(Deserialize, Serialize)]
struct Created {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize, Serialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize, Serialize)]
struct Object {
    key: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHECKSUM: &str = "inventories/my-bucket/daily/2025-05-13T01-00Z/manifest.checksum";

    fn delivery() -> Wish {
        Wish::Delivered(Delivery::completed_by("reports", CHECKSUM).unwrap())
    }

    fn example(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_notification_of_s3_has_records_and_encoded_keys() {
        let mut event = example(include_str!("../../../events/trigger-s3-notification.json"));
        assert_eq!(wishes(&event), Ok(vec![delivery()]));
        let record = event["Records"][0].clone();
        let mut other = record.clone();
        other["s3"]["object"]["key"] = "a+b/%C3%A9%2Bc/manifest.checksum".into();
        let mut removed = record.clone();
        removed["eventName"] = "ObjectRemoved:Delete".into();
        event["Records"] = json!([other, removed, record]);
        let expected = [
            Wish::Nothing("s3://reports/a b/é+c/manifest.checksum completes no delivery".to_owned()),
            Wish::Nothing(format!("ObjectRemoved:Delete of {CHECKSUM}")),
            delivery(),
        ];
        assert_eq!(wishes(&event).unwrap(), expected);
    }

    #[test]
    fn keys_in_notifications_are_decoded() {
        let mut event = example(include_str!("../../../events/trigger-s3-notification.json"));
        let encoded = "my%2Freports/2024+25/my-bucket/daily/2025-05-13T01-00Z/manifest.checksum";
        event["Records"][0]["s3"]["object"]["key"] = encoded.into();
        let key = "my/reports/2024 25/my-bucket/daily/2025-05-13T01-00Z/manifest.checksum";
        assert_eq!(
            wishes(&event),
            Ok(vec![Wish::Delivered(Delivery::completed_by("reports", key).unwrap())])
        );
    }

    #[test]
    fn an_event_of_eventbridge_has_the_key_as_it_is() {
        let mut event = example(include_str!("../../../events/trigger-eventbridge.json"));
        assert_eq!(wishes(&event), Ok(vec![delivery()]));
        let key = "2024+25/my-bucket/daily/2025-05-13T01-00Z/manifest.checksum";
        event["detail"]["object"]["key"] = key.into();
        assert_eq!(
            wishes(&event),
            Ok(vec![Wish::Delivered(Delivery::completed_by("reports", key).unwrap())])
        );
        event["detail"]["object"]["key"] = "inventories/my-bucket/daily/data/x.csv.gz".into();
        let ignored = "s3://reports/inventories/my-bucket/daily/data/x.csv.gz completes no delivery";
        assert_eq!(wishes(&event), Ok(vec![Wish::Nothing(ignored.to_owned())]));
        event["detail-type"] = "Object Deleted".into();
        assert_eq!(wishes(&event), Ok(vec![Wish::Nothing("\"Object Deleted\" of aws.s3".to_owned())]));
    }

    #[test]
    fn a_schedule_a_test_and_a_person() {
        assert_eq!(
            wishes(&example(include_str!("../../../events/trigger-schedule.json"))),
            Ok(vec![Wish::Look])
        );
        let test = example(include_str!("../../../events/trigger-test-event.json"));
        assert_eq!(wishes(&test), Ok(vec![Wish::Nothing("S3's test of its notifications".to_owned())]));
        let manual = wishes(&example(include_str!("../../../events/trigger-manual.json"))).unwrap();
        let [Wish::Build(input)] = manual.as_slice() else { panic!("{manual:?}") };
        assert_eq!(input.output.as_deref(), Some("s3://indexes/"));
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let error = |payload: Value| wishes(&payload).unwrap_err().message;
        assert!(error(json!({})).starts_with("payload: neither an event of S3 or EventBridge nor an input"));
        assert!(error(json!(7)).starts_with("payload: neither"));
        assert!(error(json!({"manifest": 7})).starts_with("payload: invalid type: integer `7`"));
        assert!(
            error(json!({"manifest": "m", "optoins": {}})).starts_with("payload: unknown field `optoins`")
        );
        assert!(
            error(json!({"manifest": "m", "version": 2})).contains("version 2, but this program knows 1")
        );
        assert!(error(json!({"Records": 7})).starts_with("payload: invalid type"));
        let event = json!({"detail-type": "Object Created", "source": "aws.s3", "detail": {}});
        assert!(error(event).starts_with("payload: missing field `bucket`"));
    }
}
