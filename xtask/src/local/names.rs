//! What the local AWS has, and what it is called there.

/// Where inventories are delivered.
pub(crate) const INVENTORIES: &str = "s3inv-inventories";
/// Where an execution keeps what it has made so far.
pub(crate) const SCRATCH: &str = "s3inv-scratch";
/// Where indexes are published.
pub(crate) const INDEXES: &str = "s3inv-indexes";

/// The state machine that builds.
pub(super) const BUILD: &str = "s3inv-build";
/// The one that sweeps after each build.
pub(super) const SWEEP: &str = "s3inv-sweep";

/// The functions, by their programs' names.
pub(crate) const FUNCTIONS: [&str; 6] = ["plan", "ingest", "merge", "publish", "cleanup", "trigger"];

// Every local AWS has this Region and account: tests/local/src/names.rs.
const PLACE: &str = "us-east-1:123456789012";

pub(super) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{PLACE}:function:{name}")
}

/// The ARN of a state machine.
fn machine_arn(name: &str) -> String {
    format!("arn:aws:states:{PLACE}:stateMachine:{name}")
}

/// The state machine that builds.
pub(crate) fn build_arn() -> String {
    machine_arn(BUILD)
}

/// The one that sweeps.
pub(super) fn sweep_arn() -> String {
    machine_arn(SWEEP)
}
