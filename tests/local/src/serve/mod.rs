//! A local AWS that runs until it is told to end: what `local-aws serve` does.

mod file;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::aws::LocalAws;
use crate::error::{Context as _, Error};
use crate::names::{function_arn, state_machine_arn};
use crate::time::pause;
pub use file::{Plan, PlannedFunction, PlannedMachine};

/// How often it looks whether its state file is still there.
const LOOK: Duration = Duration::from_millis(200);

/// Starts what the file `config` says (see [`Plan`]), writes `state` when all of it is ready, and
/// runs until SIGTERM, SIGINT, or `state` is removed. `state` is gone when it has ended.
///
/// `state` is a JSON object: `pid`, `endpoint`, `environment` (the variables for AWS's command line
/// and SDKs), `state_machines` and `functions` (their ARNs by name), and `logs`.
pub fn serve(config: &Path, state: &Path) -> Result<(), Error> {
    let plan = Plan::read(config)?;
    let aws = start(&plan)?;
    // Made before the file: who reads it may send a signal at once.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("start the runtime")?;
    let mut signals = {
        let _entered = runtime.enter();
        let listen = |kind| signal(kind).context("listen to signals");
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?)
    };
    write_state(state, &aws, &plan)?;
    runtime.block_on(async {
        tokio::select! {
            _ = signals.0.recv() => {}
            _ = signals.1.recv() => {}
            () = removed(state) => {}
        }
    });
    drop(aws);
    // Removed already, perhaps.
    let _ = std::fs::remove_file(state);
    Ok(())
}

fn start(plan: &Plan) -> Result<LocalAws, Error> {
    let aws = LocalAws::start(plan.config())?;
    for bucket in &plan.buckets {
        aws.create_bucket(bucket)?;
    }
    for machine in &plan.state_machines {
        let path = machine.definition.display().to_string();
        let definition = std::fs::read_to_string(&machine.definition).context(path)?;
        let substitutions: Vec<_> =
            machine.substitutions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        aws.deploy_state_machine(&machine.name, &definition, &substitutions)?;
    }
    Ok(aws)
}

/// All of it, or nothing: a reader never sees a part.
fn write_state(state: &Path, aws: &LocalAws, plan: &Plan) -> Result<(), Error> {
    let machines: BTreeMap<_, _> =
        plan.state_machines.iter().map(|machine| (&machine.name, state_machine_arn(&machine.name))).collect();
    let functions: BTreeMap<_, _> =
        plan.functions.iter().map(|function| (&function.name, function_arn(&function.name))).collect();
    let environment: BTreeMap<_, _> = aws.environment().into_iter().collect();
    let content = json!({
        "pid": std::process::id(),
        "endpoint": aws.endpoint(),
        "environment": environment,
        "state_machines": machines,
        "functions": functions,
        "logs": plan.logs,
    });
    let partial = state.with_extension("partial");
    std::fs::write(&partial, format!("{content:#}\n")).context(partial.display().to_string())?;
    std::fs::rename(&partial, state).context(state.display().to_string())
}

async fn removed(state: &Path) {
    while state.exists() {
        pause(LOOK).await;
    }
}
