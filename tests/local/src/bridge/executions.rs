use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Bridge, Rule, status_event};
use crate::client;
use crate::error::Error;
use crate::time::pause;

/// How often executions are looked at: moto tells nobody of them.
const LOOK: Duration = Duration::from_millis(100);

/// The status that each execution had when it was looked at last, by its ARN.
pub(super) type Seen = BTreeMap<String, String>;

impl Bridge {
    /// Looks at executions until it is dropped.
    pub(crate) async fn watch_executions(self: Arc<Self>) {
        loop {
            pause(LOOK).await;
            // moto may be starting or ending; a state machine may not be there yet.
            let _ = self.look().await;
        }
    }

    /// Looks once, and sends what has changed.
    pub(crate) async fn look(&self) -> Result<(), Error> {
        let Some(&moto) = self.moto.get() else { return Ok(()) };
        let rules = self.rules();
        let mut seen = self.seen.lock().await;
        let machines: BTreeSet<_> = rules.iter().filter_map(|rule| rule.source.state_machine()).collect();
        for machine in machines {
            for execution in executions(moto, machine, &Value::Null).await? {
                let arn = execution["executionArn"].as_str().unwrap_or_default();
                let status = execution["status"].as_str().unwrap_or_default();
                let before = seen.insert(arn.to_owned(), status.to_owned());
                for change in changes(before.as_deref(), status) {
                    self.status_changed(moto, machine, arn, change, &rules).await?;
                }
            }
        }
        Ok(())
    }

    async fn status_changed(
        &self,
        moto: u16,
        machine: &str,
        arn: &str,
        status: &str,
        rules: &[Rule],
    ) -> Result<(), Error> {
        let wants = |rule: &&Rule| rule.on && rule.source.wants_status(machine, status);
        let rules: Vec<_> = rules.iter().filter(wants).collect();
        if rules.is_empty() {
            return Ok(());
        }
        let execution = client::states(moto, "DescribeExecution", &json!({ "executionArn": arn })).await?;
        for rule in rules {
            self.hand_over(moto, &rule.target, &status_event::event(&execution, status)).await;
        }
        Ok(())
    }
}

/// What an execution went through since it was seen last; one that ended quickly has run, too.
fn changes<'a>(before: Option<&str>, now: &'a str) -> Vec<&'a str> {
    match before {
        Some(before) if before == now => Vec::new(),
        None if now != "RUNNING" => vec!["RUNNING", now],
        _ => vec![now],
    }
}

/// All executions of a state machine, of a status or (null) of any.
pub(crate) async fn executions(port: u16, machine: &str, status: &Value) -> Result<Vec<Value>, Error> {
    let mut input = json!({ "stateMachineArn": machine, "maxResults": 1000 });
    if !status.is_null() {
        input["statusFilter"] = status.clone();
    }
    let mut all = Vec::new();
    loop {
        let mut page = client::states(port, "ListExecutions", &input).await?;
        all.extend(page["executions"].as_array_mut().map(std::mem::take).unwrap_or_default());
        match page["nextToken"].take() {
            Value::Null => return Ok(all),
            token => input["nextToken"] = token,
        }
    }
}
