//! The rows of a scope, in the order of the index.

use s3inv::{Info, ReadAt, Reader, Scope, Stats, prefix};
use s3inv_cancel::Cancellation;
use s3inv_index_format::Cursor;
use s3inv_model::Cell;

use super::Exporting;

/// Rows that are passed one by one before it pays to look for what follows them: about as many as a page has.
const PATIENCE: usize = 4096;
/// How often it is asked whether to stop, in rows.
const CHECKED: usize = 1024;

/// The rows of a scope, and those so many levels below: first the directories that it names, then the
/// children of each, by parent and name.
pub(crate) struct Rows<'a, R> {
    reader: &'a Reader<R>,
    scope: Scope,
    /// The depth of the deepest rows that are wanted.
    deepest: usize,
    cancellation: Cancellation,
    cursor: Cursor<'a, R>,
    part: Part,
    /// The row here has been read, but not been given out.
    pending: bool,
    /// Rows that were read since it was asked whether to stop, and since one was wanted.
    unchecked: usize,
    unwanted: usize,
}

/// Where the cursor is.
enum Part {
    /// At directories that the scope names, from this one on, once it is known.
    Named(Option<Vec<u8>>),
    /// Below them.
    Below,
    /// Behind all.
    Over,
}

impl<'a, R: ReadAt> Rows<'a, R> {
    /// The rows of a scope and of `levels` levels below, or of all; `None` if it has none.
    pub(crate) fn new(
        reader: &'a Reader<R>,
        scope: Scope,
        levels: Option<usize>,
        cancellation: &Cancellation,
    ) -> Result<Option<Self>, Exporting> {
        let top = prefix::depth(scope.text()) + usize::from(scope.exact().is_none());
        let mut rows = Self {
            reader,
            deepest: levels.map_or(usize::MAX, |levels| top.saturating_add(levels)),
            cancellation: cancellation.clone(),
            cursor: reader.seek(scope.text())?,
            scope,
            part: Part::Named(None),
            pending: false,
            unchecked: 0,
            unwanted: 0,
        };
        let some = rows.advance()?;
        rows.stay();
        Ok(some.then_some(rows))
    }

    /// Goes to the next row; false behind the last one.
    pub(crate) fn advance(&mut self) -> Result<bool, Exporting> {
        if self.pending {
            self.pending = false;
            return Ok(true);
        }
        while self.step()? {
            if prefix::depth(self.key()) <= self.deepest {
                self.unwanted = 0;
                return Ok(true);
            }
            self.pass()?;
        }
        Ok(false)
    }

    /// Gives this row out once more at the next [`Rows::advance`].
    pub(crate) fn stay(&mut self) {
        self.pending = true;
    }

    /// Goes to the next row of the scope, however deep.
    fn step(&mut self) -> Result<bool, Exporting> {
        self.unchecked += 1;
        if self.unchecked == CHECKED {
            self.unchecked = 0;
            self.cancellation.check()?;
        }
        loop {
            if matches!(self.part, Part::Over) {
                return Ok(false);
            }
            let within = self.cursor.advance()? && self.is_within();
            match (&mut self.part, within) {
                (Part::Named(first), true) => {
                    first.get_or_insert_with(|| self.cursor.key().to_vec());
                    return Ok(true);
                }
                (_, true) => return Ok(true),
                // Of all directories below the scope, the first of these is the first to have children.
                (Part::Named(Some(first)), false) => {
                    self.cursor = self.reader.seek(&before_children(first))?;
                    self.part = Part::Below;
                }
                (_, false) => self.part = Part::Over,
            }
        }
    }

    /// Whether the row here belongs to this part of the scope.
    fn is_within(&self) -> bool {
        let (key, text) = (self.cursor.key(), self.scope.text());
        let (parent, _) = prefix::split(key);
        match self.part {
            Part::Named(_) if self.scope.exact().is_some() => key == text,
            Part::Named(_) => parent == self.scope.parent() && key.starts_with(text),
            Part::Below => parent.starts_with(text),
            Part::Over => false,
        }
    }

    /// Leaves rows that are too deep behind.
    fn pass(&mut self) -> Result<(), Exporting> {
        // Its children come before all else that is below it, so nothing more of it is wanted.
        let stem = prefix::at_most(self.cursor.key(), self.deepest.saturating_sub(1));
        self.unwanted += 1;
        if stem.len() <= self.scope.text().len() {
            self.part = Part::Over;
        } else if self.unwanted == PATIENCE {
            self.unwanted = 0;
            self.cursor = self.reader.seek(&behind(stem))?;
        }
        Ok(())
    }

    /// The rows from `key` on, be they wanted or not.
    pub(super) fn seek(&self, key: &[u8]) -> Result<Cursor<'a, R>, Exporting> {
        self.cancellation.check()?;
        Ok(self.reader.seek(key)?)
    }

    /// The prefix of this row.
    pub(crate) fn key(&self) -> &[u8] {
        self.cursor.key()
    }

    /// The cells of this row.
    pub(crate) fn cells(&self) -> &[Cell] {
        self.cursor.cells()
    }

    /// The sums of this row.
    pub(crate) fn stats(&self) -> Stats<'a> {
        self.cursor.stats()
    }

    /// What the index says about itself.
    pub(crate) fn info(&self) -> &'a Info {
        self.reader.info()
    }

    /// What was asked for.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether rows may lie below this one that are not given out.
    pub(crate) fn is_deepest(&self, prefix: &[u8]) -> bool {
        prefix::depth(prefix) >= self.deepest
    }
}

