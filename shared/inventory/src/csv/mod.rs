//! CSV data files: every field quoted, keys form-encoded, no header.
//!
//! A window of the file at a time. Most rows are like one before but for key, size, date and `ETag`: what
//! they have in common is compared as a whole. Of others the positions of the quotes are found 64 bytes at
//! once, and a row whose quotes stand where AWS writes them is cut along them. Any other row, legal or
//! not, goes through a parser that takes it byte by byte. All three see the same rows, and where the
//! windows lie depends on the file alone, so a file read at once and a file streamed give the same batches.

mod careful;
mod date;
mod key;
mod layout;
mod quotes;
mod row;
mod usual;
mod values;
mod window;

use std::io::Read;

use crate::batch::Sink;
use crate::error::{InputError, ReadError};
use crate::rows::Rows;
pub use layout::{CsvLayout, LayoutError};
use window::Parser;

/// The longest row, in bytes. Far more than S3 writes: a key takes 3 KiB when every byte of it is
/// escaped, an access control list has 100 grants at most.
pub const MAX_ROW: usize = 1 << 18;

/// How much is parsed at once where rows are short, in bytes: it and its quotes' positions fit the
/// second-level cache.
const WINDOW: usize = 1 << 16;

/// Reads the rows of a decompressed file that is in memory.
pub fn read_slice<S: Sink>(
    raw: &[u8],
    layout: &CsvLayout,
    rows: &mut Rows<'_, S>,
) -> Result<(), ReadError<S::Error>> {
    let mut parser = Parser::new(layout, rows);
    let mut rest = raw;
    while !rest.is_empty() {
        for size in [WINDOW, MAX_ROW] {
            let window = rest.get(..size).unwrap_or(rest);
            let used = parser.window(window, window.len() == rest.len())?;
            rest = rest.get(used..).unwrap_or_default();
            if used > 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Reads the rows of a decompressed stream, through a buffer of `buffer` bytes ([`MAX_ROW`] and one
/// at least). Rows, batches and errors are those of [`read_slice`].
pub fn read<R: Read, S: Sink>(
    source: R,
    buffer: usize,
    layout: &CsvLayout,
    rows: &mut Rows<'_, S>,
) -> Result<(), ReadError<S::Error>> {
    let mut parser = Parser::new(layout, rows);
    let mut filled = Filled::new(source, buffer);
    loop {
        for size in [WINDOW, MAX_ROW] {
            let (window, last) = filled.window(size)?;
            if window.is_empty() {
                return Ok(());
            }
            let used = parser.window(window, last)?;
            filled.start += used;
            if used > 0 {
                break;
            }
        }
    }
}

/// A buffer that a source fills, and a parser empties.
struct Filled<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl<R: Read> Filled<R> {
    fn new(source: R, size: usize) -> Self {
        Self { source, buffer: vec![0; size.max(MAX_ROW + 1)], start: 0, end: 0, ended: false }
    }

    /// The next `size` bytes, fewer at the end of the source; whether it ends there.
    fn window(&mut self, size: usize) -> Result<(&[u8], bool), InputError> {
        // One more byte tells whether the source goes on.
        while !self.ended && self.end - self.start <= size {
            self.fill(size + 1).map_err(InputError::Io)?;
        }
        let all = self.buffer.get(self.start..self.end).unwrap_or_default();
        Ok((all.get(..size).unwrap_or(all), self.ended && all.len() <= size))
    }

    fn fill(&mut self, need: usize) -> std::io::Result<()> {
        if self.buffer.len() - self.start < need {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        match self.source.read(free) {
            Ok(0) => self.ended = true,
            Ok(read) => self.end += read.min(free.len()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
