use std::collections::VecDeque;

use s3inv_index_format::{Page, PageRows, ReadAt};
use s3inv_model::{Cell, prefix};

use crate::place::{Place, Span};
use crate::{AskError, Index, Scope};

/// The prefixes that are so many levels below a scope.
struct Level {
    span: Span,
    depth: usize,
}

/// Where the next of them may be, from some row on.
enum Next {
    Here,
    From(Place),
    Nowhere,
}

impl Level {
    fn next(&self, key: &[u8]) -> Next {
        if self.span.from.is_behind(key) {
            return Next::From(self.span.from.clone());
        }
        if self.span.to.as_ref().is_some_and(|to| !to.is_behind(key)) {
            return Next::Nowhere;
        }
        let (parent, _) = prefix::split(key);
        match prefix::depth(key).cmp(&self.depth) {
            std::cmp::Ordering::Equal => Next::Here,
            std::cmp::Ordering::Less => Next::From(Place::behind_children(parent)),
            std::cmp::Ordering::Greater => {
                // No other row in here is less deep: its parent has had its children already.
                let place = Place::behind_below(prefix::at_most(parent, self.depth - 1));
                place.map_or(Next::Nowhere, Next::From)
            }
        }
    }

    /// Whether rows from `first` on, before `next`, have nothing of it.
    fn has_none(&self, first: &[u8], next: Option<&[u8]>) -> bool {
        match self.next(first) {
            Next::Here => false,
            Next::From(place) => next.is_some_and(|next| place.is_behind_all_before(next)),
            Next::Nowhere => true,
        }
    }
}

/// Goes through the prefixes that are so many levels below a scope, in their order. It stops before each page, so
/// that pages can be left out, and leaves out those that have none of these prefixes.
pub(crate) struct Walk<'a, R> {
    index: &'a Index<R>,
    level: Level,
    next_block: usize,
    pages: VecDeque<Page>,
    rows: Option<PageRows>,
}

/// What comes next.
pub(crate) enum Head<'w> {
    /// A page that isn't read.
    Page(&'w Page),
    /// A prefix, and its cells.
    Row(&'w [u8], &'w [Cell]),
}

impl Head<'_> {
    /// Nothing that comes next is before this.
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Self::Page(page) => &page.entry().first,
            Self::Row(key, _) => key,
        }
    }

    /// The cells of a row.
    pub(crate) fn cells(&self) -> &[Cell] {
        match self {
            Self::Page(_) => &[],
            Self::Row(_, cells) => cells,
        }
    }

    pub(crate) fn is_page(&self) -> bool {
        matches!(self, Self::Page(_))
    }
}

impl<'a, R: ReadAt> Walk<'a, R> {
    /// Begins before the prefixes that are `below` levels below a scope, from 1 on.
    pub(crate) fn new(index: &'a Index<R>, scope: &Scope, below: usize) -> Self {
        let depth = prefix::depth(scope.parent()) + below;
        let level = Level { span: Span::level(scope, below), depth };
        Self { index, level, next_block: 0, pages: VecDeque::new(), rows: None }
    }

    /// What comes next.
    pub(crate) fn head(&mut self) -> Result<Option<Head<'_>>, AskError> {
        self.settle()?;
        let row = self.rows.as_ref().map(|rows| Head::Row(rows.key(), rows.cells()));
        Ok(row.or_else(|| self.pages.front().map(Head::Page)))
    }

    /// Goes behind the row that comes next.
    pub(crate) fn advance(&mut self) -> Result<(), AskError> {
        let more = self.rows.as_mut().map_or(Ok(false), PageRows::advance);
        if !more.map_err(AskError::of(self.index))? {
            self.rows = None;
        }
        Ok(())
    }

    /// Reads the page that comes next.
    pub(crate) fn open(&mut self) -> Result<(), AskError> {
        if let Some(page) = self.pages.pop_front() {
            self.rows = Some(self.index.reader().read(&page).map_err(AskError::of(self.index))?);
        }
        self.advance()
    }

    /// Leaves the page out that comes next.
    pub(crate) fn leave_out(&mut self) {
        self.pages.pop_front();
    }

    /// Goes on to a prefix that it is to stop at, or to a page that may have one.
    fn settle(&mut self) -> Result<(), AskError> {
        while let Some(rows) = &mut self.rows {
            match self.level.next(rows.key()) {
                Next::Here => return Ok(()),
                Next::From(place) => {
                    if !advance_to(rows, &place).map_err(AskError::of(self.index))? {
                        self.rows = None;
                    }
                }
                Next::Nowhere => self.rows = None,
            }
        }
        while !self.has_page() && self.next_block()? {}
        Ok(())
    }

    /// Leaves out pages up to one that may have something.
    fn has_page(&mut self) -> bool {
        let behind = self.index.reader().directory().nth(self.next_block);
        while let Some(page) = self.pages.front() {
            let next = self.pages.get(1).map(Page::entry).or(behind);
            if !self.level.has_none(&page.entry().first, next.map(|next| next.first.as_slice())) {
                return true;
            }
            self.pages.pop_front();
        }
        false
    }

    /// Goes on to the next block of pages that may have something; false if there is none.
    fn next_block(&mut self) -> Result<bool, AskError> {
        let reader = self.index.reader();
        while let Some(block) = reader.directory().nth(self.next_block) {
            let next = reader.directory().nth(self.next_block + 1).map(|next| next.first.as_slice());
            self.next_block += 1;
            if !self.level.has_none(&block.first, next) {
                let pages = reader.pages_of(self.next_block - 1);
                self.pages = pages.map_err(AskError::of(self.index))?.into();
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn advance_to(rows: &mut PageRows, place: &Place) -> Result<bool, s3inv_index_format::FormatError> {
    while rows.advance()? {
        if !place.is_behind(rows.key()) {
            return Ok(true);
        }
    }
    Ok(false)
}
