use s3inv_pipeline::fleet::{Defaults, Place};

use crate::environment::{Environment, SettingError};

/// What a deployment says where an input says nothing: `S3INV_OUTPUT`, and `S3INV_OPTIONS` if it is set.
pub fn defaults(environment: &Environment) -> Result<Defaults, SettingError> {
    let options = environment
        .optional("S3INV_OPTIONS", |text| serde_json::from_str(text).map_err(|error| error.to_string()))?;
    let output = environment.required("S3INV_OUTPUT", |text| {
        Place::parse(text).map(|place| place.to_string()).map_err(|error| error.to_string())
    })?;
    Ok(Defaults { output: Some(output), options: options.unwrap_or_default() })
}
