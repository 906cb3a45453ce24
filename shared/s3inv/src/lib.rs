//! Asks an index of an S3 Inventory: how much is under a prefix, what is largest, what grew.
//!
//! An [`Index`] is opened where it is, in a file or in S3, and asked from any thread. What is asked about is a
//! [`Scope`]: a prefix with all below it, or all that begins with some text.

mod amount;
mod ask;
mod changes;
mod diff;
mod error;
mod families;
mod filter;
mod index;
mod largest;
mod list;
mod place;
mod rank;
mod rows;
mod scope;
mod shares;
mod sums;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod top;
mod total;
mod tree;
mod walk;

pub use amount::{Amount, By, Difference};
pub use changes::Change;
pub use diff::{Diff, DiffOptions, diff};
pub use error::AskError;
pub use filter::{Counted, Filter, Pattern, PatternError};
pub use index::Index;
pub use list::{Held, List, Listed, Order, Rest};
pub use rows::{Row, Rows};
pub use s3inv_index_format::{FormatError, Info, ReadAt, Reader};
pub use s3inv_model::{
    Cell, ClassCount, Count, Dates, ErrorKind, Measure, Measures, Schema, Stats, Sums, prefix,
};
pub use s3inv_pipeline::{IndexSource, OpenError};
pub use s3inv_pricing::{Cost, Missing, PriceTable, Rates};
pub use s3inv_store::{Location, SdkConfig, StoreError};
pub use scope::Scope;
pub use top::{Large, Top};
pub use tree::{Below, Node};
