//! Measures are kept in *columns*: a column is a named pair (objects, bytes), merged by sum.
//! A prefix holds a *cell* for each column that is not zero there.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The most columns of one index. S3 has some twenty storage classes and access tiers; more than
/// this says that the wrong field was read as one.
pub const MAX_COLUMNS: usize = 256;

/// The longest name of a column, in bytes.
const MAX_NAME: usize = 64;

const INTELLIGENT_TIERING: &str = "INTELLIGENT_TIERING";

/// A column's place in its [`Columns`].
pub type ColumnId = u16;

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Current objects of one storage class, or of one access tier of Intelligent-Tiering.
    Class,
}

/// A named pair of sums.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Column {
    /// What is counted.
    pub kind: ColumnKind,
    /// Of which class.
    pub name: String,
}

/// One column's sums at one prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which column.
    pub column: ColumnId,
    /// Number of objects.
    pub objects: u64,
    /// Sum of their sizes, in bytes.
    pub bytes: u64,
}

impl Cell {
    /// Adds another cell's sums; `None` if one does not fit 64 bits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let objects = self.objects.checked_add(other.objects)?;
        let bytes = self.bytes.checked_add(other.bytes)?;
        Some(Self { objects, bytes, ..self })
    }
}

/// Why a column can't be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// Not a name that S3 would give a class.
    #[error("storage class {0:?} is not 1 to 64 letters, digits, `_` or `-`")]
    Name(String),
    /// More than [`MAX_COLUMNS`].
    #[error("more than {MAX_COLUMNS} storage classes: is it the right column?")]
    TooMany,
}

/// An open dictionary of columns: new storage classes come without notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// The column of a storage class and, for Intelligent-Tiering, of its access tier.
    ///
    /// An object of Intelligent-Tiering without a tier yet is in the frequent one.
    pub fn class(&mut self, class: &[u8], tier: &[u8]) -> Result<ColumnId, ColumnError> {
        let name = class_name(printable(class)?, tier)?;
        self.add(ColumnKind::Class, &name)
    }

    /// The column of this kind and name, added if it is new.
    pub fn add(&mut self, kind: ColumnKind, name: &str) -> Result<ColumnId, ColumnError> {
        if let Some(at) = self.0.iter().position(|c| c.kind == kind && c.name == name) {
            return Ok(at as ColumnId);
        }
        printable(name.as_bytes())?;
        if self.0.len() >= MAX_COLUMNS {
            return Err(ColumnError::TooMany);
        }
        self.0.push(Column { kind, name: name.to_owned() });
        Ok((self.0.len() - 1) as ColumnId)
    }

    /// Columns as a file lists them.
    #[must_use]
    pub fn from_list(columns: Vec<Column>) -> Self {
        Self(columns)
    }

    /// All columns, by id.
    #[must_use]
    pub fn as_slice(&self) -> &[Column] {
        &self.0
    }

    /// The columns of all of `parts`, sorted: the same whatever order they were met in.
    pub fn union<'a>(parts: impl IntoIterator<Item = &'a Columns>) -> Result<Self, ColumnError> {
        let all: std::collections::BTreeSet<&Column> = parts.into_iter().flat_map(|p| &p.0).collect();
        if all.len() > MAX_COLUMNS {
            return Err(ColumnError::TooMany);
        }
        Ok(Self(all.into_iter().cloned().collect()))
    }

    /// For each of these columns, its id in `other`; `None` if one is missing there.
    #[must_use]
    pub fn ids_in(&self, other: &Self) -> Option<Vec<ColumnId>> {
        let id = |column| other.0.iter().position(|c| c == column).map(|at| at as ColumnId);
        self.0.iter().map(id).collect()
    }
}

fn printable(name: &[u8]) -> Result<&str, ColumnError> {
    let good = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-';
    match std::str::from_utf8(name) {
        Ok(text) if (1..=MAX_NAME).contains(&name.len()) && name.iter().all(good) => Ok(text),
        _ => {
            Err(ColumnError::Name(String::from_utf8_lossy(name.get(..MAX_NAME).unwrap_or(name)).into_owned()))
        }
    }
}

fn class_name<'a>(class: &'a str, tier: &[u8]) -> Result<Cow<'a, str>, ColumnError> {
    if class != INTELLIGENT_TIERING {
        return Ok(Cow::Borrowed(class));
    }
    let tier = if tier.is_empty() { "FREQUENT" } else { printable(tier)? };
    // Inventories say ARCHIVE_INSTANT_ACCESS; other interfaces of S3 end the archive tiers so, too.
    let tier = tier.strip_suffix("_ACCESS").unwrap_or(tier);
    Ok(Cow::Owned(format!("{INTELLIGENT_TIERING}_{tier}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(class: &str, tier: &str) -> Result<String, ColumnError> {
        let mut columns = Columns::default();
        columns.class(class.as_bytes(), tier.as_bytes()).map(|_| columns.as_slice()[0].name.clone())
    }

    #[test]
    fn tiers_are_named() {
        assert_eq!(name("STANDARD", "").unwrap(), "STANDARD");
        assert_eq!(name("BRAND_NEW", "").unwrap(), "BRAND_NEW");
        for (tier, short) in [
            ("", "FREQUENT"),
            ("FREQUENT", "FREQUENT"),
            ("INFREQUENT", "INFREQUENT"),
            ("ARCHIVE_INSTANT_ACCESS", "ARCHIVE_INSTANT"),
            ("ARCHIVE", "ARCHIVE"),
            ("ARCHIVE_ACCESS", "ARCHIVE"),
            ("DEEP_ARCHIVE", "DEEP_ARCHIVE"),
        ] {
            assert_eq!(name("INTELLIGENT_TIERING", tier).unwrap(), format!("INTELLIGENT_TIERING_{short}"));
        }
    }

    #[test]
    fn an_empty_or_unprintable_class_is_refused() {
        assert!(matches!(name("", ""), Err(ColumnError::Name(_))));
        assert!(matches!(name("A B", ""), Err(ColumnError::Name(_))));
        assert!(matches!(name(&"A".repeat(65), ""), Err(ColumnError::Name(_))));
    }

    #[test]
    fn union_does_not_depend_on_order() {
        let mut a = Columns::default();
        let mut b = Columns::default();
        for class in ["Z", "A", "M"] {
            a.class(class.as_bytes(), b"").unwrap();
        }
        for class in ["M", "B", "Z"] {
            b.class(class.as_bytes(), b"").unwrap();
        }
        let union = Columns::union([&a, &b]).unwrap();
        assert_eq!(union, Columns::union([&b, &a]).unwrap());
        assert_eq!(a.ids_in(&union), Some(vec![3, 0, 2]));
        assert_eq!(union.ids_in(&a), None);
    }
}
