use s3inv_lambda_kit::{Context, StepError};
use s3inv_pipeline::fleet::{self, Defaults};
use serde_json::{Value, json};

/// Answers where the tasks of the next stage are.
pub fn handle(payload: &Value, context: &Context<Defaults>) -> Result<Value, StepError> {
    let request = fleet::parse(payload)?;
    Ok(json!(fleet::plan(&context.invocation, &request, &context.settings)?))
}
