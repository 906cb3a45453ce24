use aws_sdk_sfn::Client;
use s3inv_lambda_kit::{Context, Environment, SettingError, StepError};
use s3inv_pipeline::fleet::{Defaults, Input, Place, Request};
use serde_json::{Value, json};

use crate::event::{Wish, wishes};
use crate::look;
use crate::start::{Insist, Outcome, Starter};

/// What it starts, and with which defaults.
pub struct Settings {
    state_machine: String,
    defaults: Defaults,
    inventories: Option<Place>,
}

/// Reads them.
pub fn settings(environment: &Environment) -> Result<Settings, SettingError> {
    let place = |text: &str| Place::parse(text).map_err(|error| error.to_string());
    let output = environment.required("S3INV_OUTPUT", |text| place(text).map(|_| text.to_owned()))?;
    let options = environment
        .optional("S3INV_OPTIONS", |text| serde_json::from_str(text).map_err(|error| error.to_string()))?;
    Ok(Settings {
        state_machine: environment.required("S3INV_STATE_MACHINE_ARN", |text| Ok(text.to_owned()))?,
        defaults: Defaults { output: Some(output), options: options.unwrap_or_default() },
        inventories: environment.optional("S3INV_INVENTORIES", place)?,
    })
}

/// Answers what has become of each wish. What can't be done for one of them is told when the others are
/// done.
pub fn handle(payload: &Value, context: &Context<Settings>) -> Result<Value, StepError> {
    let wishes = wishes(payload)?;
    let starter = Starter {
        client: Client::new(&context.sdk_config),
        buckets: &*context.invocation.buckets,
        state_machine: &context.settings.state_machine,
    };
    let (mut outcomes, mut failed) = (Vec::new(), None);
    for wish in wishes {
        match context.wait(fulfil(wish, context, &starter)) {
            Ok(done) => outcomes.extend(done),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    for outcome in &outcomes {
        tracing::info!(outcome = %json!(outcome), "trigger");
    }
    failed.map_or_else(|| Ok(json!(outcomes)), Err)
}

async fn fulfil(
    wish: Wish,
    context: &Context<Settings>,
    starter: &Starter<'_>,
) -> Result<Vec<Outcome>, StepError> {
    let of_delivery = |manifest| request(context, &Input { manifest, ..Input::default() });
    Ok(match wish {
        Wish::Nothing(what) => vec![Outcome::Ignored { reason: what }],
        Wish::Delivered(delivery) => {
            vec![starter.start(&of_delivery(delivery.manifest())?, Insist::No).await?]
        }
        Wish::Build(input) => vec![starter.start(&request(context, &input)?, Insist::Yes).await?],
        Wish::Look => {
            let Some(place) = &context.settings.inventories else {
                return Err(StepError::bad_input("environment variable S3INV_INVENTORIES is not set"));
            };
            let mut outcomes = Vec::new();
            for delivery in look::newest(starter.buckets, place).await? {
                outcomes.push(starter.start(&of_delivery(delivery.manifest())?, Insist::Yes).await?);
            }
            if outcomes.is_empty() {
                let reason = format!("no complete delivery below s3://{}/{}", place.bucket, place.key);
                outcomes.push(Outcome::Ignored { reason });
            }
            outcomes
        }
    })
}

fn request(context: &Context<Settings>, input: &Input) -> Result<Request, StepError> {
    let Defaults { output, options } = &context.settings.defaults;
    Request::new(input, output.as_deref(), options, &context.invocation.scratch)
}
