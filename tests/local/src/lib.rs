//! The part of AWS that the serverless build needs, on one machine and without Docker.
//!
//! - The *front* is the endpoint that everything talks to. It answers Lambda's `Invoke` itself, and
//!   passes the rest on to moto, which has S3 and a real interpreter of the state machine. The
//!   interpreter's own calls come back to the front.
//! - The *host* runs real bootstraps as processes that speak the Lambda Runtime API: one invocation
//!   a process at a time, reused while warm, killed at their timeout and above their memory.
//! - *Faults* are had on demand, of an invocation or of a request to storage.
//! - The *bridge* hands functions and state machines the events that S3 and `EventBridge` would send.
//!
//! It is not AWS: there are no permissions, no signatures are checked, and an idle process is not
//! frozen.

mod asynchronous;
mod aws;
mod bridge;
mod caller;
mod client;
mod config;
mod counters;
mod ended;
mod error;
mod fault;
mod front;
mod functions;
mod guard;
mod host;
mod http;
mod ids;
mod invoke_api;
mod log_file;
mod memory;
mod moto;
mod names;
mod process;
mod runtime_api;
mod s3;
mod sandbox;
pub mod serve;
mod states;
mod storage;
mod storage_request;
mod time;
mod waiting;
mod xml;

pub use asynchronous::DeadLetter;
pub use aws::LocalAws;
pub use bridge::{InputTransformer, Rule, Shape, Source, Target};
pub use config::{Config, Function};
pub use counters::Counters;
pub use ended::Invoked;
pub use error::Error;
pub use fault::Fault;
pub use names::{ACCOUNT, REGION, function_arn, state_machine_arn};
pub use s3::Upload;
pub use states::execution_arn;
pub use storage::{StorageCounts, StorageFault};
pub use storage_request::StorageRequest;
