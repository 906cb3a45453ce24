//! What stands between a file that may be damaged and the parquet crate, which allocates what page
//! headers ask for and panics on some malformed pages.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use crate::error::InputError;

/// The longest page that is read in any memory, decompressed, in bytes. Writers make pages of about
/// 1 MiB; some put a whole row group into one.
pub const MAX_PAGE: usize = 32 << 20;

/// The first failure of the source itself, which the parquet crate would turn into a text.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<io::Error>>>);

impl Failure {
    /// Calls the parquet crate.
    ///
    /// It has asserts and `expect`s that malformed pages trip. The state that such a panic leaves
    /// behind is never used again: every error ends the file.
    pub(super) fn caught<T>(&self, call: impl FnOnce() -> Result<T>) -> std::result::Result<T, InputError> {
        let error = match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(ParquetError::NYI(text))) => InputError::Unsupported(short(&text)),
            Ok(Err(ParquetError::General(text) | ParquetError::EOF(text))) => damaged(&text),
            Ok(Err(other)) => damaged(&other.to_string()),
            Err(panic) => damaged(&panic_text(panic.as_ref())),
        };
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(failed.map_or(error, InputError::Io))
    }

    pub(super) fn keep(&self, error: io::Error) -> ParquetError {
        let text = error.to_string();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        ParquetError::General(text)
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the decoder panicked").to_owned()
}

pub(super) fn damaged(text: &str) -> InputError {
    InputError::Parquet(short(text))
}

/// The first line, cut where it is long.
fn short(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

pub(super) fn too_long(len: u64) -> ParquetError {
    if len > MAX_PAGE as u64 {
        return ParquetError::NYI(format!("a page of {len} bytes: at most {MAX_PAGE} are read"));
    }
    ParquetError::NYI(format!("a page of {len} bytes doesn't fit the memory budget"))
}

/// Looks at the first fields of a page header, in Thrift's compact protocol: the page's type, its
/// length decompressed, its length in the file. The crate reserves memory by the second, of which there
/// may be `most`.
pub(super) fn check_header(head: &[u8], most: usize) -> Result<()> {
    let mut rest = head;
    let fields = (i32_field(&mut rest), i32_field(&mut rest), i32_field(&mut rest));
    match fields {
        (Some(_), Some(long), Some(_)) if long > i32::MAX as u64 => {
            Err(ParquetError::General("a page header with a negative length".to_owned()))
        }
        (Some(_), Some(long), Some(_)) if long > most.min(MAX_PAGE) as u64 => Err(too_long(long)),
        (Some(_), Some(_), Some(_)) => Ok(()),
        _ => Err(ParquetError::General("a page header without its lengths".to_owned())),
    }
}

/// The value of the next field, if it is an i32 (type 5) whose number is one higher; negative ones
/// come out as huge.
fn i32_field(rest: &mut &[u8]) -> Option<u64> {
    let (&0x15, mut tail) = rest.split_first()? else { return None };
    let mut zigzag = 0_u64;
    for shift in (0..35).step_by(7) {
        let (&byte, after) = tail.split_first()?;
        tail = after;
        zigzag |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            *rest = tail;
            return Some(if zigzag & 1 == 0 { zigzag >> 1 } else { u64::MAX });
        }
    }
    None
}

/// What a text of a dictionary takes besides its bytes.
const TEXT: usize = size_of::<ByteArray>();

/// A column's pages, whose counts and encodings have been looked at.
pub(super) struct Pages {
    pub(super) inner: Box<dyn PageReader>,
    pub(super) column: ColumnDescPtr,
    /// The largest dictionary of texts, in bytes.
    pub(super) dictionary: usize,
}

impl Pages {
    /// The crate makes room for as many values as a dictionary or a delta encoding says it has.
    fn check(&self, page: &Page) -> Result<()> {
        match page {
            Page::DictionaryPage { buf, num_values, .. } => {
                self.check_dictionary(buf.len(), *num_values as usize)
            }
            Page::DataPage { encoding, .. } | Page::DataPageV2 { encoding, .. } => match encoding {
                Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY | Encoding::RLE => {
                    Ok(())
                }
                other => Err(unknown(&self.column, &format!("the encoding {other}"))),
            },
        }
    }

    fn check_dictionary(&self, len: usize, values: usize) -> Result<()> {
        // No value of a dictionary takes less than four bytes: booleans have none.
        if values > len / 4 {
            return Err(ParquetError::General(format!("a dictionary of {values} values in {len} bytes")));
        }
        let texts = self.column.physical_type() == Type::BYTE_ARRAY;
        if texts && values.saturating_mul(TEXT).saturating_add(len) > self.dictionary {
            let (name, most) = (self.column.name(), self.dictionary);
            let problem = format!("a dictionary of more than {most} bytes doesn't fit the memory budget");
            return Err(ParquetError::NYI(format!("column {name}: {problem}")));
        }
        Ok(())
    }
}

/// A column is written in a way that a sound file may have, but not an inventory.
pub(super) fn unknown(column: &ColumnDescriptor, what: &str) -> ParquetError {
    ParquetError::NYI(format!("column {}: {what} isn't understood", column.name()))
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        page.as_ref().map_or(Ok(()), |page| self.check(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_the_lengths_of_their_pages() {
        let check = |head: &[u8]| check_header(head, 1 << 20).map_err(|error| error.to_string());
        // 2²⁰ bytes, one more, 2²⁸, and -1.
        assert_eq!(check(&[0x15, 0, 0x15, 0x80, 0x80, 0x80, 1, 0x15, 2]), Ok(()));
        let long = check(&[0x15, 0, 0x15, 0x82, 0x80, 0x80, 1, 0x15, 2]).unwrap_err();
        assert_eq!(long, "NYI: a page of 1048577 bytes doesn't fit the memory budget");
        let long = check(&[0x15, 0, 0x15, 0x80, 0x80, 0x80, 0x80, 0x04, 0x15, 2]).unwrap_err();
        assert_eq!(long, "NYI: a page of 536870912 bytes: at most 33554432 are read");
        let negative = check(&[0x15, 0, 0x15, 1, 0x15, 2]).unwrap_err();
        assert_eq!(negative, "Parquet error: a page header with a negative length");
        assert!(check(&[0x15, 0, 0x25, 2, 0x15, 2]).is_err());
        assert!(check(&[]).is_err());
    }
}
