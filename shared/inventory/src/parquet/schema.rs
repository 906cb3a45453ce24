use parquet::basic::Type;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use crate::error::InputError;

/// Where the columns are in a file.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) key: usize,
    pub(super) size: usize,
    pub(super) class: usize,
    pub(super) tier: Option<usize>,
    pub(super) latest: Option<usize>,
    pub(super) marker: Option<usize>,
}

const TEXT: &[Type] = &[Type::BYTE_ARRAY];
const WHOLE: &[Type] = &[Type::INT64, Type::INT32];
const FLAG: &[Type] = &[Type::BOOLEAN];

impl Schema {
    /// Finds the columns by name, without regard to case; others don't matter.
    pub(super) fn find(file: &SchemaDescriptor) -> Result<Self, InputError> {
        Ok(Self {
            key: required(file, "key", TEXT)?,
            size: required(file, "size", WHOLE)?,
            class: required(file, "storage_class", TEXT)?,
            tier: optional(file, "intelligent_tiering_access_tier", TEXT)?,
            latest: optional(file, "is_latest", FLAG)?,
            marker: optional(file, "is_delete_marker", FLAG)?,
        })
    }
}

fn required(file: &SchemaDescriptor, name: &'static str, types: &[Type]) -> Result<usize, InputError> {
    let missing = "is missing: add it to the inventory configuration's optional fields";
    optional(file, name, types)?.ok_or_else(|| InputError::Column { name, problem: missing.to_owned() })
}

fn optional(
    file: &SchemaDescriptor,
    name: &'static str,
    types: &[Type],
) -> Result<Option<usize>, InputError> {
    let wrong = |problem: String| InputError::Column { name, problem };
    let is_it = |column: &ColumnDescriptor| {
        column.path().parts().len() == 1 && column.name().eq_ignore_ascii_case(name)
    };
    let mut found = file.columns().iter().enumerate().filter(|(_, column)| is_it(column));
    let Some((at, column)) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(wrong("is there twice".to_owned()));
    }
    if column.max_rep_level() > 0 {
        return Err(wrong("is repeated: one value a row was expected".to_owned()));
    }
    let physical = column.physical_type();
    if types.contains(&physical) {
        return Ok(Some(at));
    }
    let expected: Vec<String> = types.iter().map(ToString::to_string).collect();
    Err(wrong(format!("is {physical}, expected {}", expected.join(" or "))))
}
