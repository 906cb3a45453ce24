use std::sync::Arc;

use async_trait::async_trait;
use s3inv_cancel::Cancellation;
use s3inv_store::{Bucket, S3Store, SdkConfig, StoreError};
use tokio::runtime::Handle;

use super::{Pause, Place};
use crate::Cause;

/// How buckets are reached.
#[async_trait]
pub trait Buckets: Send + Sync {
    /// A bucket of this Region.
    fn open(&self, bucket: &str) -> Result<Arc<dyn Bucket>, StoreError>;

    /// A bucket that may be in another Region: that of an inventory.
    async fn anywhere(&self, bucket: &str) -> Result<Arc<dyn Bucket>, StoreError>;
}

/// Buckets of S3.
pub struct S3Buckets(SdkConfig);

impl S3Buckets {
    /// By a configuration, for the Region that it names.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self(config)
    }
}

#[async_trait]
impl Buckets for S3Buckets {
    fn open(&self, bucket: &str) -> Result<Arc<dyn Bucket>, StoreError> {
        Ok(Arc::new(S3Store::new(&self.0, bucket)?))
    }

    async fn anywhere(&self, bucket: &str) -> Result<Arc<dyn Bucket>, StoreError> {
        let config = s3inv_store::in_region_of(&self.0, bucket).await?;
        Ok(Arc::new(S3Store::new(&config, bucket)?))
    }
}

/// What a step has to work with.
pub struct Invocation {
    /// Where requests are driven; the step itself blocks its thread.
    pub runtime: Handle,
    /// Ends the step: by the caller's token, or when there is no time left even to save.
    pub cancellation: Cancellation,
    /// Tells when the step should save its work and leave the rest.
    pub pause: Pause,
    /// Names this attempt, as no other attempt is named.
    pub attempt: String,
    /// When it began, in milliseconds since 1970.
    pub now_ms: u64,
    /// Bytes of memory to work in.
    pub memory: usize,
    /// How buckets are reached.
    pub buckets: Arc<dyn Buckets>,
    /// Where the scratch of all executions is.
    pub scratch: Place,
}

impl Invocation {
    /// Waits for a request, or until the step has to end, whatever the execution does.
    pub(super) async fn wait<T, E>(&self, request: impl Future<Output = Result<T, E>>) -> Result<T, Cause>
    where
        Cause: From<E>,
    {
        Ok(self.cancellation.guard(request).await??)
    }
}
