//! The execution that the delivery has started, from its beginning to its end.

use std::time::Duration;

use serde_json::{Value, json};

use super::step::{Step, steps};
use super::view::{Row, View};
use crate::bench::Stopwatch;
use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::local::{Client, Server, build_arn, look_again, until};

/// What an event takes to arrive, and the function that it goes to.
const START: Duration = Duration::from_secs(30);

/// Shows it while it goes on. One that fails is an error.
pub(super) fn watch(server: &Server) -> Result<(), Failure> {
    let see_logs = format!("see {}", server.state.logs.display());
    let execution = until(START, || started(&server.client, &build_arn()))?;
    let none = || Failure::new(format_args!("no execution within {START:?}"), &see_logs);
    let execution = Execution { client: &server.client, arn: execution.ok_or_else(none)? };
    let ended = execution.follow(&mut View::new())?;
    let text = |name: &str| ended[name].as_str().unwrap_or_default();
    if text("status") != "SUCCEEDED" {
        let what = format!("{} {} {} {}", execution.arn, text("status"), text("error"), text("cause"));
        return Err(Failure::new(what, see_logs));
    }
    let seconds = ended["stopDate"].as_f64().unwrap_or_default() - began(&ended);
    println!("\n{}\nhas succeeded in {seconds:.2} s: {}", execution.arn, text("output"));
    Ok(())
}

/// The ARN of the first execution, when there is one.
fn started(client: &Client, machine: &str) -> Result<Option<String>, Failure> {
    let listed = client.states("ListExecutions", &json!({ "stateMachineArn": machine }))?;
    Ok(listed["executions"][0]["executionArn"].as_str().map(str::to_owned))
}

fn began(described: &Value) -> f64 {
    described["startDate"].as_f64().unwrap_or_default()
}

struct Execution<'a> {
    client: &'a Client,
    arn: String,
}

impl Execution<'_> {
    /// What is said of it when it has ended.
    fn follow(&self, view: &mut View<std::io::Stdout>) -> Result<Value, Failure> {
        let watch = Stopwatch::start();
        loop {
            // Before its history, which is complete then.
            let described = self.client.states("DescribeExecution", &json!({ "executionArn": self.arn }))?;
            let now = began(&described) + watch.seconds();
            view.show(&self.rows(now)?).advise("standard output", CHECK_DISK)?;
            if described["status"] != "RUNNING" {
                return Ok(described);
            }
            look_again();
        }
    }

    fn rows(&self, now: f64) -> Result<Vec<Row>, Failure> {
        let asked = json!({ "executionArn": self.arn, "maxResults": 1000 });
        let history = self.client.states("GetExecutionHistory", &asked)?;
        let events = history["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        steps(events).iter().map(|step| self.row(step, now)).collect()
    }

    fn row(&self, step: &Step, now: f64) -> Result<Row, Failure> {
        let items = step.map_run.as_ref().map(|run| self.items(run)).transpose()?;
        // Until it has read them, it has none.
        let items = items.filter(|&(_, total)| total > 0);
        let seconds = (step.ended.unwrap_or(now) - step.began).max(0.0);
        Ok(Row { name: step.name.clone(), items, seconds, has_ended: step.ended.is_some() })
    }

    fn items(&self, map_run: &str) -> Result<(u64, u64), Failure> {
        let described = self.client.states("DescribeMapRun", &json!({ "mapRunArn": map_run }))?;
        let count = |name: &str| described["itemCounts"][name].as_u64().unwrap_or_default();
        Ok((count("succeeded"), count("total")))
    }
}
