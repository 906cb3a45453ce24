//! Lots: ranges of rows with a table each, which follows their pages.

use s3inv_model::prefix;

use crate::bucket::BUCKET;
use crate::entry::{put_first, take_first};
use crate::firsts::Firsts;
use crate::table::most_buckets;
use crate::varint;

/// Where the pages of a file with tables begin: everything is a multiple of a bucket's length, so that
/// buckets lie in as few cache lines as can be, wherever segments come to stand.
pub(crate) const LOTS_AT: u64 = BUCKET as u64;
/// The most lots of a file: they have some three thousand million rows.
pub(crate) const MAX_LOTS: usize = 1 << 18;
/// The most rows of a lot: those that do not end it yet, and a page of the shortest ones.
pub(crate) const MAX_LOT_ROWS: u64 = 64 << 10;

/// What a file says of a lot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lot {
    /// Its first prefix.
    pub(crate) first: Vec<u8>,
    pub(crate) rows: u64,
    /// Stored bytes of its pages.
    pub(crate) pages_len: u64,
    /// Buckets of its table; none, where it has no table.
    pub(crate) buckets: u64,
    /// What its prefixes are hashed with.
    pub(crate) seed: u64,
}

impl Lot {
    /// Zeros between its pages and its table.
    pub(crate) fn padding(&self) -> u64 {
        self.pages_len.wrapping_neg() % BUCKET as u64
    }

    pub(crate) fn table_len(&self) -> u64 {
        self.buckets * BUCKET as u64
    }

    /// Appends what the root says of it.
    pub(crate) fn put(&self, previous: &[u8], out: &mut Vec<u8>) {
        put_first(&self.first, previous, out);
        for value in [self.rows, self.pages_len, self.buckets, self.seed] {
            varint::put(out, value);
        }
    }

    fn take(bytes: &mut &[u8], previous: &[u8]) -> Option<Self> {
        let first = take_first(bytes, previous)?;
        let mut next = || varint::take(bytes);
        let lot = Self { first, rows: next()?, pages_len: next()?, buckets: next()?, seed: next()? };
        let believable = (1..=MAX_LOT_ROWS).contains(&lot.rows) && lot.buckets <= most_buckets(lot.rows);
        (believable && lot.pages_len > 0).then_some(lot)
    }
}

/// A lot, and where it is.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) lot: Lot,
    /// Stored bytes of the pages before it.
    pages_before: u64,
    /// Where its pages begin in the file.
    pub(crate) at: u64,
    /// Where its table does.
    pub(crate) table_at: u64,
}

impl Placed {
    fn end(&self) -> u64 {
        self.table_at + self.lot.table_len()
    }
}

/// All lots of a file, in order.
#[derive(Debug, Default)]
pub(crate) struct Lots {
    placed: Vec<Placed>,
    firsts: Firsts,
}

impl Lots {
    /// Reads what the root says of them.
    pub(crate) fn take_all(mut bytes: &[u8]) -> Result<Self, String> {
        let mut placed: Vec<Placed> = Vec::new();
        let (mut at, mut pages_before) = (LOTS_AT, 0u64);
        while !bytes.is_empty() {
            let number = placed.len() + 1;
            if number > MAX_LOTS {
                return Err(format!("it has more than {MAX_LOTS} lots"));
            }
            let previous = placed.last().map(|last| last.lot.first.as_slice());
            let lot = Lot::take(&mut bytes, previous.unwrap_or_default())
                .filter(|lot| lot.pages_len < u64::MAX / 4 && at < u64::MAX / 4)
                .ok_or_else(|| format!("lot {number} can't be read"))?;
            if previous.is_some_and(|previous| prefix::compare(previous, &lot.first).is_ge()) {
                return Err(format!("lot {number} is out of order"));
            }
            let table_at = at + lot.pages_len + lot.padding();
            let next = Placed { lot, pages_before, at, table_at };
            (at, pages_before) = (next.end(), pages_before + next.lot.pages_len);
            placed.push(next);
        }
        let firsts = Firsts::new(placed.iter().map(|placed| placed.lot.first.as_slice()));
        Ok(Self { placed, firsts })
    }

    pub(crate) fn all(&self) -> &[Placed] {
        &self.placed
    }

    pub(crate) fn rows(&self) -> u64 {
        self.placed.iter().map(|placed| placed.lot.rows).sum()
    }

    pub(crate) fn pages_len(&self) -> u64 {
        self.placed.iter().map(|placed| placed.lot.pages_len).sum()
    }

    /// Where the last table ends.
    pub(crate) fn end(&self) -> u64 {
        self.placed.last().map_or(LOTS_AT, Placed::end)
    }

    /// The lot that a prefix is in, if it is there at all.
    #[inline]
    pub(crate) fn of(&self, key: &[u8]) -> Option<&Placed> {
        self.placed.get(self.firsts.last_up_to(key)?)
    }

    /// Where a page is that has so many stored bytes of pages before it.
    pub(crate) fn page_at(&self, before: u64) -> u64 {
        let after = self.placed.partition_point(|placed| placed.pages_before <= before);
        let of = after.checked_sub(1).and_then(|lot| self.placed.get(lot));
        of.map_or(before, |lot| lot.at + (before - lot.pages_before))
    }

    /// The lot whose pages end at a byte of the file.
    pub(crate) fn ending_at(&self, end: u64) -> Option<&Placed> {
        let at = |placed: &Placed| placed.at + placed.lot.pages_len;
        let found = self.placed.binary_search_by_key(&end, at).ok()?;
        self.placed.get(found)
    }
}
