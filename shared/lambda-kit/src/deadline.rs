use std::time::Duration;

use s3inv_cancel::Cancellation;

/// No invocation ends before 2020: a deadline before that is none. cargo-lambda's emulator sends one
/// in 1970.
const EARLIEST_MS: u64 = 1_577_836_800_000;
/// What saving takes in any case: a run that is small, its record, and some requests to look around.
const FLOOR: Duration = Duration::from_secs(2);
/// Bytes of memory that are sorted, written and uploaded in a second, at least.
const SAVED_PER_SECOND: usize = 256 << 20;
/// What is left for an error to be told when even saving was too slow.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How much time an invocation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Time left when it began; nothing, if that can't be told.
    left: Option<Duration>,
    /// What it takes to save what is in memory.
    margin: Duration,
}

impl Deadline {
    /// Of an invocation that began at `now_ms` and ends at `deadline_ms`, in milliseconds since 1970, with
    /// so much memory to work in, in bytes.
    #[must_use]
    pub fn new(deadline_ms: u64, now_ms: u64, memory: usize) -> Self {
        let left = if deadline_ms < EARLIEST_MS {
            tracing::warn!(deadline_ms, "the invocation's deadline can't be: taken as unknown");
            None
        } else {
            Some(Duration::from_millis(deadline_ms.saturating_sub(now_ms)))
        };
        let margin = FLOOR + Duration::from_millis((memory / (SAVED_PER_SECOND / 1000)) as u64);
        Self { left, margin }
    }

    /// What ends work when there is no time left even to save.
    #[must_use]
    pub fn end(&self, cancellation: &Cancellation) -> Cancellation {
        let Some(left) = self.left else { return cancellation.clone() };
        cancellation.with_timeout(left.saturating_sub(LAST_WORDS.min(left / 10)))
    }

    /// What is over when work should be saved: not before half of the time is.
    #[must_use]
    pub fn pause(&self, cancellation: &Cancellation) -> Cancellation {
        let Some(left) = self.left else { return cancellation.clone() };
        cancellation.with_timeout(left.saturating_sub(self.margin.min(left / 2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_750_000_000_000;

    #[test]
    fn time_is_kept_to_save_what_is_in_memory() {
        let deadline = Deadline::new(NOW + 900_000, NOW, 2 << 30);
        assert_eq!(deadline.left, Some(Duration::from_mins(15)));
        assert_eq!(deadline.margin.as_secs(), 10);
        assert_eq!(Deadline::new(NOW + 900_000, NOW, 16 << 20).margin.as_millis(), 2062);
    }

    #[test]
    fn an_impossible_deadline_is_unknown_and_a_passed_one_is_passed() {
        let cancellation = Cancellation::never();
        let unknown = Deadline::new(600_000, NOW, 1 << 30);
        assert_eq!(unknown.left, None);
        assert!(unknown.end(&cancellation).check().is_ok() && unknown.pause(&cancellation).check().is_ok());
        let passed = Deadline::new(NOW - 1, NOW, 1 << 30);
        assert!(passed.end(&cancellation).check().is_err() && passed.pause(&cancellation).check().is_err());
    }
}
