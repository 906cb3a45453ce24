use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::StoreError;

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
}

/// An object being written. Dropping it aborts it, in the background where that needs a request.
#[async_trait]
pub trait Upload: Send {
    /// Appends `bytes`. After an error, or when dropped before its end, only
    /// [`Upload::abort`] is of use.
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError>;

    /// Makes the object appear, in place of one that was there before.
    ///
    /// After an error nothing of it is left. When dropped before its end, the object may have
    /// appeared; if so it is whole.
    async fn complete(self: Box<Self>) -> Result<(), StoreError>;

    /// Removes everything written.
    async fn abort(self: Box<Self>) -> Result<(), StoreError>;
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
}
