//! K-way merge: rows of the same prefix are added up, everything else passes by.

use std::io::Write;

use s3inv_index_format::{Cursor, Form, FormatError, Info, ReadAt, Reader, Writer, is_partition_start};
use s3inv_model::{Bin, Cell, ClassId, Dates, RowCounts, Schema, prefix};

/// A range of the order of prefixes: from the first, included, to the second, excluded. An end that
/// isn't given is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// Where it begins.
    pub from: Option<Vec<u8>>,
    /// Where it ends.
    pub until: Option<Vec<u8>>,
}

impl KeyRange {
    fn ends_before(&self, key: &[u8]) -> bool {
        self.until.as_ref().is_some_and(|until| prefix::compare(key, until).is_ge())
    }
}

/// What a merge wrote.
pub struct Merged<W> {
    /// Where to.
    pub out: W,
    /// What the file says about itself.
    pub info: Info,
    /// Where the rest of the range begins, if the merge was to pause.
    pub next: Option<Vec<u8>>,
}

/// How a merge is interrupted.
pub struct Interrupt<'a, E> {
    /// Asked at least every 1,000 rows read: an error ends it.
    pub between: &'a dyn Fn() -> Result<(), E>,
    /// Asked where the work may be divided, which is once in some 16,384 rows: if so, what has been
    /// merged is a whole file, and the rest of the range is left.
    pub pause: &'a dyn Fn() -> bool,
}

/// Merges a range of some runs to one file, whose schema is the [union](Schema::union) of the runs'.
///
/// Rows of the inventory are counted with the range that begins at the root. Before it pauses, it has
/// merged at least one row.
pub fn merge<R: ReadAt, W: Write, E: From<FormatError>>(
    runs: &[&Reader<R>],
    range: &KeyRange,
    schema: &Schema,
    form: Form,
    out: W,
    interrupt: &Interrupt<'_, E>,
) -> Result<Merged<W>, E> {
    let mut writer = Writer::new(out, form, schema)?;
    let mut inputs = Inputs::open(runs, range, schema)?;
    let mut next = None;
    let mut row = Vec::new();
    let mut key = Vec::new();
    let mut read = 0u64;
    while let Some(first) = inputs.first() {
        key.clear();
        key.extend_from_slice(first.cursor.key());
        if read > 0 && is_partition_start(&key) && (interrupt.pause)() {
            next = Some(key);
            break;
        }
        row.clear();
        let mut dates = Dates::NONE;
        while inputs.first().is_some_and(|input| input.cursor.key() == key) {
            dates = dates.merge(inputs.take(&mut row, range)?);
            read += 1;
            if read.is_multiple_of(1000) {
                (interrupt.between)()?;
            }
        }
        writer.push(&key, &row, dates)?;
    }
    let (out, info) = writer.finish(counts(runs, range)?)?;
    Ok(Merged { out, info, next })
}

fn counts<R: ReadAt>(runs: &[&Reader<R>], range: &KeyRange) -> Result<RowCounts, FormatError> {
    if range.from.is_some() {
        return Ok(RowCounts::default());
    }
    runs.iter()
        .try_fold(RowCounts::default(), |sum, run| sum.plus(&run.info().counts))
        .ok_or_else(|| FormatError::Overflow("rows read".to_owned()))
}

/// A run at its next row, and the place of each of its classes among all.
struct Input<'a, R> {
    cursor: Cursor<'a, R>,
    classes: Vec<ClassId>,
    parent_len: usize,
}

impl<R: ReadAt> Input<'_, R> {
    fn advance(&mut self, range: &KeyRange) -> Result<bool, FormatError> {
        let more = self.cursor.advance()? && !range.ends_before(self.cursor.key());
        self.parent_len = prefix::parent_len(self.cursor.key());
        Ok(more)
    }

    fn comes_before(&self, other: &Self) -> bool {
        let (a, b) = (self.cursor.key(), other.cursor.key());
        a.split_at(self.parent_len) < b.split_at(other.parent_len)
    }

    fn add_to(&self, row: &mut Vec<Cell>) -> Result<(), FormatError> {
        for cell in self.cursor.cells() {
            let bin = Bin::moved(cell.bin, &self.classes).ok_or(FormatError::Mismatch(UNKNOWN_CLASS))?;
            let cell = Cell { bin, ..*cell };
            match row.binary_search_by_key(&bin, |sum| sum.bin) {
                Err(place) => row.insert(place, cell),
                Ok(place) => {
                    let key = || String::from_utf8_lossy(self.cursor.key()).into_owned();
                    let sum = &mut row[place];
                    *sum = sum.plus(cell).ok_or_else(|| FormatError::Overflow(key()))?;
                }
            }
        }
        Ok(())
    }
}

/// A heap of inputs, the one with the first prefix on top.
struct Inputs<'a, R> {
    heap: Vec<Input<'a, R>>,
}

impl<'a, R: ReadAt> Inputs<'a, R> {
    fn open(runs: &[&'a Reader<R>], range: &KeyRange, schema: &Schema) -> Result<Self, FormatError> {
        let mut heap = Vec::with_capacity(runs.len());
        for run in runs {
            let cursor = run.seek(range.from.as_deref().unwrap_or_default())?;
            let mut input = Input { cursor, classes: places(run.info(), schema)?, parent_len: 0 };
            if input.advance(range)? {
                heap.push(input);
            }
        }
        let mut inputs = Self { heap };
        for at in (0..inputs.heap.len() / 2).rev() {
            inputs.sink(at);
        }
        Ok(inputs)
    }

    fn first(&self) -> Option<&Input<'a, R>> {
        self.heap.first()
    }

    /// Adds the first row to `row`, and goes on to the next; the first row's dates.
    fn take(&mut self, row: &mut Vec<Cell>, range: &KeyRange) -> Result<Dates, FormatError> {
        let Some(first) = self.heap.first_mut() else { return Ok(Dates::NONE) };
        first.add_to(row)?;
        let dates = first.cursor.dates();
        if !first.advance(range)? {
            self.heap.swap_remove(0);
        }
        self.sink(0);
        Ok(dates)
    }

    /// Lets the input at `at` sink below those that come before it.
    fn sink(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let Some(child) = self.heap.get(left) else { return };
            let smaller = match self.heap.get(right) {
                Some(other) if other.comes_before(child) => right,
                _ => left,
            };
            if !self.heap[smaller].comes_before(&self.heap[at]) {
                return;
            }
            self.heap.swap(at, smaller);
            at = smaller;
        }
    }
}

const UNKNOWN_CLASS: &str = "a run has a class that the merge does not know";

fn places(info: &Info, all: &Schema) -> Result<Vec<ClassId>, FormatError> {
    info.schema.classes.places_in(&all.classes).ok_or(FormatError::Mismatch(UNKNOWN_CLASS))
}
