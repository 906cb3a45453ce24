use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use crate::error::check_range;
use crate::store::StoredPart;
use crate::{Bucket, Listed, ObjectMeta, Only, Page, Store, StoreError, StoreErrorKind, Suspended, Upload};

/// How many objects and folders a page has. S3's 1,000 would hide the next page from tests.
const PAGE: usize = 10;

/// What names of objects in memory start with.
const SCHEME: &str = "memory:";

/// Objects in memory, for tests. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Objects>>);

#[derive(Debug, Default)]
struct Objects {
    by_key: BTreeMap<String, (Bytes, ObjectMeta)>,
    /// The uploads that [`Bucket::begin`] began by key and id, and their parts by number.
    uploads: BTreeMap<(String, String), BTreeMap<usize, (String, Bytes)>>,
    /// How many uploads have been begun of each key: no id comes twice.
    begun: BTreeMap<String, u64>,
    /// What [`Bucket::keeps_versions`] says.
    keeps_versions: bool,
}

impl Objects {
    fn put(&mut self, key: &str, bytes: Bytes) {
        let meta = ObjectMeta { size: bytes.len() as u64, etag: etag(&bytes) };
        self.by_key.insert(key.to_owned(), (bytes, meta));
    }

    fn holds(&self, key: &str, only: Only<'_>) -> bool {
        let there = self.by_key.get(key).map(|(_, meta)| meta.etag.as_str());
        match only {
            Only::Always => true,
            Only::IfAbsent => there.is_none(),
            Only::IfMatch(etag) => there == Some(etag),
        }
    }

    /// The page after the object or folder of this name.
    fn page(&self, prefix: &str, after: Option<&str>, folders: bool) -> Page {
        let mut page = Page::default();
        let mut last = after.map(str::to_owned);
        let keys = self.by_key.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        for (key, (_, meta)) in keys {
            let folder = key[prefix.len()..].find('/').filter(|_| folders);
            let name = folder.map_or(key.as_str(), |at| &key[..=prefix.len() + at]);
            if last.as_deref().is_some_and(|last| name <= last) {
                continue;
            }
            if page.objects.len() + page.folders.len() == PAGE {
                page.next = last;
                break;
            }
            match folder {
                Some(_) => page.folders.push(name.to_owned()),
                None => page.objects.push(Listed { key: name.to_owned(), size: meta.size }),
            }
            last = Some(name.to_owned());
        }
        page
    }
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `bytes` the object at `key`.
    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.lock().put(key, bytes.into());
    }

    /// From now on says that it keeps versions, without keeping any.
    pub fn say_it_keeps_versions(&self) {
        self.lock().keeps_versions = true;
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

    fn upload(&self, key: &str, id: Option<String>) -> MemoryUpload {
        MemoryUpload {
            store: self.clone(),
            key: key.to_owned(),
            id,
            bytes: BytesMut::new(),
            parts: Vec::new(),
            stored: 0,
        }
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
        Ok(Box::new(self.upload(key, None)))
    }

    fn uri(&self, key: &str) -> String {
        format!("{SCHEME}{key}")
    }
}

#[async_trait]
impl Bucket for MemoryStore {
    async fn list(&self, prefix: &str, next: Option<&str>, folders: bool) -> Result<Page, StoreError> {
        Ok(self.lock().page(prefix, next, folders))
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        let mut objects = self.lock();
        for key in keys {
            objects.by_key.remove(key);
        }
        Ok(())
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        let mut objects = self.lock();
        let begun = objects.begun.entry(key.to_owned()).or_default();
        *begun += 1;
        let id = begun.to_string();
        objects.uploads.insert((key.to_owned(), id.clone()), BTreeMap::new());
        Ok(Box::new(self.upload(key, Some(id))))
    }

    fn resume(&self, key: &str, suspended: Suspended) -> Box<dyn Upload> {
        let parts = suspended.parts.into_iter().filter_map(|part| part.etag).collect();
        let mut upload = self.upload(key, Some(suspended.id));
        (upload.parts, upload.stored) = (parts, suspended.bytes);
        Box::new(upload)
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        let open = self.lock();
        Ok(open.uploads.keys().filter(|(key, _)| key.starts_with(prefix)).cloned().collect())
    }

    async fn abort_upload(&self, key: &str, id: &str) -> Result<(), StoreError> {
        self.lock().uploads.remove(&(key.to_owned(), id.to_owned()));
        Ok(())
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        Ok(self.lock().keeps_versions)
    }
}

