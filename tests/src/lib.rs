//! What end-to-end tests need: inventories as S3 delivers them, the real binary, Python, and an S3
//! that stalls.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]
#![allow(clippy::missing_panics_doc, clippy::must_use_candidate, reason = "they panic as tests do")]

mod befalls;
mod binary;
mod cloud;
mod column;
mod csv;
mod delivery;
mod folder;
mod parquet_file;
mod python;
mod row;
mod server;
mod shim;
mod store;

pub use binary::{Cli, Finished, Started, s3inv};
pub use cloud::{Cloud, Executed, INDEXES, SCHEDULED, SCRATCH, alone, cloud};
pub use column::{CURRENT, Column, VERSIONS, without};
pub use csv::{csv_gz, csv_text, gzip};
pub use delivery::{DataFile, Delivered, Delivery, md5_hex};
pub use folder::{Folder, files_below, folder};
pub use nix::sys::signal::Signal;
pub use parquet_file::parquet;
pub use python::{
    DuckDb, Large, Ncdu, Written, added_up_by_duckdb, answered_by_sql, asked_of_duckdb, demo_later, hex,
    large_files, read_ddl, read_ncdu, written_by_others,
};
pub use row::{Counts, DAY, MODIFIED, Row, SNAPSHOT, Sums, rolled_up, single_objects};
pub use s3inv_local_aws::{Fault, Invoked, Shape, StorageFault, StorageRequest};
pub use server::{Answer, FakeS3, Request};
pub use shim::Shim;
pub use store::Bucket;
