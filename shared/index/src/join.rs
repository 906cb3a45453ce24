use std::io::Write;

use s3inv_model::{Measures, prefix};

use crate::body::Body;
use crate::error::shown;
use crate::{Entry, FileKind, FormatError, Info, Origin, ReadAt, Reader};

/// Joins segments, in their order, to an index: their pages are copied as they are.
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

    /// Appends the pages of a segment. `between` is asked before each page, and can stop it all.
    pub fn append<R: ReadAt, E: From<FormatError>>(
        &mut self,
        segment: &Reader<R>,
        mut between: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let mut stored = Vec::new();
        self.each_page(segment, |body, offset, entry| {
            between()?;
            segment.stored_page(offset, entry, &mut stored)?;
            Ok(body.page(&stored, entry)?)
        })
    }

    /// Appends the pages of a segment to the directory alone, of which only the directory is read. Their
    /// bytes, which are the segment's [`Reader::pages`], are the caller's to copy: what is written here
    /// is the first [`PAGES_AT`](crate::PAGES_AT) bytes of the index, and then what comes behind its pages.
    pub fn append_elsewhere<R: ReadAt, E: From<FormatError>>(
        &mut self,
        segment: &Reader<R>,
        mut between: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_page(segment, |body, _, entry| {
            between()?;
            Ok(body.page_elsewhere(entry)?)
        })
    }

    fn each_page<R: ReadAt, E: From<FormatError>>(
        &mut self,
        segment: &Reader<R>,
        mut add: impl FnMut(&mut Body<W>, u64, &Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        self.add_info(segment.info())?;
        for block in 0..segment.blocks() {
            for (offset, entry) in segment.block(block)? {
                self.check_order(&entry)?;
                add(&mut self.body, offset, &entry)?;
                self.last = Some(entry);
            }
        }
        Ok(())
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
