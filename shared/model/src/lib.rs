//! Prefixes, storage classes and measures: the words that every other crate speaks.
//!
//! Nothing here does I/O, allocates by input-given lengths, or depends on the platform.

mod bin;
mod cell;
mod classes;
mod counts;
mod kind;
mod measures;
mod object;
pub mod prefix;
mod schema;
mod stats;

pub use bin::{AGE_BANDS, Bin, BinId, Binning, SIZE_BANDS, SizeBin};
pub use cell::{Cell, Dates, Sums};
pub use classes::{ClassError, ClassId, Classes, MAX_CLASSES};
pub use counts::{Excluded, RowCounts};
pub use kind::ErrorKind;
pub use measures::{Measure, Measures};
pub use object::Object;
pub use schema::{Schema, SchemaError};
pub use stats::{ClassCount, Count, Stats};
