use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Bucket, ObjectMeta, Only, Page, Retries, Store, StoreError, Suspended, Upload};

/// How often each method was called, and how many bytes came back or went out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of [`Store::head`].
    pub head: u64,
    /// Calls of [`Store::read`].
    pub read: u64,
    /// Calls of [`Store::read_tail`].
    pub read_tail: u64,
    /// Bytes that reads returned.
    pub bytes_read: u64,
    /// Calls of [`Store::create`].
    pub create: u64,
    /// Calls of [`Upload::write`].
    pub write: u64,
    /// Bytes given to [`Upload::write`].
    pub bytes_written: u64,
    /// Calls of [`Upload::copy`].
    pub copy: u64,
    /// Bytes of the ranges given to [`Upload::copy`].
    pub bytes_copied: u64,
    /// Calls of [`Upload::complete`].
    pub complete: u64,
    /// Calls of [`Upload::abort`].
    pub abort: u64,
    /// Calls of [`Bucket::list`].
    pub list: u64,
    /// Keys given to [`Bucket::delete`].
    pub delete: u64,
    /// Calls of [`Bucket::begin`].
    pub begin: u64,
    /// Calls of [`Bucket::uploads`].
    pub uploads: u64,
    /// Calls of [`Bucket::abort_upload`].
    pub abort_upload: u64,
    /// Calls of [`Bucket::keeps_versions`].
    pub keeps_versions: u64,
}

/// Counts the calls that pass through to another store, failed ones included. Clones count
/// together.
#[derive(Clone, Debug)]
pub struct Counting<S> {
    inner: S,
    counts: Counter,
}

#[derive(Clone, Debug, Default)]
struct Counter(Arc<Mutex<Counts>>);

impl Counter {
    fn add(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<S> Counting<S> {
    /// Counts from zero.
    pub fn new(inner: S) -> Self {
        Self { inner, counts: Counter::default() }
    }

    /// The counts by now.
    pub fn counts(&self) -> Counts {
        *self.counts.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counting(&self, inner: Box<dyn Upload>) -> Box<dyn Upload> {
        Box::new(CountingUpload { inner, counts: self.counts.clone() })
    }

    /// The counts by now, which start at zero again.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl<S: Store> Store for Counting<S> {
    async fn head(&self, key: &str) -> Result<ObjectMeta, StoreError> {
        self.counts.add(|c| c.head += 1);
        self.inner.head(key).await
    }

    async fn read(&self, key: &str, range: Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError> {
        self.counts.add(|c| c.read += 1);
        let bytes = self.inner.read(key, range, if_match).await?;
        self.counts.add(|c| c.bytes_read += bytes.len() as u64);
        Ok(bytes)
    }

    async fn read_tail(&self, key: &str, len: u64) -> Result<(Bytes, ObjectMeta), StoreError> {
        self.counts.add(|c| c.read_tail += 1);
        let (bytes, meta) = self.inner.read_tail(key, len).await?;
        self.counts.add(|c| c.bytes_read += bytes.len() as u64);
        Ok((bytes, meta))
    }

    async fn create(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        self.counts.add(|c| c.create += 1);
        Ok(self.counting(self.inner.create(key).await?))
    }

    fn uri(&self, key: &str) -> String {
        self.inner.uri(key)
    }

    async fn settle(&self) {
        self.inner.settle().await;
    }

    fn retries(&self) -> Retries {
        self.inner.retries()
    }
}

#[async_trait]
impl<B: Bucket> Bucket for Counting<B> {
    async fn list(&self, prefix: &str, next: Option<&str>, folders: bool) -> Result<Page, StoreError> {
        self.counts.add(|c| c.list += 1);
        self.inner.list(prefix, next, folders).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.counts.add(|c| c.delete += keys.len() as u64);
        self.inner.delete(keys).await
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        self.counts.add(|c| c.begin += 1);
        Ok(self.counting(self.inner.begin(key).await?))
    }

    fn resume(&self, key: &str, suspended: Suspended) -> Box<dyn Upload> {
        self.counting(self.inner.resume(key, suspended))
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.counts.add(|c| c.uploads += 1);
        self.inner.uploads(prefix).await
    }

    async fn abort_upload(&self, key: &str, id: &str) -> Result<(), StoreError> {
        self.counts.add(|c| c.abort_upload += 1);
        self.inner.abort_upload(key, id).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        self.counts.add(|c| c.keeps_versions += 1);
        self.inner.keeps_versions().await
    }
}

struct CountingUpload {
    inner: Box<dyn Upload>,
    counts: Counter,
}

#[async_trait]
impl Upload for CountingUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.counts.add(|c| {
            c.write += 1;
            c.bytes_written += bytes.len() as u64;
        });
        self.inner.write(bytes).await
    }

    async fn copy(
        &mut self,
        from: &str,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<(), StoreError> {
        self.counts.add(|c| {
            c.copy += 1;
            c.bytes_copied += range.end.saturating_sub(range.start);
        });
        self.inner.copy(from, range, if_match).await
    }

    async fn complete(self: Box<Self>, only: Only<'_>) -> Result<(), StoreError> {
        self.counts.add(|c| c.complete += 1);
        self.inner.complete(only).await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.counts.add(|c| c.abort += 1);
        self.inner.abort().await
    }

    async fn suspend(self: Box<Self>) -> Result<Suspended, StoreError> {
        self.inner.suspend().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    #[tokio::test]
    async fn calls_are_counted_and_passed_on() {
        let store = Counting::new(MemoryStore::new());
        crate::conformance::run(Arc::new(store.clone()), "").await;
        crate::conformance::run_bucket(Arc::new(store.clone()), "lists/").await;
        assert!(store.take().read > 0);
        let mut upload = store.create("k").await.unwrap();
        upload.write(Bytes::from_static(b"abc")).await.unwrap();
        upload.copy("memory:k", 0..0, None).await.unwrap_err();
        upload.complete(Only::IfAbsent).await.unwrap();
        store.create("k").await.unwrap().abort().await.unwrap();
        store.head("k").await.unwrap();
        store.read("k", 1..3, None).await.unwrap();
        store.read("none", 1..3, None).await.unwrap_err();
        store.read_tail("k", 1).await.unwrap();
        store.list("", None, true).await.unwrap();
        store.delete(&["x".to_owned(), "y".to_owned()]).await.unwrap();
        drop(store.begin("k").await.unwrap());
        store.uploads("").await.unwrap();
        store.abort_upload("k", "none").await.unwrap();
        store.keeps_versions().await.unwrap();
        let expected = Counts {
            head: 1,
            read: 2,
            read_tail: 1,
            bytes_read: 3,
            create: 2,
            write: 1,
            bytes_written: 3,
            complete: 1,
            abort: 1,
            copy: 1,
            bytes_copied: 0,
            list: 1,
            delete: 2,
            begin: 1,
            uploads: 1,
            abort_upload: 1,
            keeps_versions: 1,
        };
        assert_eq!(store.counts(), expected);
    }
}
