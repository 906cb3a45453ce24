//! What `local-aws serve` is to serve: the counterpart of infra/template.yaml.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::names::{
    BUILD, FUNCTIONS, INDEXES, INVENTORIES, SCRATCH, SWEEP, build_arn, function_arn, sweep_arn,
};
use super::programs::Programs;
use crate::workspace::Workspace;

/// MB of each function. In the template they differ.
const MEMORY_MB: u64 = 1024;
/// Seconds that an invocation may take: all that Lambda allows.
const TIMEOUT_S: u64 = 900;

/// What a sweep is started with, of the event about an execution's end: the template's.
const SWEEP_INPUT: &str = r#"{"execution": <execution>, "again_after_seconds": 960}"#;

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
    let machine = |name: &str, definition: &str| {
        json!({
            "name": name,
            "definition": workspace.root.join(definition),
            "substitutions": substitutions(),
        })
    };
    json!({
        "python": programs.python,
        "logs": folder.join("logs"),
        "functions": FUNCTIONS.iter().map(function).collect::<Vec<_>>(),
        "state_machines": [machine(BUILD, "infra/build.asl.json"), machine(SWEEP, "infra/sweep.asl.json")],
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
        "S3INV_STATE_MACHINE_ARN": build_arn(),
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
            "target": { "function": "trigger" },
            "source": { "objects": {
                "bucket": INVENTORIES, "suffix": "/manifest.checksum", "shape": "eventbridge",
            } },
        },
        {
            "name": "ended",
            "target": { "state_machine": {
                "arn": sweep_arn(),
                "transformer": { "paths": { "execution": "$.detail.name" }, "template": SWEEP_INPUT },
            } },
            "source": { "executions": {
                "state_machine": build_arn(), "statuses": ["SUCCEEDED", "ABORTED", "TIMED_OUT", "FAILED"],
            } },
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILD: &str = include_str!("../../../infra/build.asl.json");
    const SWEEP: &str = include_str!("../../../infra/sweep.asl.json");

    #[test]
    fn nothing_of_the_definitions_is_left_open() {
        for definition in [BUILD, SWEEP] {
            let mut definition = definition.to_owned();
            for (name, value) in substitutions().as_object().unwrap() {
                assert!(BUILD.contains(&format!("${{{name}}}")), "{name}");
                definition = definition.replace(&format!("${{{name}}}"), value.as_str().unwrap());
            }
            assert!(!definition.contains("${"));
        }
    }

    #[test]
    fn rules_hand_over_to_what_is_there() {
        let [delivered, ended] = rules().as_array().unwrap().clone().try_into().unwrap();
        assert!(FUNCTIONS.contains(&delivered["target"]["function"].as_str().unwrap()));
        assert_eq!(ended["target"]["state_machine"]["arn"], sweep_arn());
    }

    #[test]
    fn a_sweep_is_started_as_by_the_template() {
        let template = include_str!("../../../infra/template.yaml");
        assert!(template.contains("InputPathsMap: { execution: $.detail.name }\n"));
        assert!(template.contains(&format!("InputTemplate: '{SWEEP_INPUT}'\n")));
    }
}
