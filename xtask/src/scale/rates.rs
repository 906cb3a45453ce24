/// What is taken for true of the work: what was measured, and what can only be assumed.
pub(super) struct Rates {
    /// Rows of a data file that one processor reads, adds up and writes as runs, a second.
    pub(super) ingest_rows: f64,
    /// Rows of runs that one processor merges, a second.
    pub(super) merge_rows: f64,
    /// Compressed bytes of a row in a data file.
    pub(super) row_bytes: f64,
    /// Rows of a data file for each prefix in it: how much a chunk's runs are shorter than its files.
    pub(super) rows_per_prefix: f64,
    /// Bytes of a prefix in a run.
    pub(super) run_bytes: f64,
    /// Bytes of a prefix in an index.
    pub(super) index_bytes: f64,
    /// Bytes of memory that a prefix takes in a table.
    pub(super) table_bytes: f64,
    /// Bytes a second that one function gets from S3, or sends there.
    pub(super) network: f64,
    /// Seconds from calling a function to its first request for work, where none is warm.
    pub(super) start: f64,
    /// Seconds that a request to S3 takes.
    pub(super) latency: f64,
    /// Bytes of log lines a call.
    pub(super) log: f64,
}

/// Rows and bytes are what `cargo xtask bench` measured, rounded to the worse side: merging hundreds of runs
/// that have hardly a prefix in common. All from the network on are assumptions: nothing of this ran on AWS.
pub(super) const RATES: Rates = Rates {
    ingest_rows: 1.0e6,
    merge_rows: 2.0e6,
    row_bytes: 66.0,
    rows_per_prefix: 10.0,
    run_bytes: 45.0,
    index_bytes: 32.0,
    table_bytes: 150.0,
    network: 70e6,
    start: 0.5,
    latency: 0.05,
    log: 2000.0,
};

/// What AWS allows and takes, in us-east-1 in 2025, in dollars.
pub(super) mod aws {
    /// Children of a Distributed Map that begin in a second.
    pub(in super::super) const CHILDREN_A_SECOND: f64 = 100.0;
    /// Megabytes of memory that come with one processor.
    pub(in super::super) const MB_A_PROCESSOR: f64 = 1769.0;
    /// A function's longest run, in seconds.
    pub(in super::super) const LONGEST_RUN: f64 = 900.0;
    /// A second of a gigabyte of memory, on arm64.
    pub(in super::super) const GB_SECOND: f64 = 0.000_013_333_4;
    pub(in super::super) const CALL: f64 = 0.2e-6;
    pub(in super::super) const TRANSITION: f64 = 25e-6;
    pub(in super::super) const READ: f64 = 0.4e-6;
    pub(in super::super) const WRITE: f64 = 5e-6;
    /// A gigabyte of logs.
    pub(in super::super) const LOGS_GB: f64 = 0.5;
    /// A request to KMS: one for each object, where no bucket key is used.
    pub(in super::super) const KMS: f64 = 3e-6;
    /// A gigabyte through a NAT gateway: without a gateway endpoint for S3.
    pub(in super::super) const NAT_GB: f64 = 0.045;
    /// A gigabyte to another Region.
    pub(in super::super) const TRANSFER_GB: f64 = 0.02;
}
