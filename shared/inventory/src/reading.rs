use s3inv_model::{Binning, Classes, Measure};
use serde::{Deserialize, Serialize};

use crate::error::InputError;
use crate::fields::{Field, Fields};

/// What happens at a row that can't be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBadRow {
    /// Reading ends with an error that names the row.
    #[default]
    Fail,
    /// The row is counted as excluded, by what is wrong with it.
    Skip,
}

/// How an inventory is read: all of its files alike.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What rows are told apart by.
    pub binning: Binning,
    /// The fields that the inventory has.
    pub fields: Fields,
    /// What happens at a row that can't be read.
    pub on_bad_row: OnBadRow,
}

impl Reading {
    /// The classes to begin with.
    #[must_use]
    pub fn classes(&self) -> Classes {
        if self.measures(Measure::Classes) { Classes::default() } else { Classes::untold() }
    }

    /// Whether a field is there and matters: no other is looked at.
    #[must_use]
    pub fn needs(&self, field: Field) -> bool {
        self.matters(field) && self.fields.has(field)
    }

    /// Whether something that is measured is made of the field.
    pub(crate) fn matters(&self, field: Field) -> bool {
        match field {
            Field::IsLatest | Field::IsDeleteMarker => true,
            Field::Size => {
                [Measure::Bytes, Measure::Cost, Measure::Size].map(|m| self.measures(m)).contains(&true)
            }
            Field::StorageClass => self.measures(Measure::Classes),
            Field::IntelligentTieringAccessTier => self.matters(Field::StorageClass),
            Field::LastModifiedDate => self.measures(Measure::Dates) || self.measures(Measure::Age),
        }
    }

    /// Checks that a file has just the fields that the inventory has.
    pub(crate) fn check_fields(&self, fields: Fields) -> Result<(), InputError> {
        let Some(field) = fields.difference(self.fields) else { return Ok(()) };
        let problem = if self.fields.has(field) {
            "is missing, but the inventory's first file has it"
        } else {
            "is there, but the inventory's first file lacks it"
        };
        Err(InputError::column(field.column(), problem))
    }

    pub(crate) fn measures(&self, measure: Measure) -> bool {
        self.binning.measures().has(measure)
    }
}
