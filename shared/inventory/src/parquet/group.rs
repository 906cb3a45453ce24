//! A row group: its columns, read in step.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::BoolType;
use parquet::errors::Result;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::chunk::{Chunk, File};
use super::flat::{Column, Flat, NumberColumn, TextColumn};
use super::guard::{Pages, unknown};
use super::schema::Needed;
use crate::columns::{ColumnBatch, Texts};
use crate::ranges::RangeRead;

/// The columns of a row group that are read.
pub(super) struct Group {
    key: TextColumn,
    size: Option<NumberColumn>,
    class: Option<TextColumn>,
    tier: Option<TextColumn>,
    modified: Option<NumberColumn>,
    latest: Option<Flat<BoolType>>,
    marker: Option<Flat<BoolType>>,
}

impl Group {
    pub(super) fn open<R: RangeRead + 'static>(
        file: &Arc<File<R>>,
        group: &RowGroupMetaData,
        needed: &Needed,
    ) -> Result<Self> {
        let column = |at| column(file, group, at);
        let text = |at: Option<usize>| at.map(|at| column(at).map(TextColumn::new)).transpose();
        let flag = |at: Option<usize>| at.map(|at| column(at).map(Flat::new)).transpose();
        let number = |at: Option<_>| {
            at.map(|(at, number)| column(at).map(|column| NumberColumn::new(column, number))).transpose()
        };
        Ok(Self {
            key: TextColumn::new(column(needed.key)?),
            size: number(needed.size)?,
            class: text(needed.class)?,
            tier: text(needed.tier)?,
            modified: number(needed.modified)?,
            latest: flag(needed.latest)?,
            marker: flag(needed.marker)?,
        })
    }

    /// Reads exactly `rows` more rows of every column.
    pub(super) fn fill(&mut self, rows: usize, batch: &mut ColumnBatch) -> Result<()> {
        batch.rows = rows;
        self.key.read(rows, &mut batch.key)?;
        for (from, to) in [(&mut self.class, &mut batch.class), (&mut self.tier, &mut batch.tier)] {
            from.iter_mut().try_for_each(|from| from.read(rows, to.get_or_insert_with(Texts::default)))?;
        }
        for (from, to) in [(&mut self.size, &mut batch.size), (&mut self.modified, &mut batch.modified)] {
            from.iter_mut().try_for_each(|from| from.read(rows, to.get_or_insert_default()))?;
        }
        for (from, to) in [(&mut self.latest, &mut batch.latest), (&mut self.marker, &mut batch.marker)] {
            from.iter_mut().try_for_each(|from| from.read(rows, to.get_or_insert_default(), |&flag| flag))?;
        }
        Ok(())
    }

    /// Checks that no column has rows left.
    pub(super) fn ended(&mut self) -> Result<()> {
        self.key.ended()?;
        self.class.iter_mut().chain(&mut self.tier).try_for_each(TextColumn::ended)?;
        self.size.iter_mut().chain(&mut self.modified).try_for_each(NumberColumn::ended)?;
        self.latest.iter_mut().chain(&mut self.marker).try_for_each(Flat::ended)
    }
}

fn column<R: RangeRead + 'static>(
    file: &Arc<File<R>>,
    group: &RowGroupMetaData,
    at: usize,
) -> Result<Column> {
    let chunk = group.column(at);
    let column = chunk.column_descr_ptr();
    match chunk.compression() {
        // Others aren't compiled in. The crate's gzip would fill any memory that a page makes it fill.
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_) => {}
        other => {
            let name = other.to_string().to_ascii_lowercase();
            let name = name.split('(').next().unwrap_or_default();
            return Err(unknown(&column, &format!("{name} compression")));
        }
    }
    let (start, len) = chunk.byte_range();
    let bytes = Chunk::new(file, start, len)?;
    // How many rows there are matters only where pages are skipped.
    let inner = Box::new(SerializedPageReader::new(Arc::new(bytes), chunk, 0, None)?);
    let pages = Pages { inner, column: Arc::clone(&column), dictionary: file.limits.dictionary };
    Ok(Column { descr: column, pages: Box::new(pages) })
}
