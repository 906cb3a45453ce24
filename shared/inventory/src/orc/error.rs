use std::fmt::Display;

use crate::error::InputError;

pub(super) type Result<T> = std::result::Result<T, InputError>;

impl InputError {
    /// The same, with the place where it happened in front.
    #[must_use]
    pub(super) fn within(self, place: impl Display) -> Self {
        match self {
            Self::Orc(text) => Self::Orc(format!("{place}: {text}")),
            Self::Unsupported(text) => Self::Unsupported(format!("{place}: {text}")),
            other => other,
        }
    }
}

pub(super) fn damaged(text: impl Into<String>) -> InputError {
    InputError::Orc(text.into())
}

/// A text of the file as errors quote it: on one line.
pub(super) fn excerpt(text: &[u8]) -> String {
    crate::error::excerpt(text).escape_debug().to_string()
}
