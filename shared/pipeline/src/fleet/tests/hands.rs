use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use s3inv_cancel::{Cancellation, CancellationToken, Clock};

/// Milliseconds that a test sets by hand.
#[derive(Default)]
pub(in crate::fleet) struct Hands(AtomicU64);

impl Hands {
    /// A clock at zero, and who goes by it.
    pub(in crate::fleet) fn start() -> (Arc<Self>, Cancellation) {
        let hands = Arc::<Self>::default();
        let cancellation = Cancellation::new(CancellationToken::new(), Arc::<Self>::clone(&hands));
        (hands, cancellation)
    }

    pub(in crate::fleet) fn set(&self, now: Duration) {
        self.0.store(now.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}
