//! What differs between two indexes.

use std::collections::{BTreeMap, HashMap};

use s3inv_index_format::ReadAt;
use s3inv_model::{Sums, prefix};

use crate::amount::Difference;
use crate::changes::{Change, Pair, without_versions};
use crate::error::require;
use crate::families::Families;
use crate::rank::Rank;
use crate::rows::{Rows, Siblings};
use crate::total::total;
use crate::{Amount, AskError, By, Index, Scope};

/// What is asked of two indexes.
#[derive(Clone, Copy, Debug)]
pub struct DiffOptions<'q> {
    /// What is compared.
    pub scope: &'q Scope,
    /// What the largest changes are changes of. Costs of current versions can't be compared with those of all
    /// versions.
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
    /// What both indexes know, and what can be compared: costs only where both are of all versions, or both of current
    /// ones.
    pub known: Vec<By>,
}

impl Diff {
    /// By how much those parts are more that are not told.
    #[must_use]
    pub fn rest(&self) -> Difference {
        self.changes.iter().fold(self.total.difference(), |rest, change| rest.minus(change.difference()))
    }
}

/// Compares two indexes. Pages that are the same in both are not read; of the others there are two in memory.
///
/// Where more lies directly in a prefix, or less, its children are read to tell how much there was.
pub fn diff<R: ReadAt>(old: &Index<R>, new: &Index<R>, options: DiffOptions<'_>) -> Result<Diff, AskError> {
    require(old, options.by)?;
    require(new, options.by)?;
    if let (By::Cost, Some(index)) = (options.by, without_versions(old, new)) {
        return Err(AskError::Incomparable { index: index.name().to_owned() });
    }
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
    let mut direct = pair.direct(&parts.direct())?;
    let told = |(rank, part): (Rank, Part)| match part {
        Part::Whole { old, new } => Some(Change { prefix: rank.key, directly: false, old, new }),
        Part::Direct(_) => direct.remove(&rank.key),
    };
    let changes = parts.best.into_iter().filter_map(told).collect();
    Ok(Diff { total, changes, more, known })
}

impl<R: ReadAt> Pair<'_, R> {
    fn total(&self, scope: &Scope) -> Result<Change, AskError> {
        let known = |amount: Option<Amount>| amount.map(|amount| amount.known(&self.measures));
        let (old, new) = (known(total(self.old, scope)?), known(total(self.new, scope)?));
        let prefix = scope.text().to_vec();
        if old.is_none() && new.is_none() {
            return Err(AskError::not_found([self.old, self.new], scope));
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

    /// By how much more lies directly in prefixes of which that is told.
    fn direct(&self) -> BTreeMap<&[u8], Difference> {
        let direct = self.best.iter().filter_map(|(rank, part)| match part {
            Part::Direct(difference) => Some((rank.key.as_slice(), *difference)),
            Part::Whole { .. } => None,
        });
        direct.collect()
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

impl<R: ReadAt> Pair<'_, R> {
    /// What lies directly in some prefixes, of which is known by how much it is more. They are gone through in the order
    /// in which their children come, so that pages that these share are read once.
    fn direct(
        &self,
        differences: &BTreeMap<&[u8], Difference>,
    ) -> Result<HashMap<Vec<u8>, Change>, AskError> {
        let prefixes: Vec<_> = differences.keys().copied().collect();
        let scopes: Vec<_> = prefixes.iter().map(|&prefix| Scope::new(prefix)).collect();
        let [old, new] = [self.old, self.new].map(|index| {
            index.will_list_children(scopes.iter())?;
            index.get_many(&prefixes)
        });
        let (old, new) = (old.map_err(AskError::of(self.old))?, new.map_err(AskError::of(self.new))?);
        let (mut in_old, mut in_new) = (Siblings::new(self.old.reader()), Siblings::new(self.new.reader()));
        let mut changes = HashMap::new();
        for ((scope, &difference), (old, new)) in
            scopes.iter().zip(differences.values()).zip(old.iter().zip(&new))
        {
            let below = in_old.sums(scope).map_err(AskError::of(self.old))?;
            let has_new = in_new.of(scope).and_then(Rows::advance).map_err(AskError::of(self.new))?;
            let directly = below.is_some() || has_new;
            let amount = |sums: &Option<Sums>| sums.as_ref().map(|sums| Amount::new(self.old, &sums.cells));
            let (all, below) = (amount(old), amount(&below).unwrap_or_default());
            let change = self.direct_in(scope.text(), (all, below), difference, new.is_some())?;
            changes.insert(scope.text().to_vec(), Change { directly, ..change });
        }
        Ok(changes)
    }

    /// What lies directly in a prefix that had so much, and so much of it in its directories.
    fn direct_in(
        &self,
        prefix: &[u8],
        (all, below): (Option<Amount>, Amount),
        difference: Difference,
        is_there: bool,
    ) -> Result<Change, AskError> {
        let without_below = |all: Amount| all.less(below).ok_or_else(|| AskError::sums(self.old, prefix));
        let old = all.map(without_below).transpose()?.map(|old| old.known(&self.measures));
        let moved = old.unwrap_or_default().moved(difference);
        let moved = moved.ok_or_else(|| AskError::sums(self.new, prefix))?;
        Ok(Change { prefix: prefix.to_vec(), directly: true, old, new: is_there.then_some(moved) })
    }
}
