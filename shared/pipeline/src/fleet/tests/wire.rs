//! Storage that does nothing on its own: each request waits until somebody lets it land, fails it, or loses
//! its answer.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use s3inv_store::{
    Bucket, MemoryStore, ObjectMeta, Only, Page, Store, StoreError, StoreErrorKind, Suspended, Upload, put,
};

use super::INDEX;
use super::model::Rule;
use crate::fleet::Buckets;

pub(super) type Answer = Result<Box<dyn Any + Send>, StoreError>;
type Effect = Pin<Box<dyn Future<Output = (Answer, u64)> + Send>>;

/// Where an answer is put, and who is to be told.
type Reply = Arc<Mutex<(Option<Answer>, Option<Waker>)>>;

/// A request that has been sent.
pub(super) struct Request {
    pub(super) what: String,
    /// Whether it changes anything.
    pub(super) writes: bool,
    effect: Effect,
    reply: Reply,
}

impl Request {
    /// Has its effect. A store in memory answers at once; also what distinguishes one answer from another.
    pub(super) fn land(&mut self) -> (Answer, u64) {
        (&mut self.effect).now_or_never().unwrap_or_else(|| (Err(lost(&self.what)), 0))
    }

    /// Has its effect, of which nobody hears.
    pub(super) fn arrive(mut self) {
        let _ = self.land();
    }

    /// Its sender is told, if he still waits.
    pub(super) fn reply(&self, answer: Answer) {
        let mut reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        reply.0 = Some(answer);
        reply.1.take().into_iter().for_each(Waker::wake);
    }
}

pub(super) fn lost(what: &str) -> StoreError {
    StoreError::new(what, StoreErrorKind::Retryable, "on purpose")
}

/// What one function sees of storage.
#[derive(Clone)]
pub(super) struct Client(Arc<Mutex<Wire>>);

struct Wire {
    store: MemoryStore,
    without: Option<Rule>,
    /// Requests that it waits for, in their order.
    waiting: VecDeque<Request>,
    /// What it was told so far: with the same answers, it does the same.
    told: DefaultHasher,
    /// How often it has looked for the tombstone.
    looks: u32,
    /// Whether its process has been killed: nothing that it asks for is sent any more.
    dead: bool,
    /// Whether files of data are written in parts, as long ones are.
    in_parts: bool,
    /// A tombstone that is written too late.
    held_back: Option<(String, Bytes)>,
}

impl Client {
    pub(super) fn new(store: &MemoryStore, without: Option<Rule>) -> Self {
        Self(Arc::new(Mutex::new(Wire {
            store: store.clone(),
            without,
            waiting: VecDeque::new(),
            told: DefaultHasher::new(),
            looks: 0,
            dead: false,
            in_parts: false,
            held_back: None,
        })))
    }

    /// From now on writes files of data in parts.
    pub(super) fn writes_in_parts(&self) {
        self.wire().in_parts = true;
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it waits for, and whether that changes anything.
    pub(super) fn waits_for(&self) -> Option<(String, bool)> {
        self.wire().waiting.front().map(|request| (request.what.clone(), request.writes))
    }

    pub(super) fn history(&self) -> u64 {
        self.wire().told.finish()
    }

    /// Takes part in what the function is told, as an answer does.
    pub(super) fn tell(&self, what: u64) {
        what.hash(&mut self.wire().told);
    }

    /// Its next request, sent but not arrived.
    pub(super) fn take(&self) -> Option<Request> {
        self.wire().waiting.pop_front()
    }

    /// Its process is killed. What goes on in this one for its sake has no effect.
    pub(super) fn die(&self) {
        self.wire().dead = true;
        while let Some(request) = self.take() {
            request.reply(Err(lost(&request.what)));
        }
    }

    /// Its next request lands, and is answered.
    pub(super) fn land(&self) {
        if let Some(mut request) = self.take() {
            let (answer, seen) = request.land();
            self.tell(seen);
            request.reply(answer);
        }
    }

    /// Its next request lands, but the answer is lost.
    pub(super) fn lose(&self) {
        if let Some(mut request) = self.take() {
            let _ = request.land();
            self.fail(&request, 2);
        }
    }

    /// Its next request never arrives.
    pub(super) fn refuse(&self) {
        if let Some(request) = self.take() {
            self.fail(&request, 1);
        }
    }

    /// It gives up; the request is on its way all the same.
    pub(super) fn give_up(&self) -> Option<Request> {
        let request = self.take()?;
        self.fail(&request, 3);
        Some(request)
    }

    fn fail(&self, request: &Request, how: u64) {
        self.tell(how);
        request.reply(Err(lost(&request.what)));
    }

    /// A tombstone that was held back appears.
    pub(super) fn catch_up(&self) {
        let held = self.wire().held_back.take();
        if let Some((key, bytes)) = held {
            self.wire().store.put(&key, bytes);
        }
    }

    /// Waits for an answer that is one of two.
    pub(super) async fn decide(&self) -> bool {
        // Landing is one, failing the other: neither needs storage.
        self.ask("decide".to_owned(), false, async { Ok(()) }).await.is_ok()
    }

    async fn ask<T: Debug + Send + 'static>(
        &self,
        what: String,
        writes: bool,
        effect: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.wire().dead {
            return Err(lost(&what));
        }
        let reply = Reply::default();
        let effect = Box::pin(async move {
            let done = effect.await;
            let mut seen = DefaultHasher::new();
            format!("{done:?}").hash(&mut seen);
            (done.map(|done| Box::new(done) as Box<dyn Any + Send>), seen.finish())
        });
        let request = Request { what, writes, effect, reply: Arc::clone(&reply) };
        self.wire().waiting.push_back(request);
        let answer = std::future::poll_fn(|context| {
            let mut reply = reply.lock().unwrap_or_else(PoisonError::into_inner);
            reply.1 = Some(context.waker().clone());
            reply.0.take().map_or(Poll::Pending, Poll::Ready)
        });
        let answered = answer.await?.downcast::<T>();
        Ok(*answered.unwrap_or_else(|_| unreachable!("the effect's own type")))
    }

