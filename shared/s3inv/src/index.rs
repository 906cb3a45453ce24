use std::sync::Arc;

use s3inv_index_format::{FormatError, Info, ReadAt, Reader};
use s3inv_model::{Cell, ClassId, Stats, Sums, prefix};
use s3inv_pipeline::{IndexSource, OpenError, open_index, open_newest};
use s3inv_pricing::{Cost, Missing, PriceTable, Rates};
use s3inv_store::{Location, SdkConfig};

use crate::{By, Counted, Rows, Scope};

/// An index that is open. Clones share it, and threads may ask it at the same time.
///
/// Asking waits for the file or for S3, so it is not to be done within an async task: there is [`Index::ask`].
pub struct Index<R = IndexSource> {
    inner: Arc<Inner<R>>,
    rates: Option<Arc<Rates>>,
}

struct Inner<R> {
    name: String,
    reader: Reader<R>,
}

impl<R> Clone for Index<R> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), rates: self.rates.clone() }
    }
}

impl Index {
    /// Opens the index at `s3://bucket/key`, `file:///path` or a path.
    pub fn open(location: &Location, config: Option<SdkConfig>) -> Result<Self, OpenError> {
        Ok(Self::new(location.to_string(), open_index(location, config)?))
    }

    /// Opens the newest index of a folder, as its `latest.json` says.
    pub fn open_newest(folder: &Location, config: Option<SdkConfig>) -> Result<Self, OpenError> {
        let (location, reader) = open_newest(folder, config)?;
        Ok(Self::new(location.to_string(), reader))
    }
}

impl<R: ReadAt> Index<R> {
    /// One that has been opened already, and its name for messages.
    pub fn new(name: String, reader: Reader<R>) -> Self {
        Self { inner: Arc::new(Inner { name, reader }), rates: None }
    }

    /// The same index, whose answers have costs, at these prices. An error names what the index lacks.
    pub fn priced(&self, table: &PriceTable) -> Result<Self, Missing> {
        let rates = Rates::new(table, &self.info().schema)?;
        Ok(Self { rates: Some(Arc::new(rates)), ..self.clone() })
    }

    /// What its objects cost, if it is [`priced`](Self::priced).
    #[must_use]
    pub fn rates(&self) -> Option<&Rates> {
        self.rates.as_deref()
    }

    /// Whether it knows what prefixes are compared by.
    #[must_use]
    pub fn knows(&self, by: By) -> bool {
        by.is_known(&self.info().schema.measures) && (by != By::Cost || self.rates.is_some())
    }

    /// What cells cost a month, all versions of objects together; nothing, if the index isn't priced.
    #[must_use]
    pub fn cost(&self, cells: &[Cell]) -> Cost {
        self.rates().map_or(Cost::ZERO, |rates| rates.total(cells))
    }

    /// Where it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What it is read with.
    #[must_use]
    pub fn reader(&self) -> &Reader<R> {
        &self.inner.reader
    }

    /// What it says about itself.
    #[must_use]
    pub fn info(&self) -> &Info {
        self.reader().info()
    }

    /// The number of prefixes, the root included.
    #[must_use]
    pub fn prefixes(&self) -> u64 {
        self.info().prefixes
    }

    /// The depth of the deepest prefix: the number of its `/`.
    #[must_use]
    pub fn max_depth(&self) -> u64 {
        self.info().depth
    }

    /// Whether what lies deeper than in a prefix is counted in it, as the index was built: it has no directories then.
    #[must_use]
    pub fn is_cut(&self, prefix: &[u8]) -> bool {
        self.info().max_depth == Some(prefix::depth(prefix) as u64)
    }

    /// What to count for a storage class of this name, as [`Info`] lists them; nothing, if there is none.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<Counted> {
        let place = self.info().schema.classes.iter().position(|class| class == name)?;
        ClassId::try_from(place).ok().map(Counted::Class)
    }

    /// What is known of a prefix, by what people ask for, if it is there.
    pub fn stats(&self, prefix: &[u8]) -> Result<Option<Stats<'_>>, FormatError> {
        self.reader().stats(prefix)
    }

    /// Sums by what people ask for.
    #[must_use]
    pub fn stats_of(&self, sums: &Sums) -> Stats<'_> {
        Stats::new(&self.info().schema, &sums.cells, sums.dates)
    }

    /// What is known of a prefix, if it is there.
    pub fn get(&self, prefix: &[u8]) -> Result<Option<Sums>, FormatError> {
        self.reader().get(prefix)
    }

    /// What is known of some prefixes, of each if it is there: faster than one after the other.
    pub fn get_many(&self, prefixes: &[&[u8]]) -> Result<Vec<Option<Sums>>, FormatError> {
        self.reader().get_many(prefixes)
    }

    /// The directories of a scope: the children of a prefix, or those of them whose names begin with something.
    pub fn children(&self, scope: &Scope) -> Result<Rows<'_, R>, FormatError> {
        Rows::children(self.reader(), scope)
    }

    /// All below a scope: its directories, and what lies below them. Those of [`children`](Self::children) are one level
    /// below it.
    pub fn below(&self, scope: &Scope) -> Result<Rows<'_, R>, FormatError> {
        self.down_to(scope, usize::MAX)
    }

    /// Those that are at most so many levels below a scope. What is deeper is left out where it isn't read with the
    /// rest.
    pub fn down_to(&self, scope: &Scope, levels: usize) -> Result<Rows<'_, R>, FormatError> {
        Rows::below(self.reader(), scope, 1, levels)
    }

    /// Those that are just so many levels below a scope.
    pub fn at_level(&self, scope: &Scope, level: usize) -> Result<Rows<'_, R>, FormatError> {
        Rows::below(self.reader(), scope, level, level)
    }

    /// The number of prefixes below a scope. Some few pages are read, however many there are.
    pub fn count_below(&self, scope: &Scope) -> Result<u64, FormatError> {
        let [directories, rest] = scope.spans();
        let below = if scope.exact().is_some() { 0 } else { self.reader().count(&rest)? };
        Ok(self.reader().count(&directories)? + below)
    }

    /// How many levels there are below a scope. Everything below it is read, but for the root, of which the
    /// index knows.
    pub fn levels_below(&self, scope: &Scope) -> Result<usize, FormatError> {
        if scope.text().is_empty() {
            return Ok(self.max_depth() as usize);
        }
        let base = prefix::depth(scope.parent());
        let mut deepest = base;
        let mut rows = self.below(scope)?;
        while rows.advance()? {
            deepest = deepest.max(prefix::depth(rows.key()));
        }
        Ok(deepest - base)
    }
}
