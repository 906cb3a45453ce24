//! The real binary, from end to end; and the library as a caller sees it.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod answers;
mod bad_input;
mod bad_rows;
mod build;
mod cancel;
mod changed;
mod clock;
mod cost;
mod csv_shapes;
mod denied;
mod diff;
mod documented;
mod equal;
mod exhausted;
mod exports;
mod fields;
mod fleet;
mod killed;
mod leaks;
mod library;
mod ls;
mod manifests;
mod manual;
mod measures;
mod memory;
mod orc;
mod report;
mod requests;
mod retries;
mod s3;
mod serverless;
mod serverless_failures;
mod serverless_sweeps;
mod sql;
mod stalled;
mod sums;
mod tables;
mod top;
mod trial;
mod versions;
