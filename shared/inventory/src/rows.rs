use s3inv_model::prefix::MAX_KEY;
use s3inv_model::{Bin, ClassError, ClassId, Classes, Excluded, Measure, RowCounts};

use crate::batch::{Batch, Counted, Key, MAX_BATCH, Sink, UNDATED};
use crate::classes::ClassCache;
use crate::error::{InputError, ReadError, RowError};
use crate::fields::Field;
use crate::reading::{OnBadRow, Reading};
use crate::row::{Facts, KeyPlace, Origin, Row};

/// 9999-12-30T22:00:00Z, in milliseconds since 1970: jiff shows no later moment, and an index has none.
const AFTER_DATES: u64 = 253_402_207_200_000;

/// The door that rows of every format come in by: finds what each is counted as, counts it, and
/// hands batches to a sink.
///
/// The readers of this crate fill it. So can a source of another kind:
///
/// ```
/// use s3inv_inventory::{Batch, Facts, Field, OnBadRow, Reading, Rows};
/// use s3inv_model::{Binning, Measure, Measures, RowCounts};
///
/// let reading = Reading {
///     binning: Binning::new(&Measures::default().with(Measure::Bytes), 1_700_000_000_000),
///     fields: [Field::Size].into_iter().collect(),
///     on_bad_row: OnBadRow::Skip,
/// };
/// let (mut classes, mut counts, mut bytes) = (reading.classes(), RowCounts::default(), 0);
/// let mut sink = |batch: &Batch<'_>| {
///     bytes += batch.iter().map(|object| object.size).sum::<u64>();
///     Ok::<(), std::convert::Infallible>(())
/// };
/// let mut rows = Rows::new(&reading, &mut classes, &mut counts, &mut sink);
/// for (key, size) in [("a/b", 5), ("a/c", 7), ("", 9)] {
///     let (key, size) = (key.as_bytes(), Some(size));
///     rows.add(&Facts { key, size, class: b"", tier: b"", modified: None, latest: true, marker: false }).unwrap();
/// }
/// rows.finish().unwrap();
/// // No object has an empty key: that row is excluded.
/// assert_eq!((bytes, counts.rows, counts.current()), (12, 3, Some(2)));
/// ```
pub struct Rows<'a, S> {
    reading: &'a Reading,
    needs: Needs,
    classes: &'a mut Classes,
    counts: &'a mut RowCounts,
    sink: &'a mut S,
    cache: ClassCache,
    batch: Vec<Counted>,
    /// Keys of this batch that are no slices of the input.
    side: Vec<u8>,
    /// Rows of the file so far: the number of the row that is being read.
    row: u64,
    /// Rows of the file that were counted before: they are passed over.
    known: u64,
    /// Rows read since the last batch, with those that were passed over.
    pending: usize,
    /// Whether the file has no more rows than those that were added.
    ended: bool,
}

/// What each row is asked for.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "a set that is asked for every row")]
struct Needs {
    size: bool,
    bytes: bool,
    class: bool,
    modified: bool,
    dates: bool,
    noncurrent: bool,
}

impl Needs {
    fn new(reading: &Reading) -> Self {
        let measures = |measure| reading.measures(measure);
        Self {
            size: reading.matters(Field::Size),
            bytes: measures(Measure::Bytes),
            class: reading.matters(Field::StorageClass),
            modified: reading.matters(Field::LastModifiedDate),
            dates: measures(Measure::Dates),
            noncurrent: measures(Measure::Noncurrent),
        }
    }
}

impl<'a, S: Sink> Rows<'a, S> {
    /// Rows that are read as `reading` says. `classes` begins as [`Reading::classes`] and, as `counts`,
    /// goes on from file to file.
    pub fn new(
        reading: &'a Reading,
        classes: &'a mut Classes,
        counts: &'a mut RowCounts,
        sink: &'a mut S,
    ) -> Self {
        Self {
            reading,
            needs: Needs::new(reading),
            classes,
            counts,
            sink,
            cache: ClassCache::default(),
            batch: Vec::with_capacity(MAX_BATCH),
            side: Vec::new(),
            row: 0,
            known: 0,
            pending: 0,
            ended: false,
        }
    }

    /// Passes over the file's first `known` rows: whatever they are, they are not counted, nor handed
    /// over. What lies wholly among them need not be read at all.
    #[must_use]
    pub fn after(self, known: u64) -> Self {
        Self { known, ..self }
    }

