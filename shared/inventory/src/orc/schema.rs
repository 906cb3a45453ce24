//! A file's columns: those at the top that have an inventory's names.

use super::error::{Result, damaged};
use super::proto::Message;
use crate::error::InputError;
use crate::fields::{Field, Fields};
use crate::reading::Reading;

const KEY: &str = "key";

/// The most elements that the lists of a footer have together, as of a Parquet file's.
const MAX_ELEMENTS: usize = 1 << 18;

const TEXT: &[Kind] = &[Kind::String, Kind::Varchar, Kind::Char, Kind::Binary];

/// The types that the column of a field may have.
fn kinds(field: Field) -> &'static [Kind] {
    match field {
        Field::Size => &[Kind::Long, Kind::Int, Kind::Short],
        Field::StorageClass | Field::IntelligentTieringAccessTier => TEXT,
        Field::LastModifiedDate => &[Kind::Timestamp, Kind::TimestampInstant],
        Field::IsLatest | Field::IsDeleteMarker => &[Kind::Boolean],
    }
}

/// The types, by their numbers in the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean = 0,
    Short = 2,
    Int = 3,
    Long = 4,
    String = 7,
    Binary = 8,
    Timestamp = 9,
    Struct = 12,
    Varchar = 16,
    Char = 17,
    TimestampInstant = 18,
}

/// What the types are called, in the order of their numbers.
const KIND_NAMES: [&str; 19] = [
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "string",
    "binary",
    "timestamp",
    "array",
    "map",
    "struct",
    "uniontype",
    "decimal",
    "date",
    "varchar",
    "char",
    "timestamp with local time zone",
];

fn kind_name(kind: u64) -> String {
    let name = usize::try_from(kind).ok().and_then(|at| KIND_NAMES.get(at));
    name.map_or_else(|| format!("of the unknown type {kind}"), |&name| name.to_owned())
}

/// A type of the footer's list.
pub(super) struct Type<'a> {
    kind: u64,
    children: Vec<u64>,
    names: Vec<&'a [u8]>,
}

impl<'a> Type<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self> {
        let (mut fields, mut parsed) =
            (Message(message), Self { kind: 0, children: Vec::new(), names: Vec::new() });
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => parsed.kind = value.number()?,
                2 => value.each_number(|child| {
                    if parsed.children.len() <= MAX_ELEMENTS {
                        parsed.children.push(child);
                    }
                })?,
                3 => parsed.names.push(value.bytes()?),
                _ => (),
            }
            check_elements(parsed.elements())?;
        }
        Ok(parsed)
    }

    /// How many columns and names it lists.
    pub(super) fn elements(&self) -> usize {
        self.children.len() + self.names.len()
    }
}

pub(super) fn check_elements(elements: usize) -> Result<()> {
    if elements > MAX_ELEMENTS { Err(damaged("lists too much")) } else { Ok(()) }
}

/// The types of a file, as far as they matter.
#[derive(Debug, Default)]
pub(super) struct Types {
    /// Of each column, its type's number, or one that isn't known.
    kinds: Vec<u8>,
    /// Those columns at the top that have one of the names, and whose names these are.
    named: Vec<(&'static str, u64)>,
    /// The columns that are encrypted, with those in them.
    encrypted: Vec<u64>,
}

impl Types {
    /// Takes the type of the next column; the first is the row itself.
    pub(super) fn push(&mut self, next: &Type<'_>) -> Result<()> {
        if self.kinds.is_empty() {
            self.push_root(next)?;
        }
        self.kinds.push(u8::try_from(next.kind).unwrap_or(u8::MAX));
        Ok(())
    }

    fn push_root(&mut self, root: &Type<'_>) -> Result<()> {
        if root.kind != Kind::Struct as u64 {
            return Err(InputError::Unsupported(format!(
                "rows are {}, expected struct",
                kind_name(root.kind)
            )));
        }
        if root.children.len() != root.names.len() {
            let (columns, names) = (root.children.len(), root.names.len());
            return Err(damaged(format!("{columns} columns with {names} names")));
        }
        for (&id, name) in root.children.iter().zip(&root.names) {
            let known = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
            if let Some(known) = Field::ALL.map(Field::column).into_iter().chain([KEY]).find(known) {
                self.named.push((known, id));
            }
        }
        Ok(())
    }

