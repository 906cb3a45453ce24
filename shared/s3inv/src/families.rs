use s3inv_index_format::ReadAt;
use s3inv_model::prefix;

use crate::amount::Difference;
use crate::changes::{Change, Changes, Pair};
use crate::{AskError, Scope};

/// The prefixes of a level that differ, or have children that do, each with these children.
///
/// The prefixes of one level come in the same order as the parents of those of the next one: so both levels are
/// gone through once, side by side.
pub(crate) struct Families<'a, R> {
    parents: Parents<'a, R>,
    children: Changes<'a, R>,
    parent: Option<Change>,
    child: Option<Change>,
}

/// The prefixes of a level that differ: level 0 is the scope.
enum Parents<'a, R> {
    Scope(Option<Change>),
    Level(Box<Changes<'a, R>>),
}

impl<R: ReadAt> Parents<'_, R> {
    fn next(&mut self) -> Result<Option<Change>, AskError> {
        match self {
            Self::Scope(scope) => Ok(scope.take()),
            Self::Level(changes) => changes.next(),
        }
    }
}

impl<'a, R: ReadAt> Families<'a, R> {
    /// Those of the scope itself, if it is a prefix, which differs so.
    pub(crate) fn of_scope(
        pair: &Pair<'a, R>,
        scope: &Scope,
        changed: Option<Change>,
    ) -> Result<Self, AskError> {
        Self::new(Parents::Scope(changed), pair.changes(scope, 1))
    }

    /// Those of a level below the scope, from 1 on.
    pub(crate) fn of_level(pair: &Pair<'a, R>, scope: &Scope, level: usize) -> Result<Self, AskError> {
        Self::new(Parents::Level(Box::new(pair.changes(scope, level))), pair.changes(scope, level + 1))
    }

    fn new(mut parents: Parents<'a, R>, mut children: Changes<'a, R>) -> Result<Self, AskError> {
        let (parent, child) = (parents.next()?, children.next()?);
        Ok(Self { parents, children, parent, child })
    }

    /// The next prefix, and by how much more lies directly in it. Before it, its children that differ are given
    /// out.
    pub(crate) fn next(
        &mut self,
        mut each_child: impl FnMut(Change),
    ) -> Result<Option<(Vec<u8>, Difference)>, AskError> {
        let Some(prefix) = self.first().map(<[u8]>::to_vec) else { return Ok(None) };
        let mut direct = Difference::default();
        if let Some(parent) = self.parent.take_if(|parent| parent.prefix == prefix) {
            direct = parent.difference();
            self.parent = self.parents.next()?;
        }
        while let Some(child) = self.child.take_if(|child| parent_of(child) == prefix) {
            direct = direct.minus(child.difference());
            each_child(child);
            self.child = self.children.next()?;
        }
        Ok(Some((prefix, direct)))
    }

    fn first(&self) -> Option<&[u8]> {
        let parent = self.parent.as_ref().map(|parent| parent.prefix.as_slice());
        let of_child = self.child.as_ref().map(parent_of);
        let is_first =
            |of_child: &&[u8]| parent.is_none_or(|parent| prefix::compare(of_child, parent).is_lt());
        of_child.filter(is_first).or(parent)
    }
}

fn parent_of(changed: &Change) -> &[u8] {
    prefix::split(&changed.prefix).0
}
