//! Every order of events, each state once.

use std::collections::HashSet;

use super::world::{Event, World};
use super::{Scenario, Start};

/// What there was to be seen.
pub(super) struct Explored {
    pub(super) states: usize,
    /// States after which nothing happens.
    pub(super) ends: usize,
    /// Those of them where the index was built.
    pub(super) built: usize,
}

/// Goes through all that can happen. The error is what led to where something doesn't hold.
pub(super) fn explore(scenario: &Scenario) -> Result<Explored, String> {
    let start = Start::new(scenario);
    let mut seen = HashSet::new();
    let mut explored = Explored { states: 0, ends: 0, built: 0 };
    let mut open: Vec<Vec<Event>> = vec![Vec::new()];
    while let Some(mut path) = open.pop() {
        let mut world = World::new(scenario, &start);
        for &event in &path {
            world.happens(event);
        }
        loop {
            world.check().map_err(|wrong| trace(scenario, &start, &path, &wrong))?;
            if !seen.insert(world.fingerprint()) {
                break;
            }
            explored.states += 1;
            let events = world.events();
            let Some((&first, others)) = events.split_first() else {
                explored.ends += 1;
                explored.built += usize::from(world.is_built());
                break;
            };
            open.extend(others.iter().map(|&event| path.iter().copied().chain([event]).collect()));
            path.push(first);
            world.happens(first);
        }
    }
    Ok(explored)
}

/// What happened, line by line.
fn trace(scenario: &Scenario, start: &Start, path: &[Event], wrong: &str) -> String {
    let mut world = World::new(scenario, start);
    let mut lines = Vec::new();
    for &event in path {
        let asks = match event {
            Event::Lands(at)
            | Event::Refused(at)
            | Event::AnswerLost(at)
            | Event::GivenUp(at)
            | Event::Killed(at)
            | Event::KilledLate(at) => world.asks(at),
            _ => String::new(),
        };
        lines.push(format!("{event:?} {asks}"));
        world.happens(event);
    }
    lines.push(wrong.to_owned());
    lines.join("\n")
}
