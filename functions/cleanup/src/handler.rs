use s3inv_lambda_kit::{Context, Environment, SettingError, StateMachine, Status, StepError};
use s3inv_pipeline::fleet::{self, Execution};
use serde_json::{Value, json};

use crate::look::{Looked, Swept};

/// The state machine whose executions it cleans up after.
pub struct Settings {
    state_machine: String,
}

/// Reads them.
pub fn settings(environment: &Environment) -> Result<Settings, SettingError> {
    let state_machine = environment.required("S3INV_STATE_MACHINE_ARN", |text| Ok(text.to_owned()))?;
    Ok(Settings { state_machine })
}

/// Answers what the state machines ask, and the schedule.
pub fn handle(payload: &Value, context: &Context<Settings>) -> Result<Value, StepError> {
    if payload["detail-type"] == "Scheduled Event" {
        return look_around(context);
    }
    let request = fleet::parse(payload)?;
    Ok(json!(fleet::cleanup(&context.invocation, &request)?))
}

/// Sweeps after executions that have ended and left something: their event was lost, or their sweep failed.
fn look_around(context: &Context<Settings>) -> Result<Value, StepError> {
    let machine = StateMachine::new(&context.sdk_config, &context.settings.state_machine);
    let mut looked = Looked::default();
    let all = fleet::leftovers(&context.invocation, |execution| {
        let swept = sweep(context, &machine, &execution);
        looked.at(execution, swept);
    })?;
    looked.answer(all)
}

fn sweep(
    context: &Context<Settings>,
    machine: &StateMachine<'_>,
    execution: &Execution,
) -> Result<Swept, StepError> {
    let status = context.wait(machine.status(execution.as_str()))?;
    // One that nobody knows may be another deployment's, in the same place.
    let over = matches!(status, Status::Succeeded | Status::Failed);
    if !over {
        return Ok(Swept::NotAtAll);
    }
    let more = fleet::end(&context.invocation, execution)?;
    Ok(if more.is_some() { Swept::Part } else { Swept::Whole })
}
