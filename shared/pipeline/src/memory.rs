//! How a budget of memory is divided.

use s3inv_inventory::{orc, parquet};
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
    /// What the columns of a Parquet file may take. This and the next share the memory of the fields
    /// above: a file is CSV, ORC or Parquet.
    pub(crate) parquet: parquet::Limits,
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
/// Pages that are held where those of four columns are as long as they may be: each compressed and not.
/// Measured: 8.5 of them, with one that is put together from windows and without what is short.
const PARQUET_PAGES: usize = 8;
/// Pages that a dictionary of texts may take the memory of: where there is one, pages are short.
const PARQUET_DICTIONARY: usize = 2;
/// What pages and dictionaries of all workers may take of the memory that the process needs besides the
/// budget: files with larger ones can be read only with a larger budget.
const SPARE_PAGES: usize = 48 << 20;
/// Streams of the columns of an ORC file: three each of keys, classes, tiers and dates, two each of
/// sizes and the flags, and which rows are there at all.
const ORC_STREAMS: usize = 4 * 3 + 3 * 2 + 1;
/// What a stream is decompressed to at once: S3 writes blocks of this size.
const ORC_BLOCK: usize = 256 << 10;
const LARGEST_ORC_BLOCK: usize = 8 << 20;
/// The dictionaries of classes and of tiers.
const ORC_DICTIONARIES: usize = 2 << 20;
/// As [`SPARE_PAGES`], for the dictionaries of keys, which take twice their size while they grow.
const SPARE_DICTIONARY: usize = 16 << 20;
/// As that, for the smallest windows and blocks.
const SPARE_STREAMS: usize = 16 << 20;
/// A run that is open: mostly a page, compressed and not, and a block of its directory. Only a page of
/// thousands of cells takes more.
const OPEN_RUN: usize = 192 << 10;
/// What a merge needs besides: the page that it writes, as rows and packed, and the compressor's tables.
const MERGE_FIXED: usize = 5 << 19;
/// What making a table to look prefixes up takes: the rows of a lot, their hashes, and the table. Only the
/// largest lots take more, where rows are of many classes.
pub(crate) const TABLE: usize = 5 << 20;
/// What a worker needs at least, with the buffers of decoders: the streams of an ORC file, and a table.
const SMALLEST_SHARE: usize = 13 << 20;
/// Each open run is a file: stay far below the usual limit of 1,024 for all workers together.
const MOST_OPEN: usize = 512;

/// As many workers as were asked for, but none with less memory than its fixed buffers need.
pub(crate) fn workers(budget: usize, asked: usize) -> usize {
    let workers = asked.min(budget.saturating_add(SPARE_STREAMS) / SMALLEST_SHARE).max(1);
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
        parquet: parquet(columns, workers),
        orc: orc(columns, workers),
        table: TableBudget::new(table, measures),
    }
}

/// Two thirds are for windows; the rest, and what there is besides the budget, is for pages and a
/// dictionary.
fn parquet(columns: usize, workers: usize) -> parquet::Limits {
    let page = (columns / 3 + SPARE_PAGES / workers) / (PARQUET_PAGES + PARQUET_DICTIONARY);
    parquet::Limits {
        window: (columns / 3 * 2 / PARQUET_WINDOWS).clamp(SMALLEST_PART, LARGEST_PART),
        page: page.min(parquet::MAX_PAGE),
        dictionary: PARQUET_DICTIONARY * page,
    }
}

/// Blocks first; what they leave is for windows, and for a dictionary that takes twice its size while it
/// grows.
fn orc(columns: usize, workers: usize) -> orc::Limits {
    let block = (columns / 4 / ORC_STREAMS).clamp(ORC_BLOCK, LARGEST_ORC_BLOCK);
    let left = columns.saturating_sub(ORC_STREAMS * block + ORC_DICTIONARIES);
    orc::Limits {
        window: (left / 2 / ORC_STREAMS).clamp(SMALLEST_ORC_WINDOW, LARGEST_PART),
        block,
        key_dictionary: (left / 4).max(SPARE_DICTIONARY / workers),
    }
}

pub(crate) fn merge(budget: usize, workers: usize, lookup: bool) -> MergeMemory {
    let table = if lookup { TABLE } else { 0 };
    let share = (budget / workers).saturating_sub(MERGE_FIXED + table);
    MergeMemory { fan_in: (share / OPEN_RUN).clamp(2, (MOST_OPEN / workers).max(2)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_files_of_columns_can_be_read() {
        for (budget, asked, page, block) in
            [(16, 1, 5 << 20, ORC_BLOCK), (16, 2, 5 << 19, ORC_BLOCK), (2048, 1, parquet::MAX_PAGE, 1 << 20)]
        {
            let memory = ingest(budget << 20, workers(budget << 20, asked), &Measures::all());
            assert!(memory.parquet.page >= page && memory.orc.block >= block, "{memory:?}");
        }
    }

    #[test]
    fn the_parts_stay_within_the_budget() {
        for budget in [16 << 20, 64 << 20, 256 << 20, 4 << 30, 64 << 30] {
            for asked in [1, 2, 7, 64] {
                let workers = workers(budget, asked);
                let memory = ingest(budget, workers, &Measures::all());
                let table = (budget / workers * 7 / 16).min(MOST_TABLE);
                let csv = memory.part * memory.parts + memory.compressed + memory.decompressed;
                let windows = PARQUET_WINDOWS * memory.parquet.window;
                for read in [csv, windows] {
                    let used = workers * (read + table);
                    assert!(used <= budget, "{used} of {budget} with {workers} workers");
                }
                let pages = PARQUET_PAGES * memory.parquet.page + memory.parquet.dictionary;
                let used = workers * (windows + pages + table);
                assert!(used <= budget + SPARE_PAGES, "{used} of {budget} with {workers} workers");
                let streams = ORC_STREAMS * (memory.orc.window + memory.orc.block) + ORC_DICTIONARIES;
                let used = workers * (streams + table);
                assert!(used <= budget + SPARE_STREAMS, "{used} of {budget} with {workers} workers");
                let used = used + workers * memory.orc.key_dictionary * 2;
                let most = budget + SPARE_STREAMS + 2 * SPARE_DICTIONARY;
                assert!(used <= most, "{used} of {budget} with {workers} workers");
                for (lookup, fixed) in [(false, MERGE_FIXED), (true, MERGE_FIXED + TABLE)] {
                    let fan_in = merge(budget, workers, lookup).fan_in;
                    let open = workers * (fan_in * OPEN_RUN + fixed);
                    assert!(open <= budget, "{open} of {budget} with {workers} workers");
                    assert!(workers * fan_in <= MOST_OPEN);
                }
            }
        }
    }
}
