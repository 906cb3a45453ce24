use std::io::Write;

use s3inv_model::{Cell, Dates, Measures, RowCounts, Schema, prefix};

use crate::block::{Compressor, checksum};
use crate::body::Body;
use crate::cuts;
use crate::error::shown;
use crate::layout::{Builder, Finished};
use crate::page::Shape;
use crate::table::{self, TableBuilder};
use crate::{Compression, FileKind, FormatError, Info};

/// What kind of file is written, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is.
    pub kind: FileKind,
    /// How its pages are compressed.
    pub compression: Compression,
    /// Whether it has tables in which a prefix is found at once.
    pub lookup: bool,
}

impl Form {
    /// A run.
    pub const RUN: Self = Self { kind: FileKind::Run, compression: Compression::Lz4, lookup: false };

    /// A segment of an index.
    #[must_use]
    pub const fn segment(lookup: bool) -> Self {
        Self { kind: FileKind::Segment, compression: Compression::Zstd, lookup }
    }
}

/// The prefix that was written last, and where its name begins; none before the first one.
#[derive(Default)]
struct Last {
    key: Option<Vec<u8>>,
    parent_len: usize,
}

/// How a prefix follows the one before it.
struct Step {
    /// How many bytes they have in common.
    shared: usize,
    /// Whether they are known to be of the same depth.
    level: bool,
}

impl Last {
    fn step_to(&mut self, key: &[u8]) -> Result<Step, FormatError> {
        let parent_len = prefix::parent_len(key);
        let last_parent_len = std::mem::replace(&mut self.parent_len, parent_len);
        let Some(last) = &mut self.key else {
            self.key = Some(key.to_vec());
            return Ok(Step { shared: 0, level: false });
        };
        let shared = prefix::shared_len(last, key);
        let one_parent = parent_len == last_parent_len && shared >= parent_len;
        let is_after = if one_parent {
            last.get(shared..) < key.get(shared..)
        } else {
            last.get(..last_parent_len) < key.get(..parent_len)
        };
        if !is_after {
            return Err(FormatError::OutOfOrder { previous: shown(last), got: shown(key) });
        }
        // The root stands as if it were a child of itself.
        let level = one_parent && !last.is_empty();
        last.truncate(shared);
        last.extend_from_slice(key.get(shared..).unwrap_or_default());
        Ok(Step { shared, level })
    }
}

/// Writes a run or a segment, row by row.
pub struct Writer<W> {
    body: Body<W>,
    shape: Shape,
    page: Builder,
    compressor: Compressor,
    info: Info,
    last: Last,
    /// The table of the lot that is being filled.
    table: Option<TableBuilder>,
}

impl<W: Write> Writer<W> {
    /// Starts a file. Bins are to name classes by their place in the schema.
    pub fn new(out: W, form: Form, schema: &Schema) -> Result<Self, FormatError> {
        let Form { kind, compression, lookup } = form;
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
        let mut body = Body::new(out)?;
        if lookup {
            body.begin_lots()?;
        }
        Ok(Self {
            body,
            shape,
            page: Builder::new(compression, shape),
            compressor: Compressor::new(compression)?,
            info,
            last: Last::default(),
            table: lookup.then(|| TableBuilder::new(shape, table::hash)),
        })
    }

    /// Has its tables made with another hash.
    #[cfg(test)]
    pub(crate) fn hashed_by(mut self, hash: table::Hash) -> Self {
        self.table = Some(TableBuilder::new(self.shape, hash));
        self
    }

    /// Appends a prefix, which must come after the one before it, with its cells by ascending bin and
    /// the dates of its current objects. After an error the file is of no use.
    pub fn push(&mut self, key: &[u8], cells: &[Cell], dates: Dates) -> Result<(), FormatError> {
        self.check_row(key, cells, dates)?;
        let Step { shared, level } = self.last.step_to(key)?;
        if !level {
            self.info.depth = self.info.depth.max(prefix::depth(key) as u64);
        }
        if self.page.ends_before(key) {
            self.end_page()?;
            if self.table.as_ref().is_some_and(|table| cuts::lot_ends_before(table.rows(), key)) {
                self.end_lot()?;
            }
        }
        self.page.push(key, shared, cells, dates).ok_or_else(|| FormatError::Overflow(shown(key)))?;
        if let Some(table) = &mut self.table {
            table.push(key, cells, dates);
        }
        self.info.prefixes += 1;
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

    fn end_page(&mut self) -> Result<(), FormatError> {
        if self.page.is_empty() {
            return Ok(());
        }
        let refused = FormatError::Mismatch("a page could not be packed");
        let Finished { raw, ends, mut entry } = self.page.finish().ok_or(refused)?;
        let stored = self.compressor.compress_parts(raw, ends)?;
        entry.len = stored.len() as u64;
        entry.pages_len = entry.len;
        entry.checksum = checksum(stored);
        self.body.page(stored, &entry)
    }

    fn end_lot(&mut self) -> Result<(), FormatError> {
        match self.table.as_mut().filter(|table| table.rows() > 0) {
            Some(table) => self.body.table(&table.finish()),
            None => Ok(()),
        }
    }

    /// Ends the file, and says of which rows it was made.
    pub fn finish(mut self, counts: RowCounts) -> Result<(W, Info), FormatError> {
        self.end_page()?;
        self.end_lot()?;
        self.info.counts = counts;
        let out = self.body.finish(&self.info)?;
        Ok((out, self.info))
    }
}
