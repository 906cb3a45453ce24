//! The protocol, exhaustively: workers, publishers and cleanup, with all that can befall them, in every
//! order. What runs is the code of the steps; storage and the state machine are the explorer's.

mod explore;
mod functions;
mod world;

use std::sync::Arc;

use bytes::Bytes;
use s3inv_model::RowCounts;
use s3inv_store::Retries;
use serde_json::json;
use tokio::runtime::{Handle, Runtime};

use self::explore::{Explored, explore};
use self::world::Budget;
use super::cloud::{Cloud, EXECUTION, delivery};
use crate::fleet::document::checked;
use crate::fleet::record::StageRecord;
use crate::fleet::{Stage, Version};

/// A rule of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    LookAfterWrite,
    TombstoneFirst,
    CommitRecords,
    ConditionalPublish,
    ConditionalLatest,
    SecondSweep,
}

/// An index that another execution publishes.
const OTHER: &[u8] = b"another index";

/// What is tried.
pub(super) struct Scenario {
    name: &'static str,
    /// For each task, of how many units it is.
    units: Arc<[u32]>,
    budget: Budget,
    /// A rule that doesn't hold.
    without: Option<Rule>,
}

impl Scenario {
    fn new(name: &'static str, units: &[u32], budget: Budget) -> Self {
        Self { name, units: units.into(), budget, without: None }
    }

    fn tasks(&self) -> u32 {
        self.units.len() as u32
    }
}

/// What there is when the tasks of the last stage begin.
pub(super) struct Start {
    objects: Vec<(String, Bytes)>,
    runtime: Handle,
    content: String,
    _runtime: Runtime,
}

impl Start {
    fn new(scenario: &Scenario) -> Self {
        let cloud = Cloud::new();
        cloud.deliver(&delivery(1, 1));
        cloud.plan(&json!({})).unwrap();
        let stage = StageRecord {
            version: Version,
            tasks: scenario.tasks(),
            last: true,
            runs: Vec::new(),
            merged: 0,
            counts: RowCounts::default(),
            retries: Retries::default(),
        };
        let plan = format!("tmp/{EXECUTION}/plan.json");
        let objects = vec![
            (plan.clone(), cloud.bytes(&plan).into()),
            (format!("tmp/{EXECUTION}/work/{}.json", Stage::Merge(1)), checked(&stage).unwrap()),
        ];
        let units = (0..).zip(scenario.units.iter());
        let content: Vec<_> = units.map(|(task, &units)| content(task, 0..units)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { objects, runtime: runtime.handle().clone(), content: content.concat(), _runtime: runtime }
    }

    /// Every unit once, in order, and then the tail.
    fn is_index(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        text.strip_prefix(&self.content).is_some_and(|tail| tail.len() >= 100 && !tail.contains(". "))
    }
}

/// What a task makes of some of its units.
fn content(task: u32, units: std::ops::Range<u32>) -> String {
    let words: Vec<_> = units.map(|unit| format!("{task}.{unit} ")).collect();
    words.concat()
}

/// Explores a scenario, and says how far that went.
fn holds(scenario: &Scenario) -> Explored {
    match explore(scenario) {
        Ok(explored) => {
            println!("{:<40} {:>9} states {:>9} ends", scenario.name, explored.states, explored.ends);
            explored
        }
        Err(trace) => panic!("{}:\n{trace}", scenario.name),
    }
}

const NOTHING: Budget = Budget { faults: 0, kills: 0, duplicates: 0, stops: 0, others: 0, hurries: 0 };

#[test]
fn an_index_appears_if_nothing_fails() {
    for (name, units, budget) in [
        ("three tasks", &[1, 1, 1][..], NOTHING),
        ("a task of three parts, and one of one", &[3, 1], NOTHING),
        ("parts, a call comes twice", &[2], Budget { duplicates: 1, ..NOTHING }),
        ("two tasks, a call comes twice", &[1, 1], Budget { duplicates: 1, ..NOTHING }),
        ("time runs out", &[1, 1], Budget { hurries: 2, ..NOTHING }),
    ] {
        let explored = holds(&Scenario::new(name, units, budget));
        assert_eq!(explored.ends, explored.built);
    }
}

#[test]
fn whatever_fails_it_ends_clean() {
    for (name, units, budget) in [
        ("two faults", &[1][..], Budget { faults: 2, ..NOTHING }),
        ("two kills", &[1], Budget { kills: 2, ..NOTHING }),
        ("a fault, and parts", &[2, 1], Budget { faults: 1, ..NOTHING }),
        ("a kill, and parts", &[2, 1], Budget { kills: 1, ..NOTHING }),
        ("a fault, and time runs out", &[1], Budget { faults: 1, hurries: 1, ..NOTHING }),
        ("a fault, and others publish", &[1], Budget { faults: 1, others: 1, ..NOTHING }),
    ] {
        let explored = holds(&Scenario::new(name, units, budget));
        assert!(explored.built > 0);
    }
}

#[test]
fn whenever_it_is_stopped_it_ends_clean() {
    for (name, units, budget) in [
        ("stopped", &[2, 1][..], Budget { stops: 1, ..NOTHING }),
        ("stopped, and a fault", &[1], Budget { stops: 1, faults: 1, ..NOTHING }),
        ("stopped, and a kill", &[1], Budget { stops: 1, kills: 1, ..NOTHING }),
        ("stopped, and time runs out", &[1], Budget { stops: 1, hurries: 1, ..NOTHING }),
    ] {
        let explored = holds(&Scenario::new(name, units, budget));
        assert!(0 < explored.built && explored.built < explored.ends);
    }
}

/// Each rule is needed: without it, something goes wrong that doesn't with it.
#[test]
fn without_any_of_its_rules_it_fails() {
    for (rule, units, budget, wrong) in [
        (Rule::LookAfterWrite, &[1][..], Budget { stops: 1, ..NOTHING }, "an index appeared"),
        (Rule::TombstoneFirst, &[1], Budget { stops: 1, ..NOTHING }, "an index appeared"),
        (Rule::CommitRecords, &[2], Budget { duplicates: 1, ..NOTHING }, "no index, though nothing"),
        (Rule::ConditionalPublish, &[1], Budget { others: 1, ..NOTHING }, "a wrong index"),
        (Rule::ConditionalLatest, &[1], Budget { others: 1, ..NOTHING }, "latest moved back"),
        (Rule::SecondSweep, &[1], Budget { stops: 1, kills: 1, ..NOTHING }, "uploads left open"),
    ] {
        let with = Scenario::new("with the rule", units, budget);
        assert!(explore(&with).is_ok(), "{rule:?}");
        let without = Scenario { without: Some(rule), ..with };
        let Err(trace) = explore(&without) else { panic!("{rule:?} is not needed") };
        let last = trace.lines().last().unwrap();
        println!("without {rule:?}: {last}");
        assert!(last.starts_with(wrong), "{rule:?}:\n{trace}");
    }
}