    fn store(&self) -> MemoryStore {
        self.wire().store.clone()
    }

    fn lacks(&self, rule: Rule) -> bool {
        self.wire().without == Some(rule)
    }

    /// Whether this look is one that the rule would have it take.
    fn is_skipped_look(&self, key: &str) -> bool {
        if !key.ends_with("/CANCELLED") {
            return false;
        }
        self.wire().looks += 1;
        self.lacks(Rule::LookAfterWrite) && self.wire().looks > 1
    }

    /// What has to hold of a write, if the rule for it does.
    fn condition(&self, key: &str, only: Only<'_>) -> Condition {
        let waived = match self.wire().without {
            Some(Rule::CommitRecords) => key.contains("/commits/"),
            Some(Rule::ConditionalPublish) => key == INDEX,
            Some(Rule::ConditionalLatest) => key.ends_with("latest.json"),
            _ => false,
        };
        if waived { Condition::Always } else { Condition::of(only) }
    }
}

/// [`Only`], owned.
#[derive(Clone, Debug)]
enum Condition {
    Always,
    IfAbsent,
    IfMatch(String),
}

impl Condition {
    fn of(only: Only<'_>) -> Self {
        match only {
            Only::Always => Self::Always,
            Only::IfAbsent => Self::IfAbsent,
            Only::IfMatch(etag) => Self::IfMatch(etag.to_owned()),
        }
    }

    fn only(&self) -> Only<'_> {
        match self {
            Self::Always => Only::Always,
            Self::IfAbsent => Only::IfAbsent,
            Self::IfMatch(etag) => Only::IfMatch(etag),
        }
    }
}

#[async_trait]
impl Buckets for Client {
    fn open(&self, _: &str) -> Result<Arc<dyn Bucket>, StoreError> {
        Ok(Arc::new(self.clone()))
    }

