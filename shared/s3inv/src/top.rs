//! The largest prefixes at any depth.

use s3inv_index_format::ReadAt;
use s3inv_model::prefix;

use crate::error::require;
use crate::largest::Largest;
use crate::shares::Shares;
use crate::total::total;
use crate::{Amount, AskError, By, Index, Scope};

/// One of the largest prefixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Large {
    /// The prefix.
    pub prefix: Vec<u8>,
    /// All that is in it.
    pub amount: Amount,
    /// What it counts for, of what prefixes are compared by.
    pub share: u128,
}

/// The largest prefixes of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// All that is in the scope.
    pub total: Amount,
    /// Those that count for most come first.
    pub prefixes: Vec<Large>,
}

impl Top {
    /// What is in the scope, but in none of the prefixes of [`Index::top`].
    #[must_use]
    pub fn rest(&self, by: By) -> u128 {
        self.prefixes.iter().fold(self.total.by(by), |rest, large| rest.saturating_sub(large.share))
    }
}

impl<R: ReadAt> Index<R> {
    /// The prefixes of a scope that tell best where most of it is, at most `limit`, in which nothing is counted
    /// twice.
    ///
    /// A prefix counts for what is in it, but in none of the prefixes below it that are shown. All are shown
    /// that count for a threshold or more. It falls, from one prefix that comes to be shown to the next one, as
    /// far as no more than `limit` are shown; of prefixes that count for just as much, the one that comes first in
    /// the index comes first. So a prefix doesn't stand beside one below it that has most of it, and all together
    /// count for the total at most.
    pub fn top(&self, scope: &Scope, by: By, limit: usize) -> Result<Top, AskError> {
        let total = self.known_total(scope, by)?;
        let mut largest = Largest::new(self, scope, by, limit, self.wanted(scope, limit))?;
        let mut shares = Shares::new(scope, by, limit);
        loop {
            while let Some(rank) = largest.peek()?
                && shares.is_behind(rank)
            {
                largest.next()?.into_iter().for_each(|(rank, amount)| shares.add(rank, amount));
            }
            if !shares.show_next().map_err(|prefix| AskError::sums(self, &prefix))? {
                return Ok(Top { total, prefixes: shares.shown() });
            }
        }
    }

    /// The prefixes of a scope with most in them, at most `limit`. Each counts for all that is in it: what is
    /// below a prefix counts for the prefix too.
    pub fn largest(&self, scope: &Scope, by: By, limit: usize) -> Result<Top, AskError> {
        let total = self.known_total(scope, by)?;
        let mut largest = Largest::new(self, scope, by, limit, limit)?;
        let mut prefixes = Vec::new();
        while let Some((rank, amount)) = largest.next()?.filter(|(_, amount)| amount.by(by) > 0) {
            prefixes.push(Large { prefix: rank.key, amount, share: amount.by(by) });
        }
        Ok(Top { total, prefixes })
    }

    fn known_total(&self, scope: &Scope, by: By) -> Result<Amount, AskError> {
        require(self, by)?;
        total(self, scope)?.ok_or_else(|| AskError::not_found([self], scope))
    }

    /// How many of the largest prefixes may have to be known to show `limit` of them. Of those that have the
    /// threshold or more, all are shown that have none such below them; each has its ancestors above it; and
    /// one is too many in the end.
    fn wanted(&self, scope: &Scope, limit: usize) -> usize {
        let depth = usize::try_from(self.info().depth).unwrap_or(usize::MAX);
        let levels = depth.saturating_sub(prefix::depth(scope.parent())).saturating_add(1);
        limit.saturating_mul(levels).saturating_add(1)
    }
}
