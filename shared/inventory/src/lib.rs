//! S3 Inventory reports: the manifest, and data files as batches of rows.
//!
//! Synchronous over slices, [`std::io::Read`] and parquet's `ChunkReader`; fetching the bytes is
//! the caller's. A row that can't be understood is an error that names it: nothing is skipped,
//! and nothing is turned into a number.
//!
//! ```
//! use s3inv_inventory::{Batch, csv};
//! use s3inv_model::{Columns, RowCounts};
//!
//! let layout = csv::CsvLayout::parse("Bucket, Key, Size, StorageClass").unwrap();
//! let raw = b"\"b\",\"logs/a%3D1\",\"5\",\"STANDARD\"\n";
//! let (mut columns, mut counts, mut bytes) = (Columns::default(), RowCounts::default(), 0);
//! csv::read_slice(raw, &layout, &mut columns, &mut counts, &mut |batch: &Batch<'_>| {
//!     for (key, _column, size) in batch.iter() {
//!         assert_eq!(key, b"logs/a=1");
//!         bytes += size;
//!     }
//!     Ok::<(), std::convert::Infallible>(())
//! })
//! .unwrap();
//! assert_eq!((bytes, counts.rows), (5, 1));
//! ```

mod assembler;
mod batch;
mod classes;
pub mod csv;
mod error;
pub mod gzip;
pub mod manifest;
mod parquet;
#[cfg(test)]
mod testing;

pub use batch::{Batch, MAX_BATCH, Sink};
pub use error::{InputError, ReadError, RowError};
pub use manifest::{DataFile, Format, Manifest, ManifestError};
pub use parquet::{MAX_PAGE, read_parquet};