    async fn anywhere(&self, _: &str) -> Result<Arc<dyn Bucket>, StoreError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Store for Client {
    async fn head(&self, key: &str) -> Result<ObjectMeta, StoreError> {
        let (store, owned) = (self.store(), key.to_owned());
        if self.is_skipped_look(key) {
            return Err(store.head("nothing").await.unwrap_err());
        }
        self.ask(format!("look at {key}"), false, async move { store.head(&owned).await }).await
    }

    async fn read(&self, key: &str, range: Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError> {
        let (store, owned, etag) = (self.store(), key.to_owned(), if_match.map(str::to_owned));
        let what = format!("read {range:?} of {key}");
        self.ask(what, false, async move { store.read(&owned, range, etag.as_deref()).await }).await
    }

    async fn read_tail(&self, key: &str, len: u64) -> Result<(Bytes, ObjectMeta), StoreError> {
        let (store, owned) = (self.store(), key.to_owned());
        self.ask(format!("read {key}"), false, async move { store.read_tail(&owned, len).await }).await
    }

    async fn create(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        if self.wire().in_parts && key.contains("/data/") {
            return self.begin(key).await;
        }
        Ok(Box::new(Put { client: self.clone(), key: key.to_owned(), bytes: BytesMut::new() }))
    }

    fn uri(&self, key: &str) -> String {
        format!("memory:{key}")
    }
}

#[async_trait]
impl Bucket for Client {
    async fn list(&self, prefix: &str, next: Option<&str>, folders: bool) -> Result<Page, StoreError> {
        let (store, prefix, next) = (self.store(), prefix.to_owned(), next.map(str::to_owned));
        let what = format!("list {prefix}");
        self.ask(what, false, async move { store.list(&prefix, next.as_deref(), folders).await }).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let (store, keys) = (self.store(), keys.to_vec());
        self.ask(format!("delete {keys:?}"), true, async move { store.delete(&keys).await }).await
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        let (store, owned) = (self.store(), key.to_owned());
        let begun = async move { store.begin(&owned).await?.suspend().await };
        let suspended = self.ask(format!("begin {key}"), true, begun).await?;
        Ok(self.resume(key, suspended))
    }

    fn resume(&self, key: &str, suspended: Suspended) -> Box<dyn Upload> {
        Box::new(Multipart { client: self.clone(), key: key.to_owned(), suspended })
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        let (store, prefix) = (self.store(), prefix.to_owned());
        let what = format!("list uploads {prefix}");
        self.ask(what, false, async move { store.uploads(&prefix).await }).await
    }

    async fn abort_upload(&self, key: &str, id: &str) -> Result<(), StoreError> {
        let (store, owned, id) = (self.store(), key.to_owned(), id.to_owned());
        let what = format!("abort {key} {id}");
        self.ask(what, true, async move { store.abort_upload(&owned, &id).await }).await
    }
}

/// A write in one request.
struct Put {
    client: Client,
    key: String,
    bytes: BytesMut,
}

#[async_trait]
impl Upload for Put {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn copy(&mut self, from: &str, _: Range<u64>, _: Option<&str>) -> Result<(), StoreError> {
        Err(lost(from))
    }

    async fn complete(self: Box<Self>, only: Only<'_>) -> Result<(), StoreError> {
        let Self { client, key, bytes } = *self;
        let bytes = bytes.freeze();
        if key.ends_with("/CANCELLED") && client.lacks(Rule::TombstoneFirst) {
            client.wire().held_back = Some((key, bytes));
            return Ok(());
        }
        let (store, only) = (client.store(), client.condition(&key, only));
        let what = format!("put {key}");
        client.ask(what, true, async move { put(&store, &key, bytes, only.only()).await }).await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn suspend(self: Box<Self>) -> Result<Suspended, StoreError> {
        Err(lost(&self.key))
    }
}

/// A write in several. Dropped, it stays open, as that of a process that was killed.
struct Multipart {
    client: Client,
    key: String,
    suspended: Suspended,
}

impl Multipart {
    async fn part(
        &mut self,
        what: String,
        write: impl for<'u> FnOnce(
            &'u mut dyn Upload,
        ) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'u>>
        + Send
        + 'static,
    ) -> Result<(), StoreError> {
        let (store, key, suspended) = (self.client.store(), self.key.clone(), self.suspended.clone());
        let written = async move {
            let mut upload = store.resume(&key, suspended);
            let written = write(&mut *upload).await;
            // Open, whether this worked or not.
            let suspended = upload.suspend().await?;
            written.map(|()| suspended)
        };
        self.suspended = self.client.ask(what, true, written).await?;
        Ok(())
    }
}

#[async_trait]
impl Upload for Multipart {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        let what = format!("write from byte {} of {}", self.suspended.bytes, self.key);
        self.part(what, move |upload| upload.write(bytes)).await
    }

    async fn copy(
        &mut self,
        from: &str,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<(), StoreError> {
        let (from, etag) = (from.to_owned(), if_match.map(str::to_owned));
        let what = format!("copy {range:?} of {from} to {}", self.key);
        self.part(what, move |upload| {
            Box::pin(async move { upload.copy(&from, range, etag.as_deref()).await })
        })
        .await
    }

    async fn complete(self: Box<Self>, only: Only<'_>) -> Result<(), StoreError> {
        let Self { client, key, suspended } = *self;
        let (store, only) = (client.store(), client.condition(&key, only));
        let what = format!("complete {key}");
        client.ask(what, true, async move { store.resume(&key, suspended).complete(only.only()).await }).await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        let Self { client, key, suspended } = *self;
        let store = client.store();
        let what = format!("abort own {key}");
        client.ask(what, true, async move { store.resume(&key, suspended).abort().await }).await
    }

    async fn suspend(self: Box<Self>) -> Result<Suspended, StoreError> {
        Ok(self.suspended)
    }
}
