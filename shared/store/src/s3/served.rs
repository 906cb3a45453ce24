use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;

use crate::error::check_range;
use crate::{StoreError, StoreErrorKind};

/// Which bytes of an object an answer says that it brings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Served {
    range: Range<u64>,
    pub(super) total: u64,
}

impl Served {
    /// By its `Content-Range`; an answer without one brings the whole object. Its length, which
    /// is that of the body, has to agree: another answer may.
    pub(super) fn of(output: &GetObjectOutput, uri: &str) -> Result<Self, StoreError> {
        let length = output.content_length().and_then(|length| u64::try_from(length).ok());
        let served = match (output.content_range(), length) {
            (Some(header), _) => parse(header),
            (None, Some(length)) => Some(Self { range: 0..length, total: length }),
            (None, None) => None,
        };
        let said = || output.content_range().unwrap_or_default();
        let text = || format!("answered with content range {:?} and length {length:?}", said());
        let agrees = served.filter(|served| length.is_none_or(|length| length == served.len()));
        agrees.ok_or_else(|| StoreError::new(uri, StoreErrorKind::Retryable, &text()))
    }

    pub(super) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Fails unless it is what was asked for.
    pub(super) fn check_range(&self, uri: &str, asked: &Range<u64>) -> Result<(), StoreError> {
        if self.range == *asked {
            return Ok(());
        }
        check_range(uri, asked, self.total)?;
        Err(self.unexpected(uri, asked))
    }

    /// Fails unless it is the last `len` bytes, or the whole of a shorter object.
    pub(super) fn check_tail(&self, uri: &str, len: u64) -> Result<(), StoreError> {
        let asked = self.total.saturating_sub(len)..self.total;
        if self.range == asked { Ok(()) } else { Err(self.unexpected(uri, &asked)) }
    }

    fn unexpected(&self, uri: &str, asked: &Range<u64>) -> StoreError {
        let Self { range, total } = self;
        let text = format!("asked for bytes {asked:?}, answered with {range:?} of {total}");
        StoreError::other(uri, &text)
    }
}

/// Parses `bytes first-last/total`.
fn parse(header: &str) -> Option<Served> {
    let (range, total) = header.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let range = first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?;
    let total = total.parse().ok()?;
    (range.start < range.end && range.end <= total).then_some(Served { range, total })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreErrorKind;

    fn served(range: Option<&str>, length: i64) -> Result<Served, StoreError> {
        let output = GetObjectOutput::builder().set_content_range(range.map(str::to_owned));
        Served::of(&output.content_length(length).build(), "s3://b/k")
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(served(Some("bytes 2-4/10"), 3).unwrap(), Served { range: 2..5, total: 10 });
        assert_eq!(served(None, 10).unwrap(), Served { range: 0..10, total: 10 });
        for (range, length) in [
            ("bytes 2-4/10", 4),
            ("bytes 4-2/10", 0),
            ("bytes 2-10/10", 9),
            ("bytes 2-4/*", 3),
            ("bytes */10", 0),
            ("bytes 0-18446744073709551615/1", 0),
        ] {
            assert!(served(Some(range), length).is_err(), "{range}");
        }
        let error = served(None, -1).unwrap_err().to_string();
        assert_eq!(error, "s3://b/k: answered with content range \"\" and length None");
    }

    #[test]
    fn a_whole_object_is_not_taken_for_a_part_of_it() {
        let whole = served(None, 10).unwrap();
        assert!(whole.check_range("s3://b/k", &(0..10)).is_ok());
        let error = whole.check_range("s3://b/k", &(2..5)).unwrap_err();
        assert_eq!(error.to_string(), "s3://b/k: asked for bytes 2..5, answered with 0..10 of 10");
        assert_eq!(error.kind(), StoreErrorKind::Other);
        assert!(whole.check_tail("s3://b/k", 10).is_ok());
        assert!(whole.check_tail("s3://b/k", 11).is_ok());
        assert!(whole.check_tail("s3://b/k", 9).is_err());
    }

    #[test]
    fn an_object_that_ends_early_says_so() {
        let cut = served(Some("bytes 2-9/10"), 8).unwrap();
        let error = cut.check_range("s3://b/k", &(2..20)).unwrap_err();
        assert_eq!(error.to_string(), "s3://b/k: bytes 2..20 are not in the object, which has 10");
    }
}
