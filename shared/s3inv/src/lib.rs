//! Asks an index of an S3 Inventory: how much is under a prefix, what is largest, what grew.
//!
//! An [`Index`] is opened where it is, in a file or in S3, and asked from any thread. What is asked about is a
//! [`Scope`]: a prefix with all below it, or all that begins with some text.
//!
//! [`Index::top`] finds the prefixes that tell best where most is, [`Index::largest`] those with most in them;
//! [`diff`] tells what differs between two indexes. They read what the directory doesn't rule out.

mod amount;
mod changes;
mod diff;
mod error;
mod families;
mod index;
mod largest;
mod place;
mod rank;
mod scope;
mod shares;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod top;
mod total;
mod walk;

pub use amount::{Amount, By, Difference};
pub use changes::Change;
pub use diff::{Diff, DiffOptions, diff};
pub use error::AskError;
pub use index::Index;
pub use s3inv_index_format::{FormatError, Info, ReadAt, Reader};
pub use s3inv_model::{Cell, ClassCount, Count, Dates, Measure, Measures, Schema, Stats, Sums, prefix};
pub use s3inv_pipeline::{IndexSource, OpenError};
pub use s3inv_store::{Location, SdkConfig, StoreError};
pub use scope::Scope;
pub use top::{Large, Top};
