//! Clock, deadline, cancellation and phases.
//!
//! A [`Cancellation`] says *stop* for one of two reasons, a caller's token or a deadline, and never
//! takes it back. Whoever receives one can shorten it, never lengthen it.

mod cancellation;
mod clock;
mod phase;

pub use cancellation::{Cancellation, Stop};
pub use clock::{Clock, SystemClock};
pub use phase::Phase;
pub use tokio_util::sync::CancellationToken;
