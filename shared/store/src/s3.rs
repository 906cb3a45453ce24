mod bucket;
mod config;
mod media;
mod open;
mod parts;
mod refused;
mod region;
mod retrying;
mod served;
mod upload;

use std::ops::Range;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::{Bytes, BytesMut};
use tokio_util::task::TaskTracker;

pub use self::config::sdk_config;
use self::refused::{Doing, refused};
pub use self::region::in_region_of;
use self::retrying::Retrying;
use self::served::Served;
use self::upload::S3Upload;
use crate::{ObjectMeta, Retries, Store, StoreError, StoreErrorKind, Upload};

/// The objects of a bucket. Clones share connections.
///
/// A read is one `GetObject` for a range; what comes back is checked to be that range. An object
/// is written with `PutObject` up to 8 MiB, in parts beyond. What fails in a way that may pass is asked
/// again, within bounds, and counted: `docs/reliability.md` has a table.
#[derive(Clone, Debug)]
pub struct S3Store {
    client: Client,
    bucket: String,
    /// Whether parts carry checksums for S3 to verify.
    checksums: bool,
    retrying: Retrying,
    tasks: TaskTracker,
}

impl S3Store {
    /// A bucket, by a caller's configuration or that of [`sdk_config`].
    ///
    /// An HTTP client, a runtime and a behaviour version are supplied where the configuration
    /// has none. With an endpoint outside AWS (moto, `MinIO`), buckets are addressed by path, since
    /// they have no host names there, and the region is `us-east-1` unless there is another.
    /// For AWS, a configuration without a region is refused.
    pub fn new(config: &SdkConfig, bucket: &str) -> Result<Self, StoreError> {
        let name = format!("s3://{bucket}/");
        let retrying = Retrying::new(config);
        let s3 = config::s3(config, &retrying).map_err(|text| StoreError::invalid(&name, text))?;
        let tasks = TaskTracker::new();
        // Closed means only that waiting for it ends when it is empty.
        tasks.close();
        let checksums = config::checksums(config);
        Ok(Self { client: Client::from_conf(s3), bucket: bucket.to_owned(), checksums, retrying, tasks })
    }

    /// Another bucket, over the same connections.
    #[must_use]
    pub fn with_bucket(&self, bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), ..self.clone() }
    }

    /// What a range request brings: its body whole, asked for again if it breaks off.
    ///
    /// `check` sees what S3 says it sends before any of it is read.
    async fn get(
        &self,
        key: &str,
        range: &str,
        if_match: Option<&str>,
        check: impl Fn(&Served) -> Result<(), StoreError> + Sync,
    ) -> Result<(Bytes, ObjectMeta), StoreError> {
        let uri = self.uri(key);
        let mut again = self.retrying.again();
        loop {
            let output = self.request(key, range, if_match).await?;
            match received(&uri, output, &check).await {
                // The SDK asks again for answers, but not for their bodies.
                Err(error) if error.kind() == StoreErrorKind::Retryable => {
                    if !again.pause(false).await {
                        return Err(error.adding(&format!(", {} times", again.attempts())));
                    }
                }
                answer => return answer,
            }
        }
    }

    async fn request(
        &self,
        key: &str,
        range: &str,
        if_match: Option<&str>,
    ) -> Result<GetObjectOutput, StoreError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key).range(range);
        let answer = request.set_if_match(if_match.map(str::to_owned)).send().await;
        answer.map_err(|e| refused(&self.uri(key), &e, Doing::Reading))
    }
}

#[async_trait]
impl Store for S3Store {
    async fn head(&self, key: &str) -> Result<ObjectMeta, StoreError> {
        let uri = self.uri(key);
        let answer = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        let output = answer.map_err(|e| refused(&uri, &e, Doing::Reading))?;
        let size = output.content_length().and_then(|size| u64::try_from(size).ok());
        object_meta(&uri, size, output.e_tag())
    }

    /// An empty range is answered without a request: HTTP can't ask for it.
    async fn read(&self, key: &str, range: Range<u64>, if_match: Option<&str>) -> Result<Bytes, StoreError> {
        let uri = self.uri(key);
        if range.is_empty() {
            return if range.start == range.end {
                Ok(Bytes::new())
            } else {
                Err(StoreError::invalid(&uri, "a range that ends before it starts"))
            };
        }
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let (bytes, _) = self.get(key, &header, if_match, |served| served.check_range(&uri, &range)).await?;
        Ok(bytes)
    }

    /// An empty object needs a second request: S3 answers the first with 416.
    async fn read_tail(&self, key: &str, len: u64) -> Result<(Bytes, ObjectMeta), StoreError> {
        let uri = self.uri(key);
        if len == 0 {
            return Ok((Bytes::new(), self.head(key).await?));
        }
        match self.get(key, &format!("bytes=-{len}"), None, |served| served.check_tail(&uri, len)).await {
            Err(error) if error.kind() == StoreErrorKind::Range => match self.head(key).await? {
                meta if meta.size == 0 => Ok((Bytes::new(), meta)),
                _ => Err(error),
            },
            answer => answer,
        }
    }

    async fn create(&self, key: &str) -> Result<Box<dyn Upload>, StoreError> {
        Ok(Box::new(S3Upload::new(self.clone(), key)))
    }

    fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    async fn settle(&self) {
        self.tasks.wait().await;
    }

    fn retries(&self) -> Retries {
        self.retrying.counts()
    }
}

fn object_meta(uri: &str, size: Option<u64>, etag: Option<&str>) -> Result<ObjectMeta, StoreError> {
    match (size, etag) {
        (Some(size), Some(etag)) => Ok(ObjectMeta { size, etag: etag.to_owned() }),
        _ => Err(StoreError::other(uri, "answered without a size or an ETag")),
    }
}

/// What an answer brings, whole; [`Retryable`](StoreErrorKind::Retryable) if another may.
async fn received(
    uri: &str,
    output: GetObjectOutput,
    check: &(impl Fn(&Served) -> Result<(), StoreError> + Sync),
) -> Result<(Bytes, ObjectMeta), StoreError> {
    let served = Served::of(&output, uri)?;
    check(&served)?;
    let meta = object_meta(uri, Some(served.total), output.e_tag())?;
    let broken = |cause: String| {
        StoreError::new(uri, StoreErrorKind::Retryable, &format!("its body broke off: {cause}"))
    };
    Ok((body(output, served.len()).await.map_err(broken)?, meta))
}

/// A whole body of `len` bytes, or why it is not.
async fn body(mut output: GetObjectOutput, len: u64) -> Result<Bytes, String> {
    let mut bytes = BytesMut::with_capacity(len as usize);
    while let Some(frame) = output.body.try_next().await.map_err(|e| refused::innermost(&e))? {
        bytes.extend_from_slice(&frame);
        if bytes.len() as u64 > len {
            return Err(format!("more than the {len} bytes announced"));
        }
    }
    if bytes.len() as u64 == len {
        Ok(bytes.freeze())
    } else {
        Err(format!("{} bytes of the {len} announced", bytes.len()))
    }
}

#[cfg(test)]
mod tests;
