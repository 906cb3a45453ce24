use std::cmp::Ordering;

use s3inv_index_format::{Part, ReadAt};
use s3inv_model::{Measure, Measures, prefix};

use crate::amount::Difference;
use crate::walk::{Head, Walk};
use crate::{Amount, AskError, Index, Scope};

/// What was in a prefix before, and what is in it now. What one of the indexes doesn't know is 0 in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The prefix.
    pub prefix: Vec<u8>,
    /// Whether only what lies directly in the prefix is compared, without what is below it.
    pub directly: bool,
    /// How much there was; `None` if the prefix wasn't there.
    pub old: Option<Amount>,
    /// How much there is; `None` if the prefix isn't there any more.
    pub new: Option<Amount>,
}

impl Change {
    /// By how much it is more.
    #[must_use]
    pub fn difference(&self) -> Difference {
        self.new.unwrap_or_default().minus(self.old.unwrap_or_default())
    }
}

/// Two indexes, side by side.
pub(crate) struct Pair<'a, R> {
    pub(crate) old: &'a Index<R>,
    pub(crate) new: &'a Index<R>,
    /// What both know.
    pub(crate) measures: Measures,
}

impl<'a, R: ReadAt> Pair<'a, R> {
    pub(crate) fn new(old: &'a Index<R>, new: &'a Index<R>) -> Self {
        let measures = old.info().schema.measures.and(&new.info().schema.measures);
        let priced = old.rates().is_some() && new.rates().is_some();
        let comparable = priced && without_versions(old, new).is_none();
        let measures = if comparable { measures } else { measures.without(Measure::Cost) };
        Self { old, new, measures }
    }

    /// The prefixes that are `below` levels below a scope, and differ.
    pub(crate) fn changes(&self, scope: &Scope, below: usize) -> Changes<'a, R> {
        let (a, b) = (self.old.info(), self.new.info());
        Changes {
            old: Walk::new(self.old, scope, below),
            new: Walk::new(self.new, scope, below),
            // Bins name classes by their place in the schema: where schemas differ, equal bytes say other
            // things.
            is_alike: a.schema == b.schema && a.compression == b.compression,
            indexes: (self.old, self.new),
            measures: self.measures.clone(),
        }
    }
}

/// The one of two indexes whose costs are those of current versions, if those of the other one are of all versions.
pub(crate) fn without_versions<'a, R: ReadAt>(old: &'a Index<R>, new: &'a Index<R>) -> Option<&'a Index<R>> {
    match [old, new].map(|index| index.info().schema.measures.has(Measure::Noncurrent)) {
        [false, true] => Some(old),
        [true, false] => Some(new),
        _ => None,
    }
}

/// Goes through two indexes at once, in the order of their rows. Pages that both have are read in neither, and blocks
/// of the directory neither: what is in them doesn't differ.
pub(crate) struct Changes<'a, R> {
    old: Walk<'a, R>,
    new: Walk<'a, R>,
    is_alike: bool,
    indexes: (&'a Index<R>, &'a Index<R>),
    measures: Measures,
}

/// What to do next.
enum Step {
    /// Nothing is left.
    Done,
    /// Both come to the same part.
    LeaveOut,
    /// A part comes first.
    OpenOld,
    OpenNew,
    /// A row comes first, of one of them or of both.
    Row {
        old: bool,
        new: bool,
        changed: Option<Change>,
    },
}

impl<R: ReadAt> Changes<'_, R> {
    /// The next prefix that differs.
    pub(crate) fn next(&mut self) -> Result<Option<Change>, AskError> {
        loop {
            match self.step()? {
                Step::Done => return Ok(None),
                Step::LeaveOut => {
                    self.old.leave_out();
                    self.new.leave_out();
                }
                Step::OpenOld => self.old.open(Some(&self.new).filter(|_| self.is_alike))?,
                Step::OpenNew => self.new.open(Some(&self.old).filter(|_| self.is_alike))?,
                Step::Row { old, new, changed } => {
                    if old {
                        self.old.advance()?;
                    }
                    if new {
                        self.new.advance()?;
                    }
                    if changed.is_some() {
                        return Ok(changed);
                    }
                }
            }
        }
    }

    fn step(&mut self) -> Result<Step, AskError> {
        let (old, new) = (self.old.head()?, self.new.head()?);
        if let (Some(Head::Unread(old)), Some(Head::Unread(new))) = (&old, &new)
            && self.is_alike
            && old.entry() == new.entry()
        {
            return Ok(Step::LeaveOut);
        }
        let order = match (&old, &new) {
            (None, None) => return Ok(Step::Done),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => prefix::compare(old.key(), new.key()),
        };
        let (old, new) = (old.filter(|_| order.is_le()), new.filter(|_| order.is_ge()));
        let unread = |head: &Option<Head<'_>>| head.as_ref().and_then(Head::unread).map(Part::is_page);
        // A page may be in a block of the other one.
        Ok(match (unread(&old), unread(&new)) {
            (Some(false), _) => Step::OpenOld,
            (_, Some(false)) => Step::OpenNew,
            (Some(true), _) => Step::OpenOld,
            (_, Some(true)) => Step::OpenNew,
            (None, None) => {
                let changed = changed(self.indexes, &self.measures, old.as_ref(), new.as_ref());
                Step::Row { old: old.is_some(), new: new.is_some(), changed }
            }
        })
    }
}

/// What differs between the rows of a prefix, of which one may not be there.
fn changed<R: ReadAt>(
    (in_old, in_new): (&Index<R>, &Index<R>),
    measures: &Measures,
    old: Option<&Head<'_>>,
    new: Option<&Head<'_>>,
) -> Option<Change> {
    let prefix = old.or(new).map(Head::key)?;
    let amount = |index, head: &Head<'_>| Amount::new(index, head.cells()).known(measures);
    let (old, new) = (old.map(|head| amount(in_old, head)), new.map(|head| amount(in_new, head)));
    let differs = old.unwrap_or_default() != new.unwrap_or_default();
    differs.then(|| Change { prefix: prefix.to_vec(), directly: false, old, new })
}
