//! Which index an answer is from.

use std::fmt;

use jiff::Timestamp;
use s3inv::{Index, Scope};
use serde::Serialize;

use crate::priced::CostNote;
use crate::row::Key;
use crate::text;

/// What every answer names: the index, and how old what it says is.
#[derive(Serialize)]
pub(crate) struct Heading<'a> {
    pub(crate) index: &'a str,
    pub(crate) bucket: Option<&'a str>,
    pub(crate) snapshot: Option<String>,
    /// Whole hours since the snapshot; less than nothing, if that is still to come.
    age_hours: Option<i64>,
    /// The depth at which prefixes are cut: what is deeper is counted there.
    max_depth: Option<u64>,
    /// Rows of the inventory that could not be read, and are counted nowhere.
    pub(crate) skipped_rows: u64,
}

impl<'a> Heading<'a> {
    /// Of an index that is open, now.
    pub(crate) fn new(index: &'a Index) -> Self {
        let origin = index.info().origin.as_ref();
        let snapshot_ms = origin.map(|origin| origin.snapshot_ms);
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where an answer depends on when it is asked"
        )]
        let age_hours = |ms| age_hours(ms, Timestamp::now());
        Self {
            index: index.name(),
            bucket: origin.map(|origin| origin.source_bucket.as_str()),
            snapshot: snapshot_ms.map(text::moment),
            age_hours: snapshot_ms.map(age_hours),
            max_depth: index.info().max_depth,
            skipped_rows: index.info().counts.bad(),
        }
    }

    /// The bucket, or the index, if that doesn't know.
    pub(crate) fn name(&self) -> String {
        text::printable(self.bucket.unwrap_or(self.index))
    }

    /// The snapshot, its age, and what it is without.
    pub(crate) fn snapshot(&self) -> String {
        match (&self.snapshot, self.age()) {
            (Some(snapshot), Some(age)) => format!("{snapshot}, {age}{}", self.skipped()),
            _ => format!("unknown{}", self.skipped()),
        }
    }

    fn skipped(&self) -> String {
        match self.skipped_rows {
            0 => String::new(),
            rows => format!(", without {} rows that could not be read", text::count(rows)),
        }
    }

    /// The bucket and the snapshot, behind an answer for people.
    pub(crate) fn lines(&self) -> String {
        let bucket = self.bucket.map(|bucket| format!("Bucket: {}\n", text::printable(bucket)));
        format!("{}Snapshot: {}\n", bucket.unwrap_or_default(), self.snapshot())
    }

    /// The age of the snapshot, if that is known.
    pub(crate) fn age(&self) -> Option<String> {
        self.age_hours.map(age)
    }
}

/// What an answer about a prefix begins with, for programs.
#[derive(Serialize)]
pub(crate) struct Beginning<'a> {
    #[serde(flatten)]
    heading: Heading<'a>,
    #[serde(flatten)]
    key: Key<'a>,
    /// Whether the prefix is a part of names.
    partial: bool,
    prices: Option<&'a CostNote<'a>>,
}

impl<'a> Beginning<'a> {
    pub(crate) fn new(index: &'a Index, scope: &'a Scope, prices: Option<&'a CostNote<'a>>) -> Self {
        let (heading, key) = (Heading::new(index), Key::new(scope.text()));
        Self { heading, key, partial: scope.exact().is_none(), prices }
    }
}

/// A line for people.
impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.snapshot {
            Some(_) => write!(f, "{}, snapshot of {}", self.name(), self.snapshot()),
            None => write!(f, "{}, of an unknown snapshot{}", self.name(), self.skipped()),
        }?;
        self.max_depth.map_or(Ok(()), |depth| write!(f, ", cut at depth {depth}"))
    }
}

fn age_hours(ms: u64, now: Timestamp) -> i64 {
    let age = i128::from(now.as_millisecond()) - i128::from(ms);
    // 64 bits of milliseconds are far fewer hours.
    i64::try_from(age.div_euclid(3_600_000)).unwrap_or(i64::MIN)
}

/// An age for people: in days after the first two.
fn age(hours: i64) -> String {
    match u64::try_from(hours) {
        Ok(hours @ 0..48) => format!("{hours} hours old"),
        Ok(hours) => format!("{} days old", text::count(hours / 24)),
        Err(_) => "in the future".to_owned(),
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
            assert_eq!(age(age_hours(10_000_000_000 - hours * hour, now)), shown);
        }
        assert_eq!(age(age_hours(10_000_000_001, now)), "in the future");
        assert!(age_hours(u64::MAX, now) < 0);
    }
}
