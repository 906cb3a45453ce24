use std::process::ExitCode;

use s3inv_cancel::Stop;
use s3inv_model::ErrorKind;
use s3inv_pipeline::{BuildError, OpenError};

/// How a command ended that did not do what was asked. Each is told in one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A signal stopped a build, or whatever it was.
    #[error("{what} cancelled by user")]
    Cancelled { what: &'static str, exit: u8 },
    /// It stopped because it was asked to: who knows the signal says so instead.
    #[error(transparent)]
    Stopped(Stop),
    #[error("build timed out")]
    TimedOut,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{index}: {error}")]
    Index { index: String, error: s3inv_index_format::FormatError },
    #[error(transparent)]
    Ask(#[from] s3inv::AskError),
    #[error(transparent)]
    Store(#[from] s3inv_store::StoreError),
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// What a build's error means here: the signal, if there was one, gives its exit code.
    pub(crate) fn of_build(error: BuildError, signal_exit: Option<u8>) -> Self {
        match (error.kind(), signal_exit) {
            (ErrorKind::Cancelled, Some(exit)) => Self::Cancelled { what: "build", exit },
            (ErrorKind::DeadlineExceeded, _) => Self::TimedOut,
            _ => Self::Build(error),
        }
    }

    /// What the failure of an export or a report means: the signal, if there was one, gives its exit code.
    pub(crate) fn stopped_by(self, what: &'static str, signal_exit: Option<u8>) -> Self {
        match (self, signal_exit) {
            (Self::Stopped(_), Some(exit)) => Self::Cancelled { what, exit },
            (failure, _) => failure,
        }
    }

    /// Tells it on stderr, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Cancelled { exit, .. } => {
                tracing::warn!("{self}");
                ExitCode::from(*exit)
            }
            Self::TimedOut => {
                tracing::warn!("{self}");
                ExitCode::from(124)
            }
            _ => {
                tracing::error!("{self}");
                ExitCode::FAILURE
            }
        }
    }
}