    /// Takes the description of what is encrypted.
    pub(super) fn encrypt(&mut self, message: &[u8]) -> Result<()> {
        let mut fields = Message(message);
        while let Some((field, value)) = fields.next()? {
            if field == 3 {
                self.encrypt_variant(value.bytes()?)?;
            }
        }
        Ok(())
    }

    fn encrypt_variant(&mut self, message: &[u8]) -> Result<()> {
        let (mut fields, mut root) = (Message(message), 0);
        while let Some((field, value)) = fields.next()? {
            if field == 1 {
                root = value.number()?;
            }
        }
        self.encrypted.push(root);
        Ok(())
    }

    /// The fields that the file has.
    pub(super) fn fields(&self) -> Result<Fields> {
        self.find(KEY)?.ok_or_else(InputError::no_key)?;
        let there = |field: Field| self.find(field.column()).map(|id| id.map(|_| field)).transpose();
        Field::ALL.into_iter().filter_map(there).collect()
    }

    /// A column by its name, without regard to case.
    fn find(&self, name: &'static str) -> Result<Option<u64>> {
        let mut found = self.named.iter().filter(|(known, _)| *known == name);
        let id = found.next().map(|&(_, id)| id);
        if found.next().is_some() { Err(InputError::column(name, "is there twice")) } else { Ok(id) }
    }

    /// A column, if it is there and can be read.
    fn leaf(&self, name: &'static str, kinds: &[Kind]) -> Result<Option<Leaf>> {
        let Some(id) = self.find(name)? else { return Ok(None) };
        if self.encrypted.iter().any(|&root| root == id || root == 0) {
            return Err(InputError::column(name, "is encrypted"));
        }
        let kind = usize::try_from(id).ok().filter(|&id| id > 0).and_then(|id| self.kinds.get(id));
        let kind = *kind.ok_or_else(|| damaged(format!("column {name} has no type")).within("footer"))?;
        if let Some(&kind) = kinds.iter().find(|&&known| known as u8 == kind) {
            return Ok(Some(Leaf { id, kind }));
        }
        let expected: Vec<String> = kinds.iter().map(|&kind| kind_name(kind as u64)).collect();
        let problem = format!("is {}, expected {}", kind_name(u64::from(kind)), expected.join(" or "));
        Err(InputError::column(name, problem))
    }
}

/// A column of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) id: u64,
    pub(super) kind: Kind,
}

/// The columns of a file that are read.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(super) key: Leaf,
    fields: [Option<Leaf>; Field::ALL.len()],
}

impl Columns {
    /// The key, and those columns that are needed. Fails if they are of other types than an
    /// inventory's, or if the file doesn't have just the fields that the inventory has.
    pub(super) fn needed(types: &Types, reading: &Reading) -> Result<Self> {
        reading.check_fields(types.fields()?)?;
        let key = types.leaf(KEY, TEXT)?.ok_or_else(InputError::no_key)?;
        let mut columns = Self { key, fields: [None; Field::ALL.len()] };
        for (leaf, field) in columns.fields.iter_mut().zip(Field::ALL) {
            if reading.needs(field) {
                *leaf = types.leaf(field.column(), kinds(field))?;
            }
        }
        Ok(columns)
    }

    /// These columns, whatever they are called.
    #[cfg(test)]
    pub(super) fn of(key: Leaf, fields: [Option<Leaf>; Field::ALL.len()]) -> Self {
        Self { key, fields }
    }

    pub(super) fn leaf(&self, field: Field) -> Option<Leaf> {
        self.fields.get(field as usize).copied().flatten()
    }

    /// The numbers of all columns.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.fields.iter().flatten().chain([&self.key]).map(|leaf| leaf.id)
    }
}
