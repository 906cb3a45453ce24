//! Prefixes, storage classes and measures: the words that every other crate speaks.
//!
//! Nothing here does I/O, allocates by input-given lengths, or depends on the platform.

mod column;
mod counts;
mod kind;
pub mod prefix;

pub use column::{Cell, Column, ColumnError, ColumnId, ColumnKind, Columns, MAX_COLUMNS};
pub use counts::{Excluded, RowCounts};
pub use kind::ErrorKind;
