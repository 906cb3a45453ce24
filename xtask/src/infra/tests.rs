//! What must agree between the state machine, the template, the functions and the docs.

use std::collections::BTreeSet;

use super::definition::{State, block, machine, read, root, states, substitutions};

/// The functions that are no step of a build.
const APART: [&str; 1] = ["query"];

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn every_wait_has_an_end() {
    assert!(machine()["TimeoutSeconds"].is_u64());
    for state in states().iter().filter(|state| state.is("Task")) {
        // Above the functions' own 900 seconds: a function that is killed says so first.
        assert!(state.body["TimeoutSeconds"].as_u64().unwrap() > 900, "{}", state.name);
    }
}

#[test]
fn every_failure_is_cleaned_up_after() {
    let outer = |state: &&State| state.is_outer && (state.is("Task") || state.is("Map"));
    for state in states().iter().filter(outer) {
        let catch = &state.body["Catch"][0];
        assert_eq!(catch["ErrorEquals"][0], "States.ALL", "{}", state.name);
        let next = if state.name == "CleanUpAfterFailure" { "Failed" } else { "CleanUpAfterFailure" };
        assert_eq!(catch["Next"], next, "{}", state.name);
    }
}

#[test]
fn no_map_is_tried_again_as_a_whole_or_tolerates_failures() {
    for state in states().iter().filter(|state| state.is("Map")) {
        assert!(state.body["Retry"].is_null(), "{}", state.name);
        let body = state.body.as_object().unwrap();
        assert!(!body.keys().any(|key| key.starts_with("Tolerated")), "{}", state.name);
    }
}

#[test]
fn all_tasks_are_tried_again_alike() {
    let states = states();
    let mut tasks = states.iter().filter(|state| state.is("Task"));
    let first = &tasks.next().unwrap().body["Retry"];
    for task in tasks {
        assert_eq!(&task.body["Retry"], first, "{}", task.name);
    }
}

#[test]
fn of_our_errors_only_retryable_is_tried_again() {
    // The platform's own names have a dot.
    let all = states().iter().flat_map(State::errors).filter(|name| !name.contains('.')).collect();
    let tried: BTreeSet<String> = all;
    assert_eq!(tried, names(&["Retryable"]));
}

#[test]
fn states_have_one_name_each_and_a_comment() {
    let states = states();
    let distinct: BTreeSet<_> = states.iter().map(|state| &state.name).collect();
    assert_eq!(distinct.len(), states.len());
    assert!(states.iter().all(|state| state.body["Comment"].is_string()));
}

#[test]
fn the_template_fills_in_what_the_state_machine_leaves_open() {
    let filled: BTreeSet<_> = block(&read(super::TEMPLATE), "DefinitionSubstitutions").into_keys().collect();
    assert_eq!(substitutions(&read(super::DEFINITION)), filled);
}

#[test]
fn the_template_builds_every_function() {
    let functions = root().join("functions");
    let Ok(folders) = functions.read_dir() else { return };
    let folders = folders.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    let there: BTreeSet<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let template = read(super::TEMPLATE);
    let binary = |line: &str| Some(line.split_once("Binary: ")?.1.split_once(' ')?.0.to_owned());
    let built: BTreeSet<_> = template.lines().filter_map(binary).collect();
    assert_eq!(built, there.difference(&names(&APART)).cloned().collect());
    for name in built {
        assert!(template.contains(&format!("CodeUri: ../functions/{name}\n")), "{name}");
    }
}

#[test]
fn what_is_validated_has_no_substitution_left() {
    let text = super::substituted("a ${Partition} b ${PlanFunctionArn} c");
    assert_eq!(text, "a aws b arn:aws:lambda:us-east-1:123456789012:function:PlanFunctionArn c");
    assert!(substitutions(&super::substituted(&read(super::DEFINITION))).is_empty());
}

/// The lines `A --> B`, with or without a label, of the picture.
fn drawn() -> BTreeSet<(String, String)> {
    let docs = read("docs/deploy.md");
    let picture = docs.split("```mermaid\n").nth(1).unwrap().split("```").next().unwrap().to_owned();
    let arrow = |line: &str| {
        let (from, to) = line.trim().split_once(" --> ")?;
        let to = to.split_once(':').map_or(to, |(to, _)| to);
        Some((from.trim().to_owned(), to.trim().to_owned()))
    };
    picture.lines().filter_map(arrow).collect()
}

#[test]
fn the_picture_in_the_docs_is_the_state_machine() {
    let mut arrows = BTreeSet::new();
    arrows.insert(("[*]".to_owned(), machine()["StartAt"].as_str().unwrap().to_owned()));
    for state in states().iter().filter(|state| state.is_outer) {
        arrows.extend(state.next().into_iter().map(|next| (state.name.clone(), next)));
        if state.body["End"] == true || state.is("Fail") {
            arrows.insert((state.name.clone(), "[*]".to_owned()));
        }
    }
    assert_eq!(drawn(), arrows);
}

#[test]
fn the_docs_name_every_parameter() {
    let docs = read("docs/deploy.md");
    let template = read(super::TEMPLATE);
    let parameters = template.split("\nParameters:\n").nth(1).unwrap().split("\n# ").next().unwrap();
    let heads = parameters.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in heads.map(|line| line.trim().trim_end_matches(':')) {
        assert!(docs.contains(&format!("`{name}`")), "{name}");
    }
}
