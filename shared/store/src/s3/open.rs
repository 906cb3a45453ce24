//! A multipart upload, request by request.

use std::ops::Range;

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::media::media_type;
use super::refused::{Doing, refused, refused_copy};
use super::{S3Store, Store};
use crate::{Only, StoreError, StoreErrorKind, percent};

/// The values of `If-Match` and `If-None-Match`.
pub(super) fn conditions(only: Only<'_>) -> (Option<String>, Option<String>) {
    match only {
        Only::Always => (None, None),
        Only::IfAbsent => (None, Some("*".to_owned())),
        Only::IfMatch(etag) => (Some(etag.to_owned()), None),
    }
}

/// An object to copy from.
pub(super) struct Source {
    bucket: String,
    key: String,
}

impl Source {
    /// By the name that [`Store::uri`] gives it.
    pub(super) fn parse(uri: &str) -> Result<Self, StoreError> {
        let parts = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let (bucket, key) = parts
            .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
            .ok_or_else(|| StoreError::invalid(uri, "not an object in S3"))?;
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// The value of `x-amz-copy-source`.
    fn header(&self) -> String {
        percent::encoded(&format!("{}/{}", self.bucket, self.key))
    }
}

/// A multipart upload that S3 keeps, and bills, until it is completed or aborted. Dropping it
/// aborts it in the background: see [`Store::settle`].
pub(super) struct OpenUpload {
    store: S3Store,
    key: String,
    id: String,
    ended: bool,
}

impl OpenUpload {
    /// Started in a task of its own: were the request dropped half-way, nobody would know the id
    /// of an upload that S3 may have started.
    pub(super) async fn start(store: &S3Store, key: &str) -> Result<Self, StoreError> {
        let (send, receive) = oneshot::channel();
        let (owned, name) = (store.clone(), key.to_owned());
        store.tasks.spawn(async move {
            // Where nobody waits any more, the upload is dropped, and so aborted.
            let _ = send.send(Self::request(owned, name).await);
        });
        let ended = |_| Err(StoreError::other(&store.uri(key), "the runtime has ended"));
        receive.await.unwrap_or_else(ended)
    }

    async fn request(store: S3Store, key: String) -> Result<Self, StoreError> {
        let request = store.client.create_multipart_upload().bucket(&store.bucket).key(&key);
        let checksum = store.checksums.then_some(ChecksumAlgorithm::Crc32);
        let request = request.set_content_type(media_type(&key).map(str::to_owned));
        let answer = request.set_checksum_algorithm(checksum).send().await;
        let output = answer.map_err(|e| refused(&store.uri(&key), &e, Doing::Other))?;
        let id = output.upload_id.unwrap_or_default();
        if id.is_empty() {
            return Err(StoreError::other(&store.uri(&key), "an upload started without an id"));
        }
        Ok(Self { store, key, id, ended: false })
    }

    /// One that somebody has left open.
    pub(super) fn resume(store: &S3Store, key: &str, id: String) -> Self {
        Self { store: store.clone(), key: key.to_owned(), id, ended: false }
    }

    /// Leaves it open; its id.
    pub(super) fn leave(mut self) -> String {
        self.ended = true;
        std::mem::take(&mut self.id)
    }

    fn uri(&self) -> String {
        self.store.uri(&self.key)
    }

    pub(super) async fn part(&self, number: usize, bytes: Bytes) -> Result<CompletedPart, StoreError> {
        let number = part_number(number);
        let request = self.store.client.upload_part().bucket(&self.store.bucket).key(&self.key);
        let request = request.upload_id(&self.id).part_number(number);
        let answer = request.body(bytes.into()).send().await;
        let output = answer.map_err(|e| refused(&self.uri(), &e, Doing::Other))?;
        Ok(completed(number, output.e_tag, output.checksum_crc32))
    }

    /// A part that S3 copies.
    pub(super) async fn copy(
        &self,
        number: usize,
        source: &Source,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<CompletedPart, StoreError> {
        let number = part_number(number);
        let request = self.store.client.upload_part_copy().bucket(&self.store.bucket).key(&self.key);
        let request = request
            .upload_id(&self.id)
            .part_number(number)
            .copy_source(source.header())
            .copy_source_range(format!("bytes={}-{}", range.start, range.end - 1))
            .set_copy_source_if_match(if_match.map(str::to_owned));
        let answer = request.send().await.map_err(|e| refused_copy(&self.uri(), &source.uri(), &e))?;
        let part = answer.copy_part_result.filter(|part| part.e_tag().is_some());
        let part = part.ok_or_else(|| StoreError::other(&self.uri(), "a part copied without an ETag"))?;
        Ok(completed(number, part.e_tag, part.checksum_crc32))
    }

    pub(super) async fn complete(
        &mut self,
        parts: Vec<CompletedPart>,
        only: Only<'_>,
    ) -> Result<(), StoreError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.store.client.complete_multipart_upload().bucket(&self.store.bucket).key(&self.key);
        let (if_match, if_none_match) = conditions(only);
        let request = request.set_if_match(if_match).set_if_none_match(if_none_match);
        let answer = request.upload_id(&self.id).multipart_upload(parts).send().await;
        answer.map_err(|e| refused(&self.uri(), &e, Doing::Completing(only)))?;
        self.ended = true;
        Ok(())
    }

    pub(super) async fn abort(mut self) -> Result<(), StoreError> {
        let done = abort(&self.store, &self.key, &self.id).await;
        self.ended = true;
        done
    }
}

impl Drop for OpenUpload {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let (store, key, id) = (self.store.clone(), self.key.clone(), self.id.clone());
            let tasks = store.tasks.clone();
            tasks.spawn_on(async move { abort(&store, &key, &id).await }, &runtime);
        }
    }
}

/// S3 refuses a number above 10,000: [`super::parts`] keeps below.
fn part_number(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(super) fn completed(number: i32, etag: Option<String>, checksum: Option<String>) -> CompletedPart {
    CompletedPart::builder().part_number(number).set_e_tag(etag).set_checksum_crc32(checksum).build()
}

/// Aborts an upload; one that has ended already is no error.
pub(super) async fn abort(store: &S3Store, key: &str, id: &str) -> Result<(), StoreError> {
    let request = store.client.abort_multipart_upload().bucket(&store.bucket).key(key).upload_id(id);
    match request.send().await.map_err(|e| refused(&store.uri(key), &e, Doing::Other)) {
        Err(error) if error.kind() != StoreErrorKind::UploadGone => Err(error),
        _ => Ok(()),
    }
}
