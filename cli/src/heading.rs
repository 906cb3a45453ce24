//! Which index an answer is from.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use s3inv::Info;
use serde::Serialize;

use crate::text;

/// What every answer begins with.
#[derive(Serialize)]
pub(crate) struct Heading<'a> {
    index: &'a str,
    bucket: Option<&'a str>,
    snapshot: Option<String>,
    #[serde(skip)]
    snapshot_ms: Option<u64>,
}

impl<'a> Heading<'a> {
    pub(crate) fn new(index: &'a str, info: &'a Info) -> Self {
        let snapshot_ms = info.origin.as_ref().map(|origin| origin.snapshot_ms);
        Self {
            index,
            bucket: info.origin.as_ref().map(|origin| origin.source_bucket.as_str()),
            snapshot: snapshot_ms.map(text::moment),
            snapshot_ms,
        }
    }
}

impl Heading<'_> {
    /// The bucket, or the index, if that doesn't know.
    pub(crate) fn name(&self) -> String {
        text::printable(self.bucket.unwrap_or(self.index))
    }

    /// The snapshot and its age, if it is known.
    pub(crate) fn snapshot(&self) -> Option<String> {
        // The one place where an answer depends on when it is asked.
        let age = age(self.snapshot_ms?, Timestamp::now());
        Some(format!("{}, {age}", self.snapshot.as_deref()?))
    }
}

/// A line for people.
impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.snapshot() {
            Some(snapshot) => write!(f, "{}, snapshot of {snapshot}", self.name()),
            None => write!(f, "{}, of an unknown snapshot", self.name()),
        }
    }
}

/// How long a moment ago it was, in days after the first two.
pub(crate) fn age(ms: u64, now: Timestamp) -> String {
    let now = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let Some(age) = now.checked_sub(ms).map(Duration::from_millis) else {
        return "in the future".to_owned();
    };
    match age.as_secs() / 3600 {
        hours @ 0..48 => format!("{hours} hours old"),
        hours => format!("{} days old", text::count(hours / 24)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_for_people() {
        let now = Timestamp::from_millisecond(10_000_000_000).unwrap();
        let hour = 3_600_000;
        for (hours, shown) in
            [(0, "0 hours old"), (47, "47 hours old"), (48, "2 days old"), (73, "3 days old")]
        {
            assert_eq!(age(10_000_000_000 - hours * hour, now), shown);
        }
        assert_eq!(age(10_000_000_001, now), "in the future");
    }
}
