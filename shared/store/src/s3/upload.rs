use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::types::CompletedPart;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};

use super::media::media_type;
use super::open::{OpenUpload, Source, completed, conditions};
use super::parts::{Plan, part_size};
use super::refused::{Doing, refused};
use super::{S3Store, Store};
use crate::store::StoredPart;
use crate::{Only, StoreError, Suspended, Upload};

/// How many parts are copied at the same time.
const COPIES: usize = 8;

/// How much is read at once of what is not copied, in bytes.
const READ: u64 = 8 << 20;

/// Bytes on their way to S3, one part at a time. Up to one part is held in memory.
pub(super) struct S3Upload {
    store: S3Store,
    key: String,
    buffer: BytesMut,
    open: Option<OpenUpload>,
    parts: Vec<CompletedPart>,
    /// Bytes of these.
    stored: u64,
    /// Between the start of a write or copy and its success.
    broken: bool,
}

impl S3Upload {
    /// Nothing is asked of S3 before there is a whole part.
    pub(super) fn new(store: S3Store, key: &str) -> Self {
        let (buffer, parts) = (BytesMut::new(), Vec::new());
        Self { store, key: key.to_owned(), buffer, open: None, parts, stored: 0, broken: false }
    }

    /// A multipart upload from the start.
    pub(super) async fn begin(store: S3Store, key: &str) -> Result<Self, StoreError> {
        let open = OpenUpload::start(&store, key).await?;
        Ok(Self { open: Some(open), ..Self::new(store, key) })
    }

    /// An upload that was left open.
    pub(super) fn resume(store: S3Store, key: &str, Suspended { id, parts, bytes }: Suspended) -> Self {
        let open = Some(OpenUpload::resume(&store, key, id));
        let numbered = |(number, part): (i32, StoredPart)| completed(number, part.etag, part.crc32);
        let parts = (1..).zip(parts).map(numbered).collect();
        Self { open, parts, stored: bytes, ..Self::new(store, key) }
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::broken_upload(&self.store.uri(&self.key)));
        }
        Ok(())
    }

    async fn append(&mut self, mut bytes: Bytes) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            let room = part_size(self.parts.len()) - self.buffer.len();
            self.buffer.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.buffer.len() == part_size(self.parts.len()) {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn opened(&mut self) -> Result<&OpenUpload, StoreError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => OpenUpload::start(&self.store, &self.key).await?,
        };
        Ok(self.open.insert(open))
    }

    /// Uploads the buffer as the next part.
    async fn flush(&mut self) -> Result<(), StoreError> {
        let (number, bytes) = (self.parts.len() + 1, self.buffer.split().freeze());
        let len = bytes.len() as u64;
        let part = self.opened().await?.part(number, bytes).await?;
        self.parts.push(part);
        self.stored += len;
        Ok(())
    }

    async fn append_range(
        &mut self,
        source: &Source,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<(), StoreError> {
        let plan = Plan::of(range, self.parts.len(), self.buffer.len());
        let store = self.store.with_bucket(source.bucket());
        let mut at = plan.read.start;
        while at < plan.read.end {
            let end = plan.read.end.min(at + READ);
            let bytes = store.read(source.key(), at..end, if_match).await?;
            self.append(bytes).await?;
            at = end;
        }
        if plan.copy.is_empty() { Ok(()) } else { self.copy_parts(source, plan.copy, if_match).await }
    }

    /// Copies each range as a part, several at the same time.
    async fn copy_parts(
        &mut self,
        source: &Source,
        ranges: Vec<Range<u64>>,
        if_match: Option<&str>,
    ) -> Result<(), StoreError> {
        if !self.buffer.is_empty() {
            self.flush().await?;
        }
        let numbers = self.parts.len() + 1..;
        let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        let open = self.opened().await?;
        let copies = numbers.zip(ranges).map(|(number, range)| open.copy(number, source, range, if_match));
        let parts: Vec<_> = stream::iter(copies).buffered(COPIES).try_collect().await?;
        self.parts.extend(parts);
        self.stored += bytes;
        Ok(())
    }

    async fn put(&mut self, only: Only<'_>) -> Result<(), StoreError> {
        let request = self.store.client.put_object().bucket(&self.store.bucket).key(&self.key);
        let (if_match, if_none_match) = conditions(only);
        let request = request.set_if_match(if_match).set_if_none_match(if_none_match);
        let request = request.set_content_type(media_type(&self.key).map(str::to_owned));
        let answer = request.body(self.buffer.split().freeze().into()).send().await;
        answer.map(drop).map_err(|e| refused(&self.store.uri(&self.key), &e, Doing::Completing(only)))
    }

    async fn finish(&mut self, only: Only<'_>) -> Result<(), StoreError> {
        self.check()?;
        if self.open.is_none() {
            return self.put(only).await;
        }
        // An upload has to have a part, be it empty.
        if !self.buffer.is_empty() || self.parts.is_empty() {
            self.flush().await?;
        }
        match &mut self.open {
            Some(open) => open.complete(std::mem::take(&mut self.parts), only).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Upload for S3Upload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.check()?;
        self.broken = true;
        self.append(bytes).await?;
        self.broken = false;
        Ok(())
    }

    /// By `UploadPartCopy`, but for less than 5 MiB at the start of it, and where all of it is less
    /// than about 10 MiB: these are read. Both buckets have to be in one Region then.
    async fn copy(
        &mut self,
        from: &str,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<(), StoreError> {
        self.check()?;
        let source = Source::parse(from)?;
        if range.start > range.end {
            return Err(StoreError::invalid(from, "a range that ends before it starts"));
        }
        self.broken = true;
        self.append_range(&source, range, if_match).await?;
        self.broken = false;
        Ok(())
    }

    async fn complete(mut self: Box<Self>, only: Only<'_>) -> Result<(), StoreError> {
        let done = self.finish(only).await;
        if let (Err(_), Some(open)) = (&done, self.open.take()) {
            // The first error says more; what is left, the bucket's lifecycle rule removes.
            let _ = open.abort().await;
        }
        done
    }

    async fn abort(mut self: Box<Self>) -> Result<(), StoreError> {
        match self.open.take() {
            Some(open) => open.abort().await,
            None => Ok(()),
        }
    }

    async fn suspend(mut self: Box<Self>) -> Result<Suspended, StoreError> {
        let open = self.open.take().ok_or_else(|| StoreError::not_to_suspend(&self.store.uri(&self.key)))?;
        let part = |part: CompletedPart| StoredPart { etag: part.e_tag, crc32: part.checksum_crc32 };
        let parts = std::mem::take(&mut self.parts).into_iter().map(part).collect();
        Ok(Suspended { id: open.leave(), parts, bytes: self.stored })
    }
}
