//! The rows of some runs, in the order of all of them.

use s3inv_index_format::{Cursor, FormatError, Info, ReadAt, Reader};
use s3inv_model::{Bin, Cell, ClassId, Schema, Sums, prefix};

use crate::KeyRange;
use crate::tournament::{Code, Key, Tournament};

/// A run at its next row.
struct Input<'a, R> {
    cursor: Cursor<'a, R>,
    parent_len: usize,
    /// The places of its classes among all, where they are others.
    moved: Option<Vec<ClassId>>,
}

impl<'a, R: ReadAt> Input<'a, R> {
    fn open(run: &'a Reader<R>, from: &[u8], schema: &Schema) -> Result<Self, FormatError> {
        let places = places(run.info(), schema)?;
        let moved = (!places.iter().copied().eq(0..places.len() as ClassId)).then_some(places);
        Ok(Self { cursor: run.seek(from)?, parent_len: 0, moved })
    }

    /// Goes to the next row; whether there is one before `until`.
    fn advance(&mut self, until: Option<Key<'_>>) -> Result<bool, FormatError> {
        let more = self.cursor.advance()?;
        self.parent_len = prefix::parent_len(self.cursor.key());
        Ok(more && until.is_none_or(|until| self.key().comes_before(until)))
    }

    fn key(&self) -> Key<'_> {
        Key { bytes: self.cursor.key(), parent_len: self.parent_len }
    }

    fn add_to(&self, sums: &mut Sums) -> Result<(), FormatError> {
        let cells = self.cursor.cells().iter();
        let added = match &self.moved {
            None => sums.add(cells.copied(), self.cursor.dates()),
            Some(places) => {
                // The cursor knows that all of its bins exist.
                let moved = |cell: &Cell| Some(Cell { bin: Bin::moved(cell.bin, places)?, ..*cell });
                sums.add(cells.filter_map(moved), self.cursor.dates())
            }
        };
        added.ok_or_else(|| FormatError::Overflow(shown(self.cursor.key())))
    }
}

/// Some runs, and which of them has the first row.
pub(crate) struct Inputs<'a, 'r, R> {
    runs: Vec<Input<'a, R>>,
    tournament: Tournament,
    until: Option<Key<'r>>,
}

impl<'a, 'r, R: ReadAt> Inputs<'a, 'r, R> {
    pub(crate) fn open(
        runs: &[&'a Reader<R>],
        range: &'r KeyRange,
        schema: &Schema,
    ) -> Result<Self, FormatError> {
        let until = range.until.as_deref().map(Key::new);
        let mut inputs = Vec::with_capacity(runs.len());
        for run in runs {
            let mut input = Input::open(run, range.from.as_deref().unwrap_or_default(), schema)?;
            if input.advance(until)? {
                inputs.push(input);
            }
        }
        let codes: Vec<_> = inputs.iter().map(|input| Code::of_first(input.key())).collect();
        let tournament = Tournament::new(&codes, &|number| inputs[number].key());
        Ok(Self { runs: inputs, tournament, until })
    }

    /// The first prefix, if there is one.
    pub(crate) fn first(&self) -> Option<Key<'_>> {
        self.tournament.winner().map(|first| self.runs[first].key())
    }

    /// Adds the first row, which is that of `key`, to `sums`, and goes on to the next; whether that is of
    /// the same prefix.
    pub(crate) fn take(&mut self, key: Key<'_>, sums: &mut Sums) -> Result<bool, FormatError> {
        let Some(first) = self.tournament.winner() else { return Ok(false) };
        let input = &mut self.runs[first];
        input.add_to(sums)?;
        let code = if input.advance(self.until)? {
            let (order, code) = key.compare(input.key(), 0);
            if order.is_ge() {
                let [previous, got] = [key.bytes, input.cursor.key()].map(shown);
                return Err(FormatError::OutOfOrder { previous, got });
            }
            code
        } else {
            Code::NONE
        };
        self.tournament.next(code, &|number| self.runs[number].key());
        Ok(self.tournament.is_same())
    }
}

fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

fn places(info: &Info, all: &Schema) -> Result<Vec<ClassId>, FormatError> {
    let unknown = FormatError::Mismatch("a run has a class that the merge does not know");
    info.schema.classes.places_in(&all.classes).ok_or(unknown)
}
