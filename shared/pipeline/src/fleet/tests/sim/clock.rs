use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use s3inv_cancel::Clock;

/// Time that goes on when it is told to.
#[derive(Default)]
pub(super) struct Virtual(Mutex<Time>);

#[derive(Default)]
struct Time {
    now: Duration,
    sleepers: BTreeMap<Duration, Vec<Waker>>,
}

impl Virtual {
    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first moment that somebody waits for, or has waited for.
    pub(super) fn next(&self) -> Option<Duration> {
        self.time().sleepers.keys().next().copied()
    }

    /// It is as late as that, for all. Whether anybody has waited for it.
    pub(super) fn advance(&self, now: Duration) -> bool {
        let mut time = self.time();
        time.now = time.now.max(now);
        let mut waited = false;
        while let Some(first) = time.sleepers.first_entry().filter(|first| *first.key() <= now) {
            first.remove().into_iter().for_each(Waker::wake);
            waited = true;
        }
        waited
    }
}

impl Clock for Virtual {
    fn now(&self) -> Duration {
        self.time().now
    }

    fn sleep_until(&self, moment: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::poll_fn(move |context| {
            let mut time = self.time();
            if time.now >= moment {
                return Poll::Ready(());
            }
            time.sleepers.entry(moment).or_default().push(context.waker().clone());
            Poll::Pending
        }))
    }
}
