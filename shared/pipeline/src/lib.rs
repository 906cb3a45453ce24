//! The steps from an S3 Inventory's manifest to its index, cancellable anywhere.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use s3inv_pipeline::{BuildOptions, build};
//!
//! let options = BuildOptions::new("s3://reports/my-bucket/daily/2025-05-13T01-00Z/manifest.json", "./my-bucket.s3inv")?;
//! let report = build(options).await?;
//! println!("{} rows, {} prefixes, {:?}", report.counts.rows, report.prefixes, report.duration);
//! # Ok(()) }
//! ```
//!
//! # Stopping
//!
//! A build stops when its token is cancelled, when its timeout is over, or when its future is
//! dropped. Whichever it is, all threads and tasks have ended and all temporary files are gone
//! before control comes back, and the destination holds what it held before.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use std::time::Duration;
//! use s3inv_cancel::{Cancellation, CancellationToken, SystemClock};
//! use s3inv_model::ErrorKind;
//! use s3inv_pipeline::{BuildOptions, build};
//!
//! let token = CancellationToken::new();
//! let mut options = BuildOptions::new("manifest.json", "out.s3inv")?;
//! options.cancellation = Cancellation::new(token.clone(), Arc::new(SystemClock::new()))
//!     .with_timeout(Duration::from_secs(3600));
//!
//! token.cancel(); // from anywhere, at any time
//! let error = build(options).await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Cancelled);
//! assert_eq!(error.to_string(), "manifest phase: read manifest: context canceled");
//! # Ok(()) }
//! ```
//!
//! # What it is not
//!
//! It lists no bucket and reads no object of the buckets that an inventory is about: the inventory's
//! own files are all it reads.

mod build;
mod cache;
mod destination;
mod error;
mod finalize;
pub mod fleet;
mod ingest;
mod memory;
mod merge;
mod options;
mod plan;
mod progress;
mod remote;
mod scratch;
mod source;
mod system;

pub use build::build;
pub use destination::Destination;
pub use error::{BuildError, Cause};
pub use options::{BuildOptions, BuildReport, MIN_MEMORY};
pub use progress::{Progress, Snapshot};
pub use remote::RemoteSource;
pub use s3inv_inventory::OnBadRow;
pub use s3inv_model::{Measure, Measures};
pub use s3inv_store::{Location, Retries, SdkConfig, StoreError};
pub use source::{ALONE, IndexSource, OpenError, open_index, open_newest};
pub use system::reserve_files;
