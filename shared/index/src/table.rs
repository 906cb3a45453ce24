//! The table of a lot: its rows in buckets, each in one of two.

use s3inv_model::{Cell, Dates};
use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

use crate::brief;
use crate::bucket::{self, PRINT_BITS, ROOM, Stored};
use crate::page::Shape;

/// The two buckets of a prefix are at most so far apart: one read of 8 KiB has both.
const REACH: u64 = 63;
/// Seeds that are tried: a second one is needed once in thousands of millions of tables.
const SEEDS: u64 = 4;
/// How many hundredths of the room in its buckets a table is first tried to fill.
const FULL: u64 = 92;
/// Entries that are moved to make room for one before a table is taken for too full.
const MOVES: usize = 3000;

/// How prefixes are hashed: another way only in tests.
pub(crate) type Hash = fn(&[u8]) -> u128;

/// The hash of files.
pub(crate) fn hash(prefix: &[u8]) -> u128 {
    xxh3_128(prefix)
}

/// Where a prefix is looked for in a table, and what tells it from others there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) print: u64,
    place: u64,
}

impl Address {
    /// Of a prefix of this hash, in a table of this seed.
    #[inline]
    pub(crate) fn new(hash: u128, seed: u64) -> Self {
        let hash = if seed == 0 { hash } else { xxh3_128_with_seed(&hash.to_le_bytes(), seed) };
        Self { print: hash as u64 >> (u64::BITS - PRINT_BITS), place: (hash >> 64) as u64 }
    }

    /// Its two buckets among so many; the same one twice where there is one.
    #[inline]
    pub(crate) fn buckets(self, count: u64) -> (u64, u64) {
        let scaled = |part: u64, to: u64| ((part & u64::from(u32::MAX)) * to) >> 32;
        let first = scaled(self.place >> 32, count);
        let reach = REACH.min(count / 2);
        let by = if reach == 0 { 0 } else { 1 + scaled(self.place, reach) };
        (first, if first + by < count { first + by } else { first - by })
    }
}

/// A table as it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// None, where rows could not be told apart: then pages are asked.
    pub(crate) buckets: u64,
    pub(crate) seed: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Gathers the rows of a lot.
pub(crate) struct TableBuilder {
    shape: Shape,
    hash: Hash,
    hashes: Vec<u128>,
    /// Where each row ends among `rows`.
    ends: Vec<usize>,
    rows: Vec<u8>,
}

impl TableBuilder {
    pub(crate) fn new(shape: Shape, hash: Hash) -> Self {
        Self { shape, hash, hashes: Vec::new(), ends: Vec::new(), rows: Vec::new() }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.hashes.len() as u64
    }

    pub(crate) fn push(&mut self, key: &[u8], cells: &[Cell], dates: Dates) {
        let from = self.rows.len();
        let told = brief::put(self.shape, cells, dates, &mut self.rows);
        let row = self.rows.get(from..).unwrap_or_default();
        if told.is_none() || Stored::new(row) == Stored::Elsewhere {
            // Longer than any row, so that it is known again.
            self.rows.truncate(from);
            self.rows.resize(from + ROOM, 0);
        }
        self.hashes.push((self.hash)(key));
        self.ends.push(self.rows.len());
    }

    fn stored(&self, row: usize) -> Stored<'_> {
        let from = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(row).copied().unwrap_or(from);
        Stored::new(self.rows.get(from..end).unwrap_or_default())
    }

    /// The table of the rows so far; the builder is empty afterwards.
    pub(crate) fn finish(&mut self) -> Table {
        let table = (0..SEEDS).find_map(|seed| self.with_seed(seed)).unwrap_or_default();
        self.hashes.clear();
        self.ends.clear();
        self.rows.clear();
        table
    }

    /// `None` if two prefixes are alike, or do not fit because too many want the same buckets.
    fn with_seed(&self, seed: u64) -> Option<Table> {
        let addresses: Vec<_> = self.hashes.iter().map(|&hash| Address::new(hash, seed)).collect();
        let mut prints: Vec<_> = addresses.iter().map(|address| address.print).collect();
        prints.sort_unstable();
        if prints.is_sorted_by(|a, b| a < b) { self.filled(&addresses, seed) } else { None }
    }

    /// The smallest table that is found to have room for all.
    fn filled(&self, addresses: &[Address], seed: u64) -> Option<Table> {
        let lens: Vec<_> = (0..addresses.len()).map(|row| self.stored(row).len()).collect();
        let bytes = lens.iter().sum::<usize>() as u64;
        let mut buckets = (bytes * 100).div_ceil(ROOM as u64 * FULL).max(1);
        while buckets <= most_buckets(self.rows()) {
            if let Some(filling) = Filling::new(addresses, &lens, buckets) {
                return Some(Table { buckets, seed, bytes: self.put(addresses, &filling) });
            }
            buckets += 1 + buckets / 48;
        }
        None
    }

    fn put(&self, addresses: &[Address], filling: &Filling<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(filling.buckets.len() * bucket::BUCKET);
        let mut entries = Vec::new();
        for held in &filling.buckets {
            entries.clear();
            entries.extend(
                held.rows
                    .iter()
                    .filter_map(|&row| Some((addresses.get(row as usize)?.print, self.stored(row as usize)))),
            );
            bucket::put(&entries, &mut out);
        }
        out
    }
}

