//! What differs between two indexes.

use std::collections::BTreeMap;

use s3inv_index_format::ReadAt;
use s3inv_model::prefix;

use crate::amount::Difference;
use crate::changes::{Change, Pair};
use crate::error::require;
use crate::families::Families;
use crate::rank::Rank;
use crate::total::{children, has_children, total};
use crate::{Amount, AskError, By, Index, Scope};

/// What is asked of two indexes.
#[derive(Clone, Copy, Debug)]
pub struct DiffOptions<'q> {
    /// What is compared.
    pub scope: &'q Scope,
    /// What the largest changes are changes of.
    pub by: By,
    /// How many levels below the scope: 1 compares the children of a prefix, or the directories that begin
    /// with a partial name.
    pub depth: usize,
    /// How many changes are told at most.
    pub limit: usize,
}

/// What differs between two indexes.
///
/// The scope is divided into parts: the prefixes that are `depth` levels below it, and what lies directly in
/// each prefix that isn't so deep. So nothing is in two parts, and the differences of all parts add up to that of
/// the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// All of the scope.
    pub total: Change,
    /// The parts that differ, the largest differences first, be they more or less; those that differ as
    /// much in the order of an index.
    pub changes: Vec<Change>,
    /// How many parts more differ.
    pub more: u64,
    /// What both indexes know; all else isn't compared.
    pub known: Vec<By>,
}

/// Compares two indexes. Pages that are the same in both are not read; of the others there are two in memory.
///
/// Where more lies directly in a prefix, or less, its children are read to tell how much there was.
pub fn diff<R: ReadAt>(old: &Index<R>, new: &Index<R>, options: DiffOptions<'_>) -> Result<Diff, AskError> {
    require(old, options.by)?;
    require(new, options.by)?;
    let pair = Pair::new(old, new);
    let total = pair.total(options.scope)?;
    let levels = pair.levels(options.scope, options.depth)?;
    let mut parts = Parts { options, levels, best: BTreeMap::new(), more: 0 };
    for level in 0..levels {
        let families = match level {
            0 => Families::of_scope(&pair, options.scope, options.scope.exact().map(|_| total.clone()))?,
            _ => Families::of_level(&pair, options.scope, level)?,
        };
        parts.add_level(families, level)?;
    }
    let known = By::ALL.into_iter().filter(|by| by.is_known(&pair.measures)).collect();
    let more = parts.more;
    pair.will_ask(&parts.direct())?;
    let changes = parts.best.into_iter().map(|(rank, part)| part.told(&pair, rank.key));
    Ok(Diff { total, changes: changes.collect::<Result<_, _>>()?, more, known })
}

impl<R: ReadAt> Pair<'_, R> {
    fn total(&self, scope: &Scope) -> Result<Change, AskError> {
        let known = |amount: Option<Amount>| amount.map(|amount| amount.known(&self.measures));
        let (old, new) = (known(total(self.old, scope)?), known(total(self.new, scope)?));
        let prefix = scope.text().to_vec();
        if old.is_none() && new.is_none() {
            return Err(AskError::NotFound { prefix });
        }
        Ok(Change { prefix, directly: false, old, new })
    }

    /// How many levels there are to compare, of those that are asked for: at least one.
    fn levels(&self, scope: &Scope, asked: usize) -> Result<usize, AskError> {
        let (old, new) = (self.old.info(), self.new.info());
        let base = prefix::depth(scope.parent());
        let deepest = usize::try_from(old.depth.max(new.depth)).unwrap_or(usize::MAX);
        let levels = asked.min(deepest.saturating_sub(base)).max(1);
        let cut = |index: &Index<R>| {
            let cut = index.info().max_depth.filter(|&cut| cut < (base + levels) as u64)?;
            (old.max_depth != new.max_depth).then(|| AskError::Cut { index: index.name().to_owned(), cut })
        };
        cut(self.old).or_else(|| cut(self.new)).map_or(Ok(levels), Err)
    }
}

/// A part that differs.
enum Part {
    /// A prefix with all below it.
    Whole { old: Option<Amount>, new: Option<Amount> },
    /// What lies directly in a prefix.
    Direct(Difference),
}

/// The parts that differ most.
struct Parts<'q> {
    options: DiffOptions<'q>,
    levels: usize,
    best: BTreeMap<Rank, Part>,
    more: u64,
}

impl Parts<'_> {
    /// Adds what lies directly in the prefixes of a level, and, if the level below is the last one, the prefixes
    /// there.
    fn add_level<R: ReadAt>(&mut self, mut families: Families<'_, R>, level: usize) -> Result<(), AskError> {
        // What begins with a partial name has nothing directly in it.
        let is_prefix = level > 0 || self.options.scope.exact().is_some();
        let is_last = level + 1 == self.levels;
        while let Some((prefix, direct)) = families.next(|child| self.add_whole(child, is_last))? {
            if is_prefix && !direct.is_none() {
                self.add(prefix, direct, Part::Direct(direct));
            }
        }
        Ok(())
    }

    fn add_whole(&mut self, child: Change, is_last: bool) {
        if is_last {
            let difference = child.difference();
            self.add(child.prefix, difference, Part::Whole { old: child.old, new: child.new });
        }
    }

    /// The prefixes of which what lies directly in them is told.
    fn direct(&self) -> Vec<Scope> {
        let direct = self.best.iter().filter(|(_, part)| matches!(part, Part::Direct(_)));
        direct.map(|(rank, _)| Scope::new(rank.key.clone())).collect()
    }

    fn add(&mut self, key: Vec<u8>, difference: Difference, part: Part) {
        let most = difference.by(self.options.by).unsigned_abs();
        self.best.insert(Rank { most, key }, part);
        if self.best.len() > self.options.limit {
            self.best.pop_last();
            self.more += 1;
        }
    }
}

impl Part {
    fn told<R: ReadAt>(self, pair: &Pair<'_, R>, prefix: Vec<u8>) -> Result<Change, AskError> {
        match self {
            Self::Whole { old, new } => Ok(Change { prefix, directly: false, old, new }),
            Self::Direct(difference) => pair.direct(prefix, difference),
        }
    }
}

impl<R: ReadAt> Pair<'_, R> {
    /// Has what [`direct`](Self::direct) needs of some prefixes fetched together, where an index is remote.
    fn will_ask(&self, scopes: &[Scope]) -> Result<(), AskError> {
        let prefixes: Vec<_> = scopes.iter().map(Scope::text).collect();
        for index in [self.old, self.new].into_iter().filter(|index| index.reader().is_remote()) {
            index.get_many(&prefixes).map_err(AskError::of(index))?;
        }
        self.old.will_list_children(scopes.iter()).map_err(AskError::of(self.old))
    }

    /// What lies directly in a prefix, of which is known by how much it is more.
    fn direct(&self, prefix: Vec<u8>, difference: Difference) -> Result<Change, AskError> {
        let scope = Scope::new(prefix.clone());
        let without_below = |all: Amount| {
            let below = children(self.old, &scope)?.unwrap_or_default();
            all.less(below).ok_or_else(|| AskError::sums(self.old, &prefix))
        };
        let old = total(self.old, &scope)?.map(without_below).transpose()?;
        let old = old.map(|old| old.known(&self.measures));
        let moved = old.unwrap_or_default().moved(difference);
        let moved = moved.ok_or_else(|| AskError::sums(self.new, &prefix))?;
        let new = total(self.new, &scope)?.map(|_| moved);
        let directly = has_children(self.old, &scope)? || has_children(self.new, &scope)?;
        Ok(Change { prefix, directly, old, new })
    }
}
