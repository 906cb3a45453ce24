//! The state machines, told again: `infra/build.asl.json`, `infra/sweep.asl.json`, and the schedule.

use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use futures::{FutureExt as _, select_biased};
use serde_json::{Value, json};

use super::world::{Failure, World};
use crate::fleet::tests::cloud::EXECUTION;

/// A function runs so long at most, and a bit.
const LONGEST_RUN: Duration = Duration::from_mins(16);

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Succeeded,
    /// With the error's name and message.
    Failed(Failure),
    Aborted,
}

/// An execution, and what its end sets off.
pub(super) async fn execution(world: &World, input: &Value) -> Outcome {
    let outcome = select_biased! {
        () = world.stopped().fuse() => Outcome::Aborted,
        outcome = run(world, input).fuse() => outcome,
    };
    sweep(world).await;
    world.sleep(LONGEST_RUN).await;
    sweep(world).await;
    outcome
}

async fn run(world: &World, input: &Value) -> Outcome {
    match build(world, input).await {
        Ok(()) => match again_and_again(world, "cleanup", &step("finish")).await {
            Ok(_) => Outcome::Succeeded,
            Err(failure) => Outcome::Failed(failure),
        },
        Err(failure) => {
            let mut request = step("fail");
            request["error"] = json!({ "Error": failure.error, "Cause": failure.cause });
            let _ = again_and_again(world, "cleanup", &request).await;
            Outcome::Failed(failure)
        }
    }
}

async fn build(world: &World, input: &Value) -> Result<(), Failure> {
    let mut request = step("plan");
    request["input"] = input.clone();
    let mut planned = tried(world, "plan", &request).await?;
    let mut function = "ingest";
    loop {
        map(world, function, &planned).await?;
        if planned["last"] == true {
            break;
        }
        let mut request = step("plan_merge");
        request["stage"] = planned["stage"].clone();
        planned = tried(world, "plan", &request).await?;
        function = "merge";
    }
    let request = json!({ "version": 1, "execution": EXECUTION, "stage": planned["stage"] });
    again_and_again(world, "publish", &request).await.map(drop)
}

async fn map(world: &World, function: &str, planned: &Value) -> Result<(), Failure> {
    let items = world.document(planned["items"].as_str().unwrap());
    let items: Vec<Value> = serde_json::from_slice(&items).unwrap();
    let tasks = stream::iter(items).map(|item| async move {
        let done = again_and_again(world, function, &item).await;
        if let Err(failure) = &done {
            let mut request = step("report");
            request["error"] = json!({ "Error": failure.error, "Cause": failure.cause });
            let _ = tried(world, "cleanup", &request).await;
        }
        done.map(drop)
    });
    tasks.buffer_unordered(3).try_collect().await
}

async fn sweep(world: &World) {
    // Who can't sweep now leaves it to the schedule.
    let _ = again_and_again(world, "cleanup", &step("sweep")).await;
}

/// The schedule: once more, and until nothing is left.
pub(super) async fn janitor(world: &World) {
    while again_and_again(world, "janitor", &Value::Null).await != Ok(json!(0)) {}
}

fn step(name: &str) -> Value {
    json!({ "version": 1, "step": name, "execution": EXECUTION })
}

/// Calls a function until it leaves nothing to another call.
async fn again_and_again(world: &World, function: &str, request: &Value) -> Result<Value, Failure> {
    loop {
        let answer = tried(world, function, request).await?;
        if answer.get("checkpoint").is_none() {
            return Ok(answer);
        }
    }
}

/// Calls a function, as its Retry says: attempts, and the first pause in seconds.
async fn tried(world: &World, function: &str, request: &Value) -> Result<Value, Failure> {
    let (mut failed, mut killed, mut throttled) = ((0, 8, 2), (0, 2, 5), (0, 600, 5));
    loop {
        let failure = match world.call(function, request).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let (tries, most, first) = match failure.error.as_str() {
            "Retryable" => &mut failed,
            "Lambda.TooManyRequestsException" => &mut throttled,
            "Sandbox.Timedout" | "Runtime.ExitError" | "Lambda.Unknown" | "CheckpointNeeded" => &mut killed,
            _ => return Err(failure),
        };
        if *tries == *most {
            return Err(failure);
        }
        let longest = Duration::from_secs((*first << (*tries).min(5)).min(60));
        *tries += 1;
        world.sleep(world.at_most(longest)).await;
    }
}
