//! An object in a store, as the bytes of an index.

use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use s3inv_index_format::{ReadAt, SourceError, Tail};
use s3inv_store::{Store, StoreError};
use tokio::runtime::Runtime;

use crate::cache::{Cache, KEPT, hull, together};

/// Requests that are on their way at the same time.
const AT_ONCE: usize = 16;

/// An object in a store, for threads that may block. It stays the same object while it is read. What was read
/// last is kept, some 24 MiB of it.
pub struct RemoteSource {
    store: Arc<dyn Store>,
    key: String,
    etag: OnceLock<String>,
    cache: Cache,
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

impl RemoteSource {
    /// The object at `key`. The runtime sends the requests for it, and ends with it.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, key: String, runtime: Runtime) -> Self {
        let (etag, cache) = (OnceLock::new(), Cache::new(KEPT));
        Self { store, key, etag, cache, runtime: Some(runtime) }
    }

    fn wait<T>(&self, request: impl Future<Output = Result<T, StoreError>>) -> io::Result<T> {
        let runtime = self.runtime.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let failed = |error: StoreError| SourceError { kind: error.error_kind(), error: error.into() };
        Ok(runtime.block_on(request).map_err(failed)?)
    }

    async fn request(&self, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.store.read(&self.key, range, self.etag.get().map(String::as_str)).await
    }

    /// Fetches ranges that are near each other, with what is between them, and keeps each.
    async fn fetch(&self, group: &[Range<u64>]) -> Result<(), StoreError> {
        let hull = hull(group);
        let bytes = self.request(hull.clone()).await?;
        for range in group {
            let from = (range.start - hull.start) as usize..(range.end - hull.start) as usize;
            // A copy: a piece must not keep all that came with it.
            let piece = bytes.get(from).map(Bytes::copy_from_slice);
            self.cache.put(range.start, piece.unwrap_or_default());
        }
        Ok(())
    }
}

