//! Where bytes are: S3, local files, memory.
//!
//! A [`Location`] is what a user writes; [`Location::open`] makes a [`Store`] and a key of it:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use s3inv_store::{Location, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let text = format!("{}/hello", folder.path().display());
//! let (store, key) = Location::parse(&text)?.open(None)?;
//!
//! let mut upload = store.create(&key).await?;
//! upload.write("hello, world".into()).await?;
//! upload.complete().await?;
//!
//! let (tail, meta) = store.read_tail(&key, 5).await?;
//! assert_eq!((&tail[..], meta.size), (&b"world"[..], 12));
//! assert_eq!(store.read(&key, 0..5, Some(&meta.etag)).await?, "hello");
//! # Ok(()) }
//! ```
//!
//! For `s3://` it takes the caller's [`SdkConfig`], or that of [`sdk_config`].
//!
//! It is no general object store: nothing lists, copies or deletes objects. It is the only crate
//! that knows the AWS SDK.

#[cfg(feature = "conformance")]
pub mod conformance;
mod counting;
mod error;
pub mod lease;
mod local;
mod location;
mod memory;
mod s3;
mod store;

pub use aws_config::SdkConfig;
pub use counting::{Counting, Counts};
pub use error::{StoreError, StoreErrorKind};
pub use local::LocalStore;
pub use location::Location;
pub use memory::MemoryStore;
pub use s3::{S3Store, sdk_config};
pub use store::{ObjectMeta, Store, Upload};
