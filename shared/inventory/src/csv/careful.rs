use super::layout::CsvLayout;
use crate::error::RowError;

/// The columns of a row that are kept.
pub(super) const KEPT: usize = 6;

/// A row's kept fields, without their quotes.
#[derive(Default)]
pub(super) struct CarefulRow {
    text: Vec<u8>,
    fields: [(usize, usize); KEPT],
}

impl CarefulRow {
    /// A kept field by its place in [`kept`].
    pub(super) fn field(&self, nth: usize) -> &[u8] {
        let (start, end) = self.fields.get(nth).copied().unwrap_or_default();
        self.text.get(start..end).unwrap_or_default()
    }
}

/// The columns that are kept: key, size, class, tier, latest, marker.
fn kept(layout: &CsvLayout) -> [Option<usize>; KEPT] {
    [Some(layout.key), Some(layout.size), Some(layout.class), layout.tier, layout.latest, layout.marker]
}

/// How a field ended.
enum End {
    Field,
    Row,
    /// The window ended before the row.
    Window,
}

/// Takes any legal row (RFC 4180: fields quoted or not, quotes within doubled, LF or CRLF) from the
/// start of `window`, which is not empty. Its length with its newline; `None` if it isn't all there.
/// With `last`, the end of the window is the end of the file.
pub(super) fn parse(
    window: &[u8],
    last: bool,
    layout: &CsvLayout,
    row: &mut CarefulRow,
) -> Result<Option<usize>, RowError> {
    row.text.clear();
    row.fields = Default::default();
    let kept = kept(layout);
    let (mut at, mut got) = (0, 0);
    loop {
        let start = row.text.len();
        let rest = window.get(at..).unwrap_or_default();
        let (len, end) = field(rest, last, &mut row.text).ok_or_else(|| broken(rest, last, got + 1))?;
        match kept.iter().position(|column| *column == Some(got)).and_then(|nth| row.fields.get_mut(nth)) {
            Some(field) => *field = (start, row.text.len()),
            None => row.text.truncate(start),
        }
        at += len;
        got += 1;
        match end {
            End::Field => {}
            End::Window => return Ok(None),
            End::Row if got == layout.fields => return Ok(Some(at)),
            End::Row => return Err(RowError::Fields { got, expected: layout.fields }),
        }
    }
}

/// Takes a field: its length with what ends it, and how it ended; `None` if its quotes are out of order.
fn field(rest: &[u8], last: bool, text: &mut Vec<u8>) -> Option<(usize, End)> {
    let Some((b'"', quoted)) = rest.split_first() else {
        return unquoted(rest, last, text);
    };
    let Some(inner) = unquote(quoted, text) else {
        return if last { None } else { Some((0, End::Window)) };
    };
    let (len, end) = match quoted.get(inner..).unwrap_or_default() {
        [b',', ..] => (1, End::Field),
        [b'\n', ..] => (1, End::Row),
        [b'\r', b'\n', ..] => (2, End::Row),
        [] if last => (0, End::Row),
        [] | [b'\r'] if !last => (0, End::Window),
        _ => return None,
    };
    Some((1 + inner + len, end))
}

/// Why [`field`] could not take a field.
fn broken(rest: &[u8], last: bool, field: usize) -> RowError {
    let open =
        rest.split_first().is_some_and(|(q, rest)| *q == b'"' && unquote(rest, &mut Vec::new()).is_none());
    if open && last { RowError::Unterminated } else { RowError::Quote { field } }
}

/// Takes all up to a comma or newline; `None` if there is a quote in it.
fn unquoted(rest: &[u8], last: bool, text: &mut Vec<u8>) -> Option<(usize, End)> {
    let at = memchr::memchr3(b',', b'\n', b'"', rest).unwrap_or(rest.len());
    let (field, after) = rest.split_at(at);
    let (field, len, end) = match after.first() {
        Some(b',') => (field, 1, End::Field),
        Some(b'\n') => (field.strip_suffix(b"\r").unwrap_or(field), 1, End::Row),
        Some(_) => return None,
        None => (field, 0, if last { End::Row } else { End::Window }),
    };
    text.extend_from_slice(field);
    Some((at + len, end))
}

/// Takes all up to the closing quote: the length with that; `None` if there is none.
fn unquote(quoted: &[u8], text: &mut Vec<u8>) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = quoted.get(at..)?;
        let quote = memchr::memchr(b'"', rest)?;
        text.extend_from_slice(rest.get(..quote)?);
        at += quote + 1;
        if quoted.get(at) != Some(&b'"') {
            return Some(at);
        }
        text.push(b'"');
        at += 1;
    }
}
