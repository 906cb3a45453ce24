use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use s3inv_cancel::Phase;

/// Merging is counted as this share of the work of reading: measured, one fifth.
const MERGE_SHARE: f64 = 0.2;

/// How far a build is. It writes, anyone may look at any time.
#[derive(Debug, Default)]
pub struct Progress {
    phase: Mutex<Option<Phase>>,
    rows: AtomicU64,
    bytes: AtomicU64,
    bytes_total: AtomicU64,
    merged: AtomicU64,
    merge_total: AtomicU64,
}

/// How far a build was at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// What is being done; nothing yet at first.
    pub phase: Option<Phase>,
    /// Rows of the inventory read.
    pub rows: u64,
    /// Bytes of data files read, compressed.
    pub bytes: u64,
    /// Bytes of all data files; 0 until the manifest has been read.
    pub bytes_total: u64,
    /// The part of the work that is done, from 0 to 1.
    pub done: f64,
}

impl Progress {
    /// How far it is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (bytes, bytes_total) = (self.bytes.load(Relaxed), self.bytes_total.load(Relaxed));
        let phase = self.phase.lock().map_or(None, |phase| *phase);
        let merged = share(self.merged.load(Relaxed), self.merge_total.load(Relaxed));
        let done = match phase {
            None | Some(Phase::Manifest) => 0.0,
            Some(Phase::Ingest) => share(bytes, bytes_total) * (1.0 - MERGE_SHARE),
            Some(Phase::Merge) => 1.0 - MERGE_SHARE + merged * MERGE_SHARE,
            Some(Phase::Finalize | Phase::Publish) => 1.0,
        };
        Snapshot { phase, rows: self.rows.load(Relaxed), bytes, bytes_total, done }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        if let Ok(mut current) = self.phase.lock() {
            *current = Some(phase);
        }
    }

    pub(crate) fn expect_bytes(&self, bytes: u64) {
        self.bytes_total.store(bytes, Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Relaxed);
    }

    pub(crate) fn expect_merge(&self, rows: u64) {
        self.merge_total.fetch_add(rows, Relaxed);
    }

    pub(crate) fn add_merged(&self, rows: u64) {
        self.merged.fetch_add(rows, Relaxed);
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}
