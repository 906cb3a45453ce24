//! Ends an execution: tombstone, then sweep.

mod handler;
mod look;

pub use handler::{Settings, handle, settings};
