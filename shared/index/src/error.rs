use std::io;

use s3inv_model::ErrorKind;

use crate::SourceError;
use crate::trailer::VERSION;

/// Why a file can't be written, read or believed. Offsets are bytes from the start of the file.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It doesn't end as an index does.
    #[error("not an index: {0}")]
    NotAnIndex(&'static str),
    /// Written by a newer program, or before the first release.
    #[error("index format version {0} is not read by this program: {hint}", hint = version_hint(*.0))]
    Version(u32),
    /// A run or segment where an index was expected, or the like.
    #[error("this is a {found}, not an {expected}")]
    Kind {
        /// What the file says it is.
        found: &'static str,
        /// What was asked for.
        expected: &'static str,
    },
    /// Bytes are not the ones that were written.
    #[error("damaged index: checksum of the {part} at byte {offset} doesn't match")]
    Checksum {
        /// Which part of the file.
        part: &'static str,
        /// Where it begins.
        offset: u64,
    },
    /// Bytes that match their checksum but make no sense.
    #[error("damaged index: {part} at byte {offset}: {cause}")]
    Damaged {
        /// Which part of the file.
        part: &'static str,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        cause: String,
    },
    /// Rows were not given, or do not stand, in strictly ascending order.
    #[error("prefix {got:?} does not come after {previous:?}")]
    OutOfOrder {
        /// The row before.
        previous: String,
        /// The row that should have come before it.
        got: String,
    },
    /// A sum that contradicts another (invariant I2).
    #[error("sums don't agree: {0}")]
    Sums(String),
    /// More than 64 bits can count.
    #[error("the sums of {0:?} don't fit 64 bits")]
    Overflow(String),
    /// What is not a prefix, or cells that no reader would believe.
    #[error("{0:?} can't be written: {1}")]
    Row(String, &'static str),
    /// Longer than readers believe.
    #[error("the index would be too large: {0}")]
    TooLarge(&'static str),
    /// Files that were not made to be joined.
    #[error("files can't be merged: {0}")]
    Mismatch(&'static str),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl FormatError {
    pub(crate) fn damaged(part: &'static str, offset: u64, cause: impl Into<String>) -> Self {
        Self::Damaged { part, offset, cause: cause.into() }
    }

    /// What the one who sees it should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(error) => SourceError::kind_of(error),
            Self::OutOfOrder { .. } | Self::Row(..) | Self::Mismatch(_) => ErrorKind::Bug,
            _ => ErrorKind::BadInput,
        }
    }
}

fn version_hint(version: u32) -> &'static str {
    if version > VERSION { "it is newer, update the program" } else { "it is older, build the index again" }
}

/// A prefix as messages show it.
pub(crate) fn shown(prefix: &[u8]) -> String {
    String::from_utf8_lossy(prefix).into_owned()
}
