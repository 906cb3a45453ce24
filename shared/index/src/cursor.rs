//! Going through rows, and saying beforehand which pages that takes.

use std::ops::Range;
use std::sync::Arc;

use s3inv_model::{Cell, Dates, Stats, prefix};

use crate::entry::Entry;
use crate::least::Least;
use crate::part::{PageRows, range_of_page};
use crate::span::{Place, PlaceRef};
use crate::window::Window;
use crate::{FormatError, Info, ReadAt, Reader, Span};

/// What a cursor says beforehand of what it will read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// Nothing: who asked wants one row, or the source isn't remote.
    None,
    /// Some pages at a time; those up to an offset it has said.
    Pages {
        /// How many.
        window: Window,
        /// Where the last page ends that was said.
        told: u64,
    },
}

impl Ahead {
    pub(crate) fn of(source: &impl ReadAt) -> Self {
        if source.is_remote() { Self::Pages { window: Window::default(), told: 0 } } else { Self::None }
    }

    /// How many bytes of pages to fetch, if the page at an offset is not among those that were said.
    fn from(&mut self, at: u64) -> Option<u64> {
        match self {
            Self::Pages { window, told } if at >= *told => Some(window.widen()),
            _ => None,
        }
    }

    /// Begins again with little, if a page is left out to: who does so may do it again.
    fn skip_to(&mut self, at: u64) {
        if let Self::Pages { window, told } = self
            && at > *told
        {
            *window = Window::default();
        }
    }

    fn told(&mut self, end: u64) {
        if let Self::Pages { told, .. } = self {
            *told = end;
        }
    }
}

/// Goes through rows in their order, page by page. A clone goes on from the same row.
pub struct Cursor<'a, R> {
    reader: &'a Reader<R>,
    next_block: usize,
    /// The pages of a directory block, which clones share.
    pages: Arc<[(u64, Entry)]>,
    next_page: usize,
    rows: PageRows,
    /// The row here has been read, but not been given out.
    pending: bool,
    /// Where it ends, if it isn't the end of the file.
    end: Option<Arc<Place>>,
    /// Whether no row behind this page comes before the end.
    last: bool,
    /// Pages of rows with less are left out.
    least: Least,
    ahead: Ahead,
}

impl<R> Clone for Cursor<'_, R> {
    fn clone(&self) -> Self {
        let (pages, rows, end) = (Arc::clone(&self.pages), self.rows.clone(), self.end.clone());
        Self { pages, rows, end, ..*self }
    }
}

impl<R: ReadAt> Reader<R> {
    /// Goes to the first row that isn't before a place.
    pub(crate) fn cursor(
        &self,
        from: PlaceRef<'_>,
        end: Option<Arc<Place>>,
        ahead: Ahead,
    ) -> Result<Cursor<'_, R>, FormatError> {
        let block = self.block_of(from);
        let pages = self.block(block)?;
        let page = page_of(&pages, from);
        let mut cursor = Cursor {
            reader: self,
            next_block: block + 1,
            pages: pages.into(),
            next_page: page,
            rows: PageRows::new(self),
            pending: false,
            end,
            last: false,
            least: Least::default(),
            ahead,
        };
        cursor.advance_to(from)?;
        Ok(cursor)
    }

    /// The directory block that the row before a place is in, or else the first one.
    pub(crate) fn block_of(&self, place: PlaceRef<'_>) -> usize {
        self.root.partition_point(|(.., e)| prefix::split(&e.first) <= place).saturating_sub(1)
    }
}

/// The same of a block's pages.
pub(crate) fn page_of(pages: &[(u64, Entry)], place: PlaceRef<'_>) -> usize {
    pages.partition_point(|(_, e)| prefix::split(&e.first) <= place).saturating_sub(1)
}

impl<'a, R: ReadAt> Cursor<'a, R> {
    /// Leaves out pages from here on in which no row has as much: not each row is one that has.
    #[must_use]
    pub fn only(self, least: Least) -> Self {
        Self { least, ..self }
    }

