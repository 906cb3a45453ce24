use std::collections::VecDeque;

use s3inv_index_format::{PageRows, Part, Place, ReadAt, Span, Window, Within};
use s3inv_model::{Cell, prefix};

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
        if self.span.end.as_ref().is_some_and(|end| !end.is_behind(key)) {
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

/// Goes through the prefixes that are so many levels below a scope, in their order. It stops before each block of the
/// directory and before each page, so that they can be left out, and leaves out those that have none of these prefixes.
pub(crate) struct Walk<'a, R> {
    index: &'a Index<R>,
    level: Level,
    unread: VecDeque<Unread>,
    rows: Option<Box<PageRows>>,
    window: Window,
}

/// A part that comes later.
struct Unread {
    part: Part,
    /// Whether a remote source has been told, if it is going to be read.
    told: bool,
}

impl From<Part> for Unread {
    fn from(part: Part) -> Self {
        Self { part, told: false }
    }
}

/// What comes next.
pub(crate) enum Head<'w> {
    /// A block of the directory or a page that isn't read.
    Unread(&'w Part),
    /// A prefix, and its cells.
    Row(&'w [u8], &'w [Cell]),
}

impl Head<'_> {
    /// Nothing that comes next is before this.
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Self::Unread(part) => &part.entry().first,
            Self::Row(key, _) => key,
        }
    }

    /// The cells of a row.
    pub(crate) fn cells(&self) -> &[Cell] {
        match self {
            Self::Unread(_) => &[],
            Self::Row(_, cells) => cells,
        }
    }

    /// What isn't read.
    pub(crate) fn unread(&self) -> Option<&Part> {
        match self {
            Self::Unread(part) => Some(part),
            Self::Row(..) => None,
        }
    }
}

impl<'a, R: ReadAt> Walk<'a, R> {
    /// Begins before the prefixes that are `below` levels below a scope, from 1 on.
    pub(crate) fn new(index: &'a Index<R>, scope: &Scope, below: usize) -> Self {
        let depth = prefix::depth(scope.parent()) + below;
        let level = Level { span: scope.level(below), depth };
        let unread = index.reader().parts().map(Unread::from).collect();
        Self { index, level, unread, rows: None, window: Window::default() }
    }

    /// What comes next.
    pub(crate) fn head(&mut self) -> Result<Option<Head<'_>>, AskError> {
        self.settle()?;
        let row = self.rows.as_ref().map(|rows| Head::Row(rows.key(), rows.cells()));
        Ok(row.or_else(|| self.unread.front().map(|next| Head::Unread(&next.part))))
    }

    /// Goes behind the row that comes next.
    pub(crate) fn advance(&mut self) -> Result<(), AskError> {
        let more = self.rows.as_mut().map_or(Ok(false), |rows| rows.advance());
        if !more.map_err(AskError::of(self.index))? {
            self.rows = None;
        }
        Ok(())
    }

    /// Reads the part that comes next. Where another index is gone through `beside` this one, what both have is left out.
    pub(crate) fn open(&mut self, beside: Option<&Self>) -> Result<(), AskError> {
        self.tell(beside)?;
        let Some(next) = self.unread.pop_front() else { return Ok(()) };
        match self.index.reader().open_part(&next.part).map_err(AskError::of(self.index))? {
            Within::Pages(pages) => {
                pages.into_iter().rev().for_each(|page| self.unread.push_front(page.into()));
                Ok(())
            }
            Within::Rows(rows) => {
                self.rows = Some(rows);
                self.advance()
            }
        }
    }

    /// Leaves the part out that comes next.
    pub(crate) fn leave_out(&mut self) {
        self.unread.pop_front();
    }

    /// Goes on to a prefix that it is to stop at, or to a part that may have one.
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
        while self.unread.front().is_some_and(|next| !self.may_have(0, &next.part)) {
            self.unread.pop_front();
        }
        Ok(())
    }

    /// Whether the nth part that comes may have something.
    fn may_have(&self, nth: usize, part: &Part) -> bool {
        let next = self.unread.get(nth + 1).map(|next| next.part.entry().first.as_slice());
        !self.level.has_none(&part.entry().first, next)
    }

    /// Has the next parts fetched that will be opened, unless that has been done: those like the first one.
    fn tell(&mut self, beside: Option<&Self>) -> Result<(), AskError> {
        let reader = self.index.reader();
        let Some(first) = self.unread.front().filter(|next| !next.told && reader.is_remote()) else {
            return Ok(());
        };
        let (most, mut bytes, mut wanted) = (self.window.widen(), 0, vec![&first.part]);
        let mut seen = 1;
        for (nth, Unread { part, .. }) in self.unread.iter().enumerate().skip(1) {
            let is_left_out = beside.map_or(Some(false), |beside| beside.has_ahead(part));
            if bytes >= most || part.is_page() != first.part.is_page() || is_left_out.is_none() {
                break;
            }
            if is_left_out == Some(false) && self.may_have(nth, part) {
                bytes += part.entry().len;
                wanted.push(part);
            }
            seen += 1;
        }
        reader.will_open(&wanted).map_err(AskError::of(self.index))?;
        self.unread.iter_mut().take(seen).for_each(|next| next.told = true);
        Ok(())
    }

    /// Whether this has the same part; `None`, if it may be in a block that isn't read.
    fn has_ahead(&self, part: &Part) -> Option<bool> {
        let first = &part.entry().first;
        let behind = |next: &Unread| prefix::compare(&next.part.entry().first, first).is_le();
        let at = self.unread.partition_point(behind).checked_sub(1);
        let Some(Unread { part: here, .. }) = at.and_then(|at| self.unread.get(at)) else {
            return Some(false);
        };
        let is_known = here.is_page() || !part.is_page();
        is_known.then(|| here.entry() == part.entry())
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
