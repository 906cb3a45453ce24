use std::time::Duration;

use s3inv_cancel::Cancellation;

/// No invocation ends before 2020: a deadline before that is none. cargo-lambda's emulator sends one
/// in 1970.
const EARLIEST_MS: u64 = 1_577_836_800_000;
/// What is left for an error to be told when even saving was too slow, and before that for an upload to be
/// aborted and for what was cut off to end, which are waited for 400 ms each.
const LAST_WORDS: Duration = Duration::from_millis(1200);

/// How much time an invocation has left that began at `now_ms` and ends at `deadline_ms`, in milliseconds
/// since 1970; nothing, if that can't be told.
pub(crate) fn left(deadline_ms: u64, now_ms: u64) -> Option<Duration> {
    if deadline_ms < EARLIEST_MS {
        tracing::warn!(deadline_ms, "the invocation's deadline can't be: taken as unknown");
        return None;
    }
    Some(Duration::from_millis(deadline_ms.saturating_sub(now_ms)))
}

/// What ends work when there is no time left even to save.
pub(crate) fn end(cancellation: &Cancellation, left: Option<Duration>) -> Cancellation {
    let Some(left) = left else { return cancellation.clone() };
    cancellation.with_timeout(work(left))
}

/// So much of what is left is for work and saving.
fn work(left: Duration) -> Duration {
    left.saturating_sub(LAST_WORDS.min(left / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_750_000_000_000;

    #[test]
    fn an_impossible_deadline_is_unknown_and_a_passed_one_is_passed() {
        assert_eq!(left(NOW + 900_000, NOW), Some(Duration::from_mins(15)));
        assert_eq!(left(600_000, NOW), None);
        let cancellation = Cancellation::never();
        assert!(end(&cancellation, None).check().is_ok());
        assert!(end(&cancellation, left(NOW + 900_000, NOW)).check().is_ok());
        assert!(end(&cancellation, left(NOW - 1, NOW)).check().is_err());
    }

    #[test]
    fn there_is_time_for_last_words() {
        for (left_ms, ends_ms) in [(900_000, 898_800), (12_000, 10_800), (4_000, 3_600)] {
            let (left, ends) = (Duration::from_millis(left_ms), Duration::from_millis(ends_ms));
            assert_eq!(work(left), ends);
        }
    }
}
