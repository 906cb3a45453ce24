//! A stripe's columns, read in step.

use super::booleans::Booleans;
use super::directory::{Directory, StreamKind};
use super::error::{Result, damaged};
use super::integers::{Integers, Sign, Version};
use super::present::Present;
use super::schema::{Columns, Kind, Leaf};
use super::texts::{Dictionary, TextColumn};
use super::values::{Flags, Numbers, Times};
use crate::batch::MAX_BATCH;
use crate::columns::{ColumnBatch, Texts};
use crate::error::InputError;
use crate::fields::Field;

/// The largest dictionary of a column of classes or tiers, in bytes.
const MAX_DICTIONARY: usize = 1 << 20;

/// The rows of one stripe. An error ends it.
pub(crate) struct StripeReader<'a> {
    number: usize,
    left: u64,
    /// Which rows are there at all.
    row: Present<'a>,
    key: TextColumn<'a>,
    class: Option<TextColumn<'a>>,
    tier: Option<TextColumn<'a>>,
    size: Option<Numbers<'a>>,
    modified: Option<Times<'a>>,
    latest: Option<Flags<'a>>,
    marker: Option<Flags<'a>>,
    batch: ColumnBatch,
}

impl<'a> StripeReader<'a> {
    /// Opens the columns of stripe `number`, counted from 1, of so many rows.
    pub(super) fn open(
        directory: &Directory<'a>,
        columns: &Columns,
        key_dictionary: usize,
        (number, rows): (usize, u64),
    ) -> Result<Self> {
        let open = Open { directory, columns };
        let mut batch = ColumnBatch::default();
        let key = open.texts("key", columns.key, key_dictionary, &mut batch.key)?;
        let class = open.other_texts(Field::StorageClass, &mut batch.class)?;
        let tier = open.other_texts(Field::IntelligentTieringAccessTier, &mut batch.tier)?;
        let size = open.column(Field::Size, Open::numbers)?;
        let modified = open.column(Field::LastModifiedDate, Open::times)?;
        let latest = open.column(Field::IsLatest, Open::flags)?;
        let marker = open.column(Field::IsDeleteMarker, Open::flags)?;
        batch.size = size.is_some().then(Vec::new);
        batch.modified = modified.is_some().then(Vec::new);
        batch.latest = latest.is_some().then(Vec::new);
        batch.marker = marker.is_some().then(Vec::new);
        let row = open.present(0)?;
        Ok(Self { number, left: rows, row, key, class, tier, size, modified, latest, marker, batch })
    }

    /// The next rows; none where the stripe ends.
    pub(crate) fn next_batch(&mut self) -> Result<Option<&ColumnBatch>> {
        let rows = self.left.min(MAX_BATCH as u64) as usize;
        self.left -= rows as u64;
        // Checked before the last rows are handed over: whoever has got all of them may pass the stripe by
        // next time.
        let is_last = self.left == 0;
        let done = self.fill(rows).and_then(|()| if is_last { self.ended() } else { Ok(()) });
        done.map_err(|error| error.within(format_args!("stripe {}", self.number)))?;
        self.batch.rows = rows;
        Ok((rows > 0).then_some(&self.batch))
    }

    fn fill(&mut self, rows: usize) -> Result<()> {
        if self.row.fill(rows)? < rows {
            return Err(damaged("has rows that are null as a whole"));
        }
        let batch = &mut self.batch;
        in_column("key", self.key.fill(rows, &mut batch.key))?;
        both(Field::StorageClass, &mut self.class, &mut batch.class, |column, to| column.fill(rows, to))?;
        let field = Field::IntelligentTieringAccessTier;
        both(field, &mut self.tier, &mut batch.tier, |column, to| column.fill(rows, to))?;
        both(Field::Size, &mut self.size, &mut batch.size, |column, to| column.fill(rows, to))?;
        let field = Field::LastModifiedDate;
        both(field, &mut self.modified, &mut batch.modified, |column, to| column.fill(rows, to))?;
        both(Field::IsLatest, &mut self.latest, &mut batch.latest, |column, to| column.fill(rows, to))?;
        both(Field::IsDeleteMarker, &mut self.marker, &mut batch.marker, |column, to| column.fill(rows, to))
    }

    /// Checks that no stream has anything left.
    fn ended(&mut self) -> Result<()> {
        self.row.ended()?;
        in_column("key", self.key.ended())?;
        last(Field::StorageClass, &mut self.class, TextColumn::ended)?;
        last(Field::IntelligentTieringAccessTier, &mut self.tier, TextColumn::ended)?;
        last(Field::Size, &mut self.size, Numbers::ended)?;
        last(Field::LastModifiedDate, &mut self.modified, Times::ended)?;
        last(Field::IsLatest, &mut self.latest, Flags::ended)?;
        last(Field::IsDeleteMarker, &mut self.marker, Flags::ended)
    }
}

