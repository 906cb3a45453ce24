//! Rows that differ from others only where all rows do: in the key, and in what stands between it and the
//! last of version, size, date and `ETag`. What stands before and behind is compared as a whole, so most
//! of a row's bytes are never looked at one by one.

use s3inv_model::ClassId;
use wide::{u8x16, u8x32};

use super::layout::CsvLayout;
use crate::fields::Field;

/// Different rests that are remembered: classes, encryptions and states of replication in all their mixes.
const MOST_RESTS: usize = 32;
/// After so many rows in sequence whose rests were new, the file is not of this kind.
const PATIENCE: u32 = 64;

/// What rows of a file have in common, as far as it has been seen.
pub(super) struct Usual {
    /// The columns between the key and the rest; none where rows are not laid out so.
    between: Option<Vec<Between>>,
    /// From a row's start to its key.
    head: Vec<u8>,
    rests: Vec<Rest>,
    /// The rest of the row before.
    last: usize,
    /// Rows in sequence that were not found.
    misses: u32,
}

/// How rows end: from the quote that ends the last column that differs, to behind the newline.
struct Rest {
    text: Vec<u8>,
    class: ClassId,
}

/// A row that is like others.
#[derive(Clone, Copy)]
pub(super) struct UsualRow {
    /// Where the key is, as it is written.
    pub(super) key: (usize, usize),
    /// Whether it has an escape.
    pub(super) escaped: bool,
    /// 0 where it is not told.
    pub(super) size: u64,
    /// Where the date is.
    pub(super) date: (usize, usize),
    pub(super) class: ClassId,
    /// Where the row ends.
    pub(super) end: usize,
}

/// A column between the key and the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Any,
    Size,
    Date,
    /// What current objects have there.
    Text(&'static [u8]),
}

impl Usual {
    pub(super) fn new(layout: &CsvLayout) -> Self {
        let needed = Field::ALL.into_iter().filter_map(|field| layout.at(field));
        let behind = needed.min().is_none_or(|first| first > layout.key);
        let between = (layout.key + 1..=layout.varying).map(|column| {
            let is = |field| layout.at(field) == Some(column);
            match column {
                _ if is(Field::Size) => Between::Size,
                _ if is(Field::LastModifiedDate) => Between::Date,
                _ if is(Field::IsLatest) => Between::Text(b"true"),
                _ if is(Field::IsDeleteMarker) => Between::Text(b"false"),
                _ => Between::Any,
            }
        });
        let classes = [Field::StorageClass, Field::IntelligentTieringAccessTier];
        let classes = classes.into_iter().filter_map(|field| layout.at(field)).min();
        let fits = behind && classes.is_none_or(|first| first > layout.varying);
        Self {
            between: fits.then(|| between.collect()),
            head: Vec::new(),
            rests: Vec::new(),
            last: 0,
            misses: 0,
        }
    }

    /// The row at `at`, if it is like one that was learned.
    #[inline]
    pub(super) fn find(&mut self, window: &[u8], at: usize) -> Option<UsualRow> {
        let between = self.between.as_deref().filter(|_| !self.rests.is_empty())?;
        let start = at + self.head.len();
        if !window.get(at..)?.starts_with(&self.head) {
            return None;
        }
        let (end, escaped) = end_of_key(window, start)?;
        let (mut close, mut size, mut date) = (end, 0, (0, 0));
        for column in between {
            if window.get(close..)?.first_chunk::<3>()? != b"\",\"" {
                return None;
            }
            let open = close + 3;
            close = match column {
                Between::Size => {
                    let (parsed, end) = digits(window, open)?;
                    size = parsed;
                    end
                }
                Between::Any => end_of_text(window, open)?,
                Between::Date => {
                    date = (open, end_of_text(window, open)?);
                    date.1
                }
                Between::Text(text) => {
                    let end = open + text.len();
                    (window.get(open..end)? == *text).then_some(end)?
                }
            };
        }
        let (class, len) = self.rest(window.get(close..)?)?;
        Some(UsualRow { key: (start, end), escaped, size, date, class, end: close + len })
    }

    /// The class and the length of the rest that stands there: mostly that of the row before.
    #[inline]
    fn rest(&mut self, text: &[u8]) -> Option<(ClassId, usize)> {
        if !self.rests.get(self.last).is_some_and(|rest| text.starts_with(&rest.text)) {
            self.last = self.rests.iter().position(|rest| text.starts_with(&rest.text))?;
        }
        self.misses = 0;
        self.rests.get(self.last).map(|rest| (rest.class, rest.text.len()))
    }

