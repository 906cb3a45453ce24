use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use s3inv_tests::{Cloud, StorageFault, StorageRequest};

use super::small::LIMIT;

/// How often a request that is held back is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Which requests: of a function, its step (or any), an operation, and what their key has in it.
pub(super) type Wanted = (&'static str, &'static str, &'static str, &'static str);

/// Holds requests to storage back until they are let go, or whoever made them has given up.
#[derive(Clone, Default)]
pub(super) struct Hold(Arc<(AtomicUsize, AtomicBool)>);

impl Hold {
    pub(super) fn hook(
        &self,
        (function, step, operation, part): Wanted,
    ) -> impl Fn(&StorageRequest) -> StorageFault + Send + Sync + 'static {
        let this = self.clone();
        move |request| {
            let wanted = request.function.as_deref() == Some(function)
                && (step.is_empty() || request.event["step"] == step)
                && request.operation == operation
                && request.key.contains(part);
            if !wanted || this.0.1.load(Ordering::SeqCst) {
                return StorageFault::Pass;
            }
            this.0.0.fetch_add(1, Ordering::SeqCst);
            StorageFault::Later(LOOK)
        }
    }

    /// Waits until requests were held back at so many looks.
    pub(super) fn wait(&self, cloud: &Cloud, looks: usize) {
        let held = || self.0.0.load(Ordering::SeqCst) >= looks;
        cloud.aws.wait_until("a request is held back", LIMIT, held).unwrap();
    }

    pub(super) fn let_go(&self) {
        self.0.1.store(true, Ordering::SeqCst);
    }
}
