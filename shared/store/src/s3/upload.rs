use async_trait::async_trait;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::refused::{Doing, refused};
use super::{S3Store, Store};
use crate::{StoreError, StoreErrorKind, Upload};

/// The first parts' size, in bytes. S3 takes 5 MiB to 5 GiB, and 10,000 parts.
const PART: usize = 8 << 20;

/// After so many parts their size doubles: 10,000 of them hold 8 TiB, and no object is larger
/// than 5 TiB.
const PARTS_OF_A_SIZE: usize = 1000;

/// The size of the part after `parts` others.
fn part_size(parts: usize) -> usize {
    PART << (parts / PARTS_OF_A_SIZE).min(9)
}

/// Bytes on their way to S3, one part at a time. Up to one part is held in memory.
pub(super) struct S3Upload {
    store: S3Store,
    key: String,
    buffer: BytesMut,
    open: Option<OpenUpload>,
    parts: Vec<CompletedPart>,
    /// Between the start of a part and its success.
    broken: bool,
}

impl S3Upload {
    pub(super) fn new(store: S3Store, key: &str) -> Self {
        let (buffer, parts) = (BytesMut::new(), Vec::new());
        Self { store, key: key.to_owned(), buffer, open: None, parts, broken: false }
    }

    /// Uploads the buffer as the next part.
    async fn flush(&mut self) -> Result<(), StoreError> {
        self.broken = true;
        let open = match self.open.take() {
            Some(open) => open,
            None => OpenUpload::start(&self.store, &self.key).await?,
        };
        let open = self.open.insert(open);
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let part = open.part(number, self.buffer.split().freeze()).await?;
        self.parts.push(part);
        self.broken = false;
        Ok(())
    }

    async fn put(&mut self) -> Result<(), StoreError> {
        let request = self.store.client.put_object().bucket(&self.store.bucket).key(&self.key);
        let answer = request.body(self.buffer.split().freeze().into()).send().await;
        answer.map(drop).map_err(|e| refused(&self.store.uri(&self.key), &e, Doing::Writing))
    }

    async fn finish(&mut self) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::broken_upload(&self.store.uri(&self.key)));
        }
        if self.open.is_none() {
            return self.put().await;
        }
        if !self.buffer.is_empty() {
            self.flush().await?;
        }
        match &mut self.open {
            Some(open) => open.complete(std::mem::take(&mut self.parts)).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Upload for S3Upload {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), StoreError> {
        if self.broken {
            return Err(StoreError::broken_upload(&self.store.uri(&self.key)));
        }
        while !bytes.is_empty() {
            let room = part_size(self.parts.len()) - self.buffer.len();
            self.buffer.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.buffer.len() == part_size(self.parts.len()) {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn complete(mut self: Box<Self>) -> Result<(), StoreError> {
        let done = self.finish().await;
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
}

/// A multipart upload that S3 keeps, and bills, until it is completed or aborted. Dropping it
/// aborts it in the background: see [`Store::settle`].
struct OpenUpload {
    store: S3Store,
    key: String,
    id: String,
    ended: bool,
}

impl OpenUpload {
    /// Started in a task of its own: were the request dropped half-way, nobody would know the id
    /// of an upload that S3 may have started.
    async fn start(store: &S3Store, key: &str) -> Result<Self, StoreError> {
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
        let answer = request.set_checksum_algorithm(checksum).send().await;
        let output = answer.map_err(|e| refused(&store.uri(&key), &e, Doing::Writing))?;
        let id = output.upload_id.unwrap_or_default();
        if id.is_empty() {
            return Err(StoreError::other(&store.uri(&key), "an upload started without an id"));
        }
        Ok(Self { store, key, id, ended: false })
    }

    async fn part(&self, number: i32, bytes: Bytes) -> Result<CompletedPart, StoreError> {
        let request = self.store.client.upload_part().bucket(&self.store.bucket).key(&self.key);
        let request = request.upload_id(&self.id).part_number(number);
        let answer = request.body(bytes.into()).send().await;
        let output = answer.map_err(|e| refused(&self.store.uri(&self.key), &e, Doing::Writing))?;
        Ok(completed(number, output))
    }

    async fn complete(&mut self, parts: Vec<CompletedPart>) -> Result<(), StoreError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.store.client.complete_multipart_upload().bucket(&self.store.bucket).key(&self.key);
        let answer = request.upload_id(&self.id).multipart_upload(parts).send().await;
        answer.map_err(|e| refused(&self.store.uri(&self.key), &e, Doing::Writing))?;
        self.ended = true;
        Ok(())
    }

    async fn abort(mut self) -> Result<(), StoreError> {
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

fn completed(number: i32, output: UploadPartOutput) -> CompletedPart {
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(output.e_tag)
        .set_checksum_crc32(output.checksum_crc32)
        .build()
}

/// Aborts an upload; one that has ended already is no error.
async fn abort(store: &S3Store, key: &str, id: &str) -> Result<(), StoreError> {
    let request = store.client.abort_multipart_upload().bucket(&store.bucket).key(key).upload_id(id);
    match request.send().await.map_err(|e| refused(&store.uri(key), &e, Doing::Writing)) {
        Err(error) if error.kind() != StoreErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_suffice_for_the_largest_object() {
        let whole: u64 = (0..10_000).map(|parts| part_size(parts) as u64).sum();
        assert!(whole > 5 << 40);
        assert!((0..10_000).all(|parts| (5 << 20..=5_usize << 30).contains(&part_size(parts))));
    }
}
