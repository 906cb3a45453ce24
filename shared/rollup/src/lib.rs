//! From rows to sorted runs in counted memory, and from runs to segments of the index.
//!
//! A row costs one update of a hash table: that of its own directory. When the table is full, its
//! directories are sorted once, rolled up to their ancestors with a stack, and written as a run.
//! Runs are merged k ways, in rounds where there are more than a merge may open.

mod bins;
mod cells;
#[cfg(test)]
mod equivalence;
mod inputs;
mod merge;
mod plan;
mod rollup;
mod sort;
mod table;
mod tournament;
mod tree;

pub use merge::{Interrupt, KeyRange, Merged, merge};
pub use plan::{FAN_IN, RANGE_ROWS, chunks, chunks_of, first_round, partitions, ranges, spread_round};
pub use rollup::{Rollup, RunSink};
pub use table::TableBudget;