    /// Goes to the next row; false behind the last one.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, FormatError> {
        if !std::mem::take(&mut self.pending) {
            while !self.rows.advance()? {
                if !self.next_page()? {
                    return Ok(false);
                }
            }
        }
        let is_within = self.is_within();
        // The first row behind the end may be one of what `go_on` goes on to.
        self.pending = !is_within;
        Ok(is_within)
    }

    /// Goes on to the rows of another span, which comes behind this one. What both have in one page isn't read
    /// twice.
    pub fn go_on(&mut self, span: &Span) -> Result<(), FormatError> {
        self.end = span.end.clone().map(Arc::new);
        self.last = self.is_last();
        self.skip_to(span.from.pair())
    }

    /// Leaves out the rows before a place that isn't before this row. Pages that have only such ones are
    /// not read.
    pub fn skip_to(&mut self, place: (&[u8], &[u8])) -> Result<(), FormatError> {
        if self.next_first().is_some_and(|first| prefix::split(first) <= place) {
            let block = self.reader.block_of(place);
            if block >= self.next_block {
                self.pages = self.reader.block(block)?.into();
                self.next_block = block + 1;
            }
            self.next_page = page_of(&self.pages, place);
            self.ahead.skip_to(self.pages.get(self.next_page).map_or(0, |(at, _)| *at));
            self.rows = PageRows::new(self.reader);
            self.pending = false;
        }
        self.advance_to(place)
    }

    /// Goes to the first row from here on that isn't before a place, and gives it out next.
    fn advance_to(&mut self, place: PlaceRef<'_>) -> Result<(), FormatError> {
        while self.advance()? {
            if prefix::split(self.key()) >= place {
                self.stay();
                break;
            }
        }
        Ok(())
    }

    /// Whether this row comes before the end.
    #[inline]
    fn is_within(&self) -> bool {
        !self.last || self.end.as_ref().is_none_or(|end| end.is_behind(self.key()))
    }

    fn next_page(&mut self) -> Result<bool, FormatError> {
        if self.last || !self.find_page()? {
            return Ok(false);
        }
        self.tell()?;
        let Some(&(at, ref entry)) = self.pages.get(self.next_page) else { return Ok(false) };
        self.next_page += 1;
        self.rows.read(self.reader, at, entry)?;
        self.last = self.is_last();
        Ok(true)
    }

    /// Whether no row behind this page comes before the end.
    fn is_last(&self) -> bool {
        let is_end = |end: &Arc<Place>| self.next_first().is_none_or(|first| !end.is_behind(first));
        self.end.as_ref().is_some_and(is_end)
    }

    /// Goes before the next page that may have rows to give out; false if there is none.
    fn find_page(&mut self) -> Result<bool, FormatError> {
        loop {
            let page = self.pages.get(self.next_page).map(|(_, entry)| entry);
            let Some(next) = page.or_else(|| Some(&self.reader.root.get(self.next_block)?.2)) else {
                return Ok(false);
            };
            if self.end.as_ref().is_some_and(|end| !end.is_behind(&next.first)) {
                return Ok(false);
            }
            match (page.is_some(), self.least.may_be_in(next)) {
                (true, true) => return Ok(true),
                (true, false) => self.next_page += 1,
                (false, true) => {
                    self.pages = self.reader.block(self.next_block)?.into();
                    self.next_block += 1;
                    self.next_page = 0;
                }
                (false, false) => self.next_block += 1,
            }
        }
    }

    /// The first row of the next page.
    fn next_first(&self) -> Option<&[u8]> {
        let page = self.pages.get(self.next_page).map(|(_, entry)| entry);
        let block = || self.reader.root.get(self.next_block).map(|(.., entry)| entry);
        page.or_else(block).map(|entry| entry.first.as_slice())
    }

    /// Says that the next pages will be read, if that hasn't been said.
    fn tell(&mut self) -> Result<(), FormatError> {
        let pages = self.pages.get(self.next_page..).unwrap_or_default();
        let window = pages.first().and_then(|(at, _)| self.ahead.from(*at));
        let Some(window) = window else { return Ok(()) };
        let ranges = ranges_of(pages, self.end.as_deref(), self.least, window);
        self.ahead.told(ranges.last().map_or(0, |range| range.end));
        Ok(self.reader.source().will_read(&ranges)?)
    }

    /// Gives this row out once more at the next [`Cursor::advance`].
    pub(crate) fn stay(&mut self) {
        self.pending = true;
    }

    /// What the directory says of the page of this row, and where the page is; `None` before any row.
    pub(crate) fn page(&self) -> Option<&(u64, Entry)> {
        self.pages.get(self.next_page.checked_sub(1)?)
    }

    /// What the file says about itself.
    pub(crate) fn info(&self) -> &'a Info {
        self.reader.info()
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

    /// The dates of this row's current objects; none where there are none, or where they are not
    /// measured.
    #[must_use]
    pub fn dates(&self) -> Dates {
        self.rows.dates()
    }

    /// This row by what people ask for.
    #[must_use]
    pub fn stats(&self) -> Stats<'a> {
        Stats::new(&self.info().schema, self.cells(), self.dates())
    }
}

/// Where the first of some pages are that may have so much, those before a place, up to about so many bytes; the first
/// one in any case.
pub(crate) fn ranges_of(
    pages: &[(u64, Entry)],
    end: Option<&Place>,
    least: Least,
    most: u64,
) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    let mut sum = 0;
    for (at, entry) in pages.iter().filter(|(_, entry)| least.may_be_in(entry)) {
        let is_wanted = sum < most && end.is_none_or(|end| end.is_behind(&entry.first));
        if !is_wanted && !ranges.is_empty() {
            break;
        }
        let range = range_of_page(*at, entry);
        sum += range.end - range.start;
        ranges.push(range);
    }
    ranges
}
