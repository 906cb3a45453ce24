//! What an execution keeps in S3 while it runs, all of it under one prefix.

use super::{Execution, Place, Stage};

/// The keys of an execution's scratch.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) fn new(scratch: &Place, execution: &Execution) -> Self {
        Self { prefix: format!("{}{}/", scratch.key, execution.as_str()) }
    }

    /// What all of them begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Says that the execution has ended; it stays when all else is removed.
    pub(super) fn tombstone(&self) -> String {
        format!("{}CANCELLED", self.prefix)
    }

    /// What is to be built.
    pub(super) fn plan(&self) -> String {
        format!("{}plan.json", self.prefix)
    }

    /// The first error that a task reported.
    pub(super) fn failure(&self) -> String {
        format!("{}failure.json", self.prefix)
    }

    /// What all tasks of a stage share.
    pub(super) fn stage(&self, stage: Stage) -> String {
        format!("{}work/{stage}.json", self.prefix)
    }

    /// The list of a stage's tasks, as a Map reads it.
    pub(super) fn items(&self, stage: Stage) -> String {
        format!("{}work/{stage}.items.json", self.prefix)
    }

    /// The descriptions of a stage's tasks, one behind the other.
    pub(super) fn tasks(&self, stage: Stage) -> String {
        format!("{}work/{stage}.tasks", self.prefix)
    }

    /// What all commit records of a stage begin with.
    pub(super) fn commits(&self, stage: Stage) -> String {
        format!("{}commits/{stage}/", self.prefix)
    }

    /// The commit record of a part of a task: parts are what checkpoints make of it.
    pub(super) fn commit(&self, stage: Stage, task: u32, part: u32) -> String {
        format!("{}{task:06}/{part:04}.json", self.commits(stage))
    }

    /// How far publishing was when an invocation left it to the next.
    pub(super) fn publishing(&self, part: u32) -> String {
        format!("{}publish/{part:04}.json", self.prefix)
    }

    /// A file that an attempt writes.
    pub(super) fn data(&self, stage: Stage, task: u32, attempt: &str, nth: usize) -> String {
        format!("{}data/{stage}/{task:06}/{attempt}-{nth}", self.prefix)
    }
}

/// Which task and part a commit record's key names, by what follows [`Keys::commits`].
pub(super) fn committed(rest: &str) -> Option<(u32, u32)> {
    let (task, part) = rest.strip_suffix(".json")?.split_once('/')?;
    Some((task.parse().ok()?, part.parse().ok()?))
}