/// The most buckets of a table of so many rows.
pub(crate) fn most_buckets(rows: u64) -> u64 {
    rows.saturating_mul(2)
}

/// The rows of a bucket, and the bytes that they take.
#[derive(Clone, Default)]
struct Held {
    rows: Vec<u32>,
    used: usize,
}

/// Rows that are being put into buckets.
struct Filling<'a> {
    addresses: &'a [Address],
    lens: &'a [usize],
    buckets: Vec<Held>,
}

impl<'a> Filling<'a> {
    /// `None` if some row finds no place.
    fn new(addresses: &'a [Address], lens: &'a [usize], buckets: u64) -> Option<Self> {
        let mut filling = Self { addresses, lens, buckets: vec![Held::default(); buckets as usize] };
        let mut long_first: Vec<_> = (0..addresses.len() as u32).collect();
        long_first.sort_by_key(|&row| std::cmp::Reverse(filling.len(row)));
        long_first.into_iter().all(|row| filling.place(row)).then_some(filling)
    }

    fn len(&self, row: u32) -> usize {
        self.lens.get(row as usize).copied().unwrap_or(0)
    }

    fn choices(&self, row: u32) -> (usize, usize) {
        let address = self.addresses.get(row as usize).copied();
        let (first, second) = address.map_or((0, 0), |address| address.buckets(self.buckets.len() as u64));
        (first as usize, second as usize)
    }

    fn used(&self, bucket: usize) -> usize {
        self.buckets.get(bucket).map_or(ROOM, |held| held.used)
    }

    /// Puts a row into the emptier one of its buckets. Where neither has room, one of the rows there goes to
    /// its other bucket, if that has room; else some go without knowing where they find it.
    fn place(&mut self, row: u32) -> bool {
        let mut homeless = vec![(row, None)];
        for _ in 0..MOVES {
            let Some((row, left)) = homeless.pop() else { return true };
            let (first, second) = self.choices(row);
            let emptier = if self.used(second) < self.used(first) { second } else { first };
            let to = if self.used(emptier) + self.len(row) <= ROOM {
                emptier
            } else if let Some(to) = self.make_room(row) {
                to
            } else {
                let to = if left == Some(emptier) { first + second - emptier } else { emptier };
                self.evict(to, self.len(row), &mut homeless);
                to
            };
            self.put(row, to);
        }
        homeless.is_empty()
    }

    /// Moves the shortest row that will do, of one of the buckets of `row`; the bucket that has room then.
    fn make_room(&mut self, row: u32) -> Option<usize> {
        let (first, second) = self.choices(row);
        let mut best: Option<(usize, usize, usize, usize)> = None;
        for from in [first, second] {
            let missing = (self.used(from) + self.len(row)).saturating_sub(ROOM);
            for (at, &moved) in self.buckets.get(from)?.rows.iter().enumerate() {
                let len = self.len(moved);
                let (a, b) = self.choices(moved);
                let to = a + b - from;
                let shorter = best.is_none_or(|(shortest, ..)| len < shortest);
                if shorter && len >= missing && to != from && self.used(to) + len <= ROOM {
                    best = Some((len, from, at, to));
                }
            }
        }
        let (_, from, at, to) = best?;
        let moved = self.take(from, at)?;
        self.put(moved, to);
        Some(from)
    }

    /// Drives out the rows that came first, until there is room for `len` bytes.
    fn evict(&mut self, from: usize, len: usize, homeless: &mut Vec<(u32, Option<usize>)>) {
        while self.used(from) + len > ROOM {
            let Some(oldest) = self.take(from, 0) else { return };
            homeless.push((oldest, Some(from)));
        }
    }

    fn take(&mut self, from: usize, at: usize) -> Option<u32> {
        let held = self.buckets.get_mut(from).filter(|held| at < held.rows.len())?;
        let row = held.rows.remove(at);
        held.used -= self.lens.get(row as usize).copied().unwrap_or(0);
        Some(row)
    }

    fn put(&mut self, row: u32, to: usize) {
        let len = self.len(row);
        if let Some(held) = self.buckets.get_mut(to) {
            held.rows.push(row);
            held.used += len;
        }
    }
}
