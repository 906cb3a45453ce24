//! Pages one by one, for who chooses among them by what the directory says.

use s3inv_model::Cell;

use crate::block::decompress;
use crate::entry::Entry;
use crate::layout::Rows;
use crate::{FormatError, ReadAt, Reader};

/// A page, and what the directory says of it.
#[derive(Clone, Debug)]
pub struct Page {
    at: u64,
    entry: Entry,
}

impl Page {
    /// What the directory says of it. In two indexes of the same schema, pages of which the same is said have
    /// the same rows.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }
}

/// The rows of one page, one after the other.
pub struct PageRows {
    at: u64,
    rows: Rows,
}

impl<R: ReadAt> Reader<R> {
    /// The pages of a block of the directory, by the block's place there; none, if it has no such place.
    pub fn pages_of(&self, block: usize) -> Result<Vec<Page>, FormatError> {
        let pages = self.block(block)?;
        Ok(pages.into_iter().map(|(at, entry)| Page { at, entry }).collect())
    }

    /// Reads a page.
    pub fn read(&self, Page { at, entry }: &Page) -> Result<PageRows, FormatError> {
        let compression = self.info().compression;
        let mut page = PageRows { at: *at, rows: Rows::new(compression, self.shape) };
        let mut stored = Vec::new();
        self.stored_page(*at, entry, &mut stored)?;
        decompress(compression, &stored, entry.raw_len as usize, page.rows.buffer())
            .map_err(|cause| FormatError::damaged("page", *at, cause))?;
        page.rows.start(entry.rows).ok_or_else(|| page.damaged())?;
        Ok(page)
    }
}

impl PageRows {
    /// Goes to the next row; false behind the last one.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, FormatError> {
        self.rows.advance().ok_or_else(|| self.damaged())
    }

    /// The prefix of this row.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.rows.key()
    }

    /// The cells of this row, by ascending bin.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        self.rows.cells()
    }

    fn damaged(&self) -> FormatError {
        FormatError::damaged("page", self.at, "its rows can't be read")
    }
}
