//! How far a chunk has been read.

use s3inv_index_format::FormatError;
use serde::{Deserialize, Serialize};

use crate::Cause;
use crate::plan::Input;

/// How far a chunk has been read.
///
/// One that has other fields is of another version, and not the start of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// The file, by its place in the chunk: those before it are done.
    pub(crate) file: usize,
    /// How far that file has been read, if it has been begun.
    pub(crate) within: Option<Within>,
}

/// How far a file has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Within {
    /// Rows of it that have been counted.
    pub(crate) rows: u64,
    /// Its `ETag` then.
    pub(crate) etag: String,
}

/// A file to be read, from where it was left.
pub(super) struct Place<'f> {
    pub(super) file: &'f Input,
    /// How far it was read before.
    pub(super) within: Option<&'f Within>,
    /// Whether it is where this time's reading began: then there is nothing new before it.
    pub(super) is_first: bool,
}

impl Place<'_> {
    /// Rows of it that were counted before.
    pub(super) fn known(&self) -> u64 {
        self.within.map_or(0, |within| within.rows)
    }

    /// Checks that the file is still the one that was begun.
    pub(super) fn check(&self, etag: &str) -> Result<(), Cause> {
        if self.within.is_none_or(|within| within.etag == etag) {
            return Ok(());
        }
        Err(self.changed(""))
    }

    /// Checks that the file has as many rows as were counted before.
    pub(super) fn check_rows(&self, rows: u64) -> Result<(), Cause> {
        if rows >= self.known() { Ok(()) } else { Err(self.changed(&format!(": it has only {rows}"))) }
    }

    fn changed(&self, how: &str) -> Cause {
        let problem = format!("changed since the first {} of its rows were read{how}", self.known());
        Cause::Mismatch { uri: self.file.uri(), problem }
    }
}

/// Why a file is not read to its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// It can't be.
    Failed(Cause),
    /// There is no more time. So many of its rows have been counted.
    Paused(u64),
}

impl Halt {
    /// Where a file with this `ETag` was left.
    pub(super) fn left(self, etag: &str) -> Result<Option<Within>, Cause> {
        match self {
            Self::Failed(cause) => Err(cause),
            Self::Paused(rows) => Ok(Some(Within { rows, etag: etag.to_owned() })),
        }
    }
}

impl From<Cause> for Halt {
    fn from(cause: Cause) -> Self {
        Self::Failed(cause)
    }
}

impl From<FormatError> for Halt {
    fn from(error: FormatError) -> Self {
        Self::Failed(error.into())
    }
}
