use s3inv_tests::{Invoked, SCRATCH};
use serde_json::{Value, json};

use super::small::Small;

/// Steps that a test calls itself, as the state machine would.
impl Small {
    pub(super) fn call(&self, function: &str, event: &Value) -> Invoked {
        self.cloud.aws.invoke(function, event).unwrap()
    }

    fn answer(&self, function: &str, event: &Value) -> Value {
        let invoked = self.call(function, event);
        assert!(!invoked.is_error, "{function}: {}", invoked.json());
        invoked.json()
    }

    pub(super) fn plan_event(&self, name: &str) -> Value {
        json!({ "version": 1, "step": "plan", "execution": name, "input": self.input(name) })
    }

    /// Plans an execution: the tasks of its first stage.
    pub(super) fn plan(&self, name: &str) -> Vec<Value> {
        self.tasks(&self.answer("plan", &self.plan_event(name)))
    }

    /// Does all tasks that there are, and plans what comes next.
    pub(super) fn next(&self, name: &str, function: &str, tasks: &[Value]) -> Vec<Value> {
        for task in tasks {
            assert_eq!(self.answer(function, task), Value::Null);
        }
        let event =
            json!({ "version": 1, "step": "plan_merge", "execution": name, "stage": tasks[0]["stage"] });
        self.tasks(&self.answer("plan", &event))
    }

    fn tasks(&self, planned: &Value) -> Vec<Value> {
        let tasks = self.cloud.aws.get(SCRATCH, planned["items"].as_str().unwrap()).unwrap();
        serde_json::from_slice(&tasks).unwrap()
    }

    /// Writes the tombstone, and removes the rest.
    pub(super) fn sweep(&self, name: &str) {
        let event = json!({ "version": 1, "step": "sweep", "execution": name });
        assert_eq!(self.answer("cleanup", &event), Value::Null);
    }
}
