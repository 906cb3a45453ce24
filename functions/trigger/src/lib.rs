//! Turns events into executions, one an inventory.

pub mod event;
mod handler;
mod look;
mod start;

pub use handler::{Settings, handle, settings};
