use serde::{Deserialize, Serialize};

use crate::{ClassError, Classes, Measures};

/// What the numbers of a file are of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// What is known of each prefix, beside the number of its objects.
    pub measures: Measures,
    /// Storage classes; bins name them by their place in this list.
    pub classes: Classes,
}

/// Why files can't be added up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Together they have too many classes.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// One knows what another doesn't.
    #[error("files have different measures")]
    Measures,
}

impl Schema {
    /// What files of these schemas add up to: their measures, which are the same, and all their classes,
    /// sorted.
    pub fn union<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Result<Self, SchemaError> {
        let mut parts = parts.into_iter().peekable();
        let measures = parts.peek().map(|first| first.measures.clone()).unwrap_or_default();
        let mut classes = Classes::default();
        for part in parts {
            if part.measures != measures {
                return Err(SchemaError::Measures);
            }
            classes = Classes::union([&classes, &part.classes])?;
        }
        Ok(Self { measures, classes })
    }
}
