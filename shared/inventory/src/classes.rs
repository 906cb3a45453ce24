use s3inv_model::{ColumnError, ColumnId, Columns};

/// The only class that has tiers; other rows' tiers are no part of their column.
const INTELLIGENT_TIERING: &[u8] = b"INTELLIGENT_TIERING";

struct Known {
    class: Vec<u8>,
    tier: Vec<u8>,
    column: ColumnId,
}

/// Columns by the bytes of the file: `Columns` would build a name for every row.
#[derive(Default)]
pub(crate) struct Classes {
    known: Vec<Known>,
    /// Neighbouring rows mostly have the same class.
    last: usize,
}

impl Classes {
    #[inline]
    pub(crate) fn column(
        &mut self,
        columns: &mut Columns,
        class: &[u8],
        tier: &[u8],
    ) -> Result<ColumnId, ColumnError> {
        match self.known.get(self.last) {
            Some(known) if known.class == class && known.tier == tier => Ok(known.column),
            _ => self.search(columns, class, tier),
        }
    }

    fn search(&mut self, columns: &mut Columns, class: &[u8], tier: &[u8]) -> Result<ColumnId, ColumnError> {
        let tier = if class == INTELLIGENT_TIERING { tier } else { b"" };
        if let Some(at) = self.known.iter().position(|k| k.class == class && k.tier == tier) {
            self.last = at;
        } else {
            let column = columns.class(class, tier)?;
            self.last = self.known.len();
            self.known.push(Known { class: class.to_vec(), tier: tier.to_vec(), column });
        }
        self.known.get(self.last).map(|known| known.column).ok_or(ColumnError::TooMany)
    }
}