/// A key behind that of a prefix's descendants' parents before it, and not behind its first child: no name
/// begins with less than a zero byte.
fn before_children(prefix: &[u8]) -> Vec<u8> {
    [prefix, b"\0"].concat()
}

/// A key behind all that is below a prefix: no prefix is so long that its parent could come after this one's.
fn behind(prefix: &[u8]) -> Vec<u8> {
    [prefix, &[0xff; prefix::MAX_KEY], b"//"].concat()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use s3inv_index_format::{FileKind, Form, Tail, Writer};
    use s3inv_model::{Bin, Dates, Measure, RowCounts, Schema, SizeBin};

    use super::*;

    /// Bytes, and how many of them were read.
    struct Counted(Vec<u8>, Arc<AtomicU64>);

    impl ReadAt for Counted {
        fn tail(&self, len: usize) -> io::Result<Tail> {
            self.0.tail(len)
        }

        fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.1.fetch_add(out.len() as u64, Ordering::Relaxed);
            self.0.read_at(offset, out)
        }
    }

    /// An index of these prefixes and their ancestors.
    fn index(prefixes: impl IntoIterator<Item = String>) -> (Vec<u8>, Vec<Vec<u8>>) {
        let mut keys: Vec<Vec<u8>> = prefixes
            .into_iter()
            .flat_map(|prefix| {
                let depth = prefix::depth(prefix.as_bytes());
                (0..=depth).map(move |depth| prefix::at_most(prefix.as_bytes(), depth).to_vec())
            })
            .collect();
        keys.sort_by(|a, b| prefix::compare(a, b));
        keys.dedup();
        let schema = Schema {
            measures: [Measure::Bytes].into_iter().collect(),
            classes: s3inv_model::Classes::untold(),
        };
        let form = Form { kind: FileKind::Index, ..Form::segment(false) };
        let mut writer = Writer::new(Vec::new(), form, &schema).unwrap();
        let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Untold, age: None }.id();
        for key in &keys {
            writer.push(key, &[Cell { bin, objects: 1, bytes: 1 }], Dates::NONE).unwrap();
        }
        let bytes = writer.finish(RowCounts::default()).unwrap().0;
        (bytes, keys)
    }

    fn listed<R: ReadAt>(reader: &Reader<R>, scope: &str, levels: Option<usize>) -> Vec<Vec<u8>> {
        let rows = Rows::new(reader, Scope::new(scope), levels, &Cancellation::never()).unwrap();
        let Some(mut rows) = rows else { return Vec::new() };
        let mut keys = Vec::new();
        while rows.advance().unwrap() {
            keys.push(rows.key().to_vec());
        }
        assert!(!rows.advance().unwrap());
        keys
    }

    #[test]
    fn a_scope_has_what_begins_so_to_its_depth() {
        let names = ["", "a", "a-b", "a/b", "\0", "\u{7f}", "~", "é", "a\0"];
        let all = names.iter().flat_map(|one| names.iter().map(move |two| format!("{one}/{two}/x/")));
        let (bytes, keys) = index(all);
        let reader = Reader::open(bytes).unwrap();
        for scope in
            ["", "/", "//", "a/", "a", "a-", "a/a", "a/a/", "a/a/x/", "a/\0", "é/", "é", "none", "~/x"]
        {
            for levels in [None, Some(0), Some(1), Some(2), Some(3)] {
                let exact = Scope::new(scope).exact().is_some();
                let top = prefix::depth(scope.as_bytes()) + usize::from(!exact);
                let wanted = |key: &&Vec<u8>| {
                    key.starts_with(scope.as_bytes())
                        && levels.is_none_or(|levels| prefix::depth(key) <= top + levels)
                };
                let expected: Vec<_> = keys.iter().filter(wanted).cloned().collect();
                assert_eq!(listed(&reader, scope, levels), expected, "{scope:?} {levels:?}");
            }
        }
    }

    /// Of 200,000 prefixes at depth 3, in 5 directories of 5.
    #[test]
    fn what_is_too_deep_is_not_read() {
        let deep = |n: u64| format!("{}/{}/{n:06}/", n % 5, n / 5 % 5);
        let (bytes, keys) = index((0..200_000).map(deep));
        let count = Arc::new(AtomicU64::new(0));
        let reader = Reader::open(Counted(bytes, Arc::clone(&count))).unwrap();
        for (levels, least) in [(0, 20), (1, 20), (2, 2)] {
            count.store(0, Ordering::Relaxed);
            let expected: Vec<_> = keys.iter().filter(|key| prefix::depth(key) <= levels).cloned().collect();
            assert_eq!(listed(&reader, "", Some(levels)), expected);
            let read = count.load(Ordering::Relaxed);
            eprintln!("{levels} levels: {read} of {} bytes", reader.len());
            assert!(read * least < reader.len(), "{levels} levels: {read} of {} bytes", reader.len());
        }
    }

    #[test]
    fn a_stop_is_heard() {
        let (bytes, _) = index((0..5000).map(|n| format!("{n}/")));
        let reader = Reader::open(bytes).unwrap();
        let cancellation = Cancellation::never();
        let mut rows = Rows::new(&reader, Scope::new(""), None, &cancellation).unwrap().unwrap();
        cancellation.cancel();
        let mut read = 0;
        while rows.advance().is_ok_and(|some| some) {
            read += 1;
        }
        assert!(read <= CHECKED, "{read}");
    }
}
