//! The same build across functions: each step is a call with a small payload, all data is in S3.
//!
//! A step reads what steps before it committed, writes its own data under names that no other attempt
//! has, looks for the tombstone, and commits with one conditional write. So whatever is retried, run
//! twice or cut off, each part of the work counts once, or not at all.

mod cleanup;
mod delivery;
mod document;
mod error;
mod ingest;
mod invocation;
mod joined;
mod latest;
mod merge;
mod options;
mod pause;
mod payload;
mod plan;
mod plan_merge;
mod publish;
mod record;
mod remote;
mod scratch;
mod task;
#[cfg(test)]
mod tests;
mod work;

pub use cleanup::{cleanup, end, leftovers};
pub use delivery::{Delivery, is_snapshot};
pub use error::{ErrorType, StepError};
pub use ingest::ingest;
pub use invocation::{Buckets, Invocation, S3Buckets};
pub use latest::{LATEST, Latest};
pub use merge::merge;
pub use options::{Input, Options, Place, Request};
pub use pause::{Pause, Saving};
pub use payload::{
    Checkpoint, CleanupAnswer, CleanupRequest, Execution, Failed, PlanRequest, Planned, PublishAnswer,
    PublishRequest, Published, Stage, TaskRequest, Version, parse,
};
pub use plan::{Defaults, plan};
pub use publish::publish;
