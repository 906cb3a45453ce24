use s3inv_index_format::ReadAt;

use crate::walk::{Head, Walk};
use crate::{Amount, AskError, Index, Scope};

/// All that is in a scope; `None` if it isn't there. Of a prefix this is one row; of what begins with a partial
/// name, those of all directories that do.
pub(crate) fn total<R: ReadAt>(index: &Index<R>, scope: &Scope) -> Result<Option<Amount>, AskError> {
    if let Some(prefix) = scope.exact() {
        let sums = index.reader().get(prefix).map_err(AskError::of(index))?;
        return Ok(sums.map(|sums| Amount::new(index, &sums.cells)));
    }
    children(index, scope)
}

/// What the directories of a scope have together; `None` if there are none.
pub(crate) fn children<R: ReadAt>(index: &Index<R>, scope: &Scope) -> Result<Option<Amount>, AskError> {
    let mut walk = Walk::new(index, scope, 1);
    let mut sum = None;
    while let Some(head) = walk.head()? {
        let Head::Row(key, cells) = head else {
            walk.open(None)?;
            continue;
        };
        let row = Amount::new(index, cells);
        sum = Some(row.plus(sum.unwrap_or_default()).ok_or_else(|| AskError::sums(index, key))?);
        walk.advance()?;
    }
    Ok(sum)
}

/// Whether there is a directory in a scope.
pub(crate) fn has_children<R: ReadAt>(index: &Index<R>, scope: &Scope) -> Result<bool, AskError> {
    let mut walk = Walk::new(index, scope, 1);
    loop {
        match walk.head()? {
            Some(Head::Unread(_)) => walk.open(None)?,
            row => return Ok(row.is_some()),
        }
    }
}
