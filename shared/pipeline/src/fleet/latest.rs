//! Which index of an inventory configuration is the newest.

use s3inv_store::{Bucket, Only, StoreError, StoreErrorKind, put};
use serde::{Deserialize, Serialize};

use super::delivery::index_name;
use super::document::{json, read};
use super::work::etag;
use super::{Request, StepError, Version};
use crate::Cause;

/// The name of the document beside the indexes.
pub const LATEST: &str = "latest.json";

/// Others name other snapshots: each try loses to one of them.
const TRIES: usize = 20;

/// The newest index of its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The version of this document.
    pub version: Version,
    /// The index's name in the folder.
    pub index: String,
    /// The snapshot's folder in the delivery. Its name begins with the year: the newer, the greater.
    pub snapshot: String,
}

impl Latest {
    /// The document that names the index of a snapshot.
    #[must_use]
    pub fn of(snapshot: &str) -> Self {
        Self { version: Version, index: index_name(snapshot), snapshot: snapshot.to_owned() }
    }

    /// Whether the index's name is one, and not a way to somewhere else.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.index.strip_suffix(".s3inv").is_some_and(super::is_snapshot)
    }

    /// Has a folder's document name the index that a request builds, unless it names a newer one: for an
    /// index that was published by who was then stopped. Whether it names this one.
    pub async fn repair(output: &dyn Bucket, request: &Request) -> Result<bool, StepError> {
        let folder = request.delivery.index_folder(&request.output.key);
        let moved = advance(output, &folder, &request.delivery.snapshot).await;
        moved.map_err(|cause| StepError::of_cause(&cause))
    }
}

/// Moves a folder's document to a snapshot's index, unless it names a newer one; whether it names this one.
pub(super) async fn advance(output: &dyn Bucket, folder: &str, snapshot: &str) -> Result<bool, Cause> {
    let (key, mine) = (format!("{folder}{LATEST}"), Latest::of(snapshot));
    for _ in 0..TRIES {
        let etag = etag(output, &key).await?;
        let wrong = |error| Cause::Payload(format!("{}: {error}: remove it", output.uri(&key)));
        let there = read(output, &key).await?.map(|bytes| serde_json::from_slice::<Latest>(&bytes));
        if let Some(there) = there.transpose().map_err(wrong)?
            && there.snapshot >= mine.snapshot
        {
            return Ok(there == mine);
        }
        let only = etag.as_deref().map_or(Only::IfAbsent, Only::IfMatch);
        match put(output, &key, json(&mine)?, only).await {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == StoreErrorKind::Precondition => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = "others move it all the time";
    Err(StoreError::new(&output.uri(&key), StoreErrorKind::Retryable, text).into())
}
