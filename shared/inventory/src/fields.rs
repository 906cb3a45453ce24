use std::fmt;

use s3inv_model::{Measure, Measures};

/// An optional field of an inventory that something is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The object's size.
    Size,
    /// Its storage class.
    StorageClass,
    /// Its access tier, where the class is Intelligent-Tiering.
    IntelligentTieringAccessTier,
    /// Whether it is the current version of its key.
    IsLatest,
    /// Whether it is a delete marker.
    IsDeleteMarker,
    /// When it was made.
    LastModifiedDate,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Size,
        Self::StorageClass,
        Self::IntelligentTieringAccessTier,
        Self::IsLatest,
        Self::IsDeleteMarker,
        Self::LastModifiedDate,
    ];

    /// As AWS's settings and the schemas of CSV spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "Size",
            Self::StorageClass => "StorageClass",
            Self::IntelligentTieringAccessTier => "IntelligentTieringAccessTier",
            Self::IsLatest => "IsLatest",
            Self::IsDeleteMarker => "IsDeleteMarker",
            Self::LastModifiedDate => "LastModifiedDate",
        }
    }

    /// As ORC and Parquet spell it.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::StorageClass => "storage_class",
            Self::IntelligentTieringAccessTier => "intelligent_tiering_access_tier",
            Self::IsLatest => "is_latest",
            Self::IsDeleteMarker => "is_delete_marker",
            Self::LastModifiedDate => "last_modified_date",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which of the optional fields an inventory has. Each row has a key beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields([bool; Field::ALL.len()]);

impl Fields {
    /// Whether a field is there.
    #[must_use]
    pub fn has(self, field: Field) -> bool {
        self.0.get(field as usize).copied().unwrap_or_default()
    }

    /// Those that are there.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(move |&field| self.has(field))
    }

    /// The first field that only one of both has.
    #[must_use]
    pub fn difference(self, other: Self) -> Option<Field> {
        Field::ALL.into_iter().find(|&field| self.has(field) != other.has(field))
    }

    /// All that can be measured. An inventory of current versions has no `IsLatest`, and can't tell what else there is.
    #[must_use]
    pub fn measures(self) -> Measures {
        let possible = |measure: &Measure| match measure {
            Measure::Bytes | Measure::Size => self.has(Field::Size),
            Measure::Classes => self.has(Field::StorageClass),
            Measure::Cost => self.has(Field::Size) && self.has(Field::StorageClass),
            Measure::Noncurrent => self.has(Field::IsLatest),
            Measure::Dates | Measure::Age => self.has(Field::LastModifiedDate),
        };
        Measure::ALL.into_iter().filter(possible).collect()
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut out = Self::default();
        for field in fields {
            if let Some(has) = out.0.get_mut(field as usize) {
                *has = true;
            }
        }
        out
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")?;
        self.iter().try_for_each(|field| write!(f, ", {field}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_tell_what_can_be_measured() {
        let measures = |fields: &[Field]| fields.iter().copied().collect::<Fields>().measures();
        let none = Measures::default;
        assert_eq!(measures(&[]), none());
        assert_eq!(
            measures(&[Field::IsDeleteMarker]),
            none(),
            "versions are known by which of them is the latest"
        );
        assert_eq!(measures(&[Field::IsLatest]), none().with(Measure::Noncurrent));
        assert_eq!(measures(&Field::ALL), Measures::all());
        assert_eq!(measures(&[Field::Size]), none().with(Measure::Bytes).with(Measure::Size));
        assert_eq!(measures(&[Field::StorageClass]), none().with(Measure::Classes));
        assert_eq!(
            measures(&[Field::Size, Field::StorageClass]),
            Measures::all().without(Measure::Noncurrent).without(Measure::Dates).without(Measure::Age)
        );
        let dated = none().with(Measure::Noncurrent).with(Measure::Dates).with(Measure::Age);
        assert_eq!(measures(&[Field::LastModifiedDate, Field::IsLatest]), dated);
    }

    #[test]
    fn fields_tell_how_they_differ() {
        let all: Fields = Field::ALL.into_iter().collect();
        assert_eq!(all.difference(all), None);
        for field in Field::ALL {
            let rest: Fields = Field::ALL.into_iter().filter(|&other| other != field).collect();
            assert_eq!(rest.difference(all), Some(field));
            assert_eq!(all.difference(rest), Some(field));
        }
        let some: Fields = [Field::IsLatest, Field::Size].into_iter().collect();
        assert_eq!(some.to_string(), "Key, Size, IsLatest");
    }
}
