use std::io;

use s3inv_cancel::{Phase, Stop};
use s3inv_index_format::FormatError;
use s3inv_inventory::csv::LayoutError;
use s3inv_inventory::{InputError, ManifestError};
use s3inv_model::{ErrorKind, SchemaError};
use s3inv_store::StoreError;

/// Why a build ended without an index: in which phase, and what the cause was.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", phase.wrap())]
pub struct BuildError {
    /// Where it was.
    pub phase: Phase,
    /// What happened.
    #[source]
    pub cause: Cause,
}

impl BuildError {
    /// What the one who sees it should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.cause.kind()
    }
}

/// What ended a build, each in one line that names the object, the row or byte, and the cause.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// Somebody wanted it so, or time was over.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// An object can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifest is not usable.
    #[error("{uri}: {error}")]
    Manifest {
        /// The manifest.
        uri: String,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// Its CSV schema is not usable.
    #[error("{uri}: {error}")]
    Layout {
        /// The manifest.
        uri: String,
        /// What is wrong with its schema.
        error: LayoutError,
    },
    /// A data file can't be read.
    #[error("{uri}: {error}")]
    Input {
        /// The data file.
        uri: String,
        /// What is wrong with it.
        error: InputError,
    },
    /// A data file is not the one that the manifest lists.
    #[error("{uri}: {problem}")]
    Mismatch {
        /// The data file.
        uri: String,
        /// How it differs.
        problem: String,
    },
    /// The storage classes of all files together are too many.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A temporary file can't be written or read back.
    #[error("temporary files in {directory}: {error}")]
    Scratch {
        /// Where temporary files are.
        directory: String,
        /// What happened.
        error: FormatError,
    },
    /// Sums that don't fit or contradict each other.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The memory that was allowed is not enough for anything.
    #[error("a memory budget of {0} bytes is below the least, 16 MiB")]
    Memory(usize),
    /// The system refuses threads or the like.
    #[error("{}", refused(.0))]
    System(#[from] io::Error),
    /// What a step was asked can't be done.
    #[error("{0}")]
    Payload(String),
    /// A document in the scratch can't be read.
    #[error("{uri}: {error}")]
    Document {
        /// The document.
        uri: String,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The execution's scratch has been removed.
    #[error("the scratch of this execution is gone: start a new execution")]
    ScratchGone,
    /// Another index of the same inventory is there.
    #[error("{0}: another index is there: start with \"replace\": true to build it again")]
    AlreadyPublished(String),
    /// The index that was to be replaced is no longer the one that was there.
    #[error("{0}: another build has replaced it meanwhile: start again to replace that one")]
    Overtaken(String),
    /// The invocation's time ended before anything new was saved.
    #[error(
        "the invocation's time ended before anything new was saved: give the function more time or memory"
    )]
    OutOfTime,
    /// What was saved of a data file can't be built on: reading up to there again takes all the time.
    #[error(
        "{uri}: one invocation's time isn't enough to read it up to row {row} again: give the function more time or memory"
    )]
    TooSlow {
        /// The data file.
        uri: String,
        /// The last row that was saved, counted from 1.
        row: u64,
    },
    /// A defect of this program.
    #[error("internal error: {0}: please report it")]
    Bug(String),
}

/// A thread that can't be started is told as something that is not available for now.
fn refused(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock => {
            format!("no more threads: {error}: raise their limit (`ulimit -u`) or take fewer workers")
        }
        _ => error.to_string(),
    }
}

/// Whether bytes were read, and can't be what they claim to be: a gzip that is cut off or damaged. Reading
/// them again changes nothing.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

impl Cause {
    /// What the one who sees it should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Stop(Stop::Cancelled) => ErrorKind::Cancelled,
            Self::Stop(Stop::DeadlineExceeded) | Self::OutOfTime | Self::TooSlow { .. } => {
                ErrorKind::DeadlineExceeded
            }
            Self::Store(error) => error.error_kind(),
            Self::Scratch { error, .. } | Self::Format(error) => error.kind(),
            Self::Input { error: InputError::Io(error), .. } if !is_damage(error) => ErrorKind::Storage,
            Self::System(_) => ErrorKind::Storage,
            Self::Bug(_) | Self::Document { .. } => ErrorKind::Bug,
            _ => ErrorKind::BadInput,
        }
    }

    /// The cause, said of temporary files.
    pub(crate) fn in_scratch(self, directory: &std::path::Path) -> Self {
        match self {
            Self::Format(error @ FormatError::Io(_)) => {
                Self::Scratch { directory: directory.display().to_string(), error }
            }
            other => other,
        }
    }

    /// Whether it is only the echo of another's failure.
    pub(crate) fn is_stop(&self) -> bool {
        matches!(self, Self::Stop(_))
    }
}
