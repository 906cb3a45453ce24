use s3inv_index_format::ReadAt;

use crate::{Amount, AskError, Index, Scope};

/// All that is in a scope; `None` if it isn't there.
pub(crate) fn total<R: ReadAt>(index: &Index<R>, scope: &Scope) -> Result<Option<Amount>, AskError> {
    let sums = index.sums(scope).map_err(AskError::of(index))?;
    Ok(sums.map(|sums| Amount::new(index, &sums.cells)))
}
