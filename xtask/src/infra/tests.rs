//! What must agree between the state machines, the template, the functions and the docs.

use std::collections::BTreeSet;

use super::DEFINITIONS;
use super::definition::{State, block, definition, machine, read, root, states, states_of, substitutions};

const BUILD: &str = DEFINITIONS[0];
const SWEEP: &str = DEFINITIONS[1];

/// The functions that are no step of a build.
const APART: [&str; 1] = ["query"];

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn every_wait_has_an_end() {
    for name in DEFINITIONS {
        assert!(machine(name)["TimeoutSeconds"].is_u64(), "{name}");
    }
    for state in states().iter().filter(|state| state.is("Task")) {
        // Above the functions' own 900 seconds: a function that is killed says so first.
        assert!(state.body["TimeoutSeconds"].as_u64().unwrap() > 900, "{}", state.name);
    }
}

#[test]
fn every_failure_is_cleaned_up_after() {
    let outer = |state: &&State| state.is_outer && (state.is("Task") || state.is("Map"));
    for state in states_of(BUILD).iter().filter(outer) {
        let catch = &state.body["Catch"][0];
        assert_eq!(catch["ErrorEquals"][0], "States.ALL", "{}", state.name);
        let is_last = state.name == "CleanUpAfterFailure";
        let next = if is_last { "FailedAndNotCleanedUp" } else { "CleanUpAfterFailure" };
        assert_eq!(catch["Next"], next, "{}", state.name);
    }
}

#[test]
fn every_checkpoint_is_continued_by_the_same_call() {
    // The others have little to do.
    let short = names(&["Plan", "PlanMerge", "ReportChunkError", "ReportPartitionError"]);
    for states in DEFINITIONS.map(states_of) {
        for task in states.iter().filter(|state| state.is("Task") && !short.contains(&state.name)) {
            let next = states.iter().find(|state| task.body["Next"] == state.name.as_str()).unwrap();
            let rules = next.body["Choices"].as_array().unwrap();
            let again = rules.iter().find(|rule| rule["Next"] == task.name.as_str()).unwrap();
            let answer = task.body["ResultPath"].as_str().unwrap();
            assert_eq!(again["Variable"], format!("{answer}.answer.checkpoint"), "{}", task.name);
            assert!(next.body["Default"].is_null(), "{}: another answer is a defect", next.name);
        }
    }
}

#[test]
fn the_second_sweep_comes_when_no_function_can_be_left() {
    let template = read(super::TEMPLATE);
    let number = |after: &str| {
        let rest = template.split(after).nth(1).unwrap();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().unwrap()
    };
    assert!(number("\"again_after_seconds\": ") > number("\n    Timeout: "));
    let functions_own = "      Timeout: ";
    assert!(!template.contains(functions_own), "a function has a longer time than all");
}

#[test]
fn only_ends_of_builds_set_off_sweeps() {
    let template = read(super::TEMPLATE);
    let resource = |name: &str| {
        let rest = template.split(&format!("\n  {name}:\n")).nth(1).unwrap();
        rest.split("\n\n").next().unwrap().to_owned()
    };
    let rule = resource("ExecutionEnded");
    assert!(rule.contains("stateMachineArn: [*state-machine]\n") && rule.contains("Arn: !Ref Sweep\n"));
    assert!(template.contains(":stateMachine:${AWS::StackName}\n"), "what *state-machine is");
    assert!(resource("Build").contains("Name: !Ref AWS::StackName\n"));
    assert!(resource("Sweep").contains("Name: !Sub ${AWS::StackName}-sweep\n"));
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
fn of_our_errors_those_that_may_pass_are_tried_again() {
    // The platform's own names have a dot.
    let all = states().iter().flat_map(State::errors).filter(|name| !name.contains('.')).collect();
    let tried: BTreeSet<String> = all;
    assert_eq!(tried, names(&["CheckpointNeeded", "Retryable"]));
}

#[test]
fn states_have_one_name_each_and_a_comment() {
    for states in DEFINITIONS.map(states_of) {
        let distinct: BTreeSet<_> = states.iter().map(|state| &state.name).collect();
        assert_eq!(distinct.len(), states.len());
        assert!(states.iter().all(|state| state.body["Comment"].is_string()));
    }
}

#[test]
fn the_template_fills_in_what_the_state_machines_leave_open() {
    let template = read(super::TEMPLATE);
    for name in DEFINITIONS {
        let from = template.split(&format!("DefinitionUri: {name}\n")).nth(1).unwrap();
        let filled: BTreeSet<_> = block(from, "DefinitionSubstitutions").into_keys().collect();
        assert_eq!(substitutions(&definition(name)), filled, "{name}");
    }
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
    for name in DEFINITIONS {
        assert!(substitutions(&super::substituted(&definition(name))).is_empty(), "{name}");
    }
}

/// The lines `A --> B`, with or without a label, of a picture.
fn drawn(picture: &str) -> BTreeSet<(String, String)> {
    let arrow = |line: &str| {
        let (from, to) = line.trim().split_once(" --> ")?;
        let to = to.split_once(':').map_or(to, |(to, _)| to);
        Some((from.trim().to_owned(), to.trim().to_owned()))
    };
    picture.lines().filter_map(arrow).collect()
}

#[test]
fn the_pictures_in_the_docs_are_the_state_machines() {
    let docs = read("docs/deploy.md");
    let pictures = docs.split("```mermaid\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let pictures: Vec<_> = pictures.map(drawn).collect();
    assert_eq!(pictures, [arrows(BUILD), arrows(SWEEP)]);
}

fn arrows(name: &str) -> BTreeSet<(String, String)> {
    let mut arrows = BTreeSet::new();
    arrows.insert(("[*]".to_owned(), machine(name)["StartAt"].as_str().unwrap().to_owned()));
    for state in states_of(name).iter().filter(|state| state.is_outer) {
        arrows.extend(state.next().into_iter().map(|next| (state.name.clone(), next)));
        if state.is("Succeed") || state.is("Fail") {
            arrows.insert((state.name.clone(), "[*]".to_owned()));
        }
    }
    arrows
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
