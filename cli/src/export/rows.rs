//! The rows of a scope, its own first.

use s3inv::{Cell, Index, Info, ReadAt, Scope, Stats, Sums, prefix};
use s3inv_cancel::Cancellation;
use s3inv_index_format::{Cursor, Place, Span};

use super::Exporting;

/// How often it is asked whether to stop, in rows.
const CHECKED: u64 = 1024;

/// The row of a scope, if it is a prefix, and those below it, by parent and name.
pub(crate) struct Rows<'a, R> {
    index: &'a Index<R>,
    scope: Scope,
    /// The depth of the deepest rows.
    deepest: usize,
    cancellation: Cancellation,
    own: Option<Sums>,
    below: s3inv::Rows<'a, R>,
    at: At,
    /// The row here has been read, but not been given out.
    pending: bool,
    /// Rows that were read below the scope.
    read: u64,
}

/// Which row is here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Own,
    Below,
    End,
}

impl<'a, R: ReadAt> Rows<'a, R> {
    /// The rows of a scope and of `levels` levels below, or of all; `None` if it has none.
    pub(crate) fn new(
        index: &'a Index<R>,
        scope: Scope,
        levels: Option<usize>,
        cancellation: &Cancellation,
    ) -> Result<Option<Self>, Exporting> {
        let levels = levels.unwrap_or(usize::MAX);
        let own = scope.exact().map(|prefix| index.get(prefix)).transpose()?;
        if own == Some(None) {
            return Ok(None);
        }
        let cut = index.info().max_depth.and_then(|cut| usize::try_from(cut).ok()).unwrap_or(usize::MAX);
        let mut rows = Self {
            index,
            deepest: prefix::depth(scope.text()).saturating_add(levels).min(cut),
            cancellation: cancellation.clone(),
            own: own.flatten(),
            below: index.down_to(&scope, levels)?,
            scope,
            at: At::Start,
            pending: false,
            read: 0,
        };
        let some = rows.advance()?;
        rows.stay();
        Ok(some.then_some(rows))
    }

    /// Goes to the next row; false behind the last one.
    pub(crate) fn advance(&mut self) -> Result<bool, Exporting> {
        if !std::mem::take(&mut self.pending) {
            self.at = match self.at {
                At::Start if self.own.is_some() => At::Own,
                At::End => At::End,
                _ if self.is_deepest(self.scope.text()) => At::End,
                _ => self.advance_below()?,
            };
        }
        Ok(self.at != At::End)
    }

    fn advance_below(&mut self) -> Result<At, Exporting> {
        self.read += 1;
        if self.read.is_multiple_of(CHECKED) {
            self.cancellation.check()?;
        }
        Ok(if self.below.advance()? { At::Below } else { At::End })
    }

    /// Gives this row out once more at the next [`Rows::advance`].
    pub(crate) fn stay(&mut self) {
        self.pending = true;
    }

    /// The children of a prefix from this name on, be they in the scope or not.
    pub(super) fn siblings(&self, parent: &[u8], name: &[u8]) -> Result<Cursor<'a, R>, Exporting> {
        self.cancellation.check()?;
        let span = Span { from: Place::new(parent, name), ..Span::children(parent, &[]) };
        Ok(self.index.reader().span(&span)?)
    }

    /// The prefix of this row.
    pub(crate) fn key(&self) -> &[u8] {
        match self.at {
            At::Below => self.below.key(),
            _ => self.scope.text(),
        }
    }

    /// The cells of this row.
    pub(crate) fn cells(&self) -> &[Cell] {
        match (self.at, &self.own) {
            (At::Own, Some(own)) => &own.cells,
            _ => self.below.cells(),
        }
    }

    /// The sums of this row.
    pub(crate) fn stats(&self) -> Stats<'a> {
        match (self.at, &self.own) {
            (At::Own, Some(own)) => self.index.stats_of(own),
            _ => self.below.stats(),
        }
    }

    /// What the index says about itself.
    pub(crate) fn info(&self) -> &'a Info {
        self.index.info()
    }

    /// What was asked for.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether what lies below this prefix is not given out, or not known apart from it.
    pub(crate) fn is_deepest(&self, prefix: &[u8]) -> bool {
        prefix::depth(prefix) >= self.deepest
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::index;
    use super::*;

    #[test]
    fn a_row_can_be_given_out_again_and_the_end_stays_the_end() {
        let index = index([("", 3, 6), ("a/", 1, 2), ("b/", 2, 4)]);
        let mut rows = Rows::new(&index, Scope::new(""), None, &Cancellation::never()).unwrap().unwrap();
        for (key, bytes) in [("", 6), ("a/", 2), ("b/", 4)] {
            for _ in 0..2 {
                assert!(rows.advance().unwrap());
                assert_eq!((rows.key(), rows.stats().current.bytes), (key.as_bytes(), bytes));
                rows.stay();
            }
            assert!(rows.advance().unwrap());
        }
        assert!(!rows.advance().unwrap());
        assert!(!rows.advance().unwrap());
    }

    #[test]
    fn a_stop_is_heard() {
        let keys: Vec<String> = (0..5000).map(|n| format!("{n:04}/")).collect();
        let index = index([""].into_iter().chain(keys.iter().map(String::as_str)).map(|key| (key, 1, 1)));
        let cancellation = Cancellation::never();
        let mut rows = Rows::new(&index, Scope::new(""), None, &cancellation).unwrap().unwrap();
        cancellation.cancel();
        let mut read = 0;
        while rows.advance().is_ok_and(|some| some) {
            read += 1;
        }
        assert!(read <= CHECKED, "{read}");
    }
}