impl ReadAt for RemoteSource {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        let (bytes, meta) = self.wait(self.store.read_tail(&self.key, len as u64))?;
        self.etag.get_or_init(|| meta.etag);
        Ok(Tail { bytes: bytes.into(), total: meta.size })
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let range = offset..offset.saturating_add(out.len() as u64);
        let bytes = if let Some(bytes) = self.cache.get(&range) {
            bytes
        } else {
            let bytes = self.wait(self.request(range))?;
            self.cache.put(offset, bytes.clone());
            bytes
        };
        out.copy_from_slice(bytes.get(..out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn will_read(&self, ranges: &[Range<u64>]) -> io::Result<()> {
        let missing = self.cache.missing(ranges);
        if missing.is_empty() {
            return Ok(());
        }
        let requests = together(&missing).into_iter().map(|group| self.fetch(group));
        self.wait(stream::iter(requests).buffer_unordered(AT_ONCE).try_collect())
    }
}

impl Drop for RemoteSource {
    fn drop(&mut self) {
        // Waiting for a runtime's threads is forbidden in async tasks, where this may be dropped, too.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use s3inv_index_format::{FileKind, Form, Reader, Span, Writer, is_partition_start};
    use s3inv_model::{Bin, Cell, Classes, Dates, ErrorKind, Measure, RowCounts, Schema, SizeBin, prefix};
    use s3inv_store::{Bucket as _, Counting, Counts, MemoryStore};

    use super::*;

    const PREFIXES: u64 = 40_000;

    fn key(n: u64) -> Vec<u8> {
        format!("{n:06}/").into_bytes()
    }

    fn an_index(lookup: bool) -> Vec<u8> {
        written(lookup, &(0..PREFIXES).map(key).collect::<Vec<_>>())
    }

    /// The nth prefix has n bytes.
    fn written(lookup: bool, keys: &[Vec<u8>]) -> Vec<u8> {
        let mut classes = Classes::default();
        classes.add(b"STANDARD", b"").unwrap();
        let schema = Schema { measures: [Measure::Bytes, Measure::Classes].into_iter().collect(), classes };
        let form = Form { kind: FileKind::Index, ..Form::segment(lookup) };
        let mut writer = Writer::new(Vec::new(), form, &schema).unwrap();
        let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Untold, age: None }.id();
        for (bytes, key) in (0..).zip(keys) {
            writer.push(key, &[Cell { bin, objects: 1, bytes }], Dates::NONE).unwrap();
        }
        writer.finish(RowCounts::default()).unwrap().0
    }

    fn opened(index: Vec<u8>) -> (Counting<MemoryStore>, Reader<RemoteSource>) {
        opened_in(MemoryStore::new(), index)
    }

    fn opened_in(memory: MemoryStore, index: Vec<u8>) -> (Counting<MemoryStore>, Reader<RemoteSource>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        memory.put("b.s3inv", index);
        let store = Counting::new(memory);
        let source = RemoteSource::new(Arc::new(store.clone()), "b.s3inv".to_owned(), runtime);
        let reader = Reader::open(source).unwrap();
        assert_eq!((store.counts().read_tail, store.take().read), (1, 0));
        (store, reader)
    }

    #[test]
    fn a_prefix_takes_one_request_of_an_index_with_tables_that_is_open() {
        let (store, reader) = opened(an_index(true));
        let mut requests = 0;
        let asked = (0..PREFIXES).step_by(577);
        for n in asked.clone() {
            let found = reader.get(&key(n)).unwrap().unwrap();
            assert_eq!(found.cells[0].bytes, n);
            let now = store.take().read;
            assert!(now <= 1, "{now} requests");
            requests += now;
            assert_eq!(reader.get(&key(n)).unwrap(), Some(found));
            assert_eq!(store.take().read, 0, "it has just been read");
            assert_eq!(reader.get(&[key(n), b"x/".to_vec()].concat()).unwrap(), None);
            assert!(store.take().read <= 1);
        }
        // Some few have buckets that another one's were read with.
        assert!(requests as usize > asked.count() * 9 / 10, "{requests} requests");
    }

    #[test]
    fn prefixes_that_are_asked_for_together_are_fetched_together() {
        for tables in [false, true] {
            let (store, reader) = opened(an_index(tables));
            let keys: Vec<_> = (0..PREFIXES).step_by(PREFIXES as usize / 64).map(key).collect();
            let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
            let found = reader.get_many(&keys).unwrap();
            assert!(found.iter().all(Option::is_some));
            let Counts { read, read_tail, .. } = store.take();
            assert!(read <= 4 && read_tail == 0, "{read} requests");
            assert_eq!(reader.get_many(&keys).unwrap(), found);
            assert_eq!(store.take().read, 0);
        }
    }

    #[test]
    fn all_rows_are_read_by_few_requests() {
        let (store, reader) = opened(an_index(false));
        let mut rows = reader.rows().unwrap();
        let mut count = 0;
        while rows.advance().unwrap() {
            count += 1;
        }
        assert_eq!(count, PREFIXES);
        assert!(store.take().read <= 4);
    }

    /// Pages as many as some five million prefixes have, and a prefix with a thousand children.
    fn a_wide_index() -> Vec<u8> {
        let names = (0u32..).map(|n| format!("{n:x}/").into_bytes());
        let mut keys: Vec<_> = names.filter(|name| is_partition_start(name)).take(1500).collect();
        keys.extend((0..1000).map(|n| format!("m/{n:04}/").into_bytes()).chain([b"m/".to_vec()]));
        keys.sort_by(|a, b| prefix::compare(a, b));
        written(false, &keys)
    }

    #[test]
    fn a_prefix_and_its_children_take_at_most_two_requests_of_an_index_that_is_open() {
        let (store, reader) = opened(a_wide_index());
        assert!(reader.page_starts().count() >= 1500);
        store.take();
        for most in [2, 0] {
            let spans = [Span::children(b"m/", b""), Span::row(b"m/")];
            reader.will_read(&spans).unwrap();
            assert!(reader.get(b"m/").unwrap().is_some());
            let mut children = reader.span(&spans[0]).unwrap();
            let mut count = 0;
            while children.advance().unwrap() {
                count += 1;
            }
            assert_eq!(count, 1000);
            assert!(store.take().read <= most);
        }
    }

    #[test]
    fn threads_read_at_the_same_time() {
        let (_, reader) = opened(an_index(false));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let reader = &reader;
                scope.spawn(move || {
                    for n in (thread..PREFIXES).step_by(1999) {
                        assert_eq!(reader.get(&key(n)).unwrap().unwrap().cells[0].bytes, n);
                    }
                });
            }
        });
    }

    #[test]
    fn what_fails_is_told_by_who_reads() {
        let (store, reader) = opened(an_index(false));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.delete(&["b.s3inv".to_owned()])).unwrap();
        for error in [reader.get(&key(7)).unwrap_err(), reader.rows().err().unwrap()] {
            assert_eq!(error.to_string(), "memory:b.s3inv: not found");
            assert_eq!(error.kind(), ErrorKind::BadInput);
        }
        let memory = MemoryStore::new();
        let (_, reader) = opened_in(memory.clone(), an_index(false));
        memory.put("b.s3inv", an_index(true));
        for error in [reader.get(&key(7)).unwrap_err(), reader.rows().err().unwrap()] {
            assert_eq!(error.to_string(), "memory:b.s3inv: changed since its size was read");
            assert_eq!(error.kind(), ErrorKind::Storage, "it can be opened again");
        }
    }

    #[tokio::test]
    async fn an_async_task_may_drop_it() {
        let opening = tokio::task::spawn_blocking(|| opened(an_index(false)));
        let (_, reader) = opening.await.unwrap();
        drop(reader);
    }
}
