//! How a budget of memory is divided.

use s3inv_rollup::TableBudget;

/// What one worker may use while it reads data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IngestMemory {
    /// Bytes of a part that is fetched at once.
    pub(crate) part: usize,
    /// Parts that may be there at once, fetched or on their way.
    pub(crate) parts: usize,
    /// The longest compressed file that is gathered in memory.
    pub(crate) compressed: usize,
    /// The longest file that is decompressed at once; longer ones are streamed.
    pub(crate) decompressed: usize,
    /// Directories.
    pub(crate) table: TableBudget,
}

/// What one worker may use while it merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MergeMemory {
    /// Runs that it may open at once.
    pub(crate) fan_in: usize,
}

/// Libdeflate can't be stopped within a file: so much of it takes a third of a second.
const MOST_DECOMPRESSED: usize = 384 << 20;
/// Sorting a larger table would keep a cancellation waiting.
const MOST_TABLE: usize = 1 << 30;
/// Each part in flight keeps a connection busy.
const MOST_PARTS: usize = 8;
const SMALLEST_PART: usize = 64 << 10;
const LARGEST_PART: usize = 8 << 20;
/// A run that is open: a page, compressed and not, and a block of its directory.
const OPEN_RUN: usize = 192 << 10;
/// What a merge needs besides: the page that it writes, and the compressor's tables.
const MERGE_FIXED: usize = 2 << 20;
/// What a worker needs at least, with the buffers of decoders.
const SMALLEST_SHARE: usize = 8 << 20;
/// Each open run is a file: stay far below the usual limit of 1,024 for all workers together.
const MOST_OPEN: usize = 512;

/// As many workers as were asked for, but none with less memory than its fixed buffers need.
pub(crate) fn workers(budget: usize, asked: usize) -> usize {
    let workers = asked.min(budget / SMALLEST_SHARE).max(1);
    if workers < asked {
        tracing::warn!(workers, asked, "fewer workers, to stay within the memory budget");
    }
    workers
}

pub(crate) fn ingest(budget: usize, workers: usize) -> IngestMemory {
    let share = budget / workers;
    let in_flight = (share / 8).min(MOST_PARTS * LARGEST_PART);
    let part = (in_flight / MOST_PARTS).clamp(SMALLEST_PART, LARGEST_PART);
    let decompressed = (share * 5 / 16).min(MOST_DECOMPRESSED);
    let compressed = share / 16;
    let table = (share * 7 / 16).min(MOST_TABLE);
    IngestMemory {
        part,
        parts: (in_flight / part).clamp(2, MOST_PARTS),
        compressed,
        decompressed,
        table: TableBudget::new(table),
    }
}

pub(crate) fn merge(budget: usize, workers: usize) -> MergeMemory {
    let share = (budget / workers).saturating_sub(MERGE_FIXED);
    MergeMemory { fan_in: (share / OPEN_RUN).clamp(2, (MOST_OPEN / workers).max(2)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stay_within_the_budget() {
        for budget in [16 << 20, 64 << 20, 256 << 20, 4 << 30, 64 << 30] {
            for asked in [1, 2, 7, 64] {
                let workers = workers(budget, asked);
                let IngestMemory { part, parts, compressed, decompressed, .. } = ingest(budget, workers);
                let table = (budget / workers * 7 / 16).min(MOST_TABLE);
                let used = workers * (part * parts + compressed + decompressed + table);
                assert!(used <= budget, "{used} of {budget} with {workers} workers");
                let open = workers * (merge(budget, workers).fan_in * OPEN_RUN + MERGE_FIXED);
                assert!(open <= budget, "{open} of {budget} with {workers} workers");
                assert!(workers * merge(budget, workers).fan_in <= MOST_OPEN);
            }
        }
    }
}
