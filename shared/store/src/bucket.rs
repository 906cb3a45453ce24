use std::sync::Arc;

use async_trait::async_trait;

use crate::{Store, StoreError, Suspended, Upload};

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// What one request for a listing brings. It may be empty and yet have a next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects, in the byte order of their keys.
    pub objects: Vec<Listed>,
    /// What keys with a further `/` have in common up to it, `/` included, in byte order.
    pub folders: Vec<String>,
    /// What to give to [`Bucket::list`] for the next page, if there is one.
    pub next: Option<String>,
}

/// What an object store has, and a folder has not: listings, removal of many objects at once, and
/// uploads that others can see and abort.
#[async_trait]
pub trait Bucket: Store {
    /// A page of the objects whose keys start with `prefix`: the first, or that of a
    /// [`Page::next`].
    ///
    /// With `folders`, keys with a `/` after the prefix are put together as [`Page::folders`].
    async fn list(&self, prefix: &str, next: Option<&str>, folders: bool) -> Result<Page, StoreError>;

    /// Removes objects; keys of none are no error.
    ///
    /// The others are removed also when one can't be; the error is then about the first of those,
    /// and counts them. What fails as a whole ends it.
    async fn delete(&self, keys: &[String]) -> Result<(), StoreError>;

    /// Like [`Store::create`], but [`Bucket::uploads`] lists it from now on until it ends, and
    /// [`Bucket::abort_upload`] makes its completion fail, as
    /// [`UploadGone`](crate::StoreErrorKind::UploadGone). Either comes first, never both.
    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, StoreError>;

    /// Goes on with an upload that was left open, behind the [`Suspended::bytes`] of it. Whether it still
    /// is open, its next request will tell. Two that go on with one write the same, or one of them fails.
    fn resume(&self, key: &str, suspended: Suspended) -> Box<dyn Upload>;

    /// Key and id of every open upload whose key starts with `prefix`, in the order of their keys.
    ///
    /// One of [`Store::create`] may be among them.
    async fn uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError>;

    /// Aborts an upload that may be somebody else's; one that is gone is no error.
    async fn abort_upload(&self, key: &str, id: &str) -> Result<(), StoreError>;

    /// Whether objects that were removed or replaced may stay as versions, which [`Bucket::list`]
    /// doesn't show and [`Bucket::delete`] doesn't remove: so it is when versioning is enabled, or
    /// was once.
    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        Ok(false)
    }
}

#[async_trait]
impl<B: Bucket + ?Sized> Bucket for Arc<B> {
    async fn list(&self, prefix: &str, next: Option<&str>, folders: bool) -> Result<Page, StoreError> {
        (**self).list(prefix, next, folders).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        (**self).delete(keys).await
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        (**self).begin(key).await
    }

    fn resume(&self, key: &str, suspended: Suspended) -> Box<dyn Upload> {
        (**self).resume(key, suspended)
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        (**self).uploads(prefix).await
    }

    async fn abort_upload(&self, key: &str, id: &str) -> Result<(), StoreError> {
        (**self).abort_upload(key, id).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        (**self).keeps_versions().await
    }
}
