//! Log lines of a function: JSON on stdout, each with what the invocation is about.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::environment::Environment;

/// One invocation at a time: Lambda never has a process work on two.
static ABOUT: Mutex<BTreeMap<String, Value>> = Mutex::new(BTreeMap::new());

/// Starts logging, at the level that the function is configured with.
pub(crate) fn start(environment: &Environment) {
    let level = environment.optional("AWS_LAMBDA_LOG_LEVEL", |text| {
        text.to_ascii_lowercase().parse::<tracing::Level>().map_err(|error| error.to_string())
    });
    let told = level.as_ref().ok().copied().flatten();
    s3inv_logs::start(told.unwrap_or(tracing::Level::INFO), |mut entry| {
        entry.fields.extend(ABOUT.lock().unwrap_or_else(PoisonError::into_inner).clone());
        // Nobody could be told.
        let _ = writeln!(std::io::stdout(), "{}", entry.json());
    });
    if let Err(error) = level {
        tracing::warn!("{error}: logging from info on");
    }
}

/// Says what lines are about from now on: the execution and the task, where a payload has them.
pub(crate) fn about(request_id: &str, payload: &Value) {
    let mut about = BTreeMap::new();
    about.insert("requestId".to_owned(), request_id.into());
    for name in ["execution", "step", "stage", "task"] {
        if let Some(value @ (Value::String(_) | Value::Number(_))) = payload.get(name) {
            about.insert(name.to_owned(), value.clone());
        }
    }
    *ABOUT.lock().unwrap_or_else(PoisonError::into_inner) = about;
}
