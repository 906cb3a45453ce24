use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Retries, StoreError};

/// What is known of an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its size in bytes.
    pub size: u64,
    /// Identifies its content: another `ETag` under the same key is another object.
    pub etag: String,
}

/// A place with objects, each under a key.
///
/// Futures may be dropped at any await. What that leaves running (a blocking read, the abort of
/// an upload) ends on its own soon; [`Store::settle`] waits for it.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Size and `ETag` of an object.
    async fn head(&self, key: &str) -> Result<ObjectMeta, StoreError>;

    /// Exactly the bytes of `range`, never fewer: a range that ends beyond the object's end is a
    /// [`Range`](crate::StoreErrorKind::Range) error, and an empty one may be answered unasked.
    ///
    /// With `if_match`, an object whose `ETag` is another by now is
    /// [`Changed`](crate::StoreErrorKind::Changed).
    async fn read(&self, key: &str, range: Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError>;

    /// The last `len` bytes, or the whole object when it is shorter, and the object's size and
    /// `ETag`, with one request.
    async fn read_tail(&self, key: &str, len: u64) -> Result<(Bytes, ObjectMeta), StoreError>;

    /// Starts to write an object that appears, whole, at [`Upload::complete`], or never.
    async fn create(&self, key: &str) -> Result<Box<dyn Upload>, StoreError>;

    /// The object's name in messages.
    fn uri(&self, key: &str) -> String;

    /// Waits until nothing runs any more of what dropped futures and uploads left behind.
    async fn settle(&self) {}

    /// Requests made again until now, by this store and its clones; none where there are no requests.
    fn retries(&self) -> Retries {
        Retries::default()
    }
}

/// What must hold of what is there under the key, for a write to count.
///
/// A store checks and writes in one step; [`LocalStore`](crate::LocalStore) says where it can't. A
/// request that is sent again because its answer was lost meets what it wrote itself: whoever is
/// told [`Precondition`](crate::StoreErrorKind::Precondition) has to look whose object is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only<'a> {
    /// Nothing: the object takes the place of one that is there.
    Always,
    /// No object is there (`If-None-Match: *`).
    IfAbsent,
    /// The object that is there has this `ETag` (`If-Match`).
    IfMatch(&'a str),
}

/// Writes `bytes` as the object at `key`: [`Store::create`], [`Upload::write`] and
/// [`Upload::complete`], with their errors.
pub async fn put(
    store: &dyn Store,
    key: &str,
    bytes: impl Into<Bytes> + Send,
    only: Only<'_>,
) -> Result<(), StoreError> {
    let bytes = bytes.into();
    let mut upload = store.create(key).await?;
    upload.write(bytes).await?;
    upload.complete(only).await
}

/// An object being written. Dropping it aborts it, in the background where that needs a request.
#[async_trait]
pub trait Upload: Send {
    /// Appends `bytes`. After an error, or when dropped before its end, only
    /// [`Upload::abort`] is of use.
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError>;

    /// Appends the bytes of `range` of another object of the same kind of store, named as its
    /// [`Store::uri`] does, without passing them through this process where that is possible.
    /// Errors, dropping it and an empty range are as for [`Upload::write`].
    ///
    /// A range that ends beyond the other object's end is a [`Range`](crate::StoreErrorKind::Range)
    /// error. With `if_match`, an object whose `ETag` is another by now is
    /// [`Changed`](crate::StoreErrorKind::Changed); without, parts of two objects may be mixed.
    async fn copy(&mut self, from: &str, range: Range<u64>, if_match: Option<&str>)
    -> Result<(), StoreError>;

    /// Makes the object appear, unless `only` does not hold of what is there:
    /// [`Precondition`](crate::StoreErrorKind::Precondition).
    ///
    /// After another error nothing of it is left, except where an answer was lost
    /// ([`Retryable`](crate::StoreErrorKind::Retryable), or
    /// [`UploadGone`](crate::StoreErrorKind::UploadGone) for a request sent again): then, and when
    /// dropped before its end, the object may have appeared; if so it is whole.
    async fn complete(self: Box<Self>, only: Only<'_>) -> Result<(), StoreError>;

    /// Removes everything written.
    async fn abort(self: Box<Self>) -> Result<(), StoreError>;

    /// Leaves an upload of [`Bucket::begin`](crate::Bucket::begin) open, for
    /// [`Bucket::resume`](crate::Bucket::resume) to go on from what has been stored of it. Others are
    /// aborted, and can't be resumed.
    async fn suspend(self: Box<Self>) -> Result<Suspended, StoreError>;
}

/// An open upload that nobody works at, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    pub(crate) id: String,
    pub(crate) parts: Vec<StoredPart>,
    /// Bytes that are stored: what was written after them is to be written again.
    pub bytes: u64,
}

/// What completing an upload has to name of each of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPart {
    pub(crate) etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crc32: Option<String>,
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn head(&self, key: &str) -> Result<ObjectMeta, StoreError> {
        (**self).head(key).await
    }

    async fn read(&self, key: &str, range: Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError> {
        (**self).read(key, range, if_match).await
    }

    async fn read_tail(&self, key: &str, len: u64) -> Result<(Bytes, ObjectMeta), StoreError> {
        (**self).read_tail(key, len).await
    }

    async fn create(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        (**self).create(key).await
    }

    fn uri(&self, key: &str) -> String {
        (**self).uri(key)
    }

    async fn settle(&self) {
        (**self).settle().await;
    }

    fn retries(&self) -> Retries {
        (**self).retries()
    }
}
