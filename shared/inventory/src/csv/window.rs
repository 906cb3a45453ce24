use super::MAX_ROW;
use super::careful::{self, CarefulRow, Parsed};
use super::date::date;
use super::key::Keys;
use super::layout::CsvLayout;
use super::quotes::Quotes;
use super::row::{Careful, Plain, told};
use super::usual::{Usual, UsualRow};
use crate::batch::Sink;
use crate::error::{InputError, ReadError, RowError};
use crate::rows::Rows;

/// Parses a file window by window.
pub(super) struct Parser<'p, 'a, S> {
    layout: &'p CsvLayout,
    rows: &'p mut Rows<'a, S>,
    usual: Usual,
    keys: Keys,
    quotes: Quotes,
    careful: CarefulRow,
}

impl<'p, 'a, S: Sink> Parser<'p, 'a, S> {
    pub(super) fn new(layout: &'p CsvLayout, rows: &'p mut Rows<'a, S>) -> Self {
        rows.begin();
        let usual = Usual::new(layout);
        Self {
            layout,
            rows,
            usual,
            keys: Keys::default(),
            quotes: Quotes::default(),
            careful: CarefulRow::default(),
        }
    }

    /// Takes all whole rows from the start of a window; how many bytes that were: none only where a
    /// longer window is needed. With `last`, the end of the window is the end of the file.
    pub(super) fn window(&mut self, window: &[u8], last: bool) -> Result<usize, ReadError<S::Error>> {
        let mut at = 0;
        self.usual.forget();
        while at < window.len() {
            if let Some(row) = self.usual.find(window, at) {
                at = row.end;
                self.usual(window, &row)?;
            } else {
                self.usual.forget();
                let Some(end) = self.other(window, at, last)? else { break };
                at = end;
            }
            // What the window ends with is handed over below, where it is known whether the file does, too.
            if at < window.len() && self.rows.end(window)? {
                self.usual.forget();
            }
        }
        if at == 0 && window.len() >= MAX_ROW {
            at = self.too_long(window)?;
        }
        if last && at == window.len() {
            self.rows.ends();
        }
        self.rows.flush(window)?;
        Ok(at)
    }

    /// Takes a row that is like others.
    #[inline]
    fn usual(&mut self, window: &[u8], row: &UsualRow) -> Result<(), InputError> {
        let keys = &mut self.keys;
        let key = |side: &mut Vec<u8>| keys.place(window, &row.key, side);
        let date = || told(window.get(row.date.0..row.date.1).unwrap_or_default(), date);
        let taken = self.rows.take_alike(key, row.size, date, row.class)?;
        if taken {
            self.usual.taken(row);
        } else {
            self.usual.forget();
        }
        Ok(())
    }

    /// Takes a row that is like no other so far; where it ends. `None` if it isn't all there.
    fn other(&mut self, window: &[u8], at: usize, last: bool) -> Result<Option<usize>, InputError> {
        match self.plain(window, at)? {
            Some(end) => Ok(Some(end)),
            None => Ok(self.unusual(window, at, last)?.map(|len| at + len)),
        }
    }

    /// Takes a row that is written as AWS does; its end. `None` if it is not.
    fn plain(&mut self, window: &[u8], at: usize) -> Result<Option<usize>, InputError> {
        let rest = window.get(at..).unwrap_or_default();
        let Some(newline) = memchr::memchr(b'\n', rest) else { return Ok(None) };
        let row = rest.get(..=newline).unwrap_or_default();
        self.quotes.find(row);
        let quotes = self.quotes.all();
        if quotes.len() != 2 * self.layout.columns || plain_end(row, quotes) != Some(row.len()) {
            return Ok(None);
        }
        let plain = Plain { layout: self.layout, window, at, quotes };
        self.rows.take(&plain)?;
        if let Some(class) = self.rows.class_of_current(&plain) {
            self.usual.learn(self.layout, row, quotes, class);
        }
        Ok(Some(at + row.len()))
    }

    /// Takes any row, or what is none; its length. `None` if it isn't all there.
    #[cold]
    fn unusual(&mut self, window: &[u8], at: usize, last: bool) -> Result<Option<usize>, InputError> {
        let rest = window.get(at..).unwrap_or_default();
        match careful::parse(rest, last, self.layout, &mut self.careful) {
            Parsed::Partial => Ok(None),
            Parsed::Bad(len, cause) => self.rows.skip(cause).map(|()| Some(len)),
            Parsed::Row(len) => {
                self.rows.take(&Careful { layout: self.layout, row: &self.careful })?;
                Ok(Some(len))
            }
        }
    }

    /// Skips what is too long for a row, if there is a newline to go on behind.
    #[cold]
    fn too_long(&mut self, window: &[u8]) -> Result<usize, InputError> {
        match memchr::memchr(b'\n', window) {
            Some(newline) => self.rows.skip(RowError::TooLong).map(|()| newline + 1),
            None => Err(InputError::Row { row: self.rows.row() + 1, cause: RowError::TooLong }),
        }
    }
}

/// The end of a row at the start of a window whose fields are all quoted, with no quote in any of them:
/// each closing quote has `,"` behind it, the last one a newline. That can't be mistaken: a doubled quote is two neighbours.
pub(super) fn plain_end(window: &[u8], quotes: &[u32]) -> Option<usize> {
    let ([first, between @ ..], [.., last]) = (quotes, quotes) else { return None };
    let between = between.split_last().map(|(_, between)| between).unwrap_or_default();
    if *first != 0 {
        return None;
    }
    for &[close, open] in between.as_chunks::<2>().0 {
        if open != close + 2 || window.get(close as usize + 1) != Some(&b',') {
            return None;
        }
    }
    let end = *last as usize + 1;
    match window.get(end..)? {
        [b'\n', ..] => Some(end + 1),
        [b'\r', b'\n', ..] => Some(end + 2),
        _ => None,
    }
}
