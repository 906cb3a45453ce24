//! Rows that differ from others only where all rows do: in the key, and in what stands between it and the
//! last of version, size, date and `ETag`. What stands before and behind is compared as a whole, so most
//! of a row's bytes are never looked at one by one. So is the directory of the row before: most rows of a
//! sorted file lie in the same.

use s3inv_model::ClassId;
use wide::u8x16;

use super::key::UsualKey;
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
    /// The rest that was met last, by the first letters of its text: with a guess by the row before, mixed
    /// classes would be as many mispredicted branches.
    met: [u8; 64],
    /// Rows in sequence that were not found.
    misses: u32,
    /// The row before in this window, if it was taken: where it begins, and where its key's name.
    before: Option<Before>,
}

#[derive(Clone, Copy)]
struct Before {
    at: usize,
    name: usize,
    /// Whether its directory has an escape.
    escaped: bool,
}

/// How rows end: from the quote that ends the last column that differs, to behind the newline.
struct Rest {
    text: Vec<u8>,
    class: ClassId,
}

/// A row that is like others.
#[derive(Clone, Copy)]
pub(super) struct UsualRow {
    /// Where it begins.
    at: usize,
    pub(super) key: UsualKey,
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
            met: [0; 64],
            misses: 0,
            before: None,
        }
    }

    /// The row at `at`, if it is like one that was learned.
    #[expect(clippy::inline_always, reason = "what it returns is written to memory otherwise, for each row")]
    #[inline(always)]
    pub(super) fn find(&mut self, window: &[u8], at: usize) -> Option<UsualRow> {
        let between = self.between.as_deref().filter(|_| !self.rests.is_empty())?;
        let row = window.get(at..)?;
        let start = at + self.head.len();
        let key = match self.before {
            Some(Before { at: before, name, escaped }) if begins(row, window.get(before..name)?) => {
                UsualKey::beside(window, start, at + (name - before), escaped)?
            }
            _ if begins(row, &self.head) => UsualKey::find(window, start)?,
            _ => return None,
        };
        let (mut close, mut size, mut date) = (key.end, 0, (0, 0));
        for column in between {
            let text = next_field(window.get(close..)?)?;
            let open = close + 3;
            let len = match column {
                Between::Size => {
                    let (parsed, len) = digits(text)?;
                    size = parsed;
                    len
                }
                Between::Any => text_of::<32>(text).or_else(|| end_of_text(text))?,
                Between::Date => {
                    let len = text_of::<24>(text).or_else(|| end_of_text(text))?;
                    date = (open, open + len);
                    len
                }
                Between::Text(expected) => text.starts_with(expected).then_some(expected.len())?,
            };
            close = open + len;
        }
        let (class, len) = self.rest(window.get(close..)?)?;
        Some(UsualRow { at, key, size, date, class, end: close + len })
    }

    /// The row that was found last has been taken: the next may lie in its directory.
    #[inline]
    pub(super) fn taken(&mut self, row: &UsualRow) {
        let UsualKey { name, escaped_directory: escaped, .. } = row.key;
        self.before = Some(Before { at: row.at, name, escaped });
    }

    /// The next row is compared with none before it.
    #[inline]
    pub(super) fn forget(&mut self) {
        self.before = None;
    }

    /// The class and the length of the rest that stands there.
    #[inline]
    fn rest(&mut self, text: &[u8]) -> Option<(ClassId, usize)> {
        // Behind the quote, the comma and the quote that all begin with.
        let letters = u64::from_le_bytes(*text.get(3..)?.first_chunk::<8>()?);
        let slot = (letters.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize;
        let met = self.met.get_mut(slot)?;
        if !self.rests.get(usize::from(*met)).is_some_and(|rest| begins(text, &rest.text)) {
            *met = self.rests.iter().position(|rest| begins(text, &rest.text))? as u8;
        }
        self.misses = 0;
        self.rests.get(usize::from(*met)).map(|rest| (rest.class, rest.text.len()))
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

/// `text.starts_with(with)`, in blocks that need no call.
#[inline]
fn begins(text: &[u8], with: &[u8]) -> bool {
    let Some(text) = text.get(..with.len()) else { return false };
    let (blocks, expected) = (text.as_chunks::<16>(), with.as_chunks::<16>());
    blocks.0.iter().zip(expected.0).all(|(block, expected)| block == expected)
        && match (text.last_chunk::<16>(), with.last_chunk::<16>()) {
            (Some(last), Some(expected)) => last == expected,
            _ => text == with,
        }
}

/// What is behind the quote that ends a field, a comma, and the quote that begins the next.
#[inline]
fn next_field(text: &[u8]) -> Option<&[u8]> {
    const BETWEEN: u32 = u32::from_le_bytes([b'"', b',', b'"', 0]);
    let four = u32::from_le_bytes(*text.first_chunk()?);
    if four << 8 == BETWEEN << 8 { text.get(3..) } else { None }
}

/// A number of one to seven digits with a quote behind it, and how many they are: larger ones are rare.
#[inline]
fn digits(text: &[u8]) -> Option<(u64, usize)> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(*text.first_chunk::<8>()?);
    let other = word ^ (ONES * u64::from(b'"'));
    // The lowest bit that is set is that of the first quote: higher ones may be wrong.
    let quotes = other.wrapping_sub(ONES) & !other & (ONES << 7);
    let bits = quotes.trailing_zeros() & !7;
    if quotes == 0 || bits == 0 {
        return None;
    }
    // Its digits at the top, and the digit 0 before them.
    let digits = word << (64 - bits) | (ONES * u64::from(b'0')).unbounded_shr(bits);
    let values = digits ^ (ONES * u64::from(b'0'));
    if (values | values.wrapping_add(ONES * 0x76)) & (ONES << 7) != 0 {
        return None;
    }
    let pairs = (values * 10 + (values >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let value = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
    Some((value, bits as usize / 8))
}

/// `LEN`, from 16 to 32, if so long a text without quotes is at the start, and a quote behind it.
#[inline]
fn text_of<const LEN: usize>(text: &[u8]) -> Option<usize> {
    let last = text.get(LEN - 16..)?.first_chunk::<17>()?;
    let (last, [quote]) =
        last.split_first_chunk::<16>().and_then(|(last, rest)| Some((last, rest.first_chunk()?)))?;
    let quotes = |block: &[u8; 16]| u8x16::new(*block).simd_eq(u8x16::splat(b'"'));
    let none = (quotes(text.first_chunk()?) | quotes(last)).to_bitmask() == 0;
    (none && *quote == b'"').then_some(LEN)
}

/// How far it is to the next quote.
#[inline]
fn end_of_text(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'"', text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_careful_way_reads_them() {
        let texts = ["0", "7", "10", "99", "123", "4096", "65535", "131072", "9999999"];
        for text in texts {
            let window = format!("{text}\",\"2024-05-06");
            assert_eq!(digits(window.as_bytes()), Some((text.parse().unwrap(), text.len())), "{text}");
        }
        for text in ["", "x", "1x", "-1", " 1", "1 ", "12345678", "1/", "1:", "\u{80}", "\u{b0}1"] {
            assert_eq!(digits(format!("{text}\",\"2024-05-06").as_bytes()), None, "{text:?}");
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
            assert_eq!(digits(&window), plain.map(|size| (size, quote)), "{window:?}");
        }
    }
}
