//! What `local-aws serve` is to serve: the counterpart of infra/template.yaml.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::names::{FUNCTIONS, INDEXES, INVENTORIES, MACHINE, SCRATCH, function_arn, machine_arn};
use super::programs::Programs;
use crate::workspace::Workspace;

/// MB of each function. In the template they differ.
const MEMORY_MB: u64 = 1024;
/// Seconds that an invocation may take: all that Lambda allows.
const TIMEOUT_S: u64 = 900;

/// Options of builds, as the deployment has none.
pub(super) const NO_OPTIONS: &str = "{}";

/// The file that the server reads. `options` are those of builds that are started without any.
pub(crate) fn plan(workspace: &Workspace, folder: &Path, programs: &Programs, options: &str) -> Value {
    let function = |name: &&str| {
        json!({
            "name": name,
            "binary": programs.function(name),
            "memory_mb": MEMORY_MB,
            "timeout_s": TIMEOUT_S,
            "env": environment(options),
        })
    };
    json!({
        "python": programs.python,
        "logs": folder.join("logs"),
        "functions": FUNCTIONS.iter().map(function).collect::<Vec<_>>(),
        "state_machine": {
            "name": MACHINE,
            "definition": workspace.root.join("infra/build.asl.json"),
            "substitutions": substitutions(),
        },
        "buckets": [INVENTORIES, SCRATCH, INDEXES],
        "rules": rules(),
    })
}

/// All have the same: what a function doesn't need, it doesn't read.
fn environment(options: &str) -> Value {
    json!({
        "S3INV_SCRATCH": format!("s3://{SCRATCH}/"),
        "S3INV_OUTPUT": format!("s3://{INDEXES}/"),
        "S3INV_OPTIONS": options,
        "S3INV_STATE_MACHINE_ARN": machine_arn(),
        "S3INV_INVENTORIES": format!("s3://{INVENTORIES}/"),
    })
}

/// `PlanFunctionArn` and so on, as the template's `DefinitionSubstitutions`.
fn substitutions() -> Value {
    let steps = FUNCTIONS.iter().filter(|&&name| name != "trigger");
    let arn = |name: &&str| {
        let (first, rest) = name.split_at(1);
        (format!("{}{rest}FunctionArn", first.to_uppercase()), function_arn(name).into())
    };
    let mut all: Map<String, Value> = steps.map(arn).collect();
    all.insert("Partition".to_owned(), "aws".into());
    all.into()
}

fn rules() -> Value {
    json!([
        {
            "name": "delivered",
            "function": "trigger",
            "source": { "objects": {
                "bucket": INVENTORIES, "suffix": "/manifest.checksum", "shape": "eventbridge",
            } },
        },
        {
            "name": "ended",
            "function": "cleanup",
            "source": { "executions": {
                "state_machine": machine_arn(), "statuses": ["ABORTED", "TIMED_OUT", "FAILED"],
            } },
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_definition_is_left_open() {
        let mut definition = include_str!("../../../infra/build.asl.json").to_owned();
        for (name, value) in substitutions().as_object().unwrap() {
            assert!(definition.contains(&format!("${{{name}}}")), "{name}");
            definition = definition.replace(&format!("${{{name}}}"), value.as_str().unwrap());
        }
        assert!(!definition.contains("${"));
    }

    #[test]
    fn rules_send_to_functions_that_are_there() {
        for rule in rules().as_array().unwrap() {
            assert!(FUNCTIONS.contains(&rule["function"].as_str().unwrap()), "{rule}");
        }
    }
}
