use s3inv_index_format::FormatError;
use s3inv_model::{Bin, BinId, ClassId, Classes};

/// What bins are called in a file, whose classes are sorted.
#[derive(Default)]
pub(crate) struct Bins {
    /// By a bin's number in the table.
    names: Vec<BinId>,
    /// How many occur.
    len: usize,
}

impl Bins {
    /// Of the numbers in `seen`, whose classes have these places among the sorted ones.
    pub(crate) fn new(seen: impl Iterator<Item = BinId>, places: &[ClassId]) -> Result<Self, FormatError> {
        let mut bins = Self::default();
        for bin in seen {
            let name = Bin::moved(bin, places);
            bins.names.resize(bins.names.len().max(usize::from(bin) + 1), 0);
            bins.names[usize::from(bin)] = name.ok_or(FormatError::Mismatch("a bin has no class"))?;
            bins.len += 1;
        }
        Ok(bins)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn name(&self, bin: BinId) -> BinId {
        self.names[usize::from(bin)]
    }
}

/// Classes in the order of their names, and the place there of each of `classes`.
pub(crate) fn sorted(classes: &Classes) -> Result<(Classes, Vec<ClassId>), FormatError> {
    let sorted = Classes::union([classes]).map_err(|_| FormatError::TooLarge("its storage classes"))?;
    let places = classes.places_in(&sorted).ok_or(FormatError::Mismatch("a class got lost"))?;
    Ok((sorted, places))
}
