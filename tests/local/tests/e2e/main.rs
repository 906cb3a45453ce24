//! Does the local AWS do what AWS does?

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod bridge;
mod ends;
mod faults;
mod host;
mod invoke;
mod machine;
mod storage;
mod support;
