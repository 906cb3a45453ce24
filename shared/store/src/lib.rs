//! Where bytes are: S3, local files, memory.
//!
//! A [`Location`] is what a user writes; [`Location::open`] makes a [`Store`] and a key of it:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use s3inv_store::{Location, Only, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let text = format!("{}/hello", folder.path().display());
//! let (store, key) = Location::parse(&text)?.open(None)?;
//!
//! let mut upload = store.create(&key).await?;
//! upload.write("hello, world".into()).await?;
//! upload.complete(Only::IfAbsent).await?;
//!
//! let (tail, meta) = store.read_tail(&key, 5).await?;
//! assert_eq!((&tail[..], meta.size), (&b"world"[..], 12));
//! assert_eq!(store.read(&key, 0..5, Some(&meta.etag)).await?, "hello");
//! # Ok(()) }
//! ```
//!
//! For `s3://` it takes the caller's [`SdkConfig`], or that of [`sdk_config`].
//!
//! [`put`] writes small objects at once; [`Only`] says what must hold of what is there for a write
//! to count, which is how several writers agree; [`Upload::copy`] takes bytes of another object
//! without passing them through this process, where it can.
//!
//! What only an object store has is a [`Bucket`], of [`Location::open_bucket`]: listings, removal, and
//! uploads that others see and abort:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), s3inv_store::StoreError> {
//! use s3inv_store::{Bucket, MemoryStore, Only, StoreErrorKind, put};
//!
//! let bucket = MemoryStore::new();
//! let upload = bucket.begin("index").await?;
//! for (key, id) in bucket.uploads("index").await? {
//!     bucket.abort_upload(&key, &id).await?;
//! }
//! let error = upload.complete(Only::Always).await.unwrap_err();
//! assert_eq!(error.kind(), StoreErrorKind::UploadGone);
//!
//! put(&bucket, "work/a", "1", Only::IfAbsent).await?;
//! let error = put(&bucket, "work/a", "2", Only::IfAbsent).await.unwrap_err();
//! assert_eq!(error.kind(), StoreErrorKind::Precondition);
//! put(&bucket, "work/b/c", "3", Only::Always).await?;
//!
//! let page = bucket.list("work/", None, true).await?;
//! assert_eq!((page.objects[0].key.as_str(), &page.folders[..]), ("work/a", &["work/b/".to_owned()][..]));
//! bucket.delete(&["work/a".to_owned(), "work/none".to_owned()]).await?;
//! assert_eq!(bucket.keys(), ["work/b/c"]);
//! # Ok(()) }
//! ```
//!
//! [`in_region_of`] turns a configuration to the Region of a bucket.
//!
//! It is no general object store: no versions, tags, metadata or access rules. It is the only
//! crate that knows the AWS SDK for S3.

mod bucket;
#[cfg(feature = "conformance")]
pub mod conformance;
mod counting;
mod error;
pub mod lease;
mod local;
mod location;
mod memory;
mod percent;
mod retries;
mod s3;
mod store;

pub use aws_config::SdkConfig;
pub use bucket::{Bucket, Listed, Page};
pub use counting::{Counting, Counts};
pub use error::{StoreError, StoreErrorKind};
pub use local::LocalStore;
pub use location::Location;
pub use memory::MemoryStore;
pub use retries::Retries;
pub use s3::{S3Store, in_region_of, sdk_config};
pub use store::{ObjectMeta, Only, Store, Suspended, Upload, put};
