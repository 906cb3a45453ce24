//! Sums over a scope, and what of them lies directly in a prefix.

use s3inv_index_format::{FormatError, ReadAt};
use s3inv_model::{Cell, Sums};

use crate::rows::Siblings;
use crate::{Index, Scope};

impl<R: ReadAt> Index<R> {
    /// What is known of a scope: of a prefix its row, else the sums of its directories. Nothing, if there is none.
    pub fn sums(&self, scope: &Scope) -> Result<Option<Sums>, FormatError> {
        let Some(prefix) = scope.exact() else { return self.sums_of_children(scope) };
        self.reader().get(prefix)
    }

    /// The sums of the directories of a scope, if there are some.
    fn sums_of_children(&self, scope: &Scope) -> Result<Option<Sums>, FormatError> {
        Siblings::new(self.reader()).sums(scope)
    }

    /// The objects that lie in a prefix itself, and in no directory of it: its sums without those of its children, bin
    /// by bin. Nothing, if it isn't there. All its children are read.
    ///
    /// When they were modified can't be told: the prefix has the dates of all below it. Where the index
    /// [is cut](Self::is_cut), what lies deeper is among them.
    pub fn directly_in(&self, prefix: &[u8]) -> Result<Option<Vec<Cell>>, FormatError> {
        let Some(sums) = self.get(prefix)? else { return Ok(None) };
        let children = self.sums_of_children(&Scope::new(prefix))?.unwrap_or_default();
        without(&sums.cells, &children.cells, prefix).map(Some)
    }
}

/// What of the cells of a prefix is not its children's.
fn without(cells: &[Cell], children: &[Cell], prefix: &[u8]) -> Result<Vec<Cell>, FormatError> {
    let mut left = cells.to_vec();
    for child in children {
        let cell = left.iter_mut().find(|cell| cell.bin == child.bin);
        let less = cell.and_then(|cell| {
            cell.objects = cell.objects.checked_sub(child.objects)?;
            cell.bytes = cell.bytes.checked_sub(child.bytes)?;
            Some(())
        });
        less.ok_or_else(|| more_in_children(prefix))?;
    }
    left.retain(|cell| cell.objects > 0 || cell.bytes > 0);
    Ok(left)
}

/// The error of a prefix whose children have more than it has itself.
pub(crate) fn more_in_children(prefix: &[u8]) -> FormatError {
    let shown = String::from_utf8_lossy(prefix);
    FormatError::Sums(format!("the children of {shown:?} have more than it has: verify the index"))
}
