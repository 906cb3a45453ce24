//! How a budget of memory is divided.

use s3inv_inventory::orc;
use s3inv_model::Measures;
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
    /// How much of each column of a Parquet file is fetched at once. This and the next share the memory
    /// of the fields above: a file is CSV, ORC or Parquet.
    pub(crate) parquet_window: usize,
    /// What the streams and dictionaries of an ORC file may take.
    pub(crate) orc: orc::Limits,
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
const SMALLEST_ORC_WINDOW: usize = 32 << 10;
const LARGEST_PART: usize = 8 << 20;
/// Windows that the columns of a Parquet file hold: seven columns, each of which may have a page that
/// lies in two windows, and a dictionary in a third.
const PARQUET_WINDOWS: usize = 7 * 3;
/// Streams of the columns of an ORC file: one to three each.
const ORC_STREAMS: usize = 16;
/// What a stream is decompressed to at once: S3 writes blocks of this size.
const ORC_BLOCK: usize = 256 << 10;
/// What dictionaries of keys may take of the memory that the process needs besides the budget: files
/// with larger ones can be read only with a larger budget.
const SPARE_DICTIONARY: usize = 16 << 20;
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

pub(crate) fn ingest(budget: usize, workers: usize, measures: &Measures) -> IngestMemory {
    let share = budget / workers;
    let in_flight = (share / 8).min(MOST_PARTS * LARGEST_PART);
    let part = (in_flight / MOST_PARTS).clamp(SMALLEST_PART, LARGEST_PART);
    let decompressed = (share * 5 / 16).min(MOST_DECOMPRESSED);
    let compressed = share / 16;
    let table = (share * 7 / 16).min(MOST_TABLE);
    let columns = share * 9 / 16;
    IngestMemory {
        part,
        parts: (in_flight / part).clamp(2, MOST_PARTS),
        compressed,
        decompressed,
        parquet_window: (columns / PARQUET_WINDOWS).clamp(SMALLEST_PART, LARGEST_PART),
        orc: orc(columns, workers),
        table: TableBudget::new(table, measures),
    }
}

/// Blocks first; what they leave is for windows, and for a dictionary that takes twice its size while it
/// grows.
fn orc(columns: usize, workers: usize) -> orc::Limits {
    let left = columns.saturating_sub(ORC_STREAMS * ORC_BLOCK);
    orc::Limits {
        window: (left / 2 / ORC_STREAMS).clamp(SMALLEST_ORC_WINDOW, LARGEST_PART),
        key_dictionary: (left / 4).max(SPARE_DICTIONARY / workers),
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
                let memory = ingest(budget, workers, &Measures::all());
                let table = (budget / workers * 7 / 16).min(MOST_TABLE);
                let csv = memory.part * memory.parts + memory.compressed + memory.decompressed;
                let parquet = PARQUET_WINDOWS * memory.parquet_window;
                let orc = ORC_STREAMS * (memory.orc.window + ORC_BLOCK);
                for read in [csv, parquet, orc] {
                    let used = workers * (read + table);
                    assert!(used <= budget, "{used} of {budget} with {workers} workers");
                }
                let dictionaries = workers * memory.orc.key_dictionary * 2;
                assert!(
                    dictionaries <= 2 * SPARE_DICTIONARY || workers * (orc + table) + dictionaries <= budget
                );
                let open = workers * (merge(budget, workers).fan_in * OPEN_RUN + MERGE_FIXED);
                assert!(open <= budget, "{open} of {budget} with {workers} workers");
                assert!(workers * merge(budget, workers).fan_in <= MOST_OPEN);
            }
        }
    }
}
