use std::collections::{BTreeSet, HashMap};

use s3inv_model::prefix;

use crate::rank::Rank;
use crate::top::Large;
use crate::{Amount, By, Scope};

/// The largest prefixes, as far as they are known, and which of them are shown: those that count for the
/// threshold or more.
///
/// The threshold goes down, from one prefix that comes to be shown to the next one. Each step shows one
/// more at most: the prefix takes what it counts for from the next one above that is shown; if this one falls
/// below the threshold, what is left to it goes to the next one above, and so on.
pub(crate) struct Shares<'a> {
    scope: &'a Scope,
    by: By,
    limit: usize,
    nodes: HashMap<Vec<u8>, Node>,
    /// Those that are not shown, by what they would count for: all below the threshold.
    waiting: BTreeSet<Rank>,
    shown: usize,
}

#[derive(Clone, Copy)]
struct Node {
    amount: Amount,
    /// What it has beyond those below it that are shown.
    share: u128,
    is_shown: bool,
}

impl<'a> Shares<'a> {
    pub(crate) fn new(scope: &'a Scope, by: By, limit: usize) -> Self {
        Self { scope, by, limit, nodes: HashMap::new(), waiting: BTreeSet::new(), shown: 0 }
    }

    /// Whether a prefix has to be added before the next one is shown.
    pub(crate) fn is_behind(&self, rank: &Rank) -> bool {
        rank.most > 0 && self.waiting.first().is_none_or(|first| rank < first)
    }

    /// Adds the prefix that is the next largest.
    pub(crate) fn add(&mut self, rank: Rank, amount: Amount) {
        self.nodes.insert(rank.key.clone(), Node { amount, share: amount.by(self.by), is_shown: false });
        self.waiting.insert(rank);
    }

    /// Moves the threshold to the next prefix; false if no prefix is left, or if one too many would be shown. An
    /// error is a prefix that has less than what is below it.
    pub(crate) fn show_next(&mut self) -> Result<bool, Vec<u8>> {
        let Some(threshold) = self.waiting.first() else { return Ok(false) };
        let changed = self.changed(threshold)?;
        let was = |key: &Vec<u8>| self.nodes.get(key).is_some_and(|node| node.is_shown);
        let hidden = changed.iter().filter(|(key, _)| was(key)).count();
        let shown = self.shown - hidden + changed.iter().filter(|(_, node)| node.is_shown).count();
        if shown > self.limit {
            return Ok(false);
        }
        self.shown = shown;
        for (key, node) in changed {
            self.set(key, node);
        }
        Ok(true)
    }

    /// What changes when the prefix of a rank is shown, and this is the threshold.
    fn changed(&self, threshold: &Rank) -> Result<Vec<(Vec<u8>, Node)>, Vec<u8>> {
        let mut changed = Vec::new();
        let mut key = threshold.key.as_slice();
        // What those above have less: what those below them count for more.
        let mut taken = 0;
        while let Some(node) = self.nodes.get(key).filter(|_| changed.is_empty() || taken != 0) {
            let share = node.share.checked_add_signed(-taken).ok_or_else(|| key.to_vec())?;
            let is_shown = share > 0 && !threshold.is_before(share, key);
            changed.push((key.to_vec(), Node { share, is_shown, ..*node }));
            taken = match (node.is_shown, is_shown) {
                (true, true) => 0,
                (true, false) => -share.cast_signed(),
                (false, true) => node.share.cast_signed(),
                (false, false) => taken,
            };
            if self.scope.exact() == Some(key) {
                break;
            }
            key = prefix::split(key).0;
        }
        Ok(changed)
    }

    fn set(&mut self, key: Vec<u8>, node: Node) {
        if let Some(old) = self.nodes.get(&key).filter(|old| !old.is_shown) {
            self.waiting.remove(&Rank::new(old.share, &key));
        }
        if !node.is_shown && node.share > 0 {
            self.waiting.insert(Rank::new(node.share, &key));
        }
        self.nodes.insert(key, node);
    }

    /// Those that are shown, in their order.
    pub(crate) fn shown(self) -> Vec<Large> {
        let shown = self.nodes.into_iter().filter(|(_, node)| node.is_shown);
        let mut shown: Vec<_> = shown.map(|(key, node)| (Rank { most: node.share, key }, node)).collect();
        shown.sort_by(|a, b| a.0.cmp(&b.0));
        let large =
            |(rank, node): (Rank, Node)| Large { prefix: rank.key, amount: node.amount, share: node.share };
        shown.into_iter().map(large).collect()
    }
}
