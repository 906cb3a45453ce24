use s3inv_lambda_kit::{Context, StepError};
use s3inv_pipeline::fleet;
use serde_json::{Value, json};

/// Answers null when the task is done, or where it stands: then it is to be called again.
pub fn handle(payload: &Value, context: &Context<()>) -> Result<Value, StepError> {
    let request = fleet::parse(payload)?;
    Ok(json!(fleet::merge(&context.invocation, &request)?))
}