/// Calls `fill` with the column and its place in the batch, if it is read.
fn both<C, T>(
    field: Field,
    from: &mut Option<C>,
    to: &mut Option<T>,
    fill: impl FnOnce(&mut C, &mut T) -> Result<()>,
) -> Result<()> {
    match from.as_mut().zip(to.as_mut()) {
        Some((from, to)) => in_column(field.column(), fill(from, to)),
        None => Ok(()),
    }
}

/// Calls `ended` with the column, if it is read.
fn last<C>(field: Field, column: &mut Option<C>, ended: fn(&mut C) -> Result<()>) -> Result<()> {
    in_column(field.column(), column.as_mut().map_or(Ok(()), ended))
}

fn in_column<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| error.within(format_args!("column {name}")))
}

/// What columns are opened from.
struct Open<'b, 'a> {
    directory: &'b Directory<'a>,
    columns: &'b Columns,
}

impl<'a> Open<'_, 'a> {
    /// Opens a column by one of the functions below, if it is read.
    fn column<T>(&self, field: Field, open: impl FnOnce(&Self, Leaf) -> Result<T>) -> Result<Option<T>> {
        self.columns.leaf(field).map(|leaf| in_column(field.column(), open(self, leaf))).transpose()
    }

    fn other_texts(&self, field: Field, to: &mut Option<Texts>) -> Result<Option<TextColumn<'a>>> {
        let Some(leaf) = self.columns.leaf(field) else { return Ok(None) };
        self.texts(field.column(), leaf, MAX_DICTIONARY, to.insert(Texts::default())).map(Some)
    }

    fn texts(&self, name: &str, leaf: Leaf, most: usize, to: &mut Texts) -> Result<TextColumn<'a>> {
        in_column(name, self.text_column(leaf.id, most, to))
    }

    fn text_column(&self, id: u64, most: usize, to: &mut Texts) -> Result<TextColumn<'a>> {
        let encoding = self.directory.encoding(id)?;
        let version = match encoding.kind {
            0 | 1 => Version::V1,
            2 | 3 => Version::V2,
            other => return Err(unknown_encoding(other)),
        };
        let present = self.present(id)?;
        let mut lengths = self.integers(id, StreamKind::Length, version, Sign::Unsigned)?;
        if encoding.kind % 2 == 0 {
            return Ok(TextColumn::direct(present, lengths, self.directory.stream(id, StreamKind::Data)?));
        }
        let mut data = self.directory.stream(id, StreamKind::DictionaryData)?;
        let mut dictionary = Dictionary::read(encoding.dictionary, &mut lengths, &mut data, most)?;
        to.bytes = std::mem::take(&mut dictionary.bytes);
        let indexes = self.integers(id, StreamKind::Data, version, Sign::Unsigned)?;
        Ok(TextColumn::dictionary(present, indexes, dictionary))
    }

    fn numbers(&self, leaf: Leaf) -> Result<Numbers<'a>> {
        let data = self.integers(leaf.id, StreamKind::Data, self.version(leaf.id)?, Sign::Signed)?;
        Ok(Numbers { present: self.present(leaf.id)?, data, values: Vec::new() })
    }

    fn times(&self, leaf: Leaf) -> Result<Times<'a>> {
        // The other type counts from UTC whatever the writer's zone is.
        if leaf.kind == Kind::Timestamp {
            self.directory.check_zone()?;
        }
        let version = self.version(leaf.id)?;
        Ok(Times {
            present: self.present(leaf.id)?,
            seconds: self.integers(leaf.id, StreamKind::Data, version, Sign::Signed)?,
            nanos: self.integers(leaf.id, StreamKind::Secondary, version, Sign::Unsigned)?,
            values: Vec::new(),
            fractions: Vec::new(),
        })
    }

    fn flags(&self, leaf: Leaf) -> Result<Flags<'a>> {
        match self.directory.encoding(leaf.id)?.kind {
            0 => (),
            other => return Err(unknown_encoding(other)),
        }
        let data = Booleans::new(self.directory.stream(leaf.id, StreamKind::Data)?);
        Ok(Flags { present: self.present(leaf.id)?, data, values: Vec::new() })
    }

    fn present(&self, id: u64) -> Result<Present<'a>> {
        let there = self.directory.has(id, StreamKind::Present);
        let stream = there.then(|| self.directory.stream(id, StreamKind::Present)).transpose()?;
        Ok(Present::new(stream.map(Booleans::new)))
    }

    fn integers(&self, id: u64, kind: StreamKind, version: Version, sign: Sign) -> Result<Integers<'a>> {
        Ok(Integers::new(self.directory.stream(id, kind)?, version, sign))
    }

    fn version(&self, id: u64) -> Result<Version> {
        match self.directory.encoding(id)?.kind {
            0 => Ok(Version::V1),
            2 => Ok(Version::V2),
            other => Err(unknown_encoding(other)),
        }
    }
}

fn unknown_encoding(kind: u64) -> InputError {
    damaged(format!("has the encoding {kind}"))
}

/// A column of times by itself.
#[cfg(test)]
pub(super) fn times_of<'a>(directory: &Directory<'a>, leaf: Leaf) -> Result<Times<'a>> {
    Open { directory, columns: &Columns::of(leaf, [None; 6]) }.times(leaf)
}
