//! What the objects of a prefix cost a month, exactly.
//!
//! An index counts the objects below 128 KiB apart wherever that matters, so nothing here is guessed from
//! averages. Amounts are integers of a unit so small that every price times every count is one ([`Cost`]);
//! they are rounded once, to micro-dollars, where they are shown.
//!
//! ```
//! use s3inv_model::{Bin, Cell, Classes, Dates, Measures, Schema, SizeBin, Stats};
//! use s3inv_pricing::{PriceTable, Rates, estimate};
//!
//! // A million objects of 1 MiB each in GLACIER.
//! let schema = Schema { measures: Measures::all(), classes: vec!["GLACIER".to_owned()].into() };
//! let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Band(4), age: None }.id();
//! let cells = [Cell { bin, objects: 1_000_000, bytes: 1_000_000 << 20 }];
//!
//! let table = PriceTable::default();
//! let stats = Stats::new(&schema, &cells, Dates::NONE);
//! let estimate = estimate(&stats, &table)?;
//! assert_eq!(estimate.total.to_string(), "$3.80");
//! assert_eq!(estimate.current["GLACIER"].overhead.micro_dollars().count(), 285_339);
//!
//! // For many prefixes, where only totals are asked for:
//! let rates = Rates::new(&table, &schema)?;
//! assert_eq!(rates.total(&cells), estimate.total);
//! # Ok::<(), s3inv_pricing::Missing>(())
//! ```
//!
//! # The rules, and where they come from
//!
//! - **Storage**: bytes at the price of their class; a GB is 2³⁰ bytes
//!   (<https://aws.amazon.com/s3/pricing/>). Each version of an object is billed as an object
//!   (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html>).
//! - **Minimum**: `STANDARD_IA`, `ONEZONE_IA` and `GLACIER_IR` bill an object below 128 KB as one of 128 KB
//!   (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html>).
//! - **Overhead**: an object in `GLACIER`, `DEEP_ARCHIVE` or an archive tier of Intelligent-Tiering takes
//!   32 KB more at the archive's price, and 8 KB at that of `STANDARD`
//!   (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html>: `GlacierObjectOverhead`,
//!   `GlacierS3ObjectOverhead` and their kin). The archive's price is taken to be that of its own tier.
//! - **Monitoring**: Intelligent-Tiering monitors objects of 128 KB and more, each for a fee; smaller ones
//!   stay in the frequent tier, unmonitored
//!   (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html>).
//! - **Volume steps**: `STANDARD` and the frequent tier of Intelligent-Tiering are cheaper beyond 50 TB and
//!   500 TB of an account in a Region and month (<https://aws.amazon.com/s3/pricing/>). Only
//!   [`estimate_in_steps`] applies them, since a prefix doesn't know what else its account stores.
//! - Delete markers bill next to nothing, and nothing here.
//!
//! What [`LEFT_OUT`] names depends on what is done with objects, which an inventory doesn't tell.

mod cost;
mod estimate;
mod notes;
mod price;
mod rates;
mod steps;
mod table;

pub use cost::{Cost, MicroDollars};
pub use estimate::{Estimate, LEFT_OUT, Missing, Parts, Unpriced, estimate, estimate_in_steps};
pub use notes::Notes;
pub use price::{Price, PriceError};
pub use rates::Rates;
pub use table::{PriceTable, TableError};
