//! Checks that tables say what pages say: every row is found, and there is nothing else.

use s3inv_model::{Cell, Dates};

use crate::brief;
use crate::bucket::{self, BUCKET, Bucket, Stored};
use crate::error::shown;
use crate::lot::{Lots, Placed};
use crate::table::Address;
use crate::{FormatError, ReadAt, Reader};

/// The tables of a file, as far as its rows have come.
pub(crate) struct Tables<'a, R> {
    reader: &'a Reader<R>,
    next: std::slice::Iter<'a, Placed>,
    /// The table of the lot that the last row was of.
    open: Option<Open<'a>>,
}

impl<'a, R: ReadAt> Tables<'a, R> {
    pub(crate) fn new(reader: &'a Reader<R>) -> Self {
        let lots = reader.lots().map(Lots::all).unwrap_or_default();
        Self { reader, next: lots.iter(), open: None }
    }

    /// Takes the next row, which is to be found in its table.
    pub(crate) fn add(&mut self, key: &[u8], cells: &[Cell], dates: Dates) -> Result<(), FormatError> {
        if self.open.as_ref().is_none_or(|open| open.left == 0) {
            self.close()?;
            let Some(placed) = self.next.next() else { return Ok(()) };
            if placed.lot.first != key {
                return damaged(placed, format!("{:?} begins its lot", shown(key)));
            }
            self.open = Some(Open::new(self.reader, placed)?);
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.left -= 1;
        let mut told = Vec::new();
        // What can't be told in brief, is in pages alone.
        let told = brief::put(self.reader.shape, cells, dates, &mut told).map(|()| told.as_slice());
        let expected = told.map_or(Stored::Elsewhere, Stored::new);
        if open.find((self.reader.hash)(key), expected) {
            return Ok(());
        }
        damaged(open.placed, format!("{:?} is not there as it is in its page", shown(key)))
    }

    /// Ends the lot of the last row.
    pub(crate) fn close(&mut self) -> Result<(), FormatError> {
        match self.open.take() {
            Some(open) if open.unseen() > 0 => damaged(open.placed, "it has entries of no row".to_owned()),
            _ => Ok(()),
        }
    }
}

fn damaged<T>(placed: &Placed, cause: String) -> Result<T, FormatError> {
    Err(FormatError::damaged("table", placed.table_at, cause))
}

/// A table that is being checked.
struct Open<'a> {
    placed: &'a Placed,
    bytes: Vec<u8>,
    /// How many of its rows are still to come.
    left: u64,
    /// For each bucket, a bit for each entry that no row was found in yet.
    unseen: Vec<u16>,
}

impl<'a> Open<'a> {
    fn new<R: ReadAt>(reader: &Reader<R>, placed: &'a Placed) -> Result<Self, FormatError> {
        check_padding(reader, placed)?;
        let bytes = reader.stored_table(placed)?;
        let unseen = bytes.chunks(BUCKET).map(entries).collect::<Option<_>>();
        let Some(unseen) = unseen else {
            let cause = "a bucket can't be read, or has something behind its rows";
            return damaged(placed, cause.to_owned());
        };
        Ok(Self { placed, bytes, left: placed.lot.rows, unseen })
    }

    /// Whether a row stands in one of its buckets as it should, where no row stood before.
    fn find(&mut self, hash: u128, expected: Stored<'_>) -> bool {
        let lot = &self.placed.lot;
        if lot.buckets == 0 {
            return true;
        }
        let address = Address::new(hash, lot.seed);
        let (first, second) = address.buckets(lot.buckets);
        for number in [first as usize, second as usize] {
            let bytes = self.bytes.get(number * BUCKET..(number + 1) * BUCKET).unwrap_or_default();
            let Some(nth) = bucket::nth_of(bytes, address.print) else { continue };
            let stored = Bucket::checked(bytes).and_then(|bucket| bucket.get(nth));
            let Some(unseen) = self.unseen.get_mut(number) else { return false };
            let new = *unseen & (1 << nth) != 0;
            *unseen &= !(1 << nth);
            return new && stored.is_ok_and(|stored| stored == expected);
        }
        false
    }

    fn unseen(&self) -> u32 {
        self.unseen.iter().map(|entries| entries.count_ones()).sum()
    }
}

/// A bit for each entry of a bucket; `None` if they make no sense, or are not all of it but zeros.
fn entries(bytes: &[u8]) -> Option<u16> {
    let mut entries = Bucket::checked(bytes).ok()?.entries();
    let mut bits = 0;
    for (place, entry) in entries.by_ref().enumerate() {
        entry.ok()?;
        bits |= 1 << place;
    }
    entries.rows.iter().all(|&byte| byte == 0).then_some(bits)
}

fn check_padding<R: ReadAt>(reader: &Reader<R>, placed: &Placed) -> Result<(), FormatError> {
    let len = placed.lot.padding();
    if reader.is_zero(placed.table_at - len, len)? {
        return Ok(());
    }
    damaged(placed, "what is before it is not zeros".to_owned())
}
