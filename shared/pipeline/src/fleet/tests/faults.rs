//! One request to storage fails, each in turn, before it has done its work or after.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use s3inv_store::{
    Bucket, MemoryStore, ObjectMeta, Only, Page, Store, StoreError, StoreErrorKind, Suspended, Upload,
};
use serde_json::json;

use super::cloud::{Cloud, built, delivery};
use super::{Buckets, CleanupAnswer, ErrorType, INDEX, cleanup, parse};

/// When a request fails: before anything has come of it, or when all has, and only the answer is lost; or
/// always, if it is about uploads of the index; or never, but another index appears when an upload of it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    After,
    Denied,
    Overtaken,
}

/// Counts requests, and fails one of them.
#[derive(Debug)]
struct Fault {
    left: AtomicUsize,
    when: When,
}

impl Fault {
    /// Does a request, or half of it.
    async fn befall<T>(
        &self,
        uri: &str,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.when == When::Denied {
            return if uri == INDEX { Err(denied(uri)) } else { request.await };
        }
        let its =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) == Ok(1);
        if its && self.when == When::Before {
            return Err(lost(uri));
        }
        let done = request.await;
        if its { Err(lost(uri)) } else { done }
    }

    fn is_over(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

fn lost(uri: &str) -> StoreError {
    StoreError::new(uri, StoreErrorKind::Retryable, "on purpose")
}

const ANOTHER: &[u8] = b"another index";

fn denied(uri: &str) -> StoreError {
    StoreError::new(uri, StoreErrorKind::Denied, "access denied")
}

#[derive(Clone, Debug)]
struct Flaky {
    inner: MemoryStore,
    fault: Arc<Fault>,
}

#[async_trait]
impl Buckets for Flaky {
    fn open(&self, _: &str) -> Result<Arc<dyn Bucket>, StoreError> {
        Ok(Arc::new(self.clone()))
    }

    async fn anywhere(&self, _: &str) -> Result<Arc<dyn Bucket>, StoreError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Store for Flaky {
    async fn head(&self, key: &str) -> Result<ObjectMeta, StoreError> {
        self.fault.befall(key, self.inner.head(key)).await
    }

    async fn read(&self, key: &str, range: Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError> {
        self.fault.befall(key, self.inner.read(key, range, if_match)).await
    }

    async fn read_tail(&self, key: &str, len: u64) -> Result<(Bytes, ObjectMeta), StoreError> {
        self.fault.befall(key, self.inner.read_tail(key, len)).await
    }

    async fn create(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        let inner = self.inner.create(key).await?;
        Ok(Box::new(FlakyUpload { inner, key: key.to_owned(), fault: Arc::clone(&self.fault) }))
    }

    fn uri(&self, key: &str) -> String {
        self.inner.uri(key)
    }
}

#[async_trait]
impl Bucket for Flaky {
    async fn list(&self, prefix: &str, next: Option<&str>, folders: bool) -> Result<Page, StoreError> {
        self.fault.befall(prefix, self.inner.list(prefix, next, folders)).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.fault.befall("many", self.inner.delete(keys)).await
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        if self.fault.when == When::Overtaken && key == INDEX {
            self.inner.put(key, ANOTHER);
        }
        let inner = self.fault.befall(key, self.inner.begin(key)).await?;
        Ok(Box::new(FlakyUpload { inner, key: key.to_owned(), fault: Arc::clone(&self.fault) }))
    }

    fn resume(&self, key: &str, suspended: Suspended) -> Box<dyn Upload> {
        let inner = self.inner.resume(key, suspended);
        Box::new(FlakyUpload { inner, key: key.to_owned(), fault: Arc::clone(&self.fault) })
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.fault.befall(prefix, self.inner.uploads(prefix)).await
    }

    async fn abort_upload(&self, key: &str, id: &str) -> Result<(), StoreError> {
        self.fault.befall(key, self.inner.abort_upload(key, id)).await
    }
}

struct FlakyUpload {
    inner: Box<dyn Upload>,
    key: String,
    fault: Arc<Fault>,
}

#[async_trait]
impl Upload for FlakyUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.fault.befall(&self.key, self.inner.write(bytes)).await
    }

    async fn copy(
        &mut self,
        from: &str,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<(), StoreError> {
        self.fault.befall(&self.key, self.inner.copy(from, range, if_match)).await
    }

    async fn complete(self: Box<Self>, only: Only<'_>) -> Result<(), StoreError> {
        self.fault.befall(&self.key, self.inner.complete(only)).await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.inner.abort().await
    }

    async fn suspend(self: Box<Self>) -> Result<Suspended, StoreError> {
        self.inner.suspend().await
    }
}

#[test]
fn whatever_request_fails_the_index_is_the_same_and_nothing_stays() {
    let files = delivery(3, 60);
    let expected = built(&files);
    let options = json!({ "chunk_bytes": 4000, "fan_in": 2 });
    for when in [When::Before, When::After] {
        let mut nth = 0;
        loop {
            nth += 1;
            let mut cloud = Cloud::new();
            cloud.deliver(&files);
            let fault = Arc::new(Fault { left: AtomicUsize::new(nth), when });
            cloud.buckets = Arc::new(Flaky { inner: cloud.store.clone(), fault: Arc::clone(&fault) });
            cloud.tries = 3;
            let (published, _) =
                cloud.run(&options).unwrap_or_else(|error| panic!("{when:?} {nth}: {error}"));
            assert!(cloud.bytes(INDEX) == expected, "{when:?} {nth}");
            assert!(published.latest, "{when:?} {nth}");
            let over = fault.is_over();
            cloud.finish();
            assert_eq!(cloud.scratch(), ["tmp/run-1/CANCELLED"], "{when:?} {nth}");
            let uploads = cloud.runtime.block_on(cloud.store.uploads("")).unwrap();
            assert!(uploads.is_empty(), "{when:?} {nth}: {uploads:?}");
            if !over {
                break;
            }
        }
        assert!(nth > 60, "{nth} requests in all");
    }
}

/// A policy may let cleanup delete the scratch, and not see the index's uploads.
#[test]
fn all_of_the_scratch_goes_though_the_fence_is_refused() {
    let mut cloud = Cloud::new();
    cloud.deliver(&delivery(1, 10));
    cloud.plan(&json!({})).unwrap();
    for nth in 0..40 {
        cloud.store.put(&format!("tmp/run-1/data/ingest/000000/x-{nth:02}"), &b"x"[..]);
    }
    let fault = Arc::new(Fault { left: AtomicUsize::new(0), when: When::Denied });
    cloud.buckets = Arc::new(Flaky { inner: cloud.store.clone(), fault });
    cloud.patience = Some(1);
    let request = json!({ "version": 1, "step": "finish", "execution": "run-1" });
    let request = parse(&request).unwrap();
    let mut calls = 1;
    let error = loop {
        match cleanup(&cloud.invocation(), &request) {
            Ok(answer) => assert!(matches!(answer, CleanupAnswer::Checkpoint(_)), "{answer:?}"),
            Err(error) => break error,
        }
        calls += 1;
    };
    assert!(calls > 2, "{calls} calls");
    assert_eq!((error.error_type, cloud.scratch().len()), (ErrorType::BadInput, 1), "{error}");
}

#[test]
fn whoever_replaces_an_index_and_is_overtaken_is_told_so() {
    for there in [false, true] {
        let mut cloud = Cloud::new();
        cloud.deliver(&delivery(1, 10));
        if there {
            cloud.store.put(INDEX, &b"to be replaced"[..]);
        }
        let fault = Arc::new(Fault { left: AtomicUsize::new(0), when: When::Overtaken });
        cloud.buckets = Arc::new(Flaky { inner: cloud.store.clone(), fault });
        let error = cloud.run(&json!({ "replace": true })).unwrap_err();
        assert_eq!(error.error_type, ErrorType::AlreadyPublished);
        let expected = "another build has replaced it meanwhile: start again to replace that one";
        assert!(error.message.ends_with(expected), "{error}");
        assert_eq!(cloud.bytes(INDEX), ANOTHER);
    }
}

#[test]
fn an_error_that_passes_is_one_to_retry() {
    let mut cloud = Cloud::new();
    cloud.deliver(&delivery(1, 10));
    let fault = Arc::new(Fault { left: AtomicUsize::new(5), when: When::Before });
    cloud.buckets = Arc::new(Flaky { inner: cloud.store.clone(), fault });
    let error = cloud.run(&json!({})).unwrap_err();
    assert_eq!(error.error_type, ErrorType::Retryable, "{error}");
}
