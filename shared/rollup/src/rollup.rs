use std::io::{self, Write};

use s3inv_index_format::{Form, FormatError, Info, Writer};
use s3inv_model::{Classes, Excluded, Measures, Object, RowCounts, Schema, prefix};

use crate::bins::{self, Bins};
use crate::sort;
use crate::table::{One, Refused, Table, TableBudget};
use crate::tree::{Added, Tree};

/// Where runs go.
pub trait RunSink {
    /// What one run is written to.
    type Out: Write;

    /// Starts a run.
    fn create(&mut self) -> io::Result<Self::Out>;

    /// Takes a run that is complete.
    fn done(&mut self, out: Self::Out, info: Info) -> io::Result<()>;
}

/// Objects that are looked up together.
const GROUP: usize = 64;

/// Turns rows into runs: adds up by own directory, and writes a run when the memory for it is full.
///
/// The same rows in the same order with the same budget give the same runs.
pub struct Rollup<S> {
    table: Table,
    tree: Tree,
    order: Vec<(u64, u8, u32)>,
    max_depth: Option<usize>,
    measures: Measures,
    /// Whether most objects lie in another directory than the one before.
    scattered: bool,
    /// The rows of the runs that were written.
    written: RowCounts,
    sink: S,
}

impl<S: RunSink> Rollup<S> {
    /// Prefixes deeper than `max_depth` are counted in their ancestor at that depth. Objects are of bins
    /// that these measures have.
    pub fn new(budget: TableBudget, max_depth: Option<usize>, measures: Measures, sink: S) -> Self {
        Self {
            table: Table::new(budget),
            tree: Tree::new(budget.nodes, budget.cells),
            order: Vec::with_capacity(budget.rows),
            max_depth,
            measures,
            scattered: false,
            written: RowCounts::default(),
            sink,
        }
    }

