//! Finding one prefix, or some: at once where there are tables, and in pages where there are none.

use std::hint::black_box;
use std::ops::Range;

use s3inv_model::{Sums, prefix};

use crate::brief;
use crate::bucket::{self, BUCKET, Bucket, Stored, Unreadable};
use crate::lot::Placed;
use crate::table::Address;
use crate::{FormatError, ReadAt, Reader, Span};

/// Prefixes of which all buckets are on their way before the first one is looked at: processors wait for
/// some ten cache lines at a time.
const AHEAD: usize = 32;
/// The same of what is fetched by requests: with a page each, they are some ten megabytes.
const REMOTE_AHEAD: usize = 256;
/// How far apart processors have what they fetch.
const CACHE_LINE: usize = 64;

/// What a table says of a prefix.
enum Answer {
    Row(Sums),
    Missing,
    /// That its page knows.
    Elsewhere,
}

/// Where a prefix is looked for.
struct Place<'a> {
    lot: &'a Placed,
    print: u64,
    buckets: [u64; 2],
}

impl Place<'_> {
    fn offset(&self, bucket: u64) -> u64 {
        self.lot.table_at + bucket * BUCKET as u64
    }

    /// Where both buckets are, with what is between them.
    fn range(&self) -> Range<u64> {
        let [first, second] = self.buckets;
        self.offset(first.min(second))..self.offset(first.max(second) + 1)
    }
}

impl<R: ReadAt> Reader<R> {
    /// What is said of a prefix, if it is there.
    pub fn get(&self, key: &[u8]) -> Result<Option<Sums>, FormatError> {
        match self.place(key) {
            Some(place) => {
                self.touch(&place);
                self.get_at(key, &place)
            }
            None => self.get_from_pages(key),
        }
    }

    /// What is said of some prefixes, of each as [`get`](Self::get) says it. In a file that is in memory, or
    /// [mapped](crate::Mapped), and from a remote one, this is faster than one after the other.
    pub fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Sums>>, FormatError> {
        let mut found = Vec::with_capacity(keys.len());
        let ahead = if self.source().is_remote() { REMOTE_AHEAD } else { AHEAD };
        for keys in keys.chunks(ahead) {
            let places: Vec<_> = keys.iter().map(|key| self.place(key)).collect();
            places.iter().flatten().for_each(|place| self.touch(place));
            self.will_get(keys, &places)?;
            for (key, place) in keys.iter().zip(&places) {
                found.push(match place {
                    Some(place) => self.get_at(key, place)?,
                    None => self.get_from_pages(key)?,
                });
            }
        }
        Ok(found)
    }