    /// Rows of the file so far: once it has been read, all that it has.
    #[must_use]
    pub fn row(&self) -> u64 {
        self.row
    }

    /// How rows are read.
    #[must_use]
    pub fn reading(&self) -> &'a Reading {
        self.reading
    }

    /// Adds a row.
    pub fn add(&mut self, facts: &Facts<'_>) -> Result<(), ReadError<S::Error>> {
        self.take(facts)?;
        self.end(&[]).map(|_| ())
    }

    /// Adds a row that can't be read.
    pub fn add_bad(&mut self, cause: RowError) -> Result<(), ReadError<S::Error>> {
        self.skip(cause)?;
        self.end(&[]).map(|_| ())
    }

    /// Hands over what has been added since the last batch. To be called at the end.
    pub fn finish(&mut self) -> Result<(), ReadError<S::Error>> {
        self.flush(&[])
    }

    /// Begins a file.
    pub(crate) fn begin(&mut self) {
        (self.row, self.ended) = (0, false);
    }

    /// Says that the file ends with the rows that are added before the next batch.
    pub(crate) fn ends(&mut self) {
        self.ended = true;
    }

    /// Passes over the next `rows` rows, if there are any and all were counted before; whether it did.
    pub(crate) fn pass(&mut self, rows: u64) -> bool {
        let end = self.row.checked_add(rows).filter(|&end| rows > 0 && end <= self.known);
        self.row = end.unwrap_or(self.row);
        end.is_some()
    }

    /// Adds a row.
    #[inline]
    pub(crate) fn take(&mut self, row: &impl Row) -> Result<(), InputError> {
        if self.is_known() {
            return Ok(());
        }
        let side = self.side.len();
        match self.place(row) {
            Ok(()) => Ok(()),
            Err(cause) => {
                self.side.truncate(side);
                self.bad(cause)
            }
        }
    }

    /// Adds the row of a current object, whose class is known from others; whether it was. A size that does
    /// not matter may be any.
    #[inline]
    pub(crate) fn take_alike(
        &mut self,
        key: impl FnOnce(&mut Vec<u8>) -> Result<KeyPlace, RowError>,
        size: u64,
        modified: impl FnOnce() -> Result<Option<u64>, RowError>,
        class: ClassId,
    ) -> Result<bool, InputError> {
        if self.is_known() {
            return Ok(false);
        }
        let decoded = self.side.len();
        let counted = match self.key(key) {
            Ok(key) => self.modified(modified).map(|modified| self.counted(key, size, modified, class)),
            Err(cause) => Err(cause),
        };
        match counted {
            Ok(counted) => {
                self.batch.push(counted);
                Ok(true)
            }
            Err(cause) => {
                self.side.truncate(decoded);
                self.bad(cause).map(|()| false)
            }
        }
    }

    /// The class of the row that was taken last, if it is one of a current object that was counted.
    pub(crate) fn class_of_current(&mut self, row: &impl Row) -> Option<ClassId> {
        if self.row <= self.known || row.marker() != Ok(false) || row.latest() != Ok(true) {
            return None;
        }
        let side = self.side.len();
        let counted = self.current(row).is_ok();
        self.side.truncate(side);
        self.class(row).ok().filter(|_| counted)
    }

    /// Adds a row that can't be read.
    pub(crate) fn skip(&mut self, cause: RowError) -> Result<(), InputError> {
        if self.is_known() { Ok(()) } else { self.bad(cause) }
    }

    /// Goes to the next row; whether it was counted before.
    #[inline]
    fn is_known(&mut self) -> bool {
        self.row += 1;
        self.pending += 1;
        self.row <= self.known
    }

    #[cold]
    fn bad(&mut self, cause: RowError) -> Result<(), InputError> {
        // Which classes are too many depends on who met which: skipped rows would, too.
        let skipped = cause != RowError::Class(ClassError::TooMany);
        match self.reading.on_bad_row {
            OnBadRow::Skip if skipped => {
                self.counts.exclude(cause.excluded());
                Ok(())
            }
            _ => Err(InputError::Row { row: self.row, cause }),
        }
    }

    #[inline]
    fn place(&mut self, row: &impl Row) -> Result<(), RowError> {
        let (latest, marker) = (row.latest()?, row.marker()?);
        if marker || !latest {
            return self.exclude(row, latest, marker);
        }
        let counted = self.current(row)?;
        self.batch.push(counted);
        Ok(())
    }

    /// Counts a row as excluded, if what it is beside that can be read.
    fn exclude(&mut self, row: &impl Row, latest: bool, marker: bool) -> Result<(), RowError> {
        if self.needs.noncurrent {
            let counted = if marker { self.marker(row, latest)? } else { self.noncurrent(row)? };
            self.batch.push(counted);
        }
        self.counts.exclude(if marker { Excluded::DeleteMarker } else { Excluded::Noncurrent });
        Ok(())
    }

    #[inline]
    fn current(&mut self, row: &impl Row) -> Result<Counted, RowError> {
        let key = self.key(|side| row.key(side))?;
        let (size, modified) = (self.size(row)?, self.modified(|| row.modified())?);
        // Last: it stays among the classes, which is not for a row that is skipped.
        let class = self.class(row)?;
        Ok(self.counted(key, size, modified, class))
    }

    #[inline]
    fn counted(&self, key: Key, size: u64, modified: u64, class: ClassId) -> Counted {
        let bin = self.reading.binning.current(self.classes, class, size, modified);
        let modified = if self.needs.dates { modified } else { UNDATED };
        Counted::new(key, bin, if self.needs.bytes { size } else { 0 }, modified)
    }

    fn noncurrent(&mut self, row: &impl Row) -> Result<Counted, RowError> {
        let (key, size, class) = (self.key(|side| row.key(side))?, self.size(row)?, self.class(row)?);
        let bin = self.reading.binning.noncurrent(self.classes, class, size);
        Ok(Counted::new(key, bin, if self.needs.bytes { size } else { 0 }, UNDATED))
    }

    fn marker(&mut self, row: &impl Row, latest: bool) -> Result<Counted, RowError> {
        let key = self.key(|side| row.key(side))?;
        Ok(Counted::new(key, Bin::Marker { latest }.id(), 0, UNDATED))
    }

    #[inline]
    fn key(
        &mut self,
        place: impl FnOnce(&mut Vec<u8>) -> Result<KeyPlace, RowError>,
    ) -> Result<Key, RowError> {
        let start = self.side.len();
        let place = place(&mut self.side)?;
        let (offset, len) = match place.origin {
            Origin::Raw(offset, len) => (offset, len),
            Origin::Side => (start, self.side.len() - start),
        };
        let fits = (1..=MAX_KEY).contains(&len);
        if fits { Ok(Key::new(offset, len, &place)) } else { Err(RowError::KeyLength(len)) }
    }

    #[inline]
    fn class(&mut self, row: &impl Row) -> Result<ClassId, RowError> {
        if !self.needs.class {
            return Ok(0);
        }
        match row.class() {
            b"" => Err(RowError::Missing(Field::StorageClass)),
            class => Ok(self.cache.id(self.classes, class, row.tier())?),
        }
    }

    #[inline]
    fn size(&self, row: &impl Row) -> Result<u64, RowError> {
        if self.needs.size { row.size()?.ok_or(RowError::Missing(Field::Size)) } else { Ok(0) }
    }

    #[inline]
    fn modified(&self, modified: impl FnOnce() -> Result<Option<u64>, RowError>) -> Result<u64, RowError> {
        if !self.needs.modified {
            return Ok(UNDATED);
        }
        match modified()?.ok_or(RowError::Missing(Field::LastModifiedDate))? {
            late @ AFTER_DATES.. => Err(RowError::LateDate(late)),
            modified => Ok(modified),
        }
    }

    /// Hands the batch over if it is full; whether it did. `raw` is what raw keys' offsets count from.
    #[inline]
    pub(crate) fn end(&mut self, raw: &[u8]) -> Result<bool, ReadError<S::Error>> {
        if self.pending < MAX_BATCH { Ok(false) } else { self.flush(raw).map(|()| true) }
    }

    /// Hands over what there is.
    pub(crate) fn flush(&mut self, raw: &[u8]) -> Result<(), ReadError<S::Error>> {
        if self.pending == 0 {
            return Ok(());
        }
        let new = self.row.saturating_sub(self.known);
        self.counts.rows += new.min(self.pending as u64);
        self.pending = 0;
        let batch = Batch::new(&self.batch, (raw, &self.side), self.classes, (self.row, self.ended));
        let handed = self.sink.batch(&batch);
        self.batch.clear();
        self.side.clear();
        handed.map_err(ReadError::Sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{all, collect};

    fn facts(key: &[u8], latest: bool, marker: bool) -> Facts<'_> {
        Facts { key, size: Some(7), class: b"S", tier: b"", modified: Some(9), latest, marker }
    }

    #[test]
    fn a_batch_is_handed_over_every_1024_rows_good_or_bad() {
        let seen = collect(&all(OnBadRow::Skip), |rows| {
            for _ in 0..1500 {
                rows.add(&facts(b"k", true, false))?;
                rows.add_bad(RowError::Unterminated)?;
            }
            rows.finish()
        });
        assert_eq!((seen.batches, seen.counts.rows), (vec![512, 512, 476], 3000));
        assert_eq!(seen.counts.of(Excluded::BadFields), 1500);
    }

    #[test]
    fn a_bad_row_is_named() {
        let error = |on_bad_row, bad: Facts<'_>| {
            let seen = collect(&all(on_bad_row), |rows| {
                rows.add(&facts(b"k", true, false))?;
                rows.add(&bad)?;
                rows.finish()
            });
            seen.error.unwrap_or_else(|| format!("{:?}", seen.counts.excluded))
        };
        let good = facts(b"k", true, false);
        for (bad, message, excluded) in [
            (Facts { size: None, ..good }, "row 2: Size is missing", "{BadSize: 1}"),
            (Facts { class: b"", ..good }, "row 2: StorageClass is missing", "{BadClass: 1}"),
            (Facts { modified: None, ..good }, "row 2: LastModifiedDate is missing", "{BadDate: 1}"),
            (
                Facts { modified: Some(AFTER_DATES), ..good },
                "row 2: date 253402207200000 isn't before 9999-12-30T22:00:00Z",
                "{BadDate: 1}",
            ),
            (Facts { key: b"", ..good }, "row 2: a key of 0 bytes: 1 to 1024 are possible", "{BadKey: 1}"),
            (
                Facts { key: &[b'k'; 2000], ..good },
                "row 2: a key of 2000 bytes: 1 to 1024 are possible",
                "{BadKey: 1}",
            ),
        ] {
            assert_eq!(error(OnBadRow::Fail, bad), message);
            assert_eq!(error(OnBadRow::Skip, bad), excluded);
        }
    }

    #[test]
    fn a_skipped_row_leaves_no_class_behind() {
        let reading = all(OnBadRow::Skip);
        let (mut classes, mut counts) = (reading.classes(), RowCounts::default());
        let mut sink = |_: &Batch<'_>| Ok::<(), std::convert::Infallible>(());
        let mut rows = Rows::new(&reading, &mut classes, &mut counts, &mut sink);
        let (current, noncurrent) = (facts(b"k", true, false), facts(b"k", false, false));
        for bad in [
            Facts { size: None, class: b"SIZELESS", ..current },
            Facts { size: None, class: b"OLD", ..noncurrent },
            Facts { modified: Some(AFTER_DATES), class: b"LATE", ..current },
            Facts { key: b"", class: b"KEYLESS", ..current },
            current,
        ] {
            rows.add(&bad).unwrap();
        }
        rows.finish().unwrap();
        assert_eq!(classes.iter().collect::<Vec<_>>(), ["S"]);
        assert_eq!(counts.current(), Some(1));
    }

    #[test]
    fn delete_markers_and_noncurrent_versions_need_less() {
        let seen = collect(&all(OnBadRow::Fail), |rows| {
            rows.add(&Facts { size: None, class: b"", modified: None, ..facts(b"m", true, true) })?;
            rows.add(&Facts { modified: None, ..facts(b"n", false, false) })?;
            rows.finish()
        });
        assert_eq!(seen.error, None);
        assert_eq!((seen.counts.rows, seen.counts.current()), (2, Some(0)));
        let bins: Vec<_> = seen.rows.iter().map(|row| (row.bin.as_str(), row.size)).collect();
        assert_eq!(bins, [("marker, latest: true", 0), ("S, current: false, size: Small, age: None", 7)]);
        assert!(seen.rows.iter().all(|row| row.dates.is_none()));
    }
}
