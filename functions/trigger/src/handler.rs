use s3inv_lambda_kit::{Context, Environment, SettingError, StateMachine, StepError, defaults};
use s3inv_pipeline::fleet::{Defaults, Delivery, Input, Place, Request};
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
    Ok(Settings {
        defaults: defaults(environment)?,
        state_machine: environment.required("S3INV_STATE_MACHINE_ARN", |text| Ok(text.to_owned()))?,
        inventories: environment.optional("S3INV_INVENTORIES", place)?,
    })
}

/// Answers what has become of each wish. What can't be done for one of them is told when the others are
/// done.
pub fn handle(payload: &Value, context: &Context<Settings>) -> Result<Value, StepError> {
    let wishes = wishes(payload)?;
    let starter = Starter {
        machine: StateMachine::new(&context.sdk_config, &context.settings.state_machine),
        buckets: &*context.invocation.buckets,
    };
    let (mut outcomes, mut failed) = (Vec::new(), None);
    for wish in wishes {
        for done in context.wait(async { Ok(fulfil(wish, context, &starter).await) })? {
            match done {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => failed = failed.or(Some(error)),
            }
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
) -> Vec<Result<Outcome, StepError>> {
    match wish {
        Wish::Nothing(what) => vec![Ok(Outcome::Ignored { reason: what })],
        Wish::Delivered(delivery) => vec![build(context, starter, &of(&delivery), Insist::No).await],
        Wish::Build(input) => vec![build(context, starter, &input, Insist::Yes).await],
        Wish::Look => look_around(context, starter).await.unwrap_or_else(|error| vec![Err(error)]),
    }
}

/// Starts what is newest and not there yet. A configuration that can't be built keeps no other waiting.
async fn look_around(
    context: &Context<Settings>,
    starter: &Starter<'_>,
) -> Result<Vec<Result<Outcome, StepError>>, StepError> {
    let Some(place) = &context.settings.inventories else {
        return Err(StepError::bad_input("environment variable S3INV_INVENTORIES is not set"));
    };
    let mut outcomes = Vec::new();
    for delivery in look::newest(starter.buckets, place).await? {
        outcomes.push(build(context, starter, &of(&delivery), Insist::Yes).await);
    }
    if outcomes.is_empty() {
        let reason = format!("no complete delivery below {place}");
        outcomes.push(Ok(Outcome::Ignored { reason }));
    }
    Ok(outcomes)
}

fn of(delivery: &Delivery) -> Input {
    Input { manifest: delivery.manifest(), ..Input::default() }
}

async fn build(
    context: &Context<Settings>,
    starter: &Starter<'_>,
    input: &Input,
    insist: Insist,
) -> Result<Outcome, StepError> {
    starter.start(&request(context, input)?, insist).await
}

fn request(context: &Context<Settings>, input: &Input) -> Result<Request, StepError> {
    let Defaults { output, options } = &context.settings.defaults;
    Request::new(input, output.as_deref(), options, &context.invocation.scratch)
}
