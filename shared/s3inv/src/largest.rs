use std::collections::BTreeMap;

use s3inv_index_format::{Entry, PageRows, Part, ReadAt, Span, Window, Within};

use crate::rank::Rank;
use crate::{Amount, AskError, By, Index, Scope};

/// The prefixes of a scope, largest first, read no further than they are asked for.
///
/// The directory says how much the largest prefix of each page has. So pages are read in this order, and only
/// while one of them may have a larger prefix than all that are known. From S3, some are fetched together: those that
/// may have one of the largest prefixes, as far as these are known when the first page has been read.
pub(crate) struct Largest<'a, R> {
    index: &'a Index<R>,
    spans: [Span; 2],
    by: By,
    /// Noncurrent objects of all of the index, where cost is asked for: no page says how many it has.
    versions: u64,
    /// How many are wanted at most: no more are kept.
    wanted: usize,
    /// How many are likely to be wanted.
    likely: usize,
    unread: BTreeMap<Rank, Unread>,
    rows: BTreeMap<Rank, Amount>,
    window: Window,
}

/// A part that is not read.
struct Unread {
    part: Part,
    /// What comes behind it.
    next: Option<Vec<u8>>,
    /// Whether a remote source has been told that it is going to be read.
    told: bool,
}

impl<'a, R: ReadAt> Largest<'a, R> {
    pub(crate) fn new(
        index: &'a Index<R>,
        scope: &Scope,
        by: By,
        likely: usize,
        wanted: usize,
    ) -> Result<Self, AskError> {
        let (spans, unread, rows) = (scope.whole(), BTreeMap::new(), BTreeMap::new());
        let versions = if by == By::Cost { versions(index)? } else { 0 };
        let window = Window::default();
        let mut largest = Self { index, spans, by, versions, wanted, likely, unread, rows, window };
        largest.add_parts(index.reader().parts().collect(), None);
        Ok(largest)
    }

    /// The rank of the next one.
    pub(crate) fn peek(&mut self) -> Result<Option<&Rank>, AskError> {
        while self.wanted > 0
            && let Some((next, _)) = self.unread.first_key_value()
            && self.rows.first_key_value().is_none_or(|(row, _)| next < row)
        {
            self.tell()?;
            if let Some((_, Unread { part, next, .. })) = self.unread.pop_first() {
                match self.index.reader().open_part(&part).map_err(AskError::of(self.index))? {
                    Within::Pages(pages) => self.add_parts(pages, next),
                    Within::Rows(mut rows) => self.add_rows(&mut rows)?,
                }
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

    /// Has the parts fetched that are likely to be read next, unless that has been done. What is read first tells
    /// how large prefixes must be, so it is read alone.
    fn tell(&mut self) -> Result<(), AskError> {
        let reader = self.index.reader();
        let is_told = self.unread.first_key_value().is_none_or(|(_, next)| next.told);
        if is_told || self.rows.is_empty() || !reader.is_remote() {
            return Ok(());
        }
        let likely = self.likely.min(self.wanted);
        let least = self.rows.keys().nth(likely.saturating_sub(1));
        let (most, mut bytes, mut parts) = (self.window.widen(), 0, Vec::new());
        for (rank, next) in &mut self.unread {
            // Each has such a prefix, where all of it is in the scope.
            let is_likely = parts.len() < likely && least.is_none_or(|least| rank < least);
            if !parts.is_empty() && (bytes >= most || !is_likely) {
                break;
            }
            if !next.told {
                next.told = true;
                bytes += next.part.entry().len;
                parts.push(&next.part);
            }
        }
        reader.will_open(&parts).map_err(AskError::of(self.index))
    }

    /// Adds parts that stand one after the other, and what comes behind them.
    fn add_parts(&mut self, parts: Vec<Part>, behind: Option<Vec<u8>>) {
        let firsts = parts.iter().skip(1).map(|part| Some(part.entry().first.clone()));
        let next: Vec<_> = firsts.chain([behind]).collect();
        for (part, next) in parts.into_iter().zip(next) {
            let entry = part.entry();
            if self.spans.iter().any(|span| span.meets(&entry.first, next.as_deref())) {
                let rank = Rank::new(self.most(entry), &entry.first);
                self.unread.insert(rank, Unread { part, next, told: false });
            }
        }
    }

    fn add_rows(&mut self, rows: &mut PageRows) -> Result<(), AskError> {
        while rows.advance().map_err(AskError::of(self.index))? {
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
}

fn versions<R: ReadAt>(index: &Index<R>) -> Result<u64, AskError> {
    let root = index.stats(b"").map_err(AskError::of(index))?;
    Ok(root.map_or(0, |root| root.noncurrent.objects))
}
