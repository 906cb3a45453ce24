//! Blocks of the directory, and pages, for who chooses among them by what the level above says of them.

use std::ops::Range;

use s3inv_model::{Cell, Dates};

use crate::block::decompress;
use crate::entry::Entry;
use crate::layout::{MAX_STORED, Rows};
use crate::{FormatError, ReadAt, Reader};

/// A block of the directory, or a page.
#[derive(Clone, Debug)]
pub struct Part {
    place: Place,
    entry: Entry,
}

/// Which block it is, or where the page is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Block(usize),
    Page(u64),
}

impl Part {
    /// What is said of it. In two indexes of the same schema, parts of which the same is said have the same rows.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Whether it is a page.
    #[must_use]
    pub fn is_page(&self) -> bool {
        matches!(self.place, Place::Page(_))
    }
}

/// What is in a part.
pub enum Within {
    /// The pages of a block of the directory.
    Pages(Vec<Part>),
    /// The rows of a page.
    Rows(Box<PageRows>),
}

impl<R: ReadAt> Reader<R> {
    /// The blocks of the directory, in order. All rows are in one of them.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        self.directory().cloned().enumerate().map(|(at, entry)| Part { place: Place::Block(at), entry })
    }

    /// Reads a part.
    pub fn open_part(&self, Part { place, entry }: &Part) -> Result<Within, FormatError> {
        match *place {
            Place::Block(block) => {
                let page = |(at, entry)| Part { place: Place::Page(at), entry };
                Ok(Within::Pages(self.block(block)?.into_iter().map(page).collect()))
            }
            Place::Page(at) => {
                let mut rows = Box::new(PageRows::new(self));
                rows.read(self, at, entry)?;
                Ok(Within::Rows(rows))
            }
        }
    }

    /// Tells a remote source that these parts are going to be read, so that all are fetched at once.
    pub fn will_open(&self, parts: &[&Part]) -> Result<(), FormatError> {
        let range = |part: &&Part| match part.place {
            Place::Block(block) => self.range_of_block(block),
            Place::Page(at) => Some(range_of_page(at, &part.entry)),
        };
        Ok(self.source().will_read(&parts.iter().filter_map(range).collect::<Vec<_>>())?)
    }

    /// Whether reading waits for requests, so that it is worth the work to say what will be read.
    pub fn is_remote(&self) -> bool {
        self.source().is_remote()
    }
}

/// Where the stored bytes of a page are.
pub(crate) fn range_of_page(at: u64, entry: &Entry) -> Range<u64> {
    // What is too long is an error when it is read.
    at..at.saturating_add(entry.len.min(MAX_STORED))
}

/// The rows of one page, one after the other. A clone goes on from the same row.
pub struct PageRows {
    at: u64,
    stored: Vec<u8>,
    rows: Rows,
}

impl Clone for PageRows {
    fn clone(&self) -> Self {
        Self { at: self.at, stored: Vec::new(), rows: self.rows.clone() }
    }
}

impl PageRows {
    /// Those of no page.
    pub(crate) fn new<R: ReadAt>(reader: &Reader<R>) -> Self {
        Self { at: 0, stored: Vec::new(), rows: Rows::new(reader.info().compression, reader.shape) }
    }

    /// Reads a page, and goes before its first row.
    pub(crate) fn read<R: ReadAt>(
        &mut self,
        reader: &Reader<R>,
        at: u64,
        entry: &Entry,
    ) -> Result<(), FormatError> {
        self.at = at;
        reader.stored_page(at, entry, &mut self.stored)?;
        decompress(reader.info().compression, &self.stored, entry.raw_len as usize, self.rows.buffer())
            .map_err(|cause| FormatError::damaged("page", at, cause))?;
        self.rows.start(entry.rows).ok_or_else(|| self.damaged())
    }

    /// Goes to the next row; false behind the last one.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, FormatError> {
        self.rows.advance().ok_or_else(|| self.damaged())
    }

    /// The prefix of this row.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.rows.key()
    }

    /// The cells of this row, by ascending bin.
    #[inline]
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        self.rows.cells()
    }

    #[inline]
    pub(crate) fn dates(&self) -> Dates {
        self.rows.dates()
    }

    fn damaged(&self) -> FormatError {
        FormatError::damaged("page", self.at, "its rows can't be read")
    }
}
