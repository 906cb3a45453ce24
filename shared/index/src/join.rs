use std::io::Write;

use s3inv_model::{Measures, prefix};

use crate::body::Body;
use crate::error::shown;
use crate::lot::{Lot, Placed};
use crate::table::Table;
use crate::{Entry, FileKind, FormatError, Info, Origin, ReadAt, Reader};

/// The next part of a segment.
enum Piece<'a> {
    /// A page, and where it is.
    Page(u64, &'a Entry),
    Table(&'a Placed),
}

/// Joins segments, in their order, to an index: their pages and tables are copied as they are.
pub struct Joiner<W> {
    body: Body<W>,
    info: Option<Info>,
    last: Option<Entry>,
}

impl<W: Write> Joiner<W> {
    /// Starts an index.
    pub fn new(out: W) -> Result<Self, FormatError> {
        Ok(Self { body: Body::new(out)?, info: None, last: None })
    }

    /// Appends the pages and tables of a segment. `between` is asked before each page, and can stop it all.
    pub fn append<R: ReadAt, E: From<FormatError>>(
        &mut self,
        segment: &Reader<R>,
        mut between: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut stored = Vec::new();
        self.each_piece(segment, |body, piece| {
            between()?;
            match piece {
                Piece::Page(offset, entry) => {
                    segment.stored_page(offset, entry, &mut stored)?;
                    Ok(body.page(&stored, entry)?)
                }
                Piece::Table(placed) => {
                    let Lot { buckets, seed, .. } = placed.lot;
                    Ok(body.table(&Table { buckets, seed, bytes: segment.stored_table(placed)? })?)
                }
            }
        })
    }

    /// Appends the pages and tables of a segment to the directory alone, of which only the directory is
    /// read. Their bytes, which are the segment's [`Reader::pages`], are the caller's to copy: what is
    /// written here is as many bytes of the index as are before those in the segment, and then what comes
    /// behind all of them.
    pub fn append_elsewhere<R: ReadAt, E: From<FormatError>>(
        &mut self,
        segment: &Reader<R>,
        mut between: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_piece(segment, |body, piece| {
            between()?;
            match piece {
                Piece::Page(_, entry) => body.page_elsewhere(entry)?,
                Piece::Table(Placed { lot, .. }) => body.table_elsewhere(lot.buckets, lot.seed),
            }
            Ok(())
        })
    }

    fn each_piece<R: ReadAt, E: From<FormatError>>(
        &mut self,
        segment: &Reader<R>,
        mut add: impl FnMut(&mut Body<W>, Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_tables(segment.lots().is_some())?;
        self.add_info(segment.info())?;
        for block in 0..segment.blocks() {
            for (offset, entry) in segment.block(block)? {
                self.check_order(&entry)?;
                add(&mut self.body, Piece::Page(offset, &entry))?;
                if let Some(lot) = segment.lots().and_then(|lots| lots.ending_at(offset + entry.len)) {
                    add(&mut self.body, Piece::Table(lot))?;
                }
                self.last = Some(entry);
            }
        }
        if self.body.is_within_lot() {
            let cause = "its lots do not end where pages do";
            return Err(FormatError::damaged("directory root", segment.pages().end, cause).into());
        }
        Ok(())
    }

    /// All segments have tables, or none has.
    fn check_tables(&mut self, tables: bool) -> Result<(), FormatError> {
        if self.info.is_none() && tables {
            self.body.begin_lots()?;
        }
        if self.body.has_lots() == tables {
            return Ok(());
        }
        Err(FormatError::Mismatch("some segments have tables to look prefixes up, and some have none"))
    }

    fn check_order(&self, next: &Entry) -> Result<(), FormatError> {
        match &self.last {
            Some(last) if prefix::compare(&last.first, &next.first).is_ge() => {
                Err(FormatError::OutOfOrder { previous: shown(&last.first), got: shown(&next.first) })
            }
            _ => Ok(()),
        }
    }

    fn add_info(&mut self, next: &Info) -> Result<(), FormatError> {
        if next.kind != FileKind::Segment {
            return Err(FormatError::Kind { found: next.kind.name(), expected: "segment" });
        }
        let Some(info) = &mut self.info else {
            self.info = Some(Info { kind: FileKind::Index, ..next.clone() });
            return Ok(());
        };
        if (&info.schema, info.compression) != (&next.schema, next.compression) {
            return Err(FormatError::Mismatch("segments have other measures, classes or compression"));
        }
        let prefixes = info.prefixes.checked_add(next.prefixes);
        info.prefixes = prefixes.ok_or(FormatError::TooLarge("its prefixes"))?;
        info.depth = info.depth.max(next.depth);
        info.counts =
            info.counts.plus(&next.counts).ok_or_else(|| FormatError::Overflow("rows read".to_owned()))?;
        Ok(())
    }

    /// Ends the index; it needs at least one segment, which may be empty of rows. `unknown` is what was
    /// to be measured, but could not be.
    pub fn finish(
        self,
        max_depth: Option<u64>,
        unknown: Measures,
        origin: Origin,
    ) -> Result<(W, Info), FormatError> {
        let info = self.info.ok_or(FormatError::Mismatch("there is no segment"))?;
        let info = Info { max_depth, unknown, origin: Some(origin), ..info };
        let out = self.body.finish(&info)?;
        Ok((out, info))
    }
}
