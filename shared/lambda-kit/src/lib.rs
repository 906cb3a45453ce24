//! What the functions share: settings from the environment, the deadline, logs, errors.
//!
//! A function is a crate whose `main.rs` only wires, and whose `handler.rs` is a plain function of
//! (payload, context):
//!
//! ```no_run
//! use s3inv_lambda_kit::{Context, Environment, SettingError, StepError, run};
//! use serde_json::{Value, json};
//!
//! struct Settings {
//!     greeting: String,
//! }
//!
//! fn settings(environment: &Environment) -> Result<Settings, SettingError> {
//!     Ok(Settings { greeting: environment.required("GREETING", |text| Ok(text.to_owned()))? })
//! }
//!
//! fn handle(payload: &Value, context: &Context<Settings>) -> Result<Value, StepError> {
//!     let name = payload["name"].as_str().ok_or_else(|| StepError::bad_input("payload: name is missing"))?;
//!     Ok(json!(format!("{}, {name}", context.settings.greeting)))
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     run(settings, handle)
//! }
//! ```
//!
//! It alone knows `lambda_runtime` and Step Functions; what steps do is the pipeline's. Functions keep nothing in `/tmp`.

mod context;
mod deadline;
mod defaults;
mod environment;
mod logs;
mod run;
mod state_machine;

pub use context::Context;
pub use defaults::defaults;
pub use environment::{Environment, SettingError, no_settings};
pub use run::run;
pub use s3inv_pipeline::fleet::{ErrorType, StepError};
pub use state_machine::{StateMachine, Status};
