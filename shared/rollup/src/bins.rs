use s3inv_model::{Bin, BinId, ClassId, Classes};

/// The bins that occur, in the order that files have them: by the names of their classes.
#[derive(Default)]
pub(crate) struct Bins {
    /// A bin's number in a file whose classes are sorted, by its place.
    names: Vec<BinId>,
    /// A bin's place, by its number in the table.
    places: Vec<u16>,
}

impl Bins {
    /// Of the numbers in `seen`, whose classes have these places among the sorted ones.
    pub(crate) fn new(seen: impl Iterator<Item = BinId>, classes: &[ClassId]) -> Self {
        let mut all: Vec<(BinId, BinId)> = seen.map(|bin| (moved(bin, classes), bin)).collect();
        all.sort_unstable();
        all.dedup();
        let mut places = vec![0; all.iter().map(|&(_, bin)| usize::from(bin) + 1).max().unwrap_or(0)];
        for (place, &(_, bin)) in (0..).zip(&all) {
            places[usize::from(bin)] = place;
        }
        Self { names: all.into_iter().map(|(name, _)| name).collect(), places }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn place(&self, bin: BinId) -> u16 {
        self.places[usize::from(bin)]
    }

    pub(crate) fn name(&self, place: u16) -> BinId {
        self.names[usize::from(place)]
    }
}

/// A bin where its class has another place; there is none whose class is not in the list.
fn moved(bin: BinId, classes: &[ClassId]) -> BinId {
    Bin::moved(bin, classes).unwrap_or(bin)
}

/// Classes in the order of their names, and the place there of each of `classes`.
pub(crate) fn sorted(classes: &Classes) -> (Classes, Vec<ClassId>) {
    // There are no more of them than before, and each is there.
    let sorted = Classes::union([classes]).unwrap_or_default();
    let places = classes.places_in(&sorted).unwrap_or_default();
    (sorted, places)
}
