use super::layout::CsvLayout;
use crate::error::RowError;
use crate::fields::Field;

/// The columns of a row that are kept: the key behind all fields.
const KEPT: usize = Field::ALL.len() + 1;

/// A row's kept fields, without their quotes.
#[derive(Default)]
pub(super) struct CarefulRow {
    text: Vec<u8>,
    cells: [(usize, usize); KEPT],
}

impl CarefulRow {
    pub(super) fn key(&self) -> &[u8] {
        self.cell(KEPT - 1)
    }

    pub(super) fn field(&self, field: Field) -> &[u8] {
        self.cell(field as usize)
    }

    fn cell(&self, nth: usize) -> &[u8] {
        let (start, end) = self.cells.get(nth).copied().unwrap_or_default();
        self.text.get(start..end).unwrap_or_default()
    }
}

/// The place of a column among those that are kept.
fn kept(layout: &CsvLayout, column: usize) -> Option<usize> {
    if column == layout.key {
        return Some(KEPT - 1);
    }
    Field::ALL.iter().position(|&field| layout.at(field) == Some(column))
}

/// What stands at the start of a window.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A row: its length with its newline.
    Row(usize),
    /// What is no row, up to where the next one begins.
    Bad(usize, RowError),
    /// The start of something that isn't all there.
    Partial,
}

/// How a field ended.
enum End {
    Field,
    Row,
    /// The window ended before the row.
    Window,
}

/// Takes any legal row (RFC 4180: fields quoted or not, quotes within doubled, LF or CRLF) from the
/// start of `window`, which is not empty. With `last`, the end of the window is the end of the file.
pub(super) fn parse(window: &[u8], last: bool, layout: &CsvLayout, row: &mut CarefulRow) -> Parsed {
    row.text.clear();
    row.cells = Default::default();
    let (mut at, mut got) = (0, 0);
    loop {
        let start = row.text.len();
        let rest = window.get(at..).unwrap_or_default();
        let Some((len, end)) = field(rest, last, &mut row.text) else {
            return given_up(window, last, broken(rest, last, got + 1));
        };
        match kept(layout, got).and_then(|nth| row.cells.get_mut(nth)) {
            Some(cell) => *cell = (start, row.text.len()),
            None => row.text.truncate(start),
        }
        at += len;
        got += 1;
        match end {
            End::Field => {}
            End::Window => return Parsed::Partial,
            End::Row if got == layout.columns => return Parsed::Row(at),
            End::Row => return Parsed::Bad(at, RowError::Fields { got, expected: layout.columns }),
        }
    }
}

/// Where quotes are out of order, nothing tells which newline ends the row: the first one is taken for it.
fn given_up(window: &[u8], last: bool, cause: RowError) -> Parsed {
    match memchr::memchr(b'\n', window) {
        Some(newline) => Parsed::Bad(newline + 1, cause),
        None if last => Parsed::Bad(window.len(), cause),
        None => Parsed::Partial,
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
    let quoted = rest.strip_prefix(b"\"").filter(|_| last);
    match quoted.map(|quoted| (quoted, unquote(quoted, &mut Vec::new()))) {
        Some((_, None)) => RowError::Unterminated,
        Some((quoted, Some(inner))) if quoted.get(inner..) == Some(b"\r") => RowError::HalfNewline,
        _ => RowError::Quote { field },
    }
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
