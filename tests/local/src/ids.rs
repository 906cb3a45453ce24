use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// An id in the form of a UUID, which no other id of this process has.
pub(crate) fn unique() -> String {
    let nth = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{:08x}-0000-4000-8000-{nth:012x}", std::process::id())
}
