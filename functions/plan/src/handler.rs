use s3inv_lambda_kit::{Context, Environment, SettingError, StepError};
use s3inv_pipeline::fleet::{self, Defaults};
use serde_json::{Value, json};

/// What the deployment says where an input says nothing.
pub fn settings(environment: &Environment) -> Result<Defaults, SettingError> {
    let output = environment.optional("S3INV_OUTPUT", |text| {
        fleet::Place::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
    })?;
    let options = environment
        .optional("S3INV_OPTIONS", |text| serde_json::from_str(text).map_err(|error| error.to_string()))?;
    Ok(Defaults { output, options: options.unwrap_or_default() })
}

/// Answers where the tasks of the next stage are.
pub fn handle(payload: &Value, context: &Context<Defaults>) -> Result<Value, StepError> {
    let request = fleet::parse(payload)?;
    Ok(json!(fleet::plan(&context.invocation, &request, &context.settings)?))
}
