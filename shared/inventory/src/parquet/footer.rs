//! A file's footer: where its columns lie.

use bytes::Bytes;
use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};

use super::guard::{Failure, damaged};
use super::thrift;
use crate::error::InputError;
use crate::ranges::{RangeRead, read_exact};

/// The longest footer that is read, in bytes. Writers need some kilobytes for each row group.
pub const MAX_FOOTER: usize = 32 << 20;

/// How much of a file's end is fetched at once: most footers are shorter.
const TAIL: u64 = 64 << 10;

/// The footer's length, and the magic number.
const TAIL_END: u64 = 8;

/// Reads a file's footer.
pub(super) fn read(file: &impl RangeRead) -> Result<ParquetMetaData, InputError> {
    let footer = fetch(file)?;
    if thrift::check(&footer).map_err(|what| damaged(&format!("its footer {what}")))? {
        return Err(encrypted());
    }
    let options = ParquetMetaDataOptions::new()
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let decode = || ParquetMetaDataReader::decode_metadata_with_options(&footer, Some(&options));
    Failure::default().caught(decode)
}

fn fetch(file: &impl RangeRead) -> Result<Bytes, InputError> {
    let tail = range(file, file.len().saturating_sub(TAIL), file.len().min(TAIL) as usize)?;
    let len = footer_len(&tail)?;
    if len > MAX_FOOTER {
        return Err(damaged(&format!("a footer of {len} bytes: at most {MAX_FOOTER} are read")));
    }
    let (end, start) = (file.len() - TAIL_END, len as u64 + TAIL_END);
    match tail.len().checked_sub(len + TAIL_END as usize) {
        Some(start) => Ok(tail.slice(start..start + len)),
        None if start > file.len() => Err(damaged(&format!("a footer of {len} bytes in {}", file.len()))),
        None => range(file, end - len as u64, len),
    }
}

fn footer_len(tail: &[u8]) -> Result<usize, InputError> {
    match tail.last_chunk::<8>() {
        Some([len @ .., b'P', b'A', b'R', b'1']) => Ok(u32::from_le_bytes(*len) as usize),
        Some([.., b'P', b'A', b'R', b'E']) => Err(encrypted()),
        _ => Err(damaged("it doesn't end as one")),
    }
}

fn encrypted() -> InputError {
    InputError::Unsupported("an encrypted parquet file isn't understood".to_owned())
}

fn range(file: &impl RangeRead, at: u64, len: usize) -> Result<Bytes, InputError> {
    read_exact(file, at, len).map_err(InputError::Io)
}
