//! Ends an execution: tombstone, then sweep.

mod handler;

pub use handler::{Settings, handle, settings};
