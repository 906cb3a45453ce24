use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use s3inv_pipeline::fleet::{ErrorType, StepError};
use s3inv_store::SdkConfig;
use serde_json::Value;

use crate::context::{Called, Common, Context};
use crate::environment::{Environment, SettingError};
use crate::logs;

/// Requests wait side by side; the work itself blocks a thread of its own.
const IO_THREADS: usize = 2;

/// Answers invocations, one after the other, for as long as Lambda has any.
///
/// Settings are read once. What is wrong with them is logged at once, and is the answer to each
/// invocation: so it is seen where people look, in the history of the execution.
pub fn run<S: Send + Sync + 'static>(
    settings: fn(&Environment) -> Result<S, SettingError>,
    handle: fn(&Value, &Context<S>) -> Result<Value, StepError>,
) -> ExitCode {
    let environment = Environment::of_process();
    logs::start(&environment);
    let configured =
        Common::new(&environment).and_then(|common| Ok((Arc::new(settings(&environment)?), common)));
    if let Err(error) = &configured {
        tracing::error!("{error}");
    }
    let done = runtime().and_then(|runtime| runtime.block_on(serve(configured, handle)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("function ended: {error}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, lambda_runtime::Error> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(IO_THREADS).enable_all().build()?)
}

/// A function's settings, and those of all.
type Configured<S> = Result<(Arc<S>, Common), SettingError>;

async fn serve<S: Send + Sync + 'static>(
    configured: Configured<S>,
    handle: fn(&Value, &Context<S>) -> Result<Value, StepError>,
) -> Result<(), lambda_runtime::Error> {
    let sdk_config = s3inv_store::sdk_config().await;
    let answer = |event: LambdaEvent<Value>| {
        let configured = configured.clone();
        let sdk_config = sdk_config.clone();
        async move { answer(configured, sdk_config, handle, event).await.map_err(diagnostic) }
    };
    lambda_runtime::run(service_fn(answer)).await
}

async fn answer<S: Send + Sync + 'static>(
    configured: Configured<S>,
    sdk_config: SdkConfig,
    handle: fn(&Value, &Context<S>) -> Result<Value, StepError>,
    LambdaEvent { payload, context, .. }: LambdaEvent<Value>,
) -> Result<Value, StepError> {
    logs::about(&context.request_id, &payload);
    let (settings, common) = configured.map_err(|error| StepError::bad_input(error.to_string()))?;
    let called = Called { deadline_ms: context.deadline, now_ms: now_ms(), attempt: attempt()? };
    let context = Context::new(settings, &common, sdk_config, called);
    // The step blocks, and has threads of its own: when it returns, all of them have ended.
    let done = tokio::task::spawn_blocking(move || handle(&payload, &context)).await;
    let done =
        done.unwrap_or_else(|_| Err(StepError::new(ErrorType::Bug, "internal error: the step panicked")));
    done.inspect_err(tell)
}

/// Logs how an invocation ended that has no result.
fn tell(error: &StepError) {
    match error.error_type {
        ErrorType::Cancelled | ErrorType::ScratchGone => tracing::warn!("build cancelled by user"),
        ErrorType::DeadlineExceeded => tracing::warn!("build timed out"),
        _ => tracing::error!(error_type = error.error_type.name(), "{error}"),
    }
}

fn diagnostic(error: StepError) -> Diagnostic {
    Diagnostic { error_type: error.error_type.name().to_owned(), error_message: error.message }
}

#[expect(clippy::disallowed_methods, reason = "the one place where a function asks for the date")]
fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A name that no other attempt has: Lambda may run one request twice, under the same id.
fn attempt() -> Result<String, StepError> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)
        .map_err(|error| StepError::new(ErrorType::Retryable, format!("no random numbers: {error}")))?;
    Ok(bytes.iter().fold(String::new(), |mut name, byte| {
        // Writing to a string can't fail.
        let _ = write!(name, "{byte:02x}");
        name
    }))
}