struct MemoryUpload {
    store: MemoryStore,
    key: String,
    /// Of one that others can see and abort.
    id: Option<String>,
    /// What was written to one that they can't.
    bytes: BytesMut,
    /// The `ETag` of each part of one that they can.
    parts: Vec<String>,
    /// Bytes of these.
    stored: u64,
}

impl MemoryUpload {
    fn uri(&self) -> String {
        self.store.uri(&self.key)
    }

    /// The parts that are there, if the upload is open.
    fn open<'o>(
        &self,
        id: &str,
        objects: &'o mut Objects,
    ) -> Result<&'o mut BTreeMap<usize, (String, Bytes)>, StoreError> {
        let open = objects.uploads.get_mut(&(self.key.clone(), id.to_owned()));
        open.ok_or_else(|| StoreError::upload_gone(&self.uri()))
    }

    /// All that was written, where it is still there.
    fn whole(&mut self, objects: &mut Objects) -> Result<Bytes, StoreError> {
        let Some(id) = &self.id else { return Ok(self.bytes.split().freeze()) };
        let parts = self.open(id, objects)?;
        let mut whole = BytesMut::new();
        for (number, etag) in self.parts.iter().enumerate() {
            match parts.get(&number) {
                Some((there, bytes)) if there == etag => whole.extend_from_slice(bytes),
                _ => return Err(StoreError::new(&self.uri(), StoreErrorKind::Retryable, "InvalidPart")),
            }
        }
        Ok(whole.freeze())
    }
}

/// As S3 has them: the same for the same bytes.
fn etag(bytes: &Bytes) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

#[async_trait]
impl Upload for MemoryUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let Some(id) = &self.id else {
            self.bytes.extend_from_slice(&bytes);
            return Ok(());
        };
        let (number, etag) = (self.parts.len(), etag(&bytes));
        self.stored += bytes.len() as u64;
        self.open(id, &mut self.store.lock())?.insert(number, (etag.clone(), bytes));
        self.parts.push(etag);
        Ok(())
    }

    async fn copy(
        &mut self,
        from: &str,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<(), StoreError> {
        let key = from.strip_prefix(SCHEME).ok_or_else(|| StoreError::invalid(from, "not in memory"))?;
        let bytes = self.store.read(key, range, if_match).await?;
        self.write(bytes).await
    }

    async fn complete(mut self: Box<Self>, only: Only<'_>) -> Result<(), StoreError> {
        let store = self.store.clone();
        let mut objects = store.lock();
        let whole = self.whole(&mut objects)?;
        if !objects.holds(&self.key, only) {
            return Err(StoreError::precondition(&self.uri(), only));
        }
        objects.put(&self.key, whole);
        Ok(())
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn suspend(mut self: Box<Self>) -> Result<Suspended, StoreError> {
        let id = self.id.take().ok_or_else(|| StoreError::not_to_suspend(&self.uri()))?;
        let part = |etag| StoredPart { etag: Some(etag), crc32: None };
        let parts = std::mem::take(&mut self.parts).into_iter().map(part).collect();
        Ok(Suspended { id, parts, bytes: self.stored })
    }
}

/// One that was begun is aborted, completed or not; [`Upload::suspend`] takes its id away.
impl Drop for MemoryUpload {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.store.lock().uploads.remove(&(std::mem::take(&mut self.key), id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conforms() {
        let store = MemoryStore::new();
        crate::conformance::run(Arc::new(store.clone()), "test/").await;
        crate::conformance::run_bucket(Arc::new(store.clone()), "lists/").await;
        store.say_it_keeps_versions();
        assert!(store.keeps_versions().await.unwrap());
    }

    #[tokio::test]
    async fn an_upload_that_is_gone_takes_nothing_more() {
        let store = MemoryStore::new();
        let mut upload = store.begin("k").await.unwrap();
        upload.write(Bytes::from_static(b"first")).await.unwrap();
        let uploads = store.uploads("").await.unwrap();
        store.abort_upload("k", &uploads[0].1).await.unwrap();
        let error = upload.write(Bytes::from_static(b"second")).await.unwrap_err();
        assert_eq!(error.kind(), crate::StoreErrorKind::UploadGone);
        assert_eq!(error.to_string(), "memory:k: not written: its upload is gone, aborted by somebody else");
    }
}
