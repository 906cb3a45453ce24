//! Step Functions, for tests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::LocalAws;
use crate::client;
use crate::error::Error;
use crate::names::{ACCOUNT, REGION, state_machine_arn};
use crate::waiting::until;

impl LocalAws {
    /// A call of Step Functions: `aws.states("StartExecution", json!({ … }))`.
    pub fn states(&self, action: &str, input: Value) -> Result<Value, Error> {
        let (port, action) = (self.port(), action.to_owned());
        self.wait(async move { client::states(port, &action, &input).await })?
    }

    /// Makes a state machine, or changes the one of its name: gives its ARN. Each `${NAME}` of the
    /// definition is replaced.
    pub fn deploy_state_machine(
        &self,
        name: &str,
        definition: &str,
        substitutions: &[(&str, &str)],
    ) -> Result<String, Error> {
        let replace =
            |text: String, (name, value): &(&str, &str)| text.replace(&format!("${{{name}}}"), value);
        let definition = substitutions.iter().fold(definition.to_owned(), replace);
        let arn = state_machine_arn(name);
        let exists = self.states("DescribeStateMachine", json!({ "stateMachineArn": arn })).is_ok();
        if exists {
            self.states("UpdateStateMachine", json!({ "stateMachineArn": arn, "definition": definition }))?;
        } else {
            let role = format!("arn:aws:iam::{ACCOUNT}:role/local");
            let machine = json!({ "name": name, "definition": definition, "roleArn": role });
            self.states("CreateStateMachine", machine)?;
        }
        Ok(arn)
    }

    /// Starts an execution: gives its ARN.
    pub fn start_execution(&self, machine: &str, name: &str, input: &Value) -> Result<String, Error> {
        let input = json!({ "stateMachineArn": machine, "name": name, "input": input.to_string() });
        let started = self.states("StartExecution", input)?;
        Ok(started["executionArn"].as_str().unwrap_or_default().to_owned())
    }

    /// What `DescribeExecution` says of one.
    pub fn describe_execution(&self, execution: &str) -> Result<Value, Error> {
        self.states("DescribeExecution", json!({ "executionArn": execution }))
    }

    /// Stops one.
    pub fn stop_execution(&self, execution: &str, error: &str, cause: &str) -> Result<(), Error> {
        let input = json!({ "executionArn": execution, "error": error, "cause": cause });
        self.states("StopExecution", input).map(drop)
    }

    /// Waits until one has ended: what `DescribeExecution` says of it.
    pub fn wait_for_execution(&self, execution: &str, limit: Duration) -> Result<Value, Error> {
        let (port, input) = (self.port(), json!({ "executionArn": execution }));
        let what = format!("the end of {execution}");
        self.wait(async move {
            let ended = || async {
                let execution = client::states(port, "DescribeExecution", &input).await?;
                Ok((execution["status"] != "RUNNING").then_some(execution))
            };
            until(&what, limit, ended).await
        })?
    }

    /// Starts one, and waits for its end.
    pub fn execute(&self, machine: &str, name: &str, input: &Value, limit: Duration) -> Result<Value, Error> {
        let execution = self.start_execution(machine, name, input)?;
        self.wait_for_execution(&execution, limit)
    }

    /// All events of an execution's history.
    pub fn history(&self, execution: &str) -> Result<Vec<Value>, Error> {
        let input = json!({ "executionArn": execution, "maxResults": 1000 });
        self.pages("GetExecutionHistory", input, "events")
    }

    /// The executions of a state machine, of a status or of any.
    pub fn executions(&self, machine: &str, status: Option<&str>) -> Result<Vec<Value>, Error> {
        let mut input = json!({ "stateMachineArn": machine, "maxResults": 1000 });
        if let Some(status) = status {
            input["statusFilter"] = status.into();
        }
        self.pages("ListExecutions", input, "executions")
    }

    /// What `DescribeMapRun` says of each map run of an execution.
    pub fn map_runs(&self, execution: &str) -> Result<Vec<Value>, Error> {
        let listed = self.pages("ListMapRuns", json!({ "executionArn": execution }), "mapRuns")?;
        let describe = |run: &Value| self.states("DescribeMapRun", json!({ "mapRunArn": run["mapRunArn"] }));
        listed.iter().map(describe).collect()
    }

    fn pages(&self, action: &str, mut input: Value, items: &str) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        loop {
            let mut page = self.states(action, input.clone())?;
            all.extend(page[items].as_array_mut().map(std::mem::take).unwrap_or_default());
            match page["nextToken"].take() {
                Value::Null => return Ok(all),
                token => input["nextToken"] = token,
            }
        }
    }
}

/// The ARN of an execution.
#[must_use]
pub fn execution_arn(machine: &str, name: &str) -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{name}")
}
