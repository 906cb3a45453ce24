use std::collections::BTreeMap;

use s3inv_index_format::{Entry, Page, ReadAt};

use crate::place::Span;
use crate::rank::Rank;
use crate::{Amount, AskError, By, Index, Scope};

/// The prefixes of a scope, largest first, read no further than they are asked for.
///
/// The directory says how much the largest prefix of each page has. So pages are read in this order, and only
/// while one of them may have a larger prefix than all that are known.
pub(crate) struct Largest<'a, R> {
    index: &'a Index<R>,
    spans: [Span; 2],
    by: By,
    /// Noncurrent objects of all of the index, where cost is asked for: no page says how many it has.
    versions: u64,
    /// How many are wanted at most: no more are kept.
    wanted: usize,
    unread: BTreeMap<Rank, Unread>,
    rows: BTreeMap<Rank, Amount>,
}

/// What the directory says of prefixes that are not read, at its two levels.
enum Unread {
    Block(usize),
    Page(Page),
}

impl<'a, R: ReadAt> Largest<'a, R> {
    pub(crate) fn new(index: &'a Index<R>, scope: &Scope, by: By, wanted: usize) -> Result<Self, AskError> {
        let (spans, unread, rows) = (Span::of(scope), BTreeMap::new(), BTreeMap::new());
        let versions = if by == By::Cost { versions(index)? } else { 0 };
        let mut largest = Self { index, spans, by, versions, wanted, unread, rows };
        let blocks: Vec<_> = index.reader().directory().collect();
        for (at, block) in blocks.iter().enumerate() {
            let next = blocks.get(at + 1).map(|next| next.first.as_slice());
            if largest.meets(&block.first, next) {
                largest.unread.insert(Rank::new(largest.most(block), &block.first), Unread::Block(at));
            }
        }
        Ok(largest)
    }

    /// The rank of the next one.
    pub(crate) fn peek(&mut self) -> Result<Option<&Rank>, AskError> {
        while self.wanted > 0
            && let Some(unread) = self.unread.first_entry()
            && self.rows.first_key_value().is_none_or(|(row, _)| unread.key() < row)
        {
            match unread.remove() {
                Unread::Block(block) => self.add_pages(block)?,
                Unread::Page(page) => self.add_rows(&page)?,
            }
        }
        Ok(self.rows.first_key_value().map(|(rank, _)| rank))
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Result<Option<(Rank, Amount)>, AskError> {
        self.peek()?;
        let next = self.rows.pop_first();
        self.wanted -= usize::from(next.is_some());
        Ok(next)
    }

    fn add_pages(&mut self, block: usize) -> Result<(), AskError> {
        let reader = self.index.reader();
        let pages = reader.pages_of(block).map_err(AskError::of(self.index))?;
        let behind = reader.directory().nth(block + 1).map(|next| next.first.clone());
        let firsts: Vec<_> = pages.iter().map(|page| page.entry().first.clone()).chain(behind).collect();
        for (at, page) in pages.into_iter().enumerate() {
            if self.meets(&page.entry().first, firsts.get(at + 1).map(Vec::as_slice)) {
                let rank = Rank::new(self.most(page.entry()), &page.entry().first);
                self.unread.insert(rank, Unread::Page(page));
            }
        }
        Ok(())
    }

    fn add_rows(&mut self, page: &Page) -> Result<(), AskError> {
        let failure = AskError::of(self.index);
        let mut rows = self.index.reader().read(page).map_err(&failure)?;
        while rows.advance().map_err(&failure)? {
            if self.spans.iter().any(|span| span.has(rows.key())) {
                self.add(rows.key(), Amount::new(self.index, rows.cells()));
            }
        }
        Ok(())
    }

    fn add(&mut self, key: &[u8], amount: Amount) {
        let most = amount.by(self.by);
        let is_full = self.rows.len() >= self.wanted;
        if is_full && self.rows.last_key_value().is_none_or(|(last, _)| last.is_before(most, key)) {
            return;
        }
        self.rows.insert(Rank::new(most, key), amount);
        if is_full {
            self.rows.pop_last();
        }
    }

    /// The most that a prefix has, among those that an entry of the directory is about: of cost, that is as if
    /// all were of the dearest kind.
    fn most(&self, entry: &Entry) -> u128 {
        match self.by {
            By::Bytes => entry.max_bytes.into(),
            By::Objects => entry.max_objects.into(),
            By::Noncurrent => entry.max_noncurrent.into(),
            By::Cost => {
                let objects = u128::from(entry.max_objects) + u128::from(self.versions);
                let bytes = u128::from(entry.max_bytes) + u128::from(entry.max_noncurrent);
                let most = self.index.rates().map(|rates| rates.most(objects, bytes).units());
                most.map_or(u128::MAX, i128::unsigned_abs)
            }
        }
    }

    fn meets(&self, first: &[u8], next: Option<&[u8]>) -> bool {
        self.spans.iter().any(|span| span.meets(first, next))
    }
}

fn versions<R: ReadAt>(index: &Index<R>) -> Result<u64, AskError> {
    let root = index.stats(b"").map_err(AskError::of(index))?;
    Ok(root.map_or(0, |root| root.noncurrent.objects))
}
