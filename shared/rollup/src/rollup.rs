use std::io::{self, Write};

use s3inv_index_format::{Form, FormatError, Info, Writer};
use s3inv_model::{Classes, Dates, Excluded, Measures, Object, RowCounts, Schema, prefix};

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

/// An object, by its directory.
#[derive(Clone, Copy)]
struct Placed<'k> {
    directory: &'k [u8],
    /// Of the directory; not set where it is that of the object before.
    hash: u32,
    one: One,
}

impl Placed<'_> {
    const NONE: Self = Self { directory: &[], hash: 0, one: One { bin: 0, size: 0, dates: Dates::NONE } };
}

/// Turns rows into runs: adds up by own directory, and writes a run when the memory for it is full.
///
/// The same rows in the same order with the same budget give the same runs.
pub struct Rollup<S> {
    table: Table,
    tree: Tree,
    order: Vec<(u64, u8, u32)>,
    max_depth: Option<usize>,
    measures: Measures,
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
            written: RowCounts::default(),
            sink,
        }
    }

    /// Counts objects, whose bins are of `classes`. `between` is asked while a run is written, and can
    /// stop that.
    pub fn add<'k, E: From<FormatError>>(
        &mut self,
        mut objects: impl Iterator<Item = Object<'k>>,
        classes: &Classes,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut group = [Placed::NONE; GROUP];
        loop {
            let mut len = 0;
            for (place, Object { key, bin, size, dates }) in group.iter_mut().zip(objects.by_ref()) {
                *place = Placed { directory: self.directory(key), hash: 0, one: One { bin, size, dates } };
                len += 1;
            }
            let group = &mut group[..len];
            self.look_ahead(group);
            self.add_group(group, classes, between)?;
            if len < GROUP {
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
    fn directory<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        let directory = prefix::own_directory(key);
        self.max_depth.map_or(directory, |depth| prefix::at_most(directory, depth))
    }

    /// Hashes the directories of a group, and has the processor fetch what the table knows of them:
    /// all at once, where one after the other each would wait for memory.
    fn look_ahead(&self, group: &mut [Placed<'_>]) {
        let mut before: Option<&[u8]> = None;
        let mut peeked = 0;
        for object in &mut *group {
            // Keys often come in runs of one directory.
            if before != Some(object.directory) {
                object.hash = Table::hash(object.directory);
                peeked ^= self.table.peek(object.hash);
            }
            before = Some(object.directory);
        }
        for object in &*group {
            peeked ^= u64::from(self.table.peek_row(object.hash, object.one.bin));
        }
        for object in &*group {
            peeked ^= self.table.peek_cell(object.hash, object.one.bin);
        }
        std::hint::black_box(peeked);
    }

    fn add_group<E: From<FormatError>>(
        &mut self,
        group: &[Placed<'_>],
        classes: &Classes,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut before: Option<&Placed<'_>> = None;
        for object in group {
            let added = match before {
                Some(before) if before.directory == object.directory => self.table.add_to_last(object.one),
                _ => self.table.add(object.directory, object.hash, object.one),
            };
            match added {
                Ok(()) => {}
                Err(Refused::Overflow) => return Err(overflow(object.directory).into()),
                Err(Refused::Full) => self.add_after_run(object, classes, between)?,
            }
            before = Some(object);
        }
        Ok(())
    }

    #[cold]
    fn add_after_run<E: From<FormatError>>(
        &mut self,
        object: &Placed<'_>,
        classes: &Classes,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        self.write_runs(classes, None, between)?;
        let Placed { directory, one, .. } = *object;
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
            if at.is_multiple_of(1000) {
                between()?;
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

fn overflow(directory: &[u8]) -> FormatError {
    FormatError::Overflow(String::from_utf8_lossy(directory).into_owned())
}
