//! Ranges of rows: which those are that people ask for, and how many there are.

use std::ops::Range;

use s3inv_model::prefix;

use crate::cursor::{Ahead, page_of, ranges_of};
use crate::window::MOST_AHEAD;
use crate::{Cursor, FormatError, Least, ReadAt, Reader};

/// A parent and a name, which need not be there.
pub(crate) type PlaceRef<'a> = (&'a [u8], &'a [u8]);

/// A place in the order of rows, which is that of parents, then of names. What comes first in it is the first
/// row that isn't before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Compared first.
    pub parent: Vec<u8>,
    /// Compared between rows of this parent.
    pub name: Vec<u8>,
}

impl Place {
    /// Before all children of `parent` whose names don't come before `name`, and before all of later parents.
    #[must_use]
    pub fn new(parent: &[u8], name: &[u8]) -> Self {
        // The root is in itself, and has no name.
        let name = if name.is_empty() { &[0] } else { name };
        Self { parent: parent.to_vec(), name: name.to_vec() }
    }

    /// Of a row, be it there or not.
    fn of(key: &[u8]) -> Self {
        let (parent, name) = prefix::split(key);
        Self { parent: parent.to_vec(), name: name.to_vec() }
    }

    /// Behind the children of `parent`, and before all of later parents.
    #[must_use]
    pub fn behind_children(parent: &[u8]) -> Self {
        Self { parent: [parent, &[0]].concat(), name: Vec::new() }
    }

    /// Behind all rows whose parents begin with `start`; `None` if that is the end.
    #[must_use]
    pub fn behind_below(start: &[u8]) -> Option<Self> {
        behind_all(start).map(|parent| Self { parent, name: Vec::new() })
    }

    /// Whether a row comes before this.
    #[inline]
    #[must_use]
    pub fn is_behind(&self, key: &[u8]) -> bool {
        prefix::split(key) < self.pair()
    }

    /// Whether all rows that come before another one come before this.
    #[must_use]
    pub fn is_behind_all_before(&self, key: &[u8]) -> bool {
        prefix::split(key) <= self.pair()
    }

    pub(crate) fn pair(&self) -> PlaceRef<'_> {
        (&self.parent, &self.name)
    }
}

/// A range of rows, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub from: Place,
    /// Where it ends, if that isn't the end of the file.
    pub end: Option<Place>,
}

impl Span {
    /// All rows.
    #[must_use]
    pub fn all() -> Self {
        Self { from: Place { parent: Vec::new(), name: Vec::new() }, end: None }
    }

    /// The row of a prefix.
    #[must_use]
    pub fn row(key: &[u8]) -> Self {
        let from = Place::of(key);
        let end = Place { name: [from.name.as_slice(), &[0]].concat(), ..from.clone() };
        Self { from, end: Some(end) }
    }

    /// The children of a prefix whose names begin with `start`; all, if that is empty.
    #[must_use]
    pub fn children(parent: &[u8], start: &[u8]) -> Self {
        let next = if start.is_empty() { None } else { behind_all(start) };
        let end = next.map_or_else(|| Place::behind_children(parent), |next| Place::new(parent, &next));
        Self { from: Place::new(parent, start), end: Some(end) }
    }

    /// All whose parents begin with `start`: all below a prefix, if it is one; all but the root, if it is empty.
    #[must_use]
    pub fn below(start: &[u8]) -> Self {
        Self { from: Place::new(start, &[]), end: Place::behind_below(start) }
    }

    /// Whether a row is in it.
    #[must_use]
    pub fn has(&self, key: &[u8]) -> bool {
        !self.from.is_behind(key) && self.ends_behind(key)
    }

    /// Whether rows of it may be among those from `first` on that come before `next`, or before the end of the file.
    #[must_use]
    pub fn meets(&self, first: &[u8], next: Option<&[u8]>) -> bool {
        self.ends_behind(first) && !next.is_some_and(|next| self.from.is_behind_all_before(next))
    }

    /// Whether a row comes before its end.
    pub(crate) fn ends_behind(&self, key: &[u8]) -> bool {
        self.end.as_ref().is_none_or(|end| end.is_behind(key))
    }
}

/// The least text behind all that begin with `start`, if there is one.
fn behind_all(start: &[u8]) -> Option<Vec<u8>> {
    let last = start.iter().rposition(|&byte| byte < u8::MAX)?;
    let mut next = start.get(..=last)?.to_vec();
    *next.last_mut()? += 1;
    Some(next)
}

impl<R: ReadAt> Reader<R> {
    /// The rows of a span. A remote source is told what will be read, a few pages at first, more and more for
    /// who goes on.
    pub fn span(&self, span: &Span) -> Result<Cursor<'_, R>, FormatError> {
        let end = span.end.clone().map(Into::into);
        self.cursor(span.from.pair(), end, Ahead::of(self.source()))
    }

    /// The number of rows of a span. Of all its pages, no more than the first and the last one are read.
    pub fn count(&self, span: &Span) -> Result<u64, FormatError> {
        let at = |place: &Place| Span { from: place.clone(), end: Some(place.clone()) };
        let ends: Vec<_> = [Some(&span.from), span.end.as_ref()].into_iter().flatten().map(at).collect();
        self.will_read(&ends)?;
        let before = self.rows_before(&span.from)?;
        let until = span.end.as_ref().map_or(Ok(self.info().prefixes), |end| self.rows_before(end))?;
        Ok(until.saturating_sub(before))
    }

    fn rows_before(&self, place: &Place) -> Result<u64, FormatError> {
        let block = self.block_of(place.pair());
        let pages = self.block(block)?;
        let page = page_of(&pages, place.pair());
        let in_blocks: u64 = self.directory().take(block).map(|entry| entry.rows).sum();
        let in_pages: u64 = pages.iter().take(page).map(|(_, entry)| entry.rows).sum();
        let Some((_, entry)) = pages.get(page) else { return Ok(0) };
        let mut rows = self.seek(&entry.first)?;
        let mut in_page = 0;
        while in_page < entry.rows && rows.advance()? && place.is_behind(rows.key()) {
            in_page += 1;
        }
        Ok(in_blocks + in_pages + in_page)
    }

    /// Tells a remote source that these are going to be read, so that all are fetched at once: as much of them as is
    /// worth it.
    pub fn will_read(&self, spans: &[Span]) -> Result<(), FormatError> {
        if !self.source().is_remote() || spans.is_empty() {
            return Ok(());
        }
        let mut blocks: Vec<usize> = spans.iter().flat_map(|span| self.first_blocks(span)).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let here: Vec<_> = blocks.iter().filter_map(|block| self.range_of_block(*block)).collect();
        self.source().will_read(&here)?;
        let most = MOST_AHEAD / spans.len() as u64;
        let mut ranges = Vec::new();
        for block in blocks {
            let pages = self.block(block)?;
            for span in spans.iter().filter(|span| self.first_blocks(span).contains(&block)) {
                let pages = pages.get(page_of(&pages, span.from.pair())..).unwrap_or_default();
                ranges.extend(ranges_of(pages, span.end.as_ref(), Least::default(), most));
            }
        }
        Ok(self.source().will_read(&ranges)?)
    }

    /// The directory blocks of the first pages of a span: those of a page more than fit one block.
    fn first_blocks(&self, span: &Span) -> Range<usize> {
        let first = self.block_of(span.from.pair());
        let follows = self.root.get(first + 1).is_some_and(|(.., entry)| span.ends_behind(&entry.first));
        first..first + 1 + usize::from(follows)
    }
}
