use std::sync::Arc;

use bytes::Bytes;

use super::LARGE;
use crate::{Bucket, Listed, Only, Page, StoreError, StoreErrorKind, Upload, put};

/// Runs the suite for what only an object store has.
///
/// The bucket keeps no versions. Keys start with `prefix`, under which there is nothing yet; objects stay behind, uploads don't.
///
/// # Panics
/// At the first thing that the backend does differently.
pub async fn run_bucket(bucket: Arc<dyn Bucket>, prefix: &str) {
    let suite = Suite { bucket, prefix };
    suite.lists().await;
    suite.deletes().await;
    suite.uploads().await;
    suite.gone().await;
    suite.ended().await;
    suite.fenced().await;
    suite.resumed().await;
    assert!(!suite.bucket.keeps_versions().await.unwrap(), "a bucket that has never kept versions");
    suite.bucket.settle().await;
    assert_eq!(suite.open("").await, []);
}

/// Names in the order of their bytes. None has a line feed: moto answers 404 to that.
const NAMES: [&str; 12] =
    ["a", "a b", "a%2Fb", "a+b", "a/", "a/b", "a/b/c", "b", "c\u{1}d", "d/1", "z<&>\"'", "\u{e9}"];

struct Suite<'a> {
    bucket: Arc<dyn Bucket>,
    prefix: &'a str,
}

