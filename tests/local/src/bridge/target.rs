use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What events are handed to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// A function, by its name: it gets the event.
    Function(String),
    /// A state machine: an execution is started.
    StateMachine {
        /// Its ARN.
        arn: String,
        /// What makes the execution's input of the event.
        transformer: InputTransformer,
    },
}

/// `EventBridge`'s, of which it knows paths such as `$.detail.name`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputTransformer {
    /// Where each value of the template is in the event, by its name.
    pub paths: BTreeMap<String, String>,
    /// JSON, but for `<NAME>` where a value is to stand.
    pub template: String,
}

impl Target {
    /// A function.
    #[must_use]
    pub fn function(name: &str) -> Self {
        Self::Function(name.to_owned())
    }

    /// The function's name, or the state machine's ARN.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Function(name) => name,
            Self::StateMachine { arn, .. } => arn,
        }
    }
}

impl InputTransformer {
    /// The input; what isn't in the event is null.
    pub(super) fn input(&self, event: &Value) -> String {
        let value = |path: &str| event.pointer(&path.trim_start_matches('$').replace('.', "/"));
        self.paths.iter().fold(self.template.clone(), |text, (name, path)| {
            text.replace(&format!("<{name}>"), &value(path).unwrap_or(&Value::Null).to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_input_has_values_of_the_event() {
        let paths = [("name", "$.detail.name"), ("sizes", "$.detail.sizes"), ("none", "$.detail.none")];
        let transformer = InputTransformer {
            paths: paths.map(|(name, path)| (name.to_owned(), path.to_owned())).into(),
            template: r#"{"a": <name>, "b": [<sizes>, <none>], "c": 960}"#.to_owned(),
        };
        let event = json!({ "detail": { "name": "a \"b\"", "sizes": { "x": 1 } } });
        let input: Value = serde_json::from_str(&transformer.input(&event)).unwrap();
        assert_eq!(input, json!({ "a": "a \"b\"", "b": [{ "x": 1 }, null], "c": 960 }));
    }
}
