use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Clock, SystemClock};

/// Why work has to stop. The texts are a contract with users of the Go tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Somebody asked for it.
    #[error("context canceled")]
    Cancelled,
    /// The time that a caller allowed is over.
    #[error("context deadline exceeded")]
    DeadlineExceeded,
}

/// A token and a deadline, whichever comes first. Clones are one and the same.
#[derive(Clone)]
pub struct Cancellation {
    token: CancellationToken,
    deadline: Option<Duration>,
    clock: Arc<dyn Clock>,
}

impl Cancellation {
    /// Stops when `token` is cancelled.
    #[must_use]
    pub fn new(token: CancellationToken, clock: Arc<dyn Clock>) -> Self {
        Self { token, deadline: None, clock }
    }

    /// Never stops unless [`Cancellation::cancel`] is called; time is the machine's.
    #[must_use]
    pub fn never() -> Self {
        Self::new(CancellationToken::new(), Arc::new(SystemClock::new()))
    }

    /// The same, and after `timeout` from now at the latest.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let end = self.clock.now().saturating_add(timeout);
        let deadline = Some(self.deadline.map_or(end, |earlier| earlier.min(end)));
        Self { deadline, ..self.clone() }
    }

    /// One that can be cancelled without its parent, and stops when its parent does.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { token: self.token.child_token(), ..self.clone() }
    }

    /// Another one on the same clock, which stops after `timeout` alone: for what has to be put in order
    /// after a stop.
    #[must_use]
    pub fn grace(&self, timeout: Duration) -> Self {
        Self::new(CancellationToken::new(), Arc::clone(&self.clock)).with_timeout(timeout)
    }

    /// Stops this one, its clones and its children.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// The time on its clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Fails from the moment on when work has to stop. Costs some tens of nanoseconds.
    pub fn check(&self) -> Result<(), Stop> {
        if self.token.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        match self.deadline {
            Some(deadline) if self.clock.now() >= deadline => Err(Stop::DeadlineExceeded),
            _ => Ok(()),
        }
    }

    /// Waits until work has to stop.
    pub async fn stopped(&self) -> Stop {
        let Some(deadline) = self.deadline else {
            self.token.cancelled().await;
            return Stop::Cancelled;
        };
        tokio::select! {
            biased;
            () = self.token.cancelled() => Stop::Cancelled,
            () = self.clock.sleep_until(deadline) => Stop::DeadlineExceeded,
        }
    }

    /// Drives `work` to its end, or drops it where it stands when it has to stop.
    pub async fn guard<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        // A timer may need a turn to tell that its moment has passed: work doesn't begin meanwhile.
        self.check()?;
        tokio::select! {
            biased;
            stop = self.stopped() => Err(stop),
            done = work => Ok(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Seconds that a test sets by hand.
    #[derive(Default)]
    struct Hands(AtomicU64);

    impl Clock for Hands {
        fn now(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }

        fn sleep_until(&self, moment: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            assert!(self.now() >= moment, "the test would wait for ever");
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn a_deadline_can_be_shortened_but_not_lengthened() {
        let clock = Arc::new(Hands::default());
        let root = Cancellation::new(CancellationToken::new(), Arc::<Hands>::clone(&clock));
        let short = root.with_timeout(Duration::from_secs(10));
        let longer = short.with_timeout(Duration::from_mins(1));
        let shorter = short.with_timeout(Duration::from_secs(5));
        clock.0.store(7, Ordering::Relaxed);
        assert_eq!(shorter.check(), Err(Stop::DeadlineExceeded));
        assert_eq!(longer.check(), Ok(()));
        clock.0.store(10, Ordering::Relaxed);
        assert_eq!(longer.check(), Err(Stop::DeadlineExceeded));
        assert_eq!(root.check(), Ok(()));
    }

    #[test]
    fn children_stop_with_their_parent_but_not_the_other_way_round() {
        let parent = Cancellation::never();
        let (child, other) = (parent.child(), parent.child());
        child.cancel();
        assert_eq!(child.check(), Err(Stop::Cancelled));
        assert_eq!((parent.check(), other.check()), (Ok(()), Ok(())));
        parent.cancel();
        assert_eq!(other.check(), Err(Stop::Cancelled));
    }

    #[tokio::test]
    async fn what_is_guarded_is_dropped_where_it_stands() {
        let cancellation = Cancellation::never();
        let waiting = cancellation.clone();
        let task = tokio::spawn(async move { waiting.guard(std::future::pending::<()>()).await });
        cancellation.cancel();
        assert_eq!(task.await.unwrap(), Err(Stop::Cancelled));
    }

    #[tokio::test]
    async fn what_comes_too_late_is_not_begun() {
        let over = Cancellation::never().with_timeout(Duration::ZERO);
        let begun = over.guard(async { unreachable!("no time is left") }).await;
        assert_eq!(begun, Err(Stop::DeadlineExceeded));
    }

    #[tokio::test]
    async fn a_deadline_ends_waiting() {
        let clock = Arc::new(Hands::default());
        let timed = Cancellation::new(CancellationToken::new(), Arc::<Hands>::clone(&clock))
            .with_timeout(Duration::from_secs(1));
        clock.0.store(1, Ordering::Relaxed);
        assert_eq!(timed.stopped().await, Stop::DeadlineExceeded);
    }
}
