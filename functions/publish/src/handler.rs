use s3inv_lambda_kit::{Context, StepError};
use s3inv_pipeline::fleet;
use serde_json::{Value, json};

/// Answers where the index is.
pub fn handle(payload: &Value, context: &Context<()>) -> Result<Value, StepError> {
    let request = fleet::parse(payload)?;
    Ok(json!(fleet::publish(&context.invocation, &request)?))
}
