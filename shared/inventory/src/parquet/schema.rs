use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use crate::error::InputError;
use crate::fields::{Field, Fields};
use crate::reading::Reading;

/// Where the columns are in a file.
pub(super) struct Schema<'f> {
    file: &'f SchemaDescriptor,
    key: usize,
    at: [Option<usize>; Field::ALL.len()],
}

/// How a column's numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// In 32 bits.
    Narrow,
    /// In 64 bits, so many of which make one: for dates, a millisecond.
    Wide(i64),
    /// As old writers write dates: days, and nanoseconds of a day.
    Int96,
}

/// The columns that are read.
pub(super) struct Needed {
    pub(super) key: usize,
    pub(super) size: Option<(usize, Number)>,
    pub(super) class: Option<usize>,
    pub(super) tier: Option<usize>,
    pub(super) modified: Option<(usize, Number)>,
    pub(super) latest: Option<usize>,
    pub(super) marker: Option<usize>,
}

impl<'f> Schema<'f> {
    /// Finds the columns by name, without regard to case; others don't matter.
    pub(super) fn find(file: &'f SchemaDescriptor) -> Result<Self, InputError> {
        let mut at = [None; Field::ALL.len()];
        for (at, field) in at.iter_mut().zip(Field::ALL) {
            *at = find(file, field.column())?;
        }
        let key = find(file, "key")?.ok_or_else(InputError::no_key)?;
        Ok(Self { file, key, at })
    }

    /// The fields that the file has.
    pub(super) fn fields(&self) -> Fields {
        Field::ALL.into_iter().filter(|&field| self.at(field).is_some()).collect()
    }

    fn at(&self, field: Field) -> Option<usize> {
        self.at.get(field as usize).copied().flatten()
    }

    /// The columns that are needed. Fails if they are of other types than an inventory's, or if the
    /// file doesn't have just the fields that the inventory has.
    pub(super) fn needed(&self, reading: &Reading) -> Result<Needed, InputError> {
        reading.check_fields(self.fields())?;
        let at = |field| self.at(field).filter(|_| reading.needs(field));
        let typed =
            |field: Field, physical| at(field).map(|at| self.typed(field.column(), at, physical)).transpose();
        Ok(Needed {
            key: self.typed("key", self.key, Type::BYTE_ARRAY)?,
            size: at(Field::Size).map(|at| self.size(at)).transpose()?,
            class: typed(Field::StorageClass, Type::BYTE_ARRAY)?,
            tier: typed(Field::IntelligentTieringAccessTier, Type::BYTE_ARRAY)?,
            modified: at(Field::LastModifiedDate).map(|at| self.date(at)).transpose()?,
            latest: typed(Field::IsLatest, Type::BOOLEAN)?,
            marker: typed(Field::IsDeleteMarker, Type::BOOLEAN)?,
        })
    }

    fn typed(&self, name: &'static str, at: usize, expected: Type) -> Result<usize, InputError> {
        let physical = self.file.column(at).physical_type();
        if physical == expected { Ok(at) } else { Err(mistyped(name, physical, &expected.to_string())) }
    }

    fn size(&self, at: usize) -> Result<(usize, Number), InputError> {
        match self.file.column(at).physical_type() {
            Type::INT64 => Ok((at, Number::Wide(1))),
            Type::INT32 => Ok((at, Number::Narrow)),
            other => Err(mistyped(Field::Size.column(), other, "INT64 or INT32")),
        }
    }

    fn date(&self, at: usize) -> Result<(usize, Number), InputError> {
        let (name, column) = (Field::LastModifiedDate.column(), self.file.column(at));
        match column.physical_type() {
            Type::INT64 => match per_millisecond(&column) {
                Some(units) => Ok((at, Number::Wide(units))),
                None => Err(InputError::column(
                    name,
                    "is INT64, but not a timestamp of milli-, micro- or nanoseconds",
                )),
            },
            Type::INT96 => Ok((at, Number::Int96)),
            other => Err(mistyped(name, other, "INT64 or INT96")),
        }
    }
}

fn mistyped(name: &'static str, physical: Type, expected: &str) -> InputError {
    InputError::column(name, format!("is {physical}, expected {expected}"))
}

fn find(file: &SchemaDescriptor, name: &'static str) -> Result<Option<usize>, InputError> {
    let is_it = |column: &ColumnDescriptor| {
        column.path().parts().len() == 1 && column.name().eq_ignore_ascii_case(name)
    };
    let mut found = file.columns().iter().enumerate().filter(|(_, column)| is_it(column));
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(InputError::column(name, "is there twice")),
        (Some((_, column)), None) if column.max_rep_level() > 0 => {
            Err(InputError::column(name, "is repeated: one value a row was expected"))
        }
        (Some((at, _)), None) => Ok(Some(at)),
    }
}

/// How many of a timestamp's units are a millisecond.
fn per_millisecond(column: &ColumnDescriptor) -> Option<i64> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => match timestamp.unit {
            TimeUnit::MILLIS => Some(1),
            TimeUnit::MICROS => Some(1000),
            TimeUnit::NANOS => Some(1_000_000),
        },
        (None, ConvertedType::TIMESTAMP_MILLIS) => Some(1),
        (None, ConvertedType::TIMESTAMP_MICROS) => Some(1000),
        _ => None,
    }
}
