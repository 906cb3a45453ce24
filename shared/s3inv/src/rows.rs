use s3inv_index_format::{Cursor, FormatError, ReadAt, Reader, Span};
use s3inv_model::{Cell, Dates, Stats, Sums, prefix};

use crate::{Filter, Scope};

/// A prefix, and all that the index says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The prefix.
    pub prefix: Vec<u8>,
    /// Its sums.
    pub sums: Sums,
}

/// Rows of an index, read as one goes through them: by [`advance`](Self::advance), which copies nothing, or as
/// an iterator of [`Row`]s. They come by parent, then by name: all children of a prefix together.
pub struct Rows<'a, R> {
    reader: &'a Reader<R>,
    cursor: Cursor<'a, R>,
    /// What comes when the cursor is at its end.
    next: Option<Span>,
    /// Prefixes of other depths are left out.
    depths: Depths,
    filter: Filter,
}

/// Depths from one to another.
#[derive(Clone, Copy)]
struct Depths {
    least: usize,
    most: usize,
}

impl<'a, R: ReadAt> Rows<'a, R> {
    /// The directories of a scope, without what lies below them.
    pub(crate) fn children(reader: &'a Reader<R>, scope: &Scope) -> Result<Self, FormatError> {
        Self::new(reader, &scope.directories(), None, Depths { least: 0, most: usize::MAX })
    }

    /// The directories of a scope and what lies below them, from `least` to `most` levels below it.
    pub(crate) fn below(
        reader: &'a Reader<R>,
        scope: &Scope,
        least: usize,
        most: usize,
    ) -> Result<Self, FormatError> {
        if (least, most) == (1, 1) {
            return Self::children(reader, scope);
        }
        let base = prefix::depth(scope.parent());
        let depths = Depths { least: base.saturating_add(least), most: base.saturating_add(most) };
        let [first, next] = scope.spans();
        // Names at a depth of no interest need not be read.
        if least > 1 && scope.exact().is_none() {
            return Self::new(reader, &next, None, depths);
        }
        let next = (scope.exact().is_none() && most > 1).then_some(next);
        Self::new(reader, &first, next, depths)
    }

    fn new(
        reader: &'a Reader<R>,
        first: &Span,
        next: Option<Span>,
        depths: Depths,
    ) -> Result<Self, FormatError> {
        Ok(Self { reader, cursor: reader.span(first)?, next, depths, filter: Filter::default() })
    }

    /// Only those that pass a filter. Pages are not read of which the directory says that no prefix has as much as the
    /// filter wants.
    #[must_use]
    pub fn only(self, filter: Filter) -> Self {
        Self { cursor: self.cursor.only(filter.least()), filter, ..self }
    }

    /// Goes to the next row; false behind the last one.
    pub fn advance(&mut self) -> Result<bool, FormatError> {
        while self.advance_to_any()? {
            if self.filter.passes(self.key(), self.cells()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn advance_to_any(&mut self) -> Result<bool, FormatError> {
        loop {
            if !self.cursor.advance()? {
                let Some(next) = self.next.take() else { return Ok(false) };
                self.cursor = self.reader.span(&next)?.only(self.filter.least());
                continue;
            }
            let depth = prefix::depth(self.cursor.key());
            if depth > self.depths.most {
                self.leave_out()?;
            } else if depth >= self.depths.least {
                return Ok(true);
            }
        }
    }

    /// This row is too deep: so are all others below the ancestor whose children are too deep.
    fn leave_out(&mut self) -> Result<(), FormatError> {
        let ancestor = prefix::at_most(self.cursor.key(), self.depths.most);
        let Some(end) = Span::below(ancestor).end else { return Ok(()) };
        self.cursor.skip_to((&end.parent, &end.name))
    }

    /// The prefix of this row.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.cursor.key()
    }

    /// The cells of this row, by ascending bin.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        self.cursor.cells()
    }

    /// When its current objects were modified; none where there are none, or where that is not known.
    #[must_use]
    pub fn dates(&self) -> Dates {
        self.cursor.dates()
    }

    /// This row by what people ask for.
    #[must_use]
    pub fn stats(&self) -> Stats<'a> {
        self.cursor.stats()
    }
}

/// The directories of one scope after the other, in the order of an index. Pages that they share are read once.
pub(crate) struct Siblings<'a, R> {
    reader: &'a Reader<R>,
    rows: Option<Rows<'a, R>>,
}

impl<'a, R: ReadAt> Siblings<'a, R> {
    pub(crate) fn new(reader: &'a Reader<R>) -> Self {
        Self { reader, rows: None }
    }

    /// Those of a scope behind the one before.
    pub(crate) fn of(&mut self, scope: &Scope) -> Result<&mut Rows<'a, R>, FormatError> {
        let rows = match self.rows.take() {
            Some(mut rows) => {
                rows.cursor.go_on(&scope.directories())?;
                rows
            }
            None => Rows::children(self.reader, scope)?,
        };
        Ok(self.rows.insert(rows))
    }

    /// Their sums, if there are some.
    pub(crate) fn sums(&mut self, scope: &Scope) -> Result<Option<Sums>, FormatError> {
        let rows = self.of(scope)?;
        let mut sums: Option<Sums> = None;
        while rows.advance()? {
            let added = sums.get_or_insert_default().add(rows.cells().iter().copied(), rows.dates());
            added.ok_or_else(|| FormatError::Overflow(String::from_utf8_lossy(rows.key()).into_owned()))?;
        }
        Ok(sums)
    }
}

impl<R: ReadAt> Iterator for Rows<'_, R> {
    type Item = Result<Row, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = |rows: &Self| Row {
            prefix: rows.key().to_vec(),
            sums: Sums { cells: rows.cells().to_vec(), dates: rows.dates() },
        };
        self.advance().map(|there| there.then(|| row(self))).transpose()
    }
}