    /// Remembers what the row of a current object, whose quotes are known, has in common with others.
    #[cold]
    pub(super) fn learn(&mut self, layout: &CsvLayout, row: &[u8], quotes: &[u32], class: ClassId) {
        let places = quotes.as_chunks::<2>().0;
        let place = |column: usize| places.get(column).map(|&[open, close]| (open as usize, close as usize));
        let (Some((open, _)), Some((_, close))) = (place(layout.key), place(layout.varying)) else { return };
        let (Some(head), Some(text)) = (row.get(..=open), row.get(close..)) else { return };
        self.misses += 1;
        if self.misses > PATIENCE {
            self.between = None;
        } else if self.head != head {
            self.head = head.to_vec();
        } else if self.rests.len() < MOST_RESTS && !self.rests.iter().any(|rest| rest.text == text) {
            self.rests.push(Rest { text: text.to_vec(), class });
        }
    }
}

/// A number of one to seven digits, and the quote behind it: larger ones are rare.
#[inline]
fn digits(window: &[u8], start: usize) -> Option<(u64, usize)> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(*window.get(start..)?.first_chunk::<8>()?);
    let other = word ^ (ONES * u64::from(b'"'));
    // The lowest bit that is set is that of the first quote: higher ones may be wrong.
    let quotes = other.wrapping_sub(ONES) & !other & (ONES << 7);
    let bits = quotes.trailing_zeros() & !7;
    if quotes == 0 || bits == 0 {
        return None;
    }
    // Its digits at the top, and the digit 0 before them.
    let text = word << (64 - bits) | (ONES * u64::from(b'0')).unbounded_shr(bits);
    let values = text ^ (ONES * u64::from(b'0'));
    if (values | values.wrapping_add(ONES * 0x76)) & (ONES << 7) != 0 {
        return None;
    }
    let pairs = (values * 10 + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let value = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    Some((value, start + bits as usize / 8))
}

/// The next quote from `start` on, and whether there is an escape before it.
#[inline]
fn end_of_key(window: &[u8], start: usize) -> Option<(usize, bool)> {
    let (quote, percent, plus) = (u8x32::splat(b'"'), u8x32::splat(b'%'), u8x32::splat(b'+'));
    let mut escaped = false;
    for (nth, block) in window.get(start..)?.as_chunks::<32>().0.iter().enumerate() {
        let block = u8x32::new(*block);
        let quotes = block.simd_eq(quote).to_bitmask();
        let marks = (block.simd_eq(percent) | block.simd_eq(plus)).to_bitmask();
        if quotes != 0 {
            let before = (quotes & quotes.wrapping_neg()).wrapping_sub(1);
            let at = start + 32 * nth + quotes.trailing_zeros() as usize;
            return Some((at, escaped || marks & before != 0));
        }
        escaped |= marks != 0;
    }
    None
}

/// The next quote from `start` on.
#[inline]
fn end_of_text(window: &[u8], start: usize) -> Option<usize> {
    let quote = u8x16::splat(b'"');
    for (nth, block) in window.get(start..)?.as_chunks::<16>().0.iter().enumerate() {
        let quotes = u8x16::new(*block).simd_eq(quote).to_bitmask();
        if quotes != 0 {
            return Some(start + 16 * nth + quotes.trailing_zeros() as usize);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_careful_way_reads_them() {
        let texts = ["0", "7", "10", "99", "123", "4096", "65535", "131072", "9999999"];
        for text in texts {
            let window = format!("{text}\",\"2024-05-06");
            assert_eq!(digits(window.as_bytes(), 0), Some((text.parse().unwrap(), text.len())), "{text}");
        }
        for text in ["", "x", "1x", "-1", " 1", "1 ", "12345678", "1/", "1:", "\u{80}", "\u{b0}1"] {
            assert_eq!(digits(format!("{text}\",\"2024-05-06").as_bytes(), 0), None, "{text:?}");
        }
    }

    #[test]
    fn any_seven_bytes_are_a_number_or_not() {
        for nth in 0..200_000_u64 {
            let hash = (nth + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let len = 1 + (hash >> 60) as usize % 7;
            let byte = |at: usize| b"0123456789\"/:x\xb0"[(hash >> (at * 7)) as usize % 15];
            let mut window: Vec<u8> = (0..len).map(byte).collect();
            window.extend_from_slice(b"\",\"rest");
            let quote = window.iter().position(|&b| b == b'"').unwrap();
            let plain = super::super::values::size(&window[..quote]).ok().filter(|_| quote > 0);
            assert_eq!(digits(&window, 0), plain.map(|size| (size, quote)), "{window:?}");
        }
    }
}
