//! What every backend has to do, as one suite to run against each.

#![expect(clippy::unwrap_used, reason = "a suite of tests, to be called by tests")]

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

pub use self::bucket::run_bucket;
use crate::{Only, Store, StoreErrorKind, put};

mod bucket;

/// More than two parts of a multipart upload, and not a whole number of them.
const LARGE: usize = (20 << 20) + 12_345;

/// Runs the suite.
///
/// Keys start with `prefix` and add no `/` of their own; objects stay behind.
///
/// # Panics
/// At the first thing that the backend does differently.
pub async fn run(store: Arc<dyn Store>, prefix: &str) {
    let suite = Suite { store, prefix };
    suite.reads().await;
    suite.tails().await;
    suite.missing().await;
    suite.empty().await;
    suite.changes().await;
    suite.aborts().await;
    suite.conditions().await;
    suite.copies().await;
    suite.impossible_copies().await;
    suite.odd_keys().await;
    suite.large().await;
    suite.store.settle().await;
}

struct Suite<'a> {
    store: Arc<dyn Store>,
    prefix: &'a str,
}

impl Suite<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn put(&self, key: &str, parts: &[&'static [u8]]) {
        let mut upload = self.store.create(key).await.unwrap();
        for part in parts {
            upload.write(Bytes::from_static(part)).await.unwrap();
        }
        upload.complete(Only::Always).await.unwrap();
    }

    async fn whole(&self, key: &str) -> Bytes {
        let meta = self.store.head(key).await.unwrap();
        self.store.read(key, 0..meta.size, Some(&meta.etag)).await.unwrap()
    }

    async fn reads(&self) {
        let key = self.key("reads");
        self.put(&key, &[b"01234", b"", b"56789"]).await;
        let meta = self.store.head(&key).await.unwrap();
        assert_eq!(meta.size, 10);
        assert_eq!(self.store.head(&key).await.unwrap(), meta, "an ETag lasts");
        for (range, expected) in [(0..10, "0123456789"), (3..7, "3456"), (9..10, "9"), (4..4, "")] {
            assert_eq!(self.store.read(&key, range.clone(), None).await.unwrap(), expected);
            assert_eq!(self.store.read(&key, range, Some(&meta.etag)).await.unwrap(), expected);
        }
        for range in [0..11, 9..11, 10..11, 20..30] {
            let error = self.store.read(&key, range.clone(), None).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Range, "{range:?}: {error}");
        }
    }

    async fn tails(&self) {
        let key = self.key("tails");
        self.put(&key, &[b"0123456789"]).await;
        let meta = self.store.head(&key).await.unwrap();
        for (len, expected) in [(0, ""), (1, "9"), (4, "6789"), (10, "0123456789"), (11, "0123456789")] {
            let tail = self.store.read_tail(&key, len).await.unwrap();
            assert_eq!(tail, (Bytes::from_static(expected.as_bytes()), meta.clone()), "{len}");
        }
    }

    async fn missing(&self) {
        let key = self.key("missing");
        let errors = [
            self.store.head(&key).await.unwrap_err(),
            self.store.read(&key, 0..1, None).await.unwrap_err(),
            self.store.read(&key, 0..1, Some("\"0\"")).await.unwrap_err(),
            self.store.read_tail(&key, 1).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), StoreErrorKind::NotFound);
            assert_eq!(error.to_string(), format!("{}: not found", self.store.uri(&key)));
        }
    }

    async fn empty(&self) {
        let key = self.key("empty");
        self.put(&key, &[]).await;
        let meta = self.store.head(&key).await.unwrap();
        assert_eq!(meta.size, 0);
        assert_eq!(self.store.read(&key, 0..0, None).await.unwrap(), "");
        assert_eq!(self.store.read_tail(&key, 8).await.unwrap(), (Bytes::new(), meta));
        let error = self.store.read(&key, 0..1, None).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Range);
    }

    /// An object is the old one until the new one is complete, and then has another `ETag`.
    async fn changes(&self) {
        let key = self.key("changes");
        self.put(&key, &[b"old"]).await;
        let old = self.store.head(&key).await.unwrap();
        let mut upload = self.store.create(&key).await.unwrap();
        upload.write(Bytes::from_static(b"new")).await.unwrap();
        assert_eq!(self.store.read(&key, 0..3, Some(&old.etag)).await.unwrap(), "old");
        upload.complete(Only::Always).await.unwrap();
        let error = self.store.read(&key, 0..3, Some(&old.etag)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Changed);
        assert_eq!(self.whole(&key).await, "new");
    }

    async fn aborts(&self) {
        let (fresh, kept) = (self.key("abort-fresh"), self.key("abort-kept"));
        self.put(&kept, &[b"kept"]).await;
        for key in [&fresh, &kept] {
            self.abandon(key, 10).await;
            self.abandon(key, LARGE).await;
        }
        let error = self.store.head(&fresh).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::NotFound);
        assert_eq!(self.whole(&kept).await, "kept");
    }

    async fn abandon(&self, key: &str, len: usize) {
        let mut upload = self.store.create(key).await.unwrap();
        upload.write(vec![1; len].into()).await.unwrap();
        upload.abort().await.unwrap();
        let mut upload = self.store.create(key).await.unwrap();
        upload.write(vec![1; len].into()).await.unwrap();
        drop(upload);
        self.store.settle().await;
    }

    async fn conditions(&self) {
        let key = self.key("conditions");
        self.refused(&key, Only::IfMatch("\"0\"")).await;
        assert_eq!(self.store.head(&key).await.unwrap_err().kind(), StoreErrorKind::NotFound);
        put(&self.store, &key, "first", Only::IfAbsent).await.unwrap();
        let first = self.store.head(&key).await.unwrap();
        self.refused(&key, Only::IfAbsent).await;
        self.refused(&key, Only::IfMatch("\"0\"")).await;
        assert_eq!(self.store.head(&key).await.unwrap(), first);
        put(&self.store, &key, "second", Only::IfMatch(&first.etag)).await.unwrap();
        self.refused(&key, Only::IfMatch(&first.etag)).await;
        assert_eq!(self.whole(&key).await, "second");
        put(&self.store, &key, vec![1; LARGE], Only::Always).await.unwrap();
        assert_eq!(self.whole(&key).await.len(), LARGE);
    }

    /// Neither a small nor a large object is written.
    async fn refused(&self, key: &str, only: Only<'_>) {
        let ignored = matches!(only, Only::IfMatch(_)) && self.store.uri(key).starts_with("s3://");
        // When a multipart upload is completed, moto does not look at If-Match; S3 does.
        for len in if ignored { &[3][..] } else { &[3, LARGE] } {
            let error = put(&self.store, key, vec![1; *len], only).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Precondition, "{only:?}: {error}");
            assert_eq!(error.uri(), self.store.uri(key));
        }
    }

    async fn copies(&self) {
        let (from, key) = (self.key("copy a+b%20\u{e9}?"), self.key("copied"));
        let bytes: Bytes = (0..LARGE).map(|at| (at % 241) as u8).collect::<Vec<_>>().into();
        put(&self.store, &from, bytes.clone(), Only::Always).await.unwrap();
        let (meta, from) = (self.store.head(&from).await.unwrap(), self.store.uri(&from));
        let (mut upload, mut expected) = (self.store.create(&key).await.unwrap(), BytesMut::new());
        let end = LARGE as u64;
        for range in [0..end, 7..7, 0..5, 1..end, 3..9 << 20, end - 1..end, 5 << 20..end - 7, 4..5 << 20] {
            upload.copy(&from, range.clone(), Some(&meta.etag)).await.unwrap();
            upload.write(Bytes::from_static(b"between")).await.unwrap();
            expected.extend_from_slice(&bytes[range.start as usize..range.end as usize]);
            expected.extend_from_slice(b"between");
        }
        upload.copy(&from, 0..end, None).await.unwrap();
        expected.extend_from_slice(&bytes);
        upload.complete(Only::IfAbsent).await.unwrap();
        assert!(self.whole(&key).await == expected);
    }

    async fn impossible_copies(&self) {
        let (from, key) = (self.key("copy-from"), self.key("never-copied"));
        put(&self.store, &from, "0123456789", Only::Always).await.unwrap();
        let (from, none) = (self.store.uri(&from), self.store.uri(&self.key("none")));
        for (from, range, if_match, kind) in [
            (&none, 0..1, None, StoreErrorKind::NotFound),
            (&from, 5..11, None, StoreErrorKind::Range),
            (&from, 0..1, Some("\"0\""), StoreErrorKind::Changed),
        ] {
            let mut upload = self.store.create(&key).await.unwrap();
            let error = upload.copy(from, range, if_match).await.unwrap_err();
            assert_eq!((error.kind(), error.uri()), (kind, from.as_str()), "{error}");
            upload.abort().await.unwrap();
        }
        assert_eq!(self.store.head(&key).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    }

    async fn odd_keys(&self) {
        let names = [
            "a b",
            "a+b",
            "a%20b",
            "a%2Fb",
            "é",
            "\u{65e5}\u{672c}",
            "a&b=c?d#e",
            "~!*'()",
            "a\\b",
            "x.y,z;",
        ];
        for name in names {
            let mut upload = self.store.create(&self.key(name)).await.unwrap();
            upload.write(Bytes::from_static(name.as_bytes())).await.unwrap();
            upload.complete(Only::Always).await.unwrap();
        }
        for name in names {
            assert_eq!(self.whole(&self.key(name)).await, name);
        }
    }

    async fn large(&self) {
        let key = self.key("large");
        let bytes: Bytes = (0..LARGE).map(|at| (at % 251) as u8).collect::<Vec<_>>().into();
        let mut upload = self.store.create(&key).await.unwrap();
        upload.write(bytes.slice(..1)).await.unwrap();
        upload.write(bytes.slice(1..LARGE / 2)).await.unwrap();
        upload.write(bytes.slice(LARGE / 2..)).await.unwrap();
        upload.complete(Only::Always).await.unwrap();
        assert!(self.whole(&key).await == bytes);
        let (tail, meta) = self.store.read_tail(&key, 1 << 20).await.unwrap();
        assert_eq!(meta.size, LARGE as u64);
        assert!(tail == bytes.slice(LARGE - (1 << 20)..));
    }
}