    /// Counts objects, whose bins are of `classes`. `between` is asked while a run is written, and can
    /// stop that.
    pub fn add<'k, E: From<FormatError>>(
        &mut self,
        mut objects: impl Iterator<Item = Object<'k>> + Clone,
        classes: &Classes,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut hashes = [0; GROUP];
        loop {
            // Where most objects lie beside others, what they need is at hand.
            let ahead = if self.scattered && !self.table.is_ordered() {
                self.look_ahead(objects.clone().take(GROUP), &mut hashes)
            } else {
                0
            };
            let hashes = hashes.get(..ahead).unwrap_or_default();
            if self.add_group(objects.by_ref().take(GROUP), hashes, classes, between)? < GROUP {
                return Ok(());
            }
        }
    }

    /// Bytes of memory that hold what no run has yet: what [`Rollup::finish`] has to write comes of them.
    #[must_use]
    pub fn held(&self) -> usize {
        self.table.held()
    }

    #[inline]
    fn directory<'k>(&self, object: &Object<'k>) -> &'k [u8] {
        self.max_depth.map_or(object.directory, |depth| prefix::at_most(object.directory, depth))
    }

    /// Hashes the directories of a group, where they begin, and has the processor fetch what the table
    /// knows of them: all at once, where one after the other each would wait for memory. How many there are.
    fn look_ahead<'k>(&self, group: impl Iterator<Item = Object<'k>>, hashes: &mut [u32; GROUP]) -> usize {
        let (mut before, mut peeked) = (None, 0);
        let mut bins = [0; GROUP];
        let mut len = 0;
        for object in group {
            if !is_beside(&object, before) {
                let hash = Table::hash(self.directory(&object));
                peeked ^= self.table.peek(hash);
                if let (Some(to), Some(bin)) = (hashes.get_mut(len), bins.get_mut(len)) {
                    (*to, *bin) = (hash, object.bin);
                }
                len += 1;
            }
            before = Some(object.directory);
        }
        let firsts = || hashes.iter().zip(bins).take(len);
        firsts().for_each(|(&hash, bin)| peeked ^= self.table.peek_row(hash, bin));
        firsts().for_each(|(&hash, bin)| peeked ^= self.table.peek_cell(hash, bin));
        std::hint::black_box(peeked);
        len
    }

    /// Counts a group, of whose directories the hashes may be known; how many objects there were.
    fn add_group<'k, E: From<FormatError>>(
        &mut self,
        group: impl Iterator<Item = Object<'k>>,
        hashes: &[u32],
        classes: &Classes,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<usize, E> {
        let (mut before, mut hashes, mut directories, mut len) = (None, hashes.iter(), 0, 0);
        for object in group {
            let Object { bin, size, dates, .. } = object;
            let one = One { bin, size, dates };
            let added = if is_beside(&object, before) {
                self.table.add_to_last(one)
            } else {
                directories += 1;
                let directory = self.directory(&object);
                let hash = hashes.next().copied().unwrap_or_else(|| Table::hash(directory));
                self.table.add(directory, hash, one)
            };
            match added {
                Ok(()) => {}
                Err(Refused::Overflow) => return Err(overflow(self.directory(&object)).into()),
                Err(Refused::Full) => self.add_after_run(self.directory(&object), one, classes, between)?,
            }
            before = Some(object.directory);
            len += 1;
        }
        self.scattered = directories * 2 > len;
        Ok(len)
    }

    #[cold]
    fn add_after_run<E: From<FormatError>>(
        &mut self,
        directory: &[u8],
        one: One,
        classes: &Classes,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        self.write_runs(classes, None, between)?;
        // An empty table has room for any directory.
        let added = self.table.add(directory, Table::hash(directory), one);
        added.map_err(|_| overflow(directory).into())
    }

    /// Writes what is left as the last run; there is one even without rows. `counts` is of all rows that
    /// were read: what is in no bin, the last run says alone. Returns where the runs went.
    pub fn finish<E: From<FormatError>>(
        mut self,
        classes: &Classes,
        counts: &RowCounts,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<S, E> {
        self.write_runs(classes, Some(counts), between)?;
        Ok(self.sink)
    }

    fn write_runs<E: From<FormatError>>(
        &mut self,
        classes: &Classes,
        all: Option<&RowCounts>,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        sort::sorted(&self.table, &mut self.order, between)?;
        let (sorted, places) = bins::sorted(classes)?;
        let schema = Schema { measures: self.measures.clone(), classes: sorted };
        self.tree.begin(Bins::new(self.table.bins(), &places)?);
        for at in 0..self.order.len() {
            if at.is_multiple_of(GROUP) {
                between()?;
                let group = self.order[at..].iter().take(GROUP);
                let peeked = group.fold(0, |all, item| all ^ self.table.peek_at(item.2 as usize));
                std::hint::black_box(peeked);
            }
            let row = self.order[at].2 as usize;
            let cells = 0..self.table.cells(row).count();
            if self.add_to_tree(row, &cells)? == Err(Refused::Full) {
                self.write_if_any(&schema, between)?;
                self.add_in_parts(row, cells.end, &schema, between)?;
            }
        }
        if all.is_some() || !self.tree.is_empty() {
            self.write_run(&schema, all, between)?;
        }
        self.table.clear();
        Ok(())
    }

    /// Adds a directory to an empty tree: at once, or where it has too many cells for its depth, with a
    /// run for each part.
    fn add_in_parts<E: From<FormatError>>(
        &mut self,
        row: usize,
        cells: usize,
        schema: &Schema,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let part = self.tree.most_at_once(&self.table, row);
        for from in (0..cells).step_by(part) {
            self.write_if_any(schema, between)?;
            let cells = from..cells.min(from + part);
            self.add_to_tree(row, &cells)?.map_err(|_| overflow(self.table.name(row)))?;
        }
        Ok(())
    }

    /// Writes what is in the tree, if it isn't empty, and empties it.
    fn write_if_any<E: From<FormatError>>(
        &mut self,
        schema: &Schema,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.tree.is_empty() {
            self.write_run(schema, None, between)?;
        }
        self.tree.clear();
        Ok(())
    }

    fn add_to_tree(
        &mut self,
        row: usize,
        cells: &std::ops::Range<usize>,
    ) -> Result<Result<(), Refused>, FormatError> {
        match self.tree.add(&self.table, row, cells) {
            Err(Refused::Overflow) => Err(overflow(self.table.name(row))),
            other => Ok(other),
        }
    }

    fn write_run<E: From<FormatError>>(
        &mut self,
        schema: &Schema,
        all: Option<&RowCounts>,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        self.tree.finish().map_err(|_| overflow(b""))?;
        let out = self.sink.create().map_err(FormatError::from)?;
        let mut writer = Writer::new(out, Form::RUN, schema)?;
        let mut rows = 0u32;
        self.tree.each(self.table.keys(), |key, cells, dates| {
            rows = rows.wrapping_add(1);
            if rows.is_multiple_of(1000) {
                between()?;
            }
            Ok::<(), E>(writer.push(key, cells, dates)?)
        })?;
        let (out, info) = writer.finish(self.counts(all)?)?;
        self.sink.done(out, info).map_err(FormatError::from)?;
        Ok(())
    }

    /// The rows of a run: those in its bins and, of the last run, all that no run before it has.
    fn counts(&mut self, all: Option<&RowCounts>) -> Result<RowCounts, FormatError> {
        let Added { current, noncurrent, markers } = self.tree.added();
        let mut counts = RowCounts { rows: current + noncurrent + markers, ..RowCounts::default() };
        for (reason, rows) in [(Excluded::Noncurrent, noncurrent), (Excluded::DeleteMarker, markers)] {
            if rows > 0 {
                counts.excluded.insert(reason, rows);
            }
        }
        if let Some(all) = all {
            counts = all.minus(&self.written).ok_or(FormatError::Mismatch("rows were counted twice"))?;
        }
        self.written = self.written.plus(&counts).ok_or_else(|| overflow(b""))?;
        Ok(counts)
    }
}

/// Whether an object lies in the directory of the one before: readers may have seen it already.
#[inline]
fn is_beside(object: &Object<'_>, before: Option<&[u8]>) -> bool {
    before.is_some_and(|before| std::ptr::eq(before, object.directory) || before == object.directory)
}

fn overflow(directory: &[u8]) -> FormatError {
    FormatError::Overflow(String::from_utf8_lossy(directory).into_owned())
}
