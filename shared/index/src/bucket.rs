//! Buckets: the 128 bytes that answer a lookup. Each has its own checksum, so that no more than it need be
//! read to believe it.

use crate::block::checksum;

/// The length of a bucket in bytes: two cache lines, which processors fetch together.
pub(crate) const BUCKET: usize = 128;
/// What is left of it for entries, behind its checksum and the number of them.
pub(crate) const ROOM: usize = BUCKET - SUM - 1;
/// Half of a checksum: a bucket that was damaged passes once in four thousand million times.
const SUM: usize = 4;
/// What an entry takes besides its row: 60 bits of the prefix's hash, and 4 that say how long the row is.
pub(crate) const HEAD: usize = 8;
pub(crate) const PRINT_BITS: u32 = 60;
/// The lengths that these 4 bits can tell; longer ones stand in a byte before the row.
const SHORT: usize = 14;
const LONG: u64 = 14;
/// The row is too long for a bucket: only pages have it.
const ELSEWHERE: u64 = 15;
/// The longest row.
const MAX_ROW: usize = ROOM - HEAD - 1;

/// What stands in a bucket for a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored<'a> {
    /// Its row.
    Row(&'a [u8]),
    /// That it is there, in its page.
    Elsewhere,
}

impl<'a> Stored<'a> {
    pub(crate) fn new(row: &'a [u8]) -> Self {
        if row.len() > MAX_ROW { Self::Elsewhere } else { Self::Row(row) }
    }

    /// The bytes that it takes, its head included.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Row(row) if row.len() < SHORT => HEAD + row.len(),
            Self::Row(row) => HEAD + 1 + row.len(),
            Self::Elsewhere => HEAD,
        }
    }

    fn kind(self) -> u64 {
        match self {
            Self::Row(row) => LONG.min(row.len() as u64),
            Self::Elsewhere => ELSEWHERE,
        }
    }
}

/// Appends a bucket of entries that have room in it, each with the print of its prefix.
pub(crate) fn put(entries: &[(u64, Stored<'_>)], out: &mut Vec<u8>) {
    let mut bytes = vec![entries.len() as u8];
    for (print, stored) in entries {
        bytes.extend_from_slice(&(print << (u64::BITS - PRINT_BITS) | stored.kind()).to_le_bytes());
    }
    for (_, stored) in entries {
        if let Stored::Row(row) = stored {
            bytes.extend((row.len() >= SHORT).then_some(row.len() as u8));
            bytes.extend_from_slice(row);
        }
    }
    bytes.resize(BUCKET - SUM, 0);
    out.extend_from_slice(&(checksum(&bytes) as u32).to_le_bytes());
    out.extend_from_slice(&bytes);
}

/// Makes the checksum of a bucket right, whatever is in it.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn seal(bytes: &mut [u8]) {
    if let Some((sum, rest)) = bytes.split_first_chunk_mut::<SUM>() {
        *sum = (checksum(rest) as u32).to_le_bytes();
    }
}

/// Which entry of a bucket has this print, if its checksum should match.
#[inline]
pub(crate) fn nth_of(bytes: &[u8], print: u64) -> Option<usize> {
    let (&count, heads) = bytes.get(SUM..)?.split_first()?;
    let is_it = |head: &[u8; HEAD]| u64::from_le_bytes(*head) >> (u64::BITS - PRINT_BITS) == print;
    heads.as_chunks().0.iter().take(count.into()).position(is_it)
}

/// A bucket whose checksum was compared.
#[derive(Clone, Copy)]
pub(crate) struct Bucket<'a> {
    heads: &'a [[u8; HEAD]],
    rows: &'a [u8],
}

impl<'a> Bucket<'a> {
    #[inline]
    pub(crate) fn checked(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let (sum, rest) = bytes.split_first_chunk::<SUM>().ok_or(Unreadable::Sense)?;
        if checksum(rest) as u32 != u32::from_le_bytes(*sum) {
            return Err(Unreadable::Checksum);
        }
        let entries = rest.split_first().and_then(|(&count, rest)| {
            let (heads, rows) = rest.split_at_checked(usize::from(count) * HEAD)?;
            Some(Self { heads: heads.as_chunks().0, rows })
        });
        entries.ok_or(Unreadable::Sense)
    }

    /// Its entries, and at last what is behind them; nothing more after what makes no sense.
    pub(crate) fn entries(self) -> Entries<'a> {
        Entries { heads: self.heads.iter(), rows: self.rows }
    }

    /// One of its entries.
    #[inline]
    pub(crate) fn get(self, nth: usize) -> Result<Stored<'a>, Unreadable> {
        self.entries().nth(nth).map_or(Err(Unreadable::Sense), |entry| Ok(entry?.1))
    }
}

/// Why a bucket is not believed.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Its checksum doesn't match.
    Checksum,
    /// Its entries are longer than it is.
    Sense,
}

/// Goes through the entries of a bucket.
pub(crate) struct Entries<'a> {
    heads: std::slice::Iter<'a, [u8; HEAD]>,
    /// The rows from the next entry on, and what is behind them.
    pub(crate) rows: &'a [u8],
}

impl<'a> Entries<'a> {
    #[inline]
    fn stored(&mut self, kind: u64) -> Option<Stored<'a>> {
        let len = match kind {
            ELSEWHERE => return Some(Stored::Elsewhere),
            LONG => {
                let (&len, rest) = self.rows.split_first()?;
                self.rows = rest;
                usize::from(len)
            }
            len => len as usize,
        };
        let (row, rest) = self.rows.split_at_checked(len)?;
        self.rows = rest;
        Some(Stored::Row(row))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(u64, Stored<'a>), Unreadable>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let head = u64::from_le_bytes(*self.heads.next()?);
        let stored = self.stored(head & ((1 << (u64::BITS - PRINT_BITS)) - 1)).ok_or(Unreadable::Sense);
        Some(stored.map(|stored| (head >> (u64::BITS - PRINT_BITS), stored)))
    }
}
