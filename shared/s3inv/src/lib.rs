//! Asks an index of an S3 Inventory: how much is under a prefix, what is largest, what grew.
//!
//! An [`Index`] is opened where it is, in a file or in S3, and asked from any thread. What is asked about is a
//! [`Scope`]: a prefix with all below it, or all that begins with some text.

mod ask;
mod filter;
mod index;
mod list;
mod rows;
mod scope;
mod sums;
#[cfg(test)]
mod tests;
mod tree;

pub use filter::{Counted, Filter, Pattern, PatternError};
pub use index::Index;
pub use list::{List, Listed, Order, Rest};
pub use rows::{Row, Rows};
pub use s3inv_index_format::{FormatError, Info, ReadAt, Reader};
pub use s3inv_model::{
    Cell, ClassCount, Count, Dates, ErrorKind, Measure, Measures, Schema, Stats, Sums, prefix,
};
pub use s3inv_pipeline::{IndexSource, OpenError};
pub use s3inv_store::{Location, SdkConfig, StoreError};
pub use scope::Scope;
pub use tree::{Below, Node};