    /// Where a prefix is looked for, if there is a table for it.
    #[inline]
    fn place(&self, key: &[u8]) -> Option<Place<'_>> {
        let lots = self.lots().filter(|_| prefix::is_prefix(key))?;
        let lot = lots.of(key).filter(|placed| placed.lot.buckets > 0)?;
        let address = Address::new((self.hash)(key), lot.lot.seed);
        Some(Place { lot, print: address.print, buckets: address.buckets(lot.lot.buckets).into() })
    }

    #[inline]
    fn in_memory(&self, place: &Place<'_>, bucket: u64) -> Option<&[u8]> {
        self.source().slice(place.offset(bucket), BUCKET)
    }

    /// Begins to fetch the buckets of a place. Nothing waits for these loads, so that they overlap.
    #[inline]
    fn touch(&self, place: &Place<'_>) {
        let line = |bytes: &[u8], at: usize| bytes.get(at).map_or(0, |&byte| u32::from(byte));
        let bytes = place.buckets.iter().filter_map(|&bucket| self.in_memory(place, bucket));
        black_box(bytes.map(|bytes| line(bytes, 0) + line(bytes, CACHE_LINE)).sum::<u32>());
    }

    /// Has what these need fetched at once, if it isn't here.
    fn will_get(&self, keys: &[&[u8]], places: &[Option<Place<'_>>]) -> Result<(), FormatError> {
        if !self.source().is_remote() {
            return Ok(());
        }
        let buckets: Vec<_> = places.iter().flatten().map(Place::range).collect();
        self.source().will_read(&buckets)?;
        let of_pages =
            keys.iter().zip(places).filter(|(key, place)| place.is_none() && prefix::is_prefix(key));
        let rows: Vec<_> = of_pages.map(|(key, _)| Span::row(key)).collect();
        self.will_read(&rows)
    }

    fn get_at(&self, key: &[u8], place: &Place<'_>) -> Result<Option<Sums>, FormatError> {
        match self.look_up(place)? {
            Answer::Row(sums) => Ok(Some(sums)),
            Answer::Missing => Ok(None),
            Answer::Elsewhere => self.get_from_pages(key),
        }
    }

    pub(crate) fn get_from_pages(&self, key: &[u8]) -> Result<Option<Sums>, FormatError> {
        if !prefix::is_prefix(key) {
            return Ok(None);
        }
        let mut cursor = self.seek(key)?;
        let found = cursor.advance()? && cursor.key() == key;
        Ok(found.then(|| Sums { cells: cursor.cells().to_vec(), dates: cursor.dates() }))
    }

    fn look_up(&self, place: &Place<'_>) -> Result<Answer, FormatError> {
        let [first, second] = place.buckets;
        if let (Some(a), Some(b)) = (self.in_memory(place, first), self.in_memory(place, second)) {
            return self.look_into(place, [a, b]);
        }
        let (from, range) = (first.min(second), place.range());
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.source().read_at(range.start, &mut bytes)?;
        let bucket = |bucket: u64| {
            let at = (bucket - from) as usize * BUCKET;
            bytes.get(at..at + BUCKET).unwrap_or_default()
        };
        self.look_into(place, [bucket(first), bucket(second)])
    }

    /// No two prefixes of a lot have the same print: if one bucket has it, the other one isn't asked.
    fn look_into(&self, place: &Place<'_>, buckets: [&[u8]; 2]) -> Result<Answer, FormatError> {
        for (bytes, number) in buckets.into_iter().zip(place.buckets) {
            if let Some(nth) = bucket::nth_of(bytes, place.print) {
                let why = |why| unreadable(place.offset(number), &why);
                return match Bucket::checked(bytes).and_then(|bucket| bucket.get(nth)).map_err(why)? {
                    Stored::Row(row) => {
                        let row = brief::take(self.shape, row).map(Answer::Row);
                        row.ok_or_else(|| why(Unreadable::Sense))
                    }
                    Stored::Elsewhere => Ok(Answer::Elsewhere),
                };
            }
        }
        for (bytes, number) in buckets.into_iter().zip(place.buckets) {
            Bucket::checked(bytes).map_err(|why| unreadable(place.offset(number), &why))?;
        }
        Ok(Answer::Missing)
    }

    /// A lot's table as it is stored, the checksums of its buckets compared.
    pub(crate) fn stored_table(&self, placed: &Placed) -> Result<Vec<u8>, FormatError> {
        // Lots are not believed to have more than some megabytes.
        let mut bytes = vec![0; placed.lot.table_len() as usize];
        self.source().read_at(placed.table_at, &mut bytes)?;
        for (number, bucket) in (0u64..).zip(bytes.chunks(BUCKET)) {
            let offset = placed.table_at + number * BUCKET as u64;
            Bucket::checked(bucket).map_err(|why| unreadable(offset, &why))?;
        }
        Ok(bytes)
    }
}

fn unreadable(offset: u64, why: &Unreadable) -> FormatError {
    match why {
        Unreadable::Checksum => FormatError::Checksum { part: "bucket", offset },
        Unreadable::Sense => FormatError::damaged("bucket", offset, "its rows can't be read"),
    }
}
