//! The columns of a row group, read in step.

use parquet::basic::Type;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{BoolType, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::RowGroupReader;
use s3inv_model::prefix::MAX_KEY;

use super::guard::Pages;
use super::schema::Schema;

/// A column of one physical type.
struct Flat<T: DataType> {
    name: &'static str,
    reader: ColumnReaderImpl<T>,
    nullable: bool,
    levels: Vec<i16>,
    values: Vec<T::T>,
}

impl<T: DataType> Flat<T> {
    fn open(group: &dyn RowGroupReader, name: &'static str, at: usize) -> Result<Self> {
        let descr = group.metadata().schema_descr().column(at);
        let nullable = descr.max_def_level() > 0;
        let pages = Pages(group.get_column_page_reader(at)?);
        let reader = ColumnReaderImpl::new(descr, Box::new(pages));
        Ok(Self { name, reader, nullable, levels: Vec::new(), values: Vec::new() })
    }

    /// Reads exactly `rows` more rows.
    fn fill(&mut self, rows: usize) -> Result<()> {
        if self.more(rows)? == rows { Ok(()) } else { Err(self.uneven("fewer")) }
    }

    fn more(&mut self, rows: usize) -> Result<usize> {
        self.values.clear();
        self.levels.clear();
        let levels = self.nullable.then_some(&mut self.levels);
        Ok(self.reader.read_records(rows, levels, None, &mut self.values)?.0)
    }

    /// Checks that no row is left.
    fn ended(&mut self) -> Result<()> {
        if self.more(1)? == 0 { Ok(()) } else { Err(self.uneven("more")) }
    }

    fn uneven(&self, than: &str) -> ParquetError {
        ParquetError::General(format!("column {} has {than} rows than its row group", self.name))
    }

    /// The values of the rows just read; `None` where null.
    fn cells(&self) -> impl Iterator<Item = Option<&T::T>> {
        let rows = if self.nullable { self.levels.len() } else { self.values.len() };
        let mut values = self.values.iter();
        (0..rows).map(move |row| match self.levels.get(row) {
            Some(0) => None,
            _ => values.next(),
        })
    }
}

/// A column of texts. They are copied once, to where batches find them.
pub(super) struct Texts {
    from: Flat<ByteArrayType>,
    /// Start and true length; of longer ones than any key, only the start is kept.
    cells: Vec<Option<(u32, usize)>>,
    pub(super) bytes: Vec<u8>,
}

impl Texts {
    fn open(group: &dyn RowGroupReader, name: &'static str, at: usize) -> Result<Self> {
        Ok(Self { from: Flat::open(group, name, at)?, cells: Vec::new(), bytes: Vec::new() })
    }

    fn fill(&mut self, rows: usize) -> Result<()> {
        self.from.fill(rows)?;
        self.cells.clear();
        self.bytes.clear();
        for cell in self.from.cells() {
            self.cells.push(cell.map(|text| {
                let (start, text) = (self.bytes.len() as u32, text.data());
                self.bytes.extend_from_slice(text.get(..=MAX_KEY).unwrap_or(text));
                (start, text.len())
            }));
        }
        Ok(())
    }

    /// Where a row's text lies in `bytes`, and its length.
    #[inline]
    pub(super) fn place(&self, row: usize) -> Option<(usize, usize)> {
        self.cells.get(row).copied().flatten().map(|(start, len)| (start as usize, len))
    }

    #[inline]
    pub(super) fn text(&self, row: usize) -> Option<&[u8]> {
        let (start, len) = self.place(row)?;
        self.bytes.get(start..start + len.min(MAX_KEY + 1))
    }
}

/// The two types that whole numbers have.
enum Whole {
    Narrow(Flat<Int32Type>),
    Wide(Flat<Int64Type>),
}

/// A column of whole numbers.
pub(super) struct Numbers {
    from: Whole,
    cells: Vec<Option<i64>>,
}

impl Numbers {
    fn open(group: &dyn RowGroupReader, name: &'static str, at: usize) -> Result<Self> {
        let from = match group.metadata().schema_descr().column(at).physical_type() {
            Type::INT32 => Whole::Narrow(Flat::open(group, name, at)?),
            _ => Whole::Wide(Flat::open(group, name, at)?),
        };
        Ok(Self { from, cells: Vec::new() })
    }

    fn fill(&mut self, rows: usize) -> Result<()> {
        self.cells.clear();
        match &mut self.from {
            Whole::Narrow(flat) => {
                flat.fill(rows)?;
                self.cells.extend(flat.cells().map(|cell| cell.map(|&n| i64::from(n))));
            }
            Whole::Wide(flat) => {
                flat.fill(rows)?;
                self.cells.extend(flat.cells().map(Option::<&i64>::copied));
            }
        }
        Ok(())
    }

    fn ended(&mut self) -> Result<()> {
        match &mut self.from {
            Whole::Narrow(flat) => flat.ended(),
            Whole::Wide(flat) => flat.ended(),
        }
    }

    #[inline]
    pub(super) fn number(&self, row: usize) -> Option<i64> {
        self.cells.get(row).copied().flatten()
    }
}

/// A column of yes and no.
pub(super) struct Flags {
    from: Flat<BoolType>,
    cells: Vec<Option<bool>>,
}

impl Flags {
    fn open(group: &dyn RowGroupReader, name: &'static str, at: usize) -> Result<Self> {
        Ok(Self { from: Flat::open(group, name, at)?, cells: Vec::new() })
    }

    fn fill(&mut self, rows: usize) -> Result<()> {
        self.from.fill(rows)?;
        self.cells.clear();
        self.cells.extend(self.from.cells().map(Option::<&bool>::copied));
        Ok(())
    }

    #[inline]
    pub(super) fn flag(&self, row: usize) -> Option<bool> {
        self.cells.get(row).copied().flatten()
    }
}

/// The columns of a row group that are used.
pub(super) struct Group {
    pub(super) key: Texts,
    pub(super) size: Numbers,
    pub(super) class: Texts,
    pub(super) tier: Option<Texts>,
    pub(super) latest: Option<Flags>,
    pub(super) marker: Option<Flags>,
}

impl Group {
    pub(super) fn open(group: &dyn RowGroupReader, schema: &Schema) -> Result<Self> {
        let flags = |name, at: Option<usize>| at.map(|at| Flags::open(group, name, at)).transpose();
        Ok(Self {
            key: Texts::open(group, "key", schema.key)?,
            size: Numbers::open(group, "size", schema.size)?,
            class: Texts::open(group, "storage_class", schema.class)?,
            tier: schema
                .tier
                .map(|at| Texts::open(group, "intelligent_tiering_access_tier", at))
                .transpose()?,
            latest: flags("is_latest", schema.latest)?,
            marker: flags("is_delete_marker", schema.marker)?,
        })
    }

    /// Reads exactly `rows` more rows of every column.
    pub(super) fn fill(&mut self, rows: usize) -> Result<()> {
        self.key.fill(rows)?;
        self.size.fill(rows)?;
        self.class.fill(rows)?;
        self.tier.iter_mut().try_for_each(|column| column.fill(rows))?;
        self.latest.iter_mut().chain(&mut self.marker).try_for_each(|column| column.fill(rows))
    }

    /// Checks that no column has rows left.
    pub(super) fn ended(&mut self) -> Result<()> {
        self.key.from.ended()?;
        self.size.ended()?;
        self.class.from.ended()?;
        self.tier.iter_mut().try_for_each(|column| column.from.ended())?;
        self.latest.iter_mut().chain(&mut self.marker).try_for_each(|column| column.from.ended())
    }
}
