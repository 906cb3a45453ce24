//! What end-to-end tests need: inventories as S3 delivers them, the real binary, Python, and an S3
//! that stalls.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]
#![allow(clippy::missing_panics_doc, clippy::must_use_candidate, reason = "they panic as tests do")]

mod binary;
mod delivery;
mod folder;
mod parquet_file;
mod python;
mod row;
mod server;
mod store;

pub use binary::{Cli, Finished, Started, s3inv};
pub use delivery::{DataFile, Delivered, Delivery, csv_gz, csv_text, gzip, md5_hex};
pub use folder::{Folder, files_below, folder};
pub use nix::sys::signal::Signal;
pub use parquet_file::parquet;
pub use python::{Others, hex, written_by_others};
pub use row::{Row, Sums, rolled_up, single_objects};
pub use server::{Answer, FakeS3, Request};
pub use store::Bucket;
