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

    /// Counts an object. `between` is asked while a run is written, and can stop that.
    #[inline]
    pub fn add<E: From<FormatError>>(
        &mut self,
        key: &[u8],
        column: ColumnId,
        size: u64,
        columns: &Columns,
        between: &impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut directory = prefix::own_directory(key);
        if let Some(depth) = self.max_depth {
            directory = prefix::at_most(directory, depth);
        }
        match self.table.add(directory, column, size) {
            Ok(()) => Ok(()),
            Err(Refused::Overflow) => Err(overflow(directory).into()),
            Err(Refused::Full) => {
                self.write_runs(columns, None, between)?;
                // An empty table has room for any directory.
                self.table.add(directory, column, size).map_err(|_| overflow(directory).into())
            }
        }
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
        if excluded.is_some() || !self.tree.is_empty() || self.tree.objects() > 0 {
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
