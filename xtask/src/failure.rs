use std::fmt::Display;

/// Why a command stopped, and what to do about it, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {remedy}")]
pub(crate) struct Failure {
    what: String,
    remedy: String,
}

impl Failure {
    pub(crate) fn new(what: impl Display, remedy: impl Display) -> Self {
        Self { what: what.to_string(), remedy: remedy.to_string() }
    }
}

/// Gives an error the object it is about and the remedy.
pub(crate) trait Advise<T> {
    /// `what` failed; `remedy` says what to do.
    fn advise(self, what: impl Display, remedy: &str) -> Result<T, Failure>;
}

impl<T, E: Display> Advise<T> for Result<T, E> {
    fn advise(self, what: impl Display, remedy: &str) -> Result<T, Failure> {
        self.map_err(|cause| Failure::new(format_args!("{what}: {cause}"), remedy))
    }
}

/// What to do where a file or folder can't be read or written.
pub(crate) const CHECK_DISK: &str = "check permissions and free space";