impl Suite<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// All pages, whose names are checked to be in order, and to start with the prefix.
    async fn all(&self, name: &str, folders: bool) -> Page {
        let (prefix, mut all, mut next) = (self.key(name), Page::default(), None);
        loop {
            let page = self.bucket.list(&prefix, next.as_deref(), folders).await.unwrap();
            all.objects.extend(page.objects);
            all.folders.extend(page.folders);
            if page.next.is_none() {
                break;
            }
            assert_ne!(page.next, next);
            next = page.next;
        }
        assert!(all.objects.is_sorted_by(|a, b| a.key < b.key) && all.folders.is_sorted());
        let mut names = all.objects.iter().map(|object| &object.key).chain(&all.folders);
        assert!(names.all(|name| name.starts_with(&prefix)));
        all
    }

    fn expected(&self, names: &[&str]) -> Vec<Listed> {
        let listed = |name: &&str| Listed { key: self.key(name), size: name.len() as u64 };
        names.iter().map(listed).collect()
    }

    async fn lists(&self) {
        assert_eq!(self.bucket.list(self.prefix, None, true).await.unwrap(), Page::default());
        for name in NAMES {
            put(&self.bucket, &self.key(name), name, Only::IfAbsent).await.unwrap();
        }
        let all = self.all("", false).await;
        assert_eq!((all.objects, all.folders), (self.expected(&NAMES), Vec::new()));
        let all = self.all("", true).await;
        let flat: Vec<_> = NAMES.into_iter().filter(|name| !name.contains('/')).collect();
        assert_eq!((all.objects, all.folders), (self.expected(&flat), vec![self.key("a/"), self.key("d/")]));
        let all = self.all("a/", true).await;
        assert_eq!((all.objects, all.folders), (self.expected(&["a/", "a/b"]), vec![self.key("a/b/")]));
        let all = self.all("a", false).await;
        assert_eq!(all.objects, self.expected(&NAMES[..7]));
    }

    async fn deletes(&self) {
        let mut keys: Vec<_> = (0..1001).map(|n| self.key(&format!("none-{n}"))).collect();
        keys.extend(NAMES.iter().filter(|&&name| name != "b").map(|name| self.key(name)));
        self.bucket.delete(&keys).await.unwrap();
        assert_eq!(self.all("", false).await.objects, self.expected(&["b"]));
        self.bucket.delete(&keys).await.unwrap();
        self.bucket.delete(&[]).await.unwrap();
    }

    async fn begin(&self, name: &str) -> Box<dyn Upload> {
        self.bucket.begin(&self.key(name)).await.unwrap()
    }

    async fn open(&self, name: &str) -> Vec<(String, String)> {
        self.bucket.uploads(&self.key(name)).await.unwrap()
    }

    async fn uploads(&self) {
        let uploads = [
            self.begin("up%2Fb c").await,
            self.begin("up/a").await,
            self.begin("up/a").await,
            self.begin("uq").await,
        ];
        let open = self.open("up").await;
        let keys: Vec<_> = open.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, [self.key("up%2Fb c"), self.key("up/a"), self.key("up/a")]);
        assert_ne!(open[1], open[2]);
        for upload in uploads {
            upload.abort().await.unwrap();
        }
        assert_eq!(self.open("").await, []);
    }

    /// An upload that somebody else aborts is no object, whatever is done with it.
    async fn gone(&self) {
        for len in [0, 10, LARGE] {
            let (mut gone, kept) = (self.begin("gone").await, self.begin("kept").await);
            let (key, id) = self.open("gone").await.remove(0);
            self.bucket.abort_upload(&key, &id).await.unwrap();
            self.bucket.abort_upload(&key, &id).await.unwrap();
            let error = match gone.write(vec![1; len].into()).await {
                Ok(()) => gone.complete(Only::Always).await.unwrap_err(),
                Err(error) => error,
            };
            self.check_gone(&error, &key);
            assert_eq!(self.bucket.head(&key).await.unwrap_err().kind(), StoreErrorKind::NotFound);
            kept.complete(Only::Always).await.unwrap();
            assert_eq!(self.bucket.head(&self.key("kept")).await.unwrap().size, 0);
        }
    }

    fn check_gone(&self, error: &StoreError, key: &str) {
        assert_eq!(error.kind(), StoreErrorKind::UploadGone, "{error}");
        assert_eq!(error.uri(), self.bucket.uri(key));
    }

    /// An upload that was completed, and one that was dropped, are not there any more.
    async fn ended(&self) {
        let mut upload = self.begin("ended").await;
        let (key, id) = self.open("ended").await.remove(0);
        upload.write(Bytes::from_static(b"whole")).await.unwrap();
        upload.complete(Only::IfAbsent).await.unwrap();
        self.bucket.abort_upload(&key, &id).await.unwrap();
        assert_eq!(self.bucket.read(&key, 0..5, None).await.unwrap(), "whole");
        let mut upload = self.begin("dropped").await;
        upload.write(vec![1; LARGE].into()).await.unwrap();
        drop(upload);
        self.bucket.settle().await;
        assert_eq!(self.open("").await, []);
    }

    /// An upload that was left open is gone on with, by two at once if need be.
    async fn resumed(&self) {
        let bytes: Vec<u8> = (0..2 * LARGE).map(|at| (at % 251) as u8).collect();
        let mut upload = self.begin("resumed").await;
        upload.write(bytes[..LARGE].to_vec().into()).await.unwrap();
        let suspended = upload.suspend().await.unwrap();
        self.bucket.settle().await;
        let (key, _) = self.open("resumed").await.remove(0);
        assert!((1..=LARGE as u64).contains(&suspended.bytes), "{}", suspended.bytes);
        let rest = Bytes::from(bytes.clone()).slice(suspended.bytes as usize..);
        let mut both = Vec::new();
        for suspended in [suspended.clone(), suspended] {
            let mut upload = self.bucket.resume(&key, suspended);
            upload.write(rest.clone()).await.unwrap();
            both.push(upload);
        }
        both.pop().unwrap().complete(Only::IfAbsent).await.unwrap();
        assert_eq!(self.bucket.read(&key, 0..bytes.len() as u64, None).await.unwrap(), bytes);
        both.pop().unwrap().complete(Only::IfAbsent).await.unwrap_err();
        assert_eq!(self.bucket.head(&key).await.unwrap().size, bytes.len() as u64);
        let gone = self.begin("resumed").await.suspend().await.unwrap();
        self.bucket.abort_upload(&key, &self.open("resumed").await.remove(0).1).await.unwrap();
        let mut upload = self.bucket.resume(&key, gone);
        let done = match upload.write(rest).await {
            Ok(()) => upload.complete(Only::Always).await,
            Err(error) => Err(error),
        };
        self.check_gone(&done.unwrap_err(), &key);
    }

    /// As an index is published: begin, copy, complete only if there is none.
    async fn fenced(&self) {
        let (from, key) = (self.bucket.uri(&self.key("ended")), self.key("fenced"));
        for first in [true, false] {
            let mut upload = self.bucket.begin(&key).await.unwrap();
            upload.copy(&from, 1..3, None).await.unwrap();
            let done = upload.complete(Only::IfAbsent).await;
            assert_eq!(done.err().map(|e| e.kind()), (!first).then_some(StoreErrorKind::Precondition));
            assert_eq!(self.open("").await, []);
        }
        assert_eq!(self.bucket.read(&key, 0..2, None).await.unwrap(), "ho");
    }
}
