use std::io;
use std::time::Duration;

/// Why a local AWS did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something of this machine: a file, a process, a connection.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What came in between.
        source: io::Error,
    },
    /// The service refused.
    #[error("{action}: {status} {code}: {message}")]
    Refused {
        /// The call.
        action: String,
        /// The HTTP status.
        status: u16,
        /// AWS's name of the error.
        code: String,
        /// What it said.
        message: String,
    },
    /// The service answered with something else than it should.
    #[error("{action}: unreadable answer: {answer}")]
    Unreadable {
        /// The call.
        action: String,
        /// What came.
        answer: String,
    },
    /// It has not come true in time.
    #[error("{what}: not within {limit:?}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        limit: Duration,
    },
    /// There is no function of this name.
    #[error("no function is called {0}")]
    NoFunction(String),
}

impl Error {
    /// AWS's name of the error, of a call that was refused.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// Says what was being done when it failed.
pub(crate) trait Context<T> {
    fn context(self, what: impl Into<String>) -> Result<T, Error>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, what: impl Into<String>) -> Result<T, Error> {
        self.map_err(|source| Error::Io { what: what.into(), source })
    }
}
