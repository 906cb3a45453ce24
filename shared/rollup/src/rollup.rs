use std::io::{self, Write};

use s3inv_index_format::{Compression, FileKind, FormatError, Info, Writer};
use s3inv_model::{ColumnId, Columns, RowCounts, prefix};

use crate::cells::Refused;
use crate::sort;
use crate::table::{Table, TableBudget};
use crate::tree::Tree;

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
#[derive(Clone, Copy, Default)]
struct Object<'k> {
    directory: &'k [u8],
    /// Of the directory; not set where it is that of the object before.
    hash: u32,
    column: ColumnId,
    size: u64,
}

/// Turns rows into runs: adds up by own directory, and writes a run when the memory for it is full.
///
/// The same rows in the same order with the same budget give the same runs.
pub struct Rollup<S> {
    table: Table,
    tree: Tree,
    order: Vec<(u64, u8, u32)>,
    max_depth: Option<usize>,
    sink: S,
}

impl<S: RunSink> Rollup<S> {
    /// Prefixes deeper than `max_depth` are counted in their ancestor at that depth.
    pub fn new(budget: TableBudget, max_depth: Option<usize>, sink: S) -> Self {
        Self {
            table: Table::new(budget),
            tree: Tree::new(budget.nodes, budget.cells),
            order: Vec::with_capacity(budget.rows),
            max_depth,
            sink,
        }
    }

    /// Counts objects: their keys, columns of `columns`, and sizes in bytes. `between` is asked while
    /// a run is written, and can stop that.
    pub fn add<'k, E: From<FormatError>>(
        &mut self,
        mut objects: impl Iterator<Item = (&'k [u8], ColumnId, u64)>,
        columns: &Columns,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut group = [Object::default(); GROUP];
        loop {
            let mut len = 0;
            for (place, (key, column, size)) in group.iter_mut().zip(objects.by_ref()) {
                *place = Object { directory: self.directory(key), hash: 0, column, size };
                len += 1;
            }
            let group = &mut group[..len];
            self.look_ahead(group);
            self.add_group(group, columns, between)?;
            if len < GROUP {
                return Ok(());
            }
        }
    }

    #[inline]
    fn directory<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        let directory = prefix::own_directory(key);
        self.max_depth.map_or(directory, |depth| prefix::at_most(directory, depth))
    }

    /// Hashes the directories of a group, and has the processor fetch what the table knows of them:
    /// all at once, where one after the other each would wait for memory.
    fn look_ahead(&self, group: &mut [Object<'_>]) {
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
        for object in group {
            peeked ^= u64::from(self.table.peek_name(object.hash));
        }
        std::hint::black_box(peeked);
    }

    fn add_group<E: From<FormatError>>(
        &mut self,
        group: &[Object<'_>],
        columns: &Columns,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut before: Option<&Object<'_>> = None;
        for object in group {
            let added = match before {
                Some(before) if before.directory == object.directory => {
                    self.table.add_to_last(object.column, object.size)
                }
                _ => self.table.add(object.directory, object.hash, object.column, object.size),
            };
            match added {
                Ok(()) => {}
                Err(Refused::Overflow) => return Err(overflow(object.directory).into()),
                Err(Refused::Full) => self.add_after_run(object, columns, between)?,
            }
            before = Some(object);
        }
        Ok(())
    }

    #[cold]
    fn add_after_run<E: From<FormatError>>(
        &mut self,
        object: &Object<'_>,
        columns: &Columns,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        self.write_runs(columns, None, between)?;
        let Object { directory, column, size, .. } = *object;
        // An empty table has room for any directory.
        let added = self.table.add(directory, Table::hash(directory), column, size);
        added.map_err(|_| overflow(directory).into())
    }

    /// Writes what is left as the last run, which says how many rows were excluded; there is one even
    /// without rows. Returns where the runs went.
    pub fn finish<E: From<FormatError>>(
        mut self,
        columns: &Columns,
        excluded: &RowCounts,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<S, E> {
        self.write_runs(columns, Some(excluded), between)?;
        Ok(self.sink)
    }

    fn write_runs<E: From<FormatError>>(
        &mut self,
        columns: &Columns,
        excluded: Option<&RowCounts>,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        sort::sorted(&self.table, &mut self.order, between)?;
        self.tree.clear();
        for at in 0..self.order.len() {
            let row = self.order[at].2 as usize;
            if self.add_to_tree(row, columns)? == Err(Refused::Full) {
                self.write_run(columns, None, between)?;
                self.tree.clear();
                self.add_to_tree(row, columns)?.map_err(|_| overflow(self.table.name(row)))?;
            }
        }
        if excluded.is_some() || self.tree.objects() > 0 {
            self.write_run(columns, excluded, between)?;
        }
        self.table.clear();
        Ok(())
    }

    fn add_to_tree(&mut self, row: usize, columns: &Columns) -> Result<Result<(), Refused>, FormatError> {
        match self.tree.add(&self.table, row, columns.as_slice().len()) {
            Err(Refused::Overflow) => Err(overflow(self.table.name(row))),
            other => Ok(other),
        }
    }

    fn write_run<E: From<FormatError>>(
        &mut self,
        columns: &Columns,
        excluded: Option<&RowCounts>,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        self.tree.finish().map_err(|_| overflow(b""))?;
        let out = self.sink.create().map_err(FormatError::from)?;
        let mut writer = Writer::new(out, FileKind::Run, Compression::Lz4, columns)?;
        let mut rows = 0u32;
        self.tree.each(self.table.keys(), |key, cells| {
            rows = rows.wrapping_add(1);
            if rows.is_multiple_of(1000) {
                between()?;
            }
            Ok::<(), E>(writer.push(key, cells)?)
        })?;
        let (out, info) = writer.finish(self.counts(excluded)?)?;
        self.sink.done(out, info).map_err(FormatError::from)?;
        Ok(())
    }

    /// The rows of a run: its objects and, with the last run, the excluded rows.
    fn counts(&self, excluded: Option<&RowCounts>) -> Result<RowCounts, FormatError> {
        let objects = RowCounts { rows: self.tree.objects(), ..RowCounts::default() };
        let Some(excluded) = excluded else { return Ok(objects) };
        let rows = excluded.excluded.values().sum();
        let others = RowCounts { rows, excluded: excluded.excluded.clone() };
        objects.plus(&others).ok_or_else(|| overflow(b""))
    }
}

fn overflow(directory: &[u8]) -> FormatError {
    FormatError::Overflow(String::from_utf8_lossy(directory).into_owned())
}
