//! What stands between a file that may be damaged and the parquet crate, which allocates what page
//! headers ask for and panics on some malformed pages.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

use crate::error::{InputError, excerpt};

/// The longest page that is read, decompressed, in bytes. Writers make pages of about 1 MiB; some
/// put a whole row group into one.
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
        let text = match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(ParquetError::General(text) | ParquetError::NYI(text) | ParquetError::EOF(text))) => text,
            Ok(Err(other)) => other.to_string(),
            Err(panic) => panic_text(panic.as_ref()),
        };
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(InputError::Io(error)),
            None => Err(damaged(&text)),
        }
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
    let line = text.lines().next().unwrap_or_default();
    let start = line.char_indices().nth(200).map_or(line.len(), |(at, _)| at);
    InputError::Parquet(line.get(..start).unwrap_or_default().to_owned())
}

pub(super) fn too_long(len: u64) -> ParquetError {
    ParquetError::General(format!("a page of {len} bytes: at most {MAX_PAGE} are read"))
}

/// Looks at the first fields of a page header, in Thrift's compact protocol: the page's type, its
/// length decompressed, its length in the file. The crate reserves memory by the second.
pub(super) fn check_header(head: &[u8]) -> Result<()> {
    let mut rest = head;
    let fields = (i32_field(&mut rest), i32_field(&mut rest), i32_field(&mut rest));
    match fields {
        (Some(_), Some(long), Some(_)) if long > MAX_PAGE as u64 => Err(too_long(long)),
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

/// Pages whose counts and encodings have been looked at.
pub(super) struct Pages(pub(super) Box<dyn PageReader>);

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.0.get_next_page()?;
        page.as_ref().map_or(Ok(()), check_page)?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.0.skip_next_page()
    }
}

/// The crate makes room for as many values as a dictionary or a delta encoding says it has.
fn check_page(page: &Page) -> Result<()> {
    match page {
        // No value of a dictionary takes less than four bytes: booleans have none.
        Page::DictionaryPage { buf, num_values, .. } if *num_values as usize > buf.len() / 4 => {
            Err(ParquetError::General(format!("a dictionary of {num_values} values in {} bytes", buf.len())))
        }
        Page::DictionaryPage { .. } => Ok(()),
        Page::DataPage { encoding, .. } | Page::DataPageV2 { encoding, .. } => match encoding {
            Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY | Encoding::RLE => Ok(()),
            other => {
                let name = excerpt(other.to_string().as_bytes());
                Err(ParquetError::NYI(format!("a page in the encoding {name}, which inventories don't have")))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_the_lengths_of_their_pages() {
        assert!(check_header(&[0x15, 0, 0x15, 0x80, 0x80, 0x04, 0x15, 2]).is_ok());
        let long = check_header(&[0x15, 0, 0x15, 0x80, 0x80, 0x80, 0x80, 0x04, 0x15, 2]).unwrap_err();
        assert!(long.to_string().contains("a page of 536870912 bytes"), "{long}");
        assert!(check_header(&[0x15, 0, 0x15, 1, 0x15, 2]).is_err(), "negative");
        assert!(check_header(&[0x15, 0, 0x25, 2, 0x15, 2]).is_err());
        assert!(check_header(&[]).is_err());
    }
}
