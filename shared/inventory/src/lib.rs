//! S3 Inventory reports: the manifest, and data files as batches of rows.
//!
//! Synchronous over slices, [`std::io::Read`] and [`RangeRead`]; fetching the bytes is the caller's.
//! A row that can't be understood is an error that names it, or is counted by what is wrong with it
//! where that is asked for: nothing is turned into a number.
//!
//! ```
//! use s3inv_inventory::{Batch, OnBadRow, Reading, Rows, csv};
//! use s3inv_model::{Binning, RowCounts};
//!
//! let layout = csv::CsvLayout::parse("Bucket, Key, Size, StorageClass").unwrap();
//! let fields = layout.fields();
//! let binning = Binning::new(&fields.measures(), 1_700_000_000_000);
//! let reading = Reading { binning, fields, on_bad_row: OnBadRow::Fail };
//!
//! let raw = b"\"b\",\"logs/a%3D1\",\"5\",\"STANDARD\"\n";
//! let (mut classes, mut counts, mut bytes) = (reading.classes(), RowCounts::default(), 0);
//! let mut sink = |batch: &Batch<'_>| {
//!     for object in batch.iter() {
//!         assert_eq!(object.key, b"logs/a=1");
//!         bytes += object.size;
//!     }
//!     Ok::<(), std::convert::Infallible>(())
//! };
//! csv::read_slice(raw, &layout, &mut Rows::new(&reading, &mut classes, &mut counts, &mut sink)).unwrap();
//! assert_eq!((bytes, counts.rows), (5, 1));
//! assert_eq!(classes.iter().collect::<Vec<_>>(), ["STANDARD"]);
//! ```

mod batch;
mod classes;
mod columns;
pub mod csv;
mod error;
mod fields;
pub mod gzip;
pub mod manifest;
pub mod orc;
pub mod parquet;
mod ranges;
mod reading;
mod row;
mod rows;
#[cfg(test)]
mod testing;

pub use batch::{Batch, MAX_BATCH, Sink};
pub use error::{InputError, ReadError, RowError};
pub use fields::{Field, Fields};
pub use manifest::{DataFile, Format, Manifest, ManifestError};
pub use ranges::RangeRead;
pub use reading::{OnBadRow, Reading};
pub use row::Facts;
pub use rows::Rows;
