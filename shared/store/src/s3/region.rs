//! Which Region a bucket is in.

use aws_config::{Region, SdkConfig};

use super::refused::{Doing, refused};
use super::{S3Store, Store, config};
use crate::{StoreError, StoreErrorKind};

/// What S3 says in every answer about a bucket, a refusal included.
const HEADER: &str = "x-amz-bucket-region";

/// The configuration for the Region of a bucket, which may be another's: for inventories that are
/// elsewhere.
///
/// Asks with one `HeadBucket`, which needs no permission: S3 names the Region also where it refuses
/// (`GetBucketLocation` needs one). A configuration with an endpoint of its own stays as it is,
/// without a request: there, a Region leads nowhere else.
pub async fn in_region_of(config: &SdkConfig, bucket: &str) -> Result<SdkConfig, StoreError> {
    if config::endpoint(config).is_some() {
        return Ok(config.clone());
    }
    Ok(match region(&S3Store::new(config, bucket)?).await? {
        Some(region) => config.to_builder().region(Region::new(region)).build(),
        None => config.clone(),
    })
}

pub(super) async fn region(store: &S3Store) -> Result<Option<String>, StoreError> {
    let error = match store.client.head_bucket().bucket(&store.bucket).send().await {
        Ok(output) => return Ok(output.bucket_region),
        Err(error) => error,
    };
    if let Some(region) = error.raw_response().and_then(|response| response.headers().get(HEADER)) {
        return Ok(Some(region.to_owned()));
    }
    let refused = refused(&store.uri(""), &error, Doing::Other);
    Err(match refused.kind() {
        StoreErrorKind::NotFound => {
            StoreError::new(refused.uri(), StoreErrorKind::NotFound, "the bucket does not exist")
        }
        _ => refused,
    })
}
