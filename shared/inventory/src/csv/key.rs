//! Keys of usual rows: where they end, where their names begin, and whether anything in them is escaped.

use std::ops::Range;

use wide::u8x32;

use super::values::decode;
use crate::error::RowError;
use crate::row::{KeyPlace, Origin};

/// Where a key stands in a window.
#[derive(Clone, Copy)]
pub(super) struct UsualKey {
    start: usize,
    /// Where its name begins: behind the last slash that is written as one.
    pub(super) name: usize,
    /// Where the quote behind it is.
    pub(super) end: usize,
    /// Whether what is before the name is the same as of the row before.
    beside: bool,
    pub(super) escaped_directory: bool,
    escaped_name: bool,
}

impl UsualKey {
    /// The key that begins at `start`.
    #[inline]
    pub(super) fn find(window: &[u8], start: usize) -> Option<Self> {
        Self::from(window, start, start, false)
    }

    /// The key that begins at `start`, of which all that is before `name` is the directory of the row before.
    #[inline]
    pub(super) fn beside(window: &[u8], start: usize, name: usize, escaped: bool) -> Option<Self> {
        if let Some(end) = end_of_plain(window, name) {
            return Some(Self {
                start,
                name,
                end,
                beside: true,
                escaped_directory: escaped,
                escaped_name: false,
            });
        }
        let mut key = Self::from(window, start, name, escaped)?;
        key.beside = key.name == name;
        Some(key)
    }

    /// Looks for the quote and for slashes from `name` on; what is before it has an escape if `escaped`. `None`
    /// too where a slash of the name is written as an escape.
    #[inline]
    fn from(window: &[u8], start: usize, name: usize, escaped: bool) -> Option<Self> {
        let splat = u8x32::splat;
        let (quote, slash, percent, plus) = (splat(b'"'), splat(b'/'), splat(b'%'), splat(b'+'));
        let mut key =
            Self { start, name, end: 0, beside: false, escaped_directory: escaped, escaped_name: false };
        for (nth, block) in window.get(name..)?.as_chunks::<32>().0.iter().enumerate() {
            let block = u8x32::new(*block);
            let quotes = block.simd_eq(quote).to_bitmask();
            let inside = (quotes & quotes.wrapping_neg()).wrapping_sub(1);
            let slashes = block.simd_eq(slash).to_bitmask() & inside;
            let marks = (block.simd_eq(percent) | block.simd_eq(plus)).to_bitmask() & inside;
            if slashes != 0 {
                let last = slashes.ilog2();
                let behind = u32::MAX << last << 1;
                key.name = name + 32 * nth + last as usize + 1;
                key.escaped_directory |= key.escaped_name || marks & !behind != 0;
                key.escaped_name = marks & behind != 0;
            } else {
                key.escaped_name |= marks != 0;
            }
            if quotes != 0 {
                key.end = name + 32 * nth + quotes.trailing_zeros() as usize;
                return (!key.escaped_name || no_slash(window.get(key.name..key.end)?)).then_some(key);
            }
        }
        None
    }
}

/// The quote behind a name without slashes and escapes; `None` if it has any.
#[inline]
fn end_of_plain(window: &[u8], name: usize) -> Option<usize> {
    let splat = u8x32::splat;
    for (nth, block) in window.get(name..)?.as_chunks::<32>().0.iter().enumerate() {
        let bytes = u8x32::new(*block);
        let marks = bytes.simd_eq(splat(b'%')) | bytes.simd_eq(splat(b'+')) | bytes.simd_eq(splat(b'/'));
        let odd = (bytes.simd_eq(splat(b'"')) | marks).to_bitmask();
        if odd != 0 {
            let at = name + 32 * nth + odd.trailing_zeros() as usize;
            return (window.get(at) == Some(&b'"')).then_some(at);
        }
    }
    None
}

/// Whether no slash of a name is written as an escape.
#[cold]
fn no_slash(name: &[u8]) -> bool {
    let mut escapes = memchr::memchr_iter(b'%', name).filter_map(|at| name.get(at + 1..at + 3));
    escapes.all(|digits| !digits.eq_ignore_ascii_case(b"2f"))
}

/// Decodes keys.
#[derive(Default)]
pub(super) struct Keys {
    /// Where the directory of the row before begins and ends in the side buffer, if it has an escape.
    directory: Range<usize>,
}

impl Keys {
    /// Where a key lies, which is decoded to the end of `side` if it has an escape. What is beside another
    /// key is so with the `side` that this was added to.
    #[inline]
    pub(super) fn place(
        &mut self,
        window: &[u8],
        key: &UsualKey,
        side: &mut Vec<u8>,
    ) -> Result<KeyPlace, RowError> {
        if key.escaped_directory || key.escaped_name {
            return self.decoded(window, key, side);
        }
        let UsualKey { start, name, end, beside, .. } = *key;
        Ok(KeyPlace { origin: Origin::Raw(start, end - start), directory: name - start, beside })
    }

    fn decoded(&mut self, window: &[u8], key: &UsualKey, side: &mut Vec<u8>) -> Result<KeyPlace, RowError> {
        let UsualKey { start, name, end, beside, escaped_directory, escaped_name } = *key;
        let part = |from: usize, to: usize| window.get(from..to).unwrap_or_default();
        let first = side.len();
        match part(start, name) {
            plain if !escaped_directory => side.extend_from_slice(plain),
            _ if beside && self.directory.end <= side.len() => {
                side.extend_from_within(self.directory.clone());
            }
            escaped => decode(escaped, part(start, end), side)?,
        }
        self.directory = first..side.len();
        match part(name, end) {
            plain if !escaped_name => side.extend_from_slice(plain),
            escaped => decode(escaped, part(start, end), side)?,
        }
        Ok(KeyPlace { origin: Origin::Side, directory: self.directory.len(), beside })
    }
}
