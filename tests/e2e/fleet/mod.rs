//! The whole fleet under faults: real functions under a real interpreter of the state machine, which are
//! killed, refused, called twice, stopped and kept short, each time somewhere else.
//!
//! `cargo xtask faults` tries every place; the tests try some of them, spread evenly.

#![expect(clippy::print_stderr, reason = "the figures of docs/reliability.md")]

mod answers;
mod by_hand;
mod cases;
mod held;
mod killed;
mod memory;
mod noticed;
mod site;
mod small;
mod stopped;
mod together;
mod twice;
mod warm;
