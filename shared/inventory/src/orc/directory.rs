//! A stripe's footer: where its streams are, and how they are written.

use super::error::{Result, damaged, excerpt};
use super::proto::Message;
use super::stream::{Layout, Stream};
use super::tail::{MAX_FOOTER, StripeInfo};
use crate::error::InputError;
use crate::ranges::RangeRead;

/// The streams that are read, by their numbers in the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamKind {
    Present = 0,
    Data = 1,
    Length = 2,
    DictionaryData = 3,
    Secondary = 5,
}

/// How a column's values are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Encoding {
    pub(super) kind: u64,
    pub(super) dictionary: u64,
}

struct Place {
    column: u64,
    kind: u64,
    at: u64,
    end: u64,
}

/// Which streams a stripe has, of the columns that are read.
pub(super) struct Directory<'a> {
    file: &'a dyn RangeRead,
    layout: Layout,
    streams: Vec<Place>,
    encodings: Vec<(u64, Encoding)>,
    zone: Option<String>,
}

impl<'a> Directory<'a> {
    /// Reads the footer of a stripe, which was checked to lie within the file.
    pub(super) fn read(
        file: &'a dyn RangeRead,
        layout: Layout,
        info: &StripeInfo,
        ids: &[u64],
    ) -> Result<Self> {
        let (start, end) = info.footer().ok_or_else(|| damaged("ends behind the file"))?;
        let footer = Stream::new(file, layout, start, end)?.read_all(MAX_FOOTER);
        let footer = footer.map_err(|error| error.within("footer"))?;
        let empty = Self { file, layout, streams: Vec::new(), encodings: Vec::new(), zone: None };
        empty.parse(&footer, (info.offset, start), ids).map_err(|error| error.within("footer"))
    }

    fn parse(mut self, footer: &[u8], (mut at, end): (u64, u64), ids: &[u64]) -> Result<Self> {
        let (mut fields, mut column) = (Message(footer), 0);
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => {
                    let place = parse_stream(value.bytes()?, at)?.filter(|place| place.end <= end);
                    let place = place.ok_or_else(|| damaged("streams that end behind their stripe"))?;
                    at = place.end;
                    self.add(place, ids)?;
                }
                2 => {
                    if ids.contains(&column) {
                        self.encodings.push((column, parse_encoding(value.bytes()?)?));
                    }
                    column += 1;
                }
                3 => self.zone = Some(excerpt(value.bytes()?)),
                _ => (),
            }
        }
        Ok(self)
    }

    /// Keeps the stream if it is needed.
    fn add(&mut self, place: Place, ids: &[u64]) -> Result<()> {
        // The others are indexes and bloom filters.
        if place.kind > StreamKind::Secondary as u64 || place.at == place.end || !ids.contains(&place.column)
        {
            return Ok(());
        }
        if self.streams.iter().any(|known| known.column == place.column && known.kind == place.kind) {
            return Err(damaged(format!("stream {} of column {} is there twice", place.kind, place.column)));
        }
        self.streams.push(place);
        Ok(())
    }

    /// A stream; an empty one where it was left out.
    pub(super) fn stream(&self, column: u64, kind: StreamKind) -> Result<Stream<'a>> {
        let is_it = |place: &&Place| place.column == column && place.kind == kind as u64;
        let (at, end) = self.streams.iter().find(is_it).map_or((0, 0), |place| (place.at, place.end));
        Stream::new(self.file, self.layout, at, end)
    }

    pub(super) fn has(&self, column: u64, kind: StreamKind) -> bool {
        self.streams.iter().any(|place| place.column == column && place.kind == kind as u64)
    }

    pub(super) fn encoding(&self, column: u64) -> Result<Encoding> {
        let found = self.encodings.iter().find(|(id, _)| *id == column);
        found.map(|&(_, encoding)| encoding).ok_or_else(|| damaged("has no encoding"))
    }

    /// Checks that times without a zone are written as UTC's, as S3 does. A file that doesn't name the
    /// writer's zone is taken for one.
    pub(super) fn check_zone(&self) -> Result<()> {
        let zone = self.zone.as_deref().unwrap_or_default();
        let name = zone.strip_prefix("Etc/").unwrap_or(zone);
        let utc = ["", "UTC", "GMT", "Z", "UCT", "Zulu", "Universal", "Greenwich", "GMT0", "GMT+0", "GMT-0"];
        if utc.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        Err(InputError::Unsupported(format!("times of the zone {zone}: only those of UTC are understood")))
    }
}

/// A stream's description; `None` where its end can't be told.
fn parse_stream(message: &[u8], at: u64) -> Result<Option<Place>> {
    let (mut fields, mut kind, mut column, mut len) = (Message(message), 0, 0, 0);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => kind = value.number()?,
            2 => column = value.number()?,
            3 => len = value.number()?,
            _ => (),
        }
    }
    Ok(at.checked_add(len).map(|end| Place { column, kind, at, end }))
}

fn parse_encoding(message: &[u8]) -> Result<Encoding> {
    let (mut fields, mut parsed) = (Message(message), Encoding::default());
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => parsed.kind = value.number()?,
            2 => parsed.dictionary = value.number()?,
            _ => (),
        }
    }
    Ok(parsed)
}
