//! Which index of an inventory configuration is the newest.

use serde::{Deserialize, Serialize};

use super::Version;

/// The name of the document beside the indexes.
pub const LATEST: &str = "latest.json";

/// The newest index of its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// The version of this document.
    pub version: Version,
    /// The index's name in the folder.
    pub index: String,
    /// The snapshot's folder in the delivery.
    pub snapshot: String,
    /// When the inventory was taken, in milliseconds since 1970.
    pub snapshot_ms: u64,
}

impl Latest {
    /// Whether the index's name is one, and not a way to somewhere else.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.index.strip_suffix(".s3inv").is_some_and(super::is_snapshot)
    }
}
