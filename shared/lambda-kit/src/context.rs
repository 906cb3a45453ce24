use std::sync::Arc;

use s3inv_cancel::Cancellation;
use s3inv_pipeline::fleet::{Invocation, Pause, Place, S3Buckets, Saving, StepError};
use s3inv_pipeline::{MIN_MEMORY, SdkConfig};
use tokio::runtime::Handle;

use crate::deadline;
use crate::environment::{Environment, SettingError};

/// What the process needs besides the budget for its work: program, threads, connections.
const BESIDE: usize = 64 << 20;

/// What an invocation of a function has to work with.
pub struct Context<S> {
    /// The function's own settings.
    pub settings: Arc<S>,
    /// What the steps of the pipeline need.
    pub invocation: Invocation,
    /// How AWS is reached.
    pub sdk_config: SdkConfig,
}

/// What all functions are told by their environment.
#[derive(Clone)]
pub(crate) struct Common {
    scratch: Place,
    memory: usize,
    /// What earlier invocations of this process have measured serves later ones.
    saving: Arc<Saving>,
}

impl Common {
    pub(crate) fn new(environment: &Environment) -> Result<Self, SettingError> {
        let scratch = environment
            .required("S3INV_SCRATCH", |text| Place::parse(text).map_err(|error| error.to_string()))?;
        let memory = environment.required("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory)?;
        Ok(Self { scratch, memory, saving: Arc::new(Saving::new(memory + BESIDE)) })
    }
}

/// The budget, of a function's memory in MB.
fn memory(text: &str) -> Result<usize, String> {
    let whole = text.parse::<usize>().map_err(|_| format!("{text:?} is no number of MB"))?;
    let budget = (whole << 20).saturating_sub(BESIDE);
    if budget >= MIN_MEMORY {
        return Ok(budget);
    }
    Err(format!("{whole} MB are too little: give the function {} MB at least", (BESIDE + MIN_MEMORY) >> 20))
}

/// What Lambda says of an invocation.
pub(crate) struct Called {
    pub(crate) deadline_ms: u64,
    pub(crate) now_ms: u64,
    pub(crate) attempt: String,
}

impl<S> Context<S> {
    pub(crate) fn new(settings: Arc<S>, common: &Common, sdk_config: SdkConfig, called: Called) -> Self {
        let Called { deadline_ms, now_ms, attempt } = called;
        let left = deadline::left(deadline_ms, now_ms);
        let cancellation = Cancellation::never();
        let invocation = Invocation {
            runtime: Handle::current(),
            cancellation: deadline::end(&cancellation, left),
            pause: Pause::new(&cancellation, left, Arc::clone(&common.saving)),
            attempt,
            now_ms,
            memory: common.memory,
            buckets: Arc::new(S3Buckets::new(sdk_config.clone())),
            scratch: common.scratch.clone(),
        };
        Self { settings, invocation, sdk_config }
    }

    /// Drives requests to their end, unless the invocation has to end before.
    pub fn wait<T>(&self, request: impl Future<Output = Result<T, StepError>>) -> Result<T, StepError> {
        let Invocation { runtime, cancellation, .. } = &self.invocation;
        runtime.block_on(cancellation.guard(request)).unwrap_or_else(|_| {
            let text = "the invocation's time ended: give the function more time";
            Err(StepError::new(crate::ErrorType::CheckpointNeeded, text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_of_the_functions_memory() {
        assert_eq!(memory("2048"), Ok(1984 << 20));
        assert_eq!(memory("80"), Ok(16 << 20));
        assert_eq!(memory("79").unwrap_err(), "79 MB are too little: give the function 80 MB at least");
        assert_eq!(memory("2GB").unwrap_err(), "\"2GB\" is no number of MB");
    }
}
