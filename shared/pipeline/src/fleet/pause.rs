//! When work has to be saved: so long before an invocation ends as saving takes, by what was measured.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use s3inv_cancel::Cancellation;

/// What it takes to say that something was saved, whatever it was: a record, some looks around, the
/// answer, and a request among them that has to be sent again.
const FLOOR: Duration = Duration::from_secs(2);

/// Where there is more time, one part of so many is kept for that: 30 s of 15 minutes, since S3 may leave one
/// of these requests without an answer for as long before it is sent again.
const FLOOR_SHARE: u32 = 30;

/// What is taken for the rate before anything has been saved, in bytes a second of one processor. It is an
/// assumption, meant to be low, that holds until the first run is written.
const FIRST_RATE: u64 = 32 << 20;

/// So much memory comes with one processor, and less with a part of one, by
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>.
const ONE_PROCESSOR: usize = 1769 << 20;

/// How fast this process saves what is in memory, by the last time that it did.
#[derive(Debug)]
pub struct Saving {
    bytes_per_second: AtomicU64,
}

impl Saving {
    /// Of a function with so many bytes of memory, before it has saved anything.
    #[must_use]
    pub fn new(memory: usize) -> Self {
        let processor = memory.min(ONE_PROCESSOR) as f64 / ONE_PROCESSOR as f64;
        Self { bytes_per_second: AtomicU64::new(((FIRST_RATE as f64 * processor) as u64).max(1)) }
    }

    /// So many bytes took so long.
    pub(super) fn measured(&self, bytes: u64, took: Duration) {
        // Less is all latency, which the floor is for.
        if bytes >= 1 << 20 && !took.is_zero() {
            let rate = bytes as f64 / took.as_secs_f64();
            self.bytes_per_second.store((rate as u64).max(1), Ordering::Relaxed);
        }
    }

    /// How long so many bytes will take.
    fn takes(&self, bytes: usize) -> Duration {
        let seconds = bytes as f64 / self.bytes_per_second.load(Ordering::Relaxed) as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// Tells when an invocation has to save its work, and leave the rest to another one.
#[derive(Clone)]
pub struct Pause {
    clock: Cancellation,
    /// When the invocation ends, on that clock; nothing, where that isn't known.
    end: Option<Duration>,
    /// So much of its time is kept at least, whatever is to be saved.
    floor: Duration,
    /// So much of its time is kept at most: the rest is for work.
    most_margin: Duration,
    pub(super) saving: Arc<Saving>,
}

impl Pause {
    /// Of an invocation that ends in a while, on the clock of `cancellation`.
    #[must_use]
    pub fn new(cancellation: &Cancellation, left: Option<Duration>, saving: Arc<Saving>) -> Self {
        let clock = cancellation.clone();
        let end = left.map(|left| clock.now().saturating_add(left));
        let left = left.unwrap_or_default();
        Self { clock, end, floor: FLOOR.max(left / FLOOR_SHARE), most_margin: left / 2, saving }
    }

    /// Whether nothing more is to be begun, where nothing has to be saved.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_due(0)
    }

    /// Whether what takes so many bytes of memory has to be saved now.
    pub(super) fn is_due(&self, bytes: usize) -> bool {
        self.is_due_before(self.saving.takes(bytes))
    }

    /// Whether there is no time left for something that has taken so long before: it may take twice as
    /// long this time.
    fn is_due_before(&self, next: Duration) -> bool {
        let Some(end) = self.end else { return false };
        let margin = next.saturating_mul(2).saturating_add(self.floor).min(self.most_margin);
        self.clock.now().saturating_add(margin) >= end
    }

    /// The time on its clock.
    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }
}

/// Work that can be paused in some places only: how long it takes from one to the next.
pub(super) struct Stretches<'a> {
    pause: &'a Pause,
    /// When it was in such a place last, or began.
    since: Cell<Duration>,
    longest: Cell<Duration>,
}

impl<'a> Stretches<'a> {
    /// Of work that begins now.
    pub(super) fn begin(pause: &'a Pause) -> Self {
        Self { pause, since: Cell::new(pause.now()), longest: Cell::default() }
    }

    /// Asked in each such place: whether there is no time to go on to the next one, and to save there what
    /// takes so many bytes of memory.
    pub(super) fn is_due(&self, bytes: usize) -> bool {
        let now = self.pause.now();
        let took = now.saturating_sub(self.since.replace(now));
        self.longest.set(self.longest.get().max(took));
        self.pause.is_due_before(self.longest.get().saturating_add(self.pause.saving.takes(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::hands::Hands;

    fn pause(left: Duration) -> (Arc<Hands>, Pause) {
        let (hands, cancellation) = Hands::start();
        (hands, Pause::new(&cancellation, Some(left), Arc::new(Saving::new(ONE_PROCESSOR))))
    }

    /// When a pause is due, in whole seconds, with so much in memory.
    fn due(hands: &Hands, pause: &Pause, bytes: usize) -> Option<u64> {
        (0..10_000).find(|seconds| {
            hands.set(Duration::from_secs(*seconds));
            pause.is_due(bytes)
        })
    }

    #[test]
    fn time_is_kept_to_save_what_is_in_memory_at_the_rate_that_was_measured() {
        let (hands, pause) = pause(Duration::from_mins(15));
        assert_eq!(due(&hands, &pause, 0), Some(870), "S3 may be silent for half a minute");
        assert_eq!(due(&hands, &pause, 32 << 20), Some(868), "twice a second");
        pause.saving.measured(100 << 20, Duration::from_secs(1));
        assert_eq!(due(&hands, &pause, 1000 << 20), Some(850));
        pause.saving.measured(100 << 20, Duration::from_secs(10));
        assert_eq!(due(&hands, &pause, 1000 << 20), Some(670), "it has become slower");
        pause.saving.measured(10, Duration::from_secs(1));
        assert_eq!(due(&hands, &pause, 1000 << 20), Some(670), "so little says nothing");
    }

    #[test]
    fn two_seconds_are_kept_of_a_short_time() {
        let (hands, pause) = pause(Duration::from_secs(50));
        assert_eq!(due(&hands, &pause, 0), Some(48));
    }

    #[test]
    fn a_part_of_a_processor_is_taken_to_be_as_much_slower() {
        for (memory, seconds) in [(ONE_PROCESSOR / 4, 4), (ONE_PROCESSOR, 1), (4 * ONE_PROCESSOR, 1)] {
            assert_eq!(Saving::new(memory).takes(32 << 20), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn half_of_the_time_is_for_work() {
        let (hands, pause) = pause(Duration::from_secs(2));
        assert_eq!(due(&hands, &pause, usize::MAX), Some(1));
    }

    #[test]
    fn there_is_time_for_another_stretch_as_long_as_the_longest() {
        let (hands, pause) = pause(Duration::from_mins(15));
        let stretches = Stretches::begin(&pause);
        // Where nothing counted but what is to be saved, it would be due at 870 s.
        for (now, due) in [(50, false), (250, false), (300, false), (450, false), (469, false), (470, true)] {
            hands.set(Duration::from_secs(now));
            assert_eq!(stretches.is_due(8 << 20), due, "{now}");
        }
    }

    #[test]
    fn where_the_end_is_unknown_there_is_no_pause() {
        let (hands, mut pause) = pause(Duration::ZERO);
        pause.end = None;
        assert_eq!(due(&hands, &pause, usize::MAX), None);
    }
}
