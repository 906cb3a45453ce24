//! The real binary, from end to end; and the library as a caller sees it.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod answers;
mod bad_input;
mod build;
mod cancel;
mod documented;
mod equal;
mod library;
mod memory;
mod s3;
mod stalled;
