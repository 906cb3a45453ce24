//! Columns of each type.

use parquet::column::page::PageReader;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArrayType, DataType, Int32Type, Int64Type, Int96, Int96Type};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::schema::Number;
use crate::columns::Texts;

const NANOS_OF_A_DAY: u64 = 86_400_000_000_000;

/// A column of a row group.
pub(super) struct Column {
    pub(super) descr: ColumnDescPtr,
    pub(super) pages: Box<dyn PageReader>,
}

/// A column of one physical type.
pub(super) struct Flat<T: DataType> {
    name: String,
    reader: ColumnReaderImpl<T>,
    nullable: bool,
    levels: Vec<i16>,
    values: Vec<T::T>,
}

impl<T: DataType> Flat<T> {
    pub(super) fn new(Column { descr, pages }: Column) -> Self {
        let (name, nullable) = (descr.name().to_owned(), descr.max_def_level() > 0);
        let reader = ColumnReaderImpl::new(descr, pages);
        Self { name, reader, nullable, levels: Vec::new(), values: Vec::new() }
    }

    /// Reads exactly `rows` more rows into `cells`.
    pub(super) fn read<C>(
        &mut self,
        rows: usize,
        cells: &mut Vec<Option<C>>,
        cell: impl Fn(&T::T) -> C,
    ) -> Result<()> {
        self.fill(rows)?;
        cells.clear();
        cells.extend(self.cells().map(|value| value.map(&cell)));
        Ok(())
    }

    /// Checks that no row is left.
    pub(super) fn ended(&mut self) -> Result<()> {
        if self.more(1)? == 0 { Ok(()) } else { Err(self.uneven("more")) }
    }

    fn fill(&mut self, rows: usize) -> Result<()> {
        if self.more(rows)? == rows { Ok(()) } else { Err(self.uneven("fewer")) }
    }

    fn more(&mut self, rows: usize) -> Result<usize> {
        self.values.clear();
        self.levels.clear();
        let levels = self.nullable.then_some(&mut self.levels);
        Ok(self.reader.read_records(rows, levels, None, &mut self.values)?.0)
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

/// A column of texts.
pub(super) struct TextColumn(Flat<ByteArrayType>);

impl TextColumn {
    pub(super) fn new(column: Column) -> Self {
        Self(Flat::new(column))
    }

    /// Reads exactly `rows` more rows. Neighbours that are the same entry of the file's dictionary
    /// become one.
    pub(super) fn read(&mut self, rows: usize, to: &mut Texts) -> Result<()> {
        self.0.fill(rows)?;
        to.clear();
        let mut last = None;
        for text in self.0.cells() {
            let entry = text.map(|text| text.data().as_ptr_range());
            match text {
                Some(_) if entry == last => to.repeat(),
                Some(text) => to.push(text.data()),
                None => to.push_null(),
            }
            last = entry;
        }
        Ok(())
    }

    pub(super) fn ended(&mut self) -> Result<()> {
        self.0.ended()
    }
}

/// A column of whole numbers, or of dates.
pub(super) enum NumberColumn {
    Narrow(Flat<Int32Type>),
    Wide(Flat<Int64Type>, i64),
    Int96(Flat<Int96Type>),
}

impl NumberColumn {
    pub(super) fn new(column: Column, number: Number) -> Self {
        match number {
            Number::Narrow => Self::Narrow(Flat::new(column)),
            Number::Wide(units) => Self::Wide(Flat::new(column), units),
            Number::Int96 => Self::Int96(Flat::new(column)),
        }
    }

    /// Reads exactly `rows` more rows.
    pub(super) fn read(&mut self, rows: usize, cells: &mut Vec<Option<i64>>) -> Result<()> {
        match self {
            Self::Narrow(flat) => flat.read(rows, cells, |&n| i64::from(n)),
            Self::Wide(flat, 1) => flat.read(rows, cells, |&n| n),
            Self::Wide(flat, units) => flat.read(rows, cells, |&n| n.div_euclid(*units)),
            Self::Int96(flat) => flat.read(rows, cells, int96_millis),
        }
    }

    pub(super) fn ended(&mut self) -> Result<()> {
        match self {
            Self::Narrow(flat) => flat.ended(),
            Self::Wide(flat, _) => flat.ended(),
            Self::Int96(flat) => flat.ended(),
        }
    }
}

/// Milliseconds since 1970, from days and the nanoseconds of a day. More than a day has, or fewer than
/// none, is no other day's: those become the last moment there is, which no row can have.
fn int96_millis(date: &Int96) -> i64 {
    let [low, high, _] = *date.data() else { return i64::MAX };
    let nanos = u64::from(high) << 32 | u64::from(low);
    if nanos < NANOS_OF_A_DAY { date.to_millis() } else { i64::MAX }
}
