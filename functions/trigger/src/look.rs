//! The newest complete deliveries below a folder.

use s3inv_lambda_kit::StepError;
use s3inv_pipeline::fleet::{Buckets, Delivery, Place, is_snapshot};
use s3inv_store::{Bucket, StoreErrorKind};

/// A configuration's folder is `bucket/configuration/` below the destination's prefix, which has a folder
/// or two: that of a bucket's root is no deeper.
const LEVELS: usize = 5;
/// More folders than this are not gone through: the place named is not one of inventories.
const MOST_FOLDERS: usize = 1000;
/// Deliveries of a configuration that are looked at, from the newest back, for one that is complete.
const LOOKED_AT: usize = 5;

/// The newest complete delivery of each configuration below a place.
pub(crate) async fn newest(buckets: &dyn Buckets, place: &Place) -> Result<Vec<Delivery>, StepError> {
    let bucket = buckets.anywhere(&place.bucket).await.map_err(|error| StepError::of_store(&error))?;
    let mut level = vec![place.key.clone()];
    let mut found = Vec::new();
    for _ in 0..=LEVELS {
        let mut below = Vec::new();
        for folder in level {
            let (snapshots, others): (Vec<_>, Vec<_>) =
                folders(&*bucket, &folder).await?.into_iter().partition(|name| is_snapshot(last(name)));
            if snapshots.is_empty() {
                below.extend(others);
            }
            // Listed in the order of their names, which is that of time.
            found.extend(complete(&*bucket, place, snapshots.iter().rev()).await?);
        }
        if below.len() > MOST_FOLDERS {
            let text = format!("{place}: more than {MOST_FOLDERS} folders: name one of inventories");
            return Err(StepError::bad_input(text));
        }
        level = below;
    }
    Ok(found)
}

/// The name of a folder, without its `/`.
fn last(folder: &str) -> &str {
    let folder = folder.strip_suffix('/').unwrap_or(folder);
    folder.rsplit_once('/').map_or(folder, |(_, name)| name)
}

async fn folders(bucket: &dyn Bucket, prefix: &str) -> Result<Vec<String>, StepError> {
    let (mut folders, mut next) = (Vec::new(), None::<String>);
    loop {
        let page = bucket.list(prefix, next.as_deref(), true).await;
        let page = page.map_err(|error| StepError::of_store(&error))?;
        folders.extend(page.folders);
        next = page.next;
        if next.is_none() {
            return Ok(folders);
        }
    }
}

async fn complete(
    bucket: &dyn Bucket,
    place: &Place,
    snapshots: impl Iterator<Item = &String>,
) -> Result<Option<Delivery>, StepError> {
    for snapshot in snapshots.take(LOOKED_AT) {
        let key = format!("{snapshot}manifest.checksum");
        let Some(delivery) = Delivery::completed_by(&place.bucket, &key) else { continue };
        match bucket.head(&key).await {
            Ok(_) => return Ok(Some(delivery)),
            Err(error) if error.kind() == StoreErrorKind::NotFound => {}
            Err(error) => return Err(StepError::of_store(&error)),
        }
    }
    Ok(None)
}
