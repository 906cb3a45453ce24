use s3inv_pipeline::fleet::{Defaults, Options, Place};

use crate::environment::{Environment, SettingError};

/// What a deployment says where an input says nothing: `S3INV_OUTPUT`, and `S3INV_OPTIONS` if it is set.
pub fn defaults(environment: &Environment) -> Result<Defaults, SettingError> {
    let options = environment.optional("S3INV_OPTIONS", options)?;
    let output = environment.required("S3INV_OUTPUT", |text| {
        Place::parse(text).map(|place| place.to_string()).map_err(|error| error.to_string())
    })?;
    Ok(Defaults { output: Some(output), options: options.unwrap_or_default() })
}

fn options(text: &str) -> Result<Options, String> {
    let options: Options = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // Every event and every look of the schedule would build again what is there.
    if options.replace.is_some() {
        return Err("`replace` is for the input of one build, not for all".to_owned());
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(options: &str) -> Result<Defaults, String> {
        let variables = [("S3INV_OUTPUT", "s3://indexes"), ("S3INV_OPTIONS", options)];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        defaults(&variables.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_built_again_is_said_for_one_build() {
        assert_eq!(said("").unwrap().options, Options::default());
        assert_eq!(said("{\"max_depth\": 3}").unwrap().options.max_depth, Some(3));
        for replace in ["true", "false"] {
            assert_eq!(
                said(&format!("{{\"replace\": {replace}}}")).unwrap_err(),
                "environment variable S3INV_OPTIONS: `replace` is for the input of one build, not for all"
            );
        }
    }
}
