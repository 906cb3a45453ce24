use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use crate::error::check_range;
use crate::{ObjectMeta, Store, StoreError, Upload};

/// Objects in memory, for tests. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Objects>>);

#[derive(Debug, Default)]
struct Objects {
    by_key: BTreeMap<String, (Bytes, ObjectMeta)>,
    written: u64,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `bytes` the object at `key`.
    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        let mut objects = self.lock();
        objects.written += 1;
        let meta = ObjectMeta { size: bytes.len() as u64, etag: format!("\"{}\"", objects.written) };
        objects.by_key.insert(key.to_owned(), (bytes, meta));
    }

    /// All keys, in their order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.lock().by_key.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Objects> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &str) -> Result<(Bytes, ObjectMeta), StoreError> {
        self.lock().by_key.get(key).cloned().ok_or_else(|| StoreError::not_found(&self.uri(key)))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn head(&self, key: &str) -> Result<ObjectMeta, StoreError> {
        Ok(self.get(key)?.1)
    }

    async fn read(&self, key: &str, range: Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError> {
        let (bytes, meta) = self.get(key)?;
        if if_match.is_some_and(|etag| etag != meta.etag) {
            return Err(StoreError::changed(&self.uri(key)));
        }
        check_range(&self.uri(key), &range, meta.size)?;
        Ok(bytes.slice(range.start as usize..range.end as usize))
    }

    async fn read_tail(&self, key: &str, len: u64) -> Result<(Bytes, ObjectMeta), StoreError> {
        let (bytes, meta) = self.get(key)?;
        Ok((bytes.slice(meta.size.saturating_sub(len) as usize..), meta))
    }

    async fn create(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(MemoryUpload { store: self.clone(), key: key.to_owned(), bytes: BytesMut::new() }))
    }

    fn uri(&self, key: &str) -> String {
        format!("memory:{key}")
    }
}

struct MemoryUpload {
    store: MemoryStore,
    key: String,
    bytes: BytesMut,
}

#[async_trait]
impl Upload for MemoryUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn complete(self: Box<Self>) -> Result<(), StoreError> {
        self.store.put(&self.key, self.bytes);
        Ok(())
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conforms() {
        crate::conformance::run(Arc::new(MemoryStore::new()), "test/").await;
    }
}
