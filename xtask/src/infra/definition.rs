//! What the tests read: the state machines, and the lines of the template that they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// A state and where it stands.
pub(super) struct State {
    pub(super) name: String,
    /// Whether it is one of the execution's own, not of a Map's item.
    pub(super) is_outer: bool,
    pub(super) body: Value,
}

impl State {
    pub(super) fn is(&self, kind: &str) -> bool {
        self.body["Type"] == kind
    }

    /// The states that may follow.
    pub(super) fn next(&self) -> BTreeSet<String> {
        let mut next = BTreeSet::new();
        let rules = ["Choices", "Catch"].into_iter().filter_map(|key| self.body[key].as_array()).flatten();
        let of_rules = rules.map(|rule| &rule["Next"]);
        for name in of_rules.chain([&self.body["Next"], &self.body["Default"]]) {
            next.extend(name.as_str().map(str::to_owned));
        }
        next
    }

    /// The names of errors that it retries or catches.
    pub(super) fn errors(&self) -> BTreeSet<String> {
        let rules = ["Retry", "Catch"].into_iter().filter_map(|key| self.body[key].as_array()).flatten();
        let names = rules.filter_map(|rule| rule["ErrorEquals"].as_array()).flatten();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    }
}

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// A definition, by its file's name.
pub(super) fn definition(name: &str) -> String {
    read(&format!("infra/{name}"))
}

pub(super) fn machine(name: &str) -> Value {
    serde_json::from_str(&definition(name)).unwrap()
}

/// Those of one state machine, of items too.
pub(super) fn states_of(name: &str) -> Vec<State> {
    let mut found = Vec::new();
    collect(&machine(name), true, &mut found);
    found
}

/// Those of all state machines.
pub(super) fn states() -> Vec<State> {
    super::DEFINITIONS.into_iter().flat_map(states_of).collect()
}

fn collect(machine: &Value, is_outer: bool, found: &mut Vec<State>) {
    for (name, body) in machine["States"].as_object().unwrap() {
        found.push(State { name: name.clone(), is_outer, body: body.clone() });
        if body["Type"] == "Map" {
            collect(&body["ItemProcessor"], false, found);
        }
    }
}

/// The names in `${NAME}`.
pub(super) fn substitutions(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some((_, name, after)) = super::substitution(rest) {
        names.insert(name.to_owned());
        rest = after;
    }
    names
}

/// The lines below the one that is `key:`, each cut at its colon.
pub(super) fn block(yaml: &str, key: &str) -> BTreeMap<String, String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = yaml.lines().skip_while(|line| line.trim() != format!("{key}:"));
    let above = depth(lines.next().unwrap());
    let below = lines.take_while(|line| depth(line) > above);
    let pairs = below.map(|line| line.trim().split_once(": ").unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
