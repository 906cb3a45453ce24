use std::io;
use std::ops::Range;

use s3inv_model::ErrorKind;

use crate::Only;

/// What went wrong, as far as a caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// A location, key, setting or request that can't work, however often it is tried.
    Invalid,
    /// No such object, bucket or directory.
    NotFound,
    /// Credentials or permissions do not allow it.
    Denied,
    /// The object is no longer the one with the `ETag` asked for.
    Changed,
    /// The object is shorter than the range asked for.
    Range,
    /// What must hold of what is there, for a write to count, does not: see
    /// [`Only`](crate::Only).
    Precondition,
    /// The upload was aborted by somebody else; or it is complete, and the answer was lost.
    UploadGone,
    /// It failed in a way that passes: throttling, a broken connection. Retries are used up.
    Retryable,
    /// Anything else, such as a full disk.
    Other,
}

/// An error about one object: its URI, a kind, and the cause in words, all in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{uri}: {text}")]
pub struct StoreError {
    uri: String,
    kind: StoreErrorKind,
    text: String,
}

impl StoreError {
    /// An error about the object at `uri`. Control characters are escaped: keys are foreign input.
    #[must_use]
    pub fn new(uri: &str, kind: StoreErrorKind, text: &str) -> Self {
        Self { uri: one_line(uri), kind, text: one_line(text) }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The object that it is about, as messages name it.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// What the one who sees it should do.
    #[must_use]
    pub fn error_kind(&self) -> ErrorKind {
        match self.kind {
            StoreErrorKind::Invalid
            | StoreErrorKind::NotFound
            | StoreErrorKind::Denied
            | StoreErrorKind::Range => ErrorKind::BadInput,
            StoreErrorKind::Changed
            | StoreErrorKind::Precondition
            | StoreErrorKind::UploadGone
            | StoreErrorKind::Retryable
            | StoreErrorKind::Other => ErrorKind::Storage,
        }
    }

    /// The same error, with more to say.
    pub(crate) fn adding(mut self, more: &str) -> Self {
        self.text.push_str(&one_line(more));
        self
    }

    pub(crate) fn invalid(uri: &str, text: &str) -> Self {
        Self::new(uri, StoreErrorKind::Invalid, text)
    }

    pub(crate) fn not_found(uri: &str) -> Self {
        Self::new(uri, StoreErrorKind::NotFound, "not found")
    }

    pub(crate) fn changed(uri: &str) -> Self {
        Self::new(uri, StoreErrorKind::Changed, "changed since its size was read")
    }

    pub(crate) fn precondition(uri: &str, only: Only<'_>) -> Self {
        let text = match only {
            Only::IfAbsent => "not written: an object is there already",
            Only::IfMatch(_) => "not written: what is there is no longer the object to replace",
            Only::Always => "not written: the store named a condition that was not set",
        };
        Self::new(uri, StoreErrorKind::Precondition, text)
    }

    pub(crate) fn upload_gone(uri: &str) -> Self {
        Self::new(
            uri,
            StoreErrorKind::UploadGone,
            "not written: its upload is gone, aborted by somebody else",
        )
    }

    pub(crate) fn not_to_suspend(uri: &str) -> Self {
        Self::invalid(uri, "an upload that nobody else can see, and so nobody can go on with")
    }

    pub(crate) fn other(uri: &str, text: &str) -> Self {
        Self::new(uri, StoreErrorKind::Other, text)
    }

    pub(crate) fn broken_upload(uri: &str) -> Self {
        Self::other(uri, "not written: an earlier write failed or was cut off")
    }

    pub(crate) fn range(uri: &str, range: &Range<u64>, size: u64) -> Self {
        let text = format!("bytes {}..{} are not in the object, which has {size}", range.start, range.end);
        Self::new(uri, StoreErrorKind::Range, &text)
    }

    pub(crate) fn io(uri: &str, cause: &io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::NotFound => Self::not_found(uri),
            io::ErrorKind::PermissionDenied => {
                Self::new(uri, StoreErrorKind::Denied, &format!("access denied ({cause})"))
            }
            _ => Self::other(uri, &cause.to_string()),
        }
    }
}

/// Fails unless `range` lies within an object of `size` bytes.
pub(crate) fn check_range(uri: &str, range: &Range<u64>, size: u64) -> Result<(), StoreError> {
    if range.start <= range.end && range.end <= size {
        Ok(())
    } else {
        Err(StoreError::range(uri, range, size))
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_does_not_hold_is_named() {
        let text = |only| StoreError::precondition("k", only).to_string();
        assert_eq!(text(Only::IfAbsent), "k: not written: an object is there already");
        assert_eq!(
            text(Only::IfMatch("e")),
            "k: not written: what is there is no longer the object to replace"
        );
    }

    #[test]
    fn messages_are_one_line() {
        let error = StoreError::invalid("s3://b/a\nb\u{1b}", "no\r\nway");
        assert_eq!(error.to_string(), "s3://b/a\\nb\\u{1b}: no\\r\\nway");
    }

    #[test]
    fn kinds_say_what_to_do() {
        assert_eq!(StoreError::not_found("k").error_kind(), ErrorKind::BadInput);
        assert_eq!(StoreError::changed("k").error_kind(), ErrorKind::Storage);
        let denied = StoreError::io("k", &io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(denied.error_kind(), ErrorKind::BadInput);
        assert_eq!(denied.to_string(), "k: access denied (permission denied)");
        assert_eq!(StoreError::upload_gone("k").error_kind(), ErrorKind::Storage);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(StoreError::io("k", &full).error_kind(), ErrorKind::Storage);
    }
}
