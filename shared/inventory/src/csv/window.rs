use s3inv_model::{Columns, Excluded, RowCounts};

use super::careful::{self, CarefulRow};
use super::layout::CsvLayout;
use super::quotes::Quotes;
use super::values::{decode, flag, size};
use crate::assembler::{Assembler, Fields, Key};
use crate::batch::Sink;
use crate::error::{ReadError, RowError};

/// Parses a file window by window.
pub(super) struct Parser<'a, S> {
    layout: &'a CsvLayout,
    rows: Assembler<'a, S>,
    quotes: Quotes,
    careful: CarefulRow,
}

/// The kept fields of a row, as they stand in the file.
struct Raw<'a> {
    /// The key's place in the window; `None` if it isn't there as it is.
    place: Option<usize>,
    key: &'a [u8],
    size: &'a [u8],
    class: &'a [u8],
    tier: &'a [u8],
    latest: Option<&'a [u8]>,
    marker: Option<&'a [u8]>,
}

impl<'a, S: Sink> Parser<'a, S> {
    pub(super) fn new(
        layout: &'a CsvLayout,
        columns: &'a mut Columns,
        counts: &'a mut RowCounts,
        sink: &'a mut S,
    ) -> Self {
        let rows = Assembler::new(columns, counts, sink);
        Self { layout, rows, quotes: Quotes::default(), careful: CarefulRow::default() }
    }

    /// Rows so far.
    pub(super) fn row(&self) -> u64 {
        self.rows.row
    }

    /// Takes all whole rows from the start of a window; how many bytes that were. With `last`, the
    /// end of the window is the end of the file.
    pub(super) fn window(&mut self, window: &[u8], last: bool) -> Result<usize, ReadError<S::Error>> {
        self.quotes.find(window);
        let (mut at, mut quote) = (0, 0);
        while at < window.len() {
            if let Some(end) = self.plain(window, at, quote)? {
                (at, quote) = (end, quote + 2 * self.layout.fields);
            } else if let Some(len) = self.unusual(window, at, last)? {
                at += len;
                let ahead = self.quotes.from(quote);
                quote += ahead.iter().take_while(|&&quote| (quote as usize) < at).count();
            } else {
                break;
            }
            self.rows.end(window)?;
        }
        self.rows.flush(window)?;
        Ok(at)
    }

    /// Takes a row that is written as AWS does; its end. `None` if it is not.
    #[inline]
    fn plain(
        &mut self,
        window: &[u8],
        at: usize,
        quote: usize,
    ) -> Result<Option<usize>, ReadError<S::Error>> {
        let Some(quotes) = self.quotes.from(quote).get(..2 * self.layout.fields) else { return Ok(None) };
        let Some(end) = plain_end(window, at, quotes) else { return Ok(None) };
        let raw = cut(self.layout, window, quotes);
        self.rows.begin();
        take(&mut self.rows, &raw).map_err(|cause| self.rows.at_row(cause))?;
        Ok(Some(end))
    }

    /// Takes any row; its length. `None` if it isn't all there.
    #[cold]
    fn unusual(
        &mut self,
        window: &[u8],
        at: usize,
        last: bool,
    ) -> Result<Option<usize>, ReadError<S::Error>> {
        let rest = window.get(at..).unwrap_or_default();
        let number = self.rows.row + 1;
        let parsed = careful::parse(rest, last, self.layout, &mut self.careful);
        let Some(len) = parsed.map_err(|cause| cause.at(number))? else { return Ok(None) };
        let row = &self.careful;
        let raw = Raw {
            place: None,
            key: row.field(0),
            size: row.field(1),
            class: row.field(2),
            tier: row.field(3),
            latest: self.layout.latest.map(|_| row.field(4)),
            marker: self.layout.marker.map(|_| row.field(5)),
        };
        self.rows.begin();
        take(&mut self.rows, &raw).map_err(|cause| cause.at(number))?;
        Ok(Some(len))
    }
}

/// The end of a row whose fields are all quoted, with no quote in any of them: each closing quote has
/// `,"` behind it, the last one a newline. That can't be mistaken: a doubled quote is two neighbours.
#[inline]
pub(super) fn plain_end(window: &[u8], at: usize, quotes: &[u32]) -> Option<usize> {
    let ([first, between @ ..], [.., last]) = (quotes, quotes) else { return None };
    let between = between.split_last().map(|(_, between)| between).unwrap_or_default();
    if *first as usize != at {
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

/// The fields of a row whose quotes are known.
#[inline]
fn cut<'w>(layout: &CsvLayout, window: &'w [u8], quotes: &[u32]) -> Raw<'w> {
    let fields = quotes.as_chunks::<2>().0;
    let place =
        |nth: usize| fields.get(nth).map_or((0, 0), |&[open, close]| (open as usize + 1, close as usize));
    let field = |nth: usize| {
        let (start, end) = place(nth);
        window.get(start..end).unwrap_or_default()
    };
    Raw {
        place: Some(place(layout.key).0),
        key: field(layout.key),
        size: field(layout.size),
        class: field(layout.class),
        tier: layout.tier.map(field).unwrap_or_default(),
        latest: layout.latest.map(field),
        marker: layout.marker.map(field),
    }
}

/// Counts a row, or excludes it: then its key, size and class are not looked at.
#[inline]
fn take<S: Sink>(rows: &mut Assembler<'_, S>, raw: &Raw<'_>) -> Result<(), RowError> {
    let latest = raw.latest.map_or(Ok(true), |text| flag("IsLatest", text))?;
    let marker = raw.marker.map_or(Ok(false), |text| flag("IsDeleteMarker", text))?;
    if marker {
        rows.exclude(Excluded::DeleteMarker);
        return Ok(());
    }
    if !latest {
        rows.exclude(Excluded::Noncurrent);
        return Ok(());
    }
    let key = key(rows, raw)?;
    rows.count(Fields { key, class: raw.class, tier: raw.tier, size: size(raw.size)? })
}

#[inline]
fn key<S: Sink>(rows: &mut Assembler<'_, S>, raw: &Raw<'_>) -> Result<Key, RowError> {
    match raw.place {
        Some(place) if memchr::memchr2(b'%', b'+', raw.key).is_none() => Ok(Key::Raw(place, raw.key.len())),
        _ => {
            let start = rows.side.len();
            decode(raw.key, &mut rows.side)?;
            Ok(Key::Side(start))
        }
    }
}
