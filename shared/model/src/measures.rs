//! Measures: what an index knows of each prefix beside the number of its objects.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Something that an index knows, or doesn't: not every inventory has every field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Bytes of current objects, and of whatever else is counted. Needs the field Size.
    Bytes,
    /// Objects and bytes by storage class and access tier. Needs `StorageClass`.
    Classes,
    /// Which objects are below 128 KiB, where the class bills or monitors by that. Needs Size and
    /// `StorageClass`.
    Cost,
    /// Versions that are not the latest, and delete markers.
    Noncurrent,
    /// The oldest and the newest `LastModifiedDate` of current objects.
    Dates,
    /// Current objects and bytes by age. Needs `LastModifiedDate`.
    Age,
    /// Current objects and bytes by size band. Needs Size.
    Size,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Bytes, Self::Classes, Self::Cost, Self::Noncurrent, Self::Dates, Self::Age, Self::Size];

    /// As JSON and the command line name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Classes => "classes",
            Self::Cost => "cost",
            Self::Noncurrent => "noncurrent",
            Self::Dates => "dates",
            Self::Age => "age",
            Self::Size => "size",
        }
    }

    /// The measure of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }
}

/// A set of measures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measures(BTreeSet<Measure>);

impl Measures {
    /// All measures.
    #[must_use]
    pub fn all() -> Self {
        Self(Measure::ALL.into())
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn has(&self, measure: Measure) -> bool {
        self.0.contains(&measure)
    }

    /// Adds one.
    #[must_use]
    pub fn with(mut self, measure: Measure) -> Self {
        self.0.insert(measure);
        self
    }

    /// Takes one away.
    #[must_use]
    pub fn without(mut self, measure: Measure) -> Self {
        self.0.remove(&measure);
        self
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Those that are not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = Measure> + '_ {
        self.0.iter().copied()
    }
}

/// `all`, `none`, or a list as `cost,age`: what is measured beside objects, bytes and classes, which
/// always are.
impl FromStr for Measures {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let always = Self::default().with(Measure::Bytes).with(Measure::Classes);
        match text {
            "all" => Ok(Self::all()),
            "none" => Ok(always),
            list => list.split(',').map(str::trim).try_fold(always.clone(), |measures, name| {
                let measure = Measure::named(name).ok_or_else(|| {
                    let choice: Vec<_> = Self::all().minus(&always).iter().map(Measure::name).collect();
                    format!("{name:?} is none of {}, all, none", choice.join(", "))
                })?;
                Ok(measures.with(measure))
            }),
        }
    }
}

impl FromIterator<Measure> for Measures {
    fn from_iter<I: IntoIterator<Item = Measure>>(measures: I) -> Self {
        Self(measures.into_iter().collect())
    }
}
