use serde_json::Value;

/// A state of the state machine that an execution has been in, or is in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) name: String,
    /// Seconds since 1970.
    pub(super) began: f64,
    pub(super) ended: Option<f64>,
    /// The run of a Map.
    pub(super) map_run: Option<String>,
}

/// The tasks and Maps of an execution's history, in their order. Choices take no time.
pub(super) fn steps(events: &[Value]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for event in events {
        let at = event["timestamp"].as_f64().unwrap_or_default();
        let kind = event["type"].as_str().unwrap_or_default();
        match (kind, steps.last_mut()) {
            ("TaskStateEntered" | "MapStateEntered", last) => {
                if let Some(before) = last {
                    // One that failed may have no event of its end.
                    before.end(at);
                }
                steps.push(Step::entered(event, at));
            }
            ("TaskStateExited" | "MapStateExited", Some(step)) => step.end(at),
            ("MapRunStarted", Some(step)) => {
                let run = event["mapRunStartedEventDetails"]["mapRunArn"].as_str();
                step.map_run = run.map(str::to_owned);
            }
            _ => {}
        }
    }
    steps
}

impl Step {
    fn entered(event: &Value, at: f64) -> Self {
        let name = event["stateEnteredEventDetails"]["name"].as_str().unwrap_or_default().to_owned();
        Self { name, began: at, ended: None, map_run: None }
    }

    fn end(&mut self, at: f64) {
        self.ended.get_or_insert(at);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entered(kind: &str, name: &str, at: f64) -> Value {
        json!({ "type": kind, "timestamp": at, "stateEnteredEventDetails": { "name": name } })
    }

    #[test]
    fn a_history_becomes_steps() {
        let history = [
            json!({ "type": "ExecutionStarted", "timestamp": 1.0 }),
            entered("TaskStateEntered", "Plan", 1.0),
            json!({ "type": "TaskStateExited", "timestamp": 2.5 }),
            entered("MapStateEntered", "Ingest", 2.5),
            json!({ "type": "MapRunStarted", "mapRunStartedEventDetails": { "mapRunArn": "run" } }),
            json!({ "type": "MapStateExited", "timestamp": 4.0 }),
            entered("ChoiceStateEntered", "IsLastMerge", 4.0),
            entered("TaskStateEntered", "Publish", 4.0),
        ];
        let step = |name: &str, began, ended, map_run: Option<&str>| Step {
            name: name.to_owned(),
            began,
            ended,
            map_run: map_run.map(str::to_owned),
        };
        let expected = [
            step("Plan", 1.0, Some(2.5), None),
            step("Ingest", 2.5, Some(4.0), Some("run")),
            step("Publish", 4.0, None, None),
        ];
        assert_eq!(steps(&history), expected);
    }

    #[test]
    fn what_comes_after_a_failed_state_ends_it() {
        let history = [
            entered("TaskStateEntered", "Plan", 1.0),
            entered("TaskStateEntered", "CleanUpAfterFailure", 3.0),
        ];
        assert_eq!(steps(&history)[0].ended, Some(3.0));
    }
}
