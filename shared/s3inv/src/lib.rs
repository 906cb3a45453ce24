//! Asks an index of an S3 Inventory: how much is under a prefix, what is largest, what grew.
//!
//! An [`Index`] is opened where it is, in a file or in S3, and asked from any thread. What is asked about is a
//! [`Scope`]: a prefix with all below it, or all that begins with some text.

mod index;
mod scope;

pub use index::Index;
pub use s3inv_index_format::{FormatError, Info, ReadAt, Reader};
pub use s3inv_model::{Cell, ClassCount, Count, Dates, Measure, Measures, Schema, Stats, Sums, prefix};
pub use s3inv_pipeline::{IndexSource, OpenError};
pub use s3inv_store::{Location, SdkConfig, StoreError};
pub use scope::Scope;
