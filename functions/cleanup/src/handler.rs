use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use s3inv_lambda_kit::{Context, Environment, SettingError, StateMachine, Status, StepError};
use s3inv_pipeline::fleet::{self, Execution};
use serde::Deserialize;
use serde_json::{Value, json};

/// The state machine whose executions it cleans up after.
pub struct Settings {
    state_machine: String,
}

/// Reads them.
pub fn settings(environment: &Environment) -> Result<Settings, SettingError> {
    let state_machine = environment.required("S3INV_STATE_MACHINE_ARN", |text| Ok(text.to_owned()))?;
    Ok(Settings { state_machine })
}

/// Answers what the state machine asks, and events about executions that have ended.
pub fn handle(payload: &Value, context: &Context<Settings>) -> Result<Value, StepError> {
    if payload.get("detail-type").is_none() {
        let request = fleet::parse(payload)?;
        return Ok(json!(fleet::cleanup(&context.invocation, &request)?));
    }
    if payload["detail-type"] == "Scheduled Event" {
        return look_around(context);
    }
    let Some(execution) = ended(payload, &context.settings.state_machine)? else {
        tracing::info!("not an execution that has ended: nothing to do");
        return Ok(Value::Null);
    };
    fleet::end(&context.invocation, &execution)?;
    Ok(json!({ "ended": [execution] }))
}

/// Sweeps after executions that have ended and left something: their event was lost, or a function was
/// killed between writing and looking. What can't be swept now keeps no other waiting.
fn look_around(context: &Context<Settings>) -> Result<Value, StepError> {
    let machine = StateMachine::new(&context.sdk_config, &context.settings.state_machine);
    let (mut swept, mut failed) = (Vec::new(), None);
    for execution in fleet::leftovers(&context.invocation)? {
        let done = context.wait(machine.status(execution.as_str())).and_then(|status| {
            // One that nobody knows may be another deployment's, in the same place.
            let over = matches!(status, Status::Succeeded | Status::Failed);
            if over { fleet::end(&context.invocation, &execution).map(|_| true) } else { Ok(false) }
        });
        match done {
            Ok(true) => swept.push(execution),
            Ok(false) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    tracing::info!(executions = swept.len(), "looked for what executions have left");
    failed.map_or_else(|| Ok(json!({ "ended": swept })), Err)
}

/// An execution of the state machine that has ended otherwise than it should.
fn ended(payload: &Value, state_machine: &str) -> Result<Option<Execution>, StepError> {
    let event: EventBridgeEvent<Change> = fleet::parse(payload)?;
    let Change { state_machine_arn, name, status } = event.detail;
    // Children of a Map are executions, too, of a state machine whose ARN goes on after this one's.
    let ours = event.source == "aws.states" && state_machine_arn == state_machine;
    if !ours || !matches!(status.as_str(), "ABORTED" | "TIMED_OUT" | "FAILED") {
        return Ok(None);
    }
    let execution = Execution::new(&name);
    execution
        .map(Some)
        .ok_or_else(|| StepError::bad_input(format!("payload: {name:?} is no name of an execution")))
}

/// What is needed of an event about an execution. Its input may be missing where it is large.
#[derive(Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    state_machine_arn: String,
    name: String,
    status: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:s3inv-build";

    fn event() -> Value {
        serde_json::from_str(include_str!("../../../events/cleanup-aborted.json")).unwrap()
    }

    fn ended_by(change: impl FnOnce(&mut Value)) -> Option<String> {
        let mut event = event();
        change(&mut event);
        ended(&event, ARN).unwrap().map(|execution| execution.as_str().to_owned())
    }

    #[test]
    fn an_aborted_execution_has_ended() {
        let name = event()["detail"]["name"].as_str().unwrap().to_owned();
        assert_eq!(ended_by(|_| {}), Some(name.clone()));
        for status in ["FAILED", "TIMED_OUT"] {
            assert_eq!(ended_by(|event| event["detail"]["status"] = status.into()), Some(name.clone()));
        }
        assert_eq!(ended_by(|event| event["detail"]["input"] = Value::Null), Some(name));
    }

    #[test]
    fn other_events_are_not_for_it() {
        assert_eq!(ended_by(|event| event["detail"]["status"] = "SUCCEEDED".into()), None);
        assert_eq!(ended_by(|event| event["detail"]["status"] = "RUNNING".into()), None);
        assert_eq!(ended_by(|event| event["source"] = "aws.s3".into()), None);
        let child = format!("{ARN}/Ingest");
        assert_eq!(ended_by(|event| event["detail"]["stateMachineArn"] = child.into()), None);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let mut event = event();
        event["detail"]["name"] = "../other".into();
        let error = ended(&event, ARN).unwrap_err();
        assert_eq!(error.message, "payload: \"../other\" is no name of an execution");
    }
}
