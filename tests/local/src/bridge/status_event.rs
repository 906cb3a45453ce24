use std::time::Duration;

use serde_json::{Value, json};

use crate::names::{ACCOUNT, REGION};
use crate::{ids, time};

/// The most of input and output that an event carries, bytes.
const LARGEST: usize = 248 << 10;

/// "Step Functions Execution Status Change", from what `DescribeExecution` answers.
pub(super) fn event(execution: &Value, status: &str) -> Value {
    let ended = status != "RUNNING";
    let output = if ended { &execution["output"] } else { &Value::Null };
    let included = |text: &Value, size: usize| match text.as_str() {
        Some(_) if size <= LARGEST => (text.clone(), json!({ "included": true })),
        Some(_) => (Value::Null, json!({ "included": false })),
        None => (Value::Null, Value::Null),
    };
    let size = |text: &Value| text.as_str().map_or(0, str::len);
    let (input, input_details) = included(&execution["input"], size(&execution["input"]) + size(output));
    let (output, output_details) = included(output, size(output));
    let (redrive, reason) = redrive(status);
    json!({
        "version": "0",
        "id": ids::unique(),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": ACCOUNT,
        "time": time::in_seconds(time::epoch()),
        "region": REGION,
        "resources": [execution["executionArn"]],
        "detail": {
            "executionArn": execution["executionArn"],
            "stateMachineArn": execution["stateMachineArn"],
            "stateMachineVersionArn": null,
            "stateMachineAliasArn": null,
            "name": execution["name"],
            "status": status,
            "startDate": milliseconds(&execution["startDate"]),
            "stopDate": if ended { stopped(execution) } else { Value::Null },
            "input": input,
            "inputDetails": input_details,
            "output": output,
            "outputDetails": output_details,
            "error": if ended { &execution["error"] } else { &Value::Null },
            "cause": if ended { &execution["cause"] } else { &Value::Null },
            "redriveCount": 0,
            "redriveDate": null,
            "redriveStatus": redrive,
            "redriveStatusReason": reason,
        },
    })
}

fn redrive(status: &str) -> (&'static str, Value) {
    match status {
        "RUNNING" => ("NOT_REDRIVABLE", "Execution is RUNNING and cannot be redriven".into()),
        "SUCCEEDED" => ("NOT_REDRIVABLE", "Execution is SUCCEEDED and cannot be redriven".into()),
        _ => ("REDRIVABLE", Value::Null),
    }
}

/// From seconds with a fraction.
fn milliseconds(seconds: &Value) -> Value {
    let time = seconds.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.map_or(Value::Null, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into())
}

/// moto keeps no end of an execution that timed out: then it is now.
fn stopped(execution: &Value) -> Value {
    match milliseconds(&execution["stopDate"]) {
        Value::Null => u64::try_from(time::epoch().as_millis()).unwrap_or(u64::MAX).into(),
        stopped => stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_input_is_left_out() {
        let execution = |size: usize| json!({ "executionArn": "arn", "name": "n", "startDate": 1.25, "stopDate": 2.0, "input": "x".repeat(size) });
        let small = event(&execution(10), "ABORTED");
        assert_eq!(small["detail"]["input"], "xxxxxxxxxx");
        assert_eq!(small["detail"]["startDate"], 1250);
        assert_eq!(small["detail"]["stopDate"], 2000);
        assert_eq!(small["detail"]["outputDetails"], Value::Null);
        let large = event(&execution(LARGEST + 1), "FAILED");
        assert_eq!(large["detail"]["input"], Value::Null);
        assert_eq!(large["detail"]["inputDetails"], json!({ "included": false }));
    }
}
