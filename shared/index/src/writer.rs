use std::io::Write;

use s3inv_model::{Cell, Dates, Measures, RowCounts, Schema, prefix};

use crate::block::{Compressor, checksum};
use crate::body::Body;
use crate::error::shown;
use crate::page::{PageBuilder, Shape};
use crate::{Compression, FileKind, FormatError, Info};

/// Writes a run or a segment, row by row.
pub struct Writer<W> {
    body: Body<W>,
    shape: Shape,
    page: PageBuilder,
    compressor: Compressor,
    info: Info,
    last: Option<Vec<u8>>,
}

impl<W: Write> Writer<W> {
    /// Starts a file. Bins are to name classes by their place in the schema.
    pub fn new(
        out: W,
        kind: FileKind,
        compression: Compression,
        schema: &Schema,
    ) -> Result<Self, FormatError> {
        let shape = Shape::new(schema);
        let info = Info {
            kind,
            compression,
            schema: schema.clone(),
            unknown: Measures::default(),
            prefixes: 0,
            depth: 0,
            max_depth: None,
            counts: RowCounts::default(),
            origin: None,
        };
        Ok(Self {
            body: Body::new(out)?,
            shape,
            page: PageBuilder::new(shape),
            compressor: Compressor::new(compression)?,
            info,
            last: None,
        })
    }

    /// Appends a prefix, which must come after the one before it, with its cells by ascending bin and
    /// the dates of its current objects. After an error the file is of no use.
    pub fn push(&mut self, key: &[u8], cells: &[Cell], dates: Dates) -> Result<(), FormatError> {
        self.check_row(key, cells, dates)?;
        self.check_order(key)?;
        if self.page.ends_before(key) {
            self.end_page()?;
        }
        self.page.push(key, cells, dates).ok_or_else(|| FormatError::Overflow(shown(key)))?;
        self.info.prefixes += 1;
        self.info.depth = self.info.depth.max(prefix::depth(key) as u64);
        Ok(())
    }

    /// What is written here can be read again.
    fn check_row(&self, key: &[u8], cells: &[Cell], dates: Dates) -> Result<(), FormatError> {
        let why = if prefix::is_prefix(key) {
            self.shape.refuses(cells, dates)
        } else {
            Some("it is not a prefix")
        };
        why.map_or(Ok(()), |why| Err(FormatError::Row(shown(key), why)))
    }

    fn check_order(&mut self, key: &[u8]) -> Result<(), FormatError> {
        let Some(last) = &mut self.last else {
            self.last = Some(key.to_vec());
            return Ok(());
        };
        if prefix::compare(last, key).is_ge() {
            return Err(FormatError::OutOfOrder { previous: shown(last), got: shown(key) });
        }
        last.clear();
        last.extend_from_slice(key);
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), FormatError> {
        if let Some((raw, mut entry)) = self.page.finish() {
            let stored = self.compressor.compress(raw)?;
            entry.len = stored.len() as u64;
            entry.pages_len = entry.len;
            entry.checksum = checksum(stored);
            self.body.page(stored, &entry)?;
        }
        Ok(())
    }

    /// Ends the file, and says of which rows it was made.
    pub fn finish(mut self, counts: RowCounts) -> Result<(W, Info), FormatError> {
        self.end_page()?;
        self.info.counts = counts;
        let out = self.body.finish(&self.info)?;
        Ok((out, self.info))
    }
}
