//! A prefix's sums by what people ask for.

use std::collections::BTreeMap;

use crate::{AGE_BANDS, Bin, Cell, Classes, Dates, Measure, Measures, SIZE_BANDS, Schema, SizeBin};

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Number of objects.
    pub objects: u64,
    /// Sum of their sizes, in bytes.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, cell: &Cell) {
        // Readers have checked that a row's cells add up within 64 bits.
        self.objects = self.objects.saturating_add(cell.objects);
        self.bytes = self.bytes.saturating_add(cell.bytes);
    }
}

/// A class's objects, and those of them that it bills or monitors in another way for their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCount {
    /// All objects.
    pub all: Count,
    /// Those below 128 KiB, where [`Measure::Cost`] is known and the class has such a minimum.
    pub small: Count,
}

/// The sums of a prefix. A measure that the index doesn't have is left at nothing: ask `measures`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats<'a> {
    /// What is known.
    pub measures: &'a Measures,
    /// Current objects.
    pub current: Count,
    /// The same by class; without those that have none.
    pub classes: BTreeMap<&'a str, ClassCount>,
    /// Noncurrent objects.
    pub noncurrent: Count,
    /// The same by class.
    pub noncurrent_classes: BTreeMap<&'a str, ClassCount>,
    /// Delete markers.
    pub delete_markers: u64,
    /// Those of them that hide their key.
    pub latest_delete_markers: u64,
    /// When current objects were modified.
    pub dates: Dates,
    /// Current objects by [`AGE_BANDS`].
    pub age: [Count; AGE_BANDS.len()],
    /// Current objects by [`SIZE_BANDS`].
    pub size: [Count; SIZE_BANDS.len()],
}

impl<'a> Stats<'a> {
    /// Adds up the cells of a prefix.
    #[must_use]
    pub fn new(Schema { measures, classes }: &'a Schema, cells: &[Cell], dates: Dates) -> Self {
        let mut stats = Self {
            measures,
            current: Count::default(),
            classes: BTreeMap::new(),
            noncurrent: Count::default(),
            noncurrent_classes: BTreeMap::new(),
            delete_markers: 0,
            latest_delete_markers: 0,
            dates,
            age: Default::default(),
            size: Default::default(),
        };
        for cell in cells {
            stats.add(classes, cell);
        }
        stats
    }

    /// Whether a measure is known.
    #[must_use]
    pub fn has(&self, measure: Measure) -> bool {
        self.measures.has(measure)
    }

    fn add(&mut self, classes: &'a Classes, cell: &Cell) {
        let Bin::Objects { class, current, size, age } = Bin::of(cell.bin) else {
            self.delete_markers += cell.objects;
            self.latest_delete_markers +=
                if cell.bin == (Bin::Marker { latest: true }).id() { cell.objects } else { 0 };
            return;
        };
        let (total, by_class) = if current {
            (&mut self.current, &mut self.classes)
        } else {
            (&mut self.noncurrent, &mut self.noncurrent_classes)
        };
        total.add(cell);
        let count = by_class.entry(classes.name(class).unwrap_or_default()).or_default();
        count.all.add(cell);
        let cost = self.measures.has(Measure::Cost);
        let small = match size {
            SizeBin::Small => true,
            SizeBin::Band(band) => cost && band < 3 && classes.has_minimum(class),
            SizeBin::Untold | SizeBin::Large => false,
        };
        if small {
            count.small.add(cell);
        }
        if let Some(count) = age.and_then(|age| self.age.get_mut(usize::from(age))) {
            count.add(cell);
        }
        if let SizeBin::Band(band) = size
            && let Some(count) = self.size.get_mut(usize::from(band))
        {
            count.add(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Binning;

    #[test]
    fn bins_add_up_to_what_people_ask_for() {
        let mut classes = Classes::default();
        let standard = classes.add(b"STANDARD", b"").unwrap();
        let ia = classes.add(b"STANDARD_IA", b"").unwrap();
        let measures = Measures::all();
        let day = 86_400_000;
        let binning = Binning::new(&measures, 1000 * day);
        let cell = |bin, objects, bytes| Cell { bin, objects, bytes };
        let cells = [
            cell(Bin::Marker { latest: false }.id(), 2, 0),
            cell(Bin::Marker { latest: true }.id(), 1, 0),
            cell(binning.current(&classes, standard, 700, 999 * day), 3, 2000),
            cell(binning.current(&classes, standard, 200_000, 100 * day), 1, 200_000),
            cell(binning.current(&classes, ia, 700, 100 * day), 2, 1400),
            cell(binning.noncurrent(&classes, ia, 5), 1, 5),
        ];
        let schema = Schema { measures, classes };
        let stats = Stats::new(&schema, &cells, Dates::at(7));
        let count = |objects, bytes| Count { objects, bytes };
        assert_eq!(stats.current, count(6, 203_400));
        assert_eq!(stats.classes["STANDARD"], ClassCount { all: count(4, 202_000), small: count(0, 0) });
        assert_eq!(stats.classes["STANDARD_IA"], ClassCount { all: count(2, 1400), small: count(2, 1400) });
        assert_eq!(stats.noncurrent, count(1, 5));
        assert_eq!(
            stats.noncurrent_classes["STANDARD_IA"],
            ClassCount { all: count(1, 5), small: count(1, 5) }
        );
        assert_eq!((stats.delete_markers, stats.latest_delete_markers), (3, 1));
        assert_eq!(stats.age[0], count(3, 2000));
        assert_eq!(stats.age[5], count(3, 201_400));
        assert_eq!(stats.size[1], count(5, 3400));
        assert_eq!(stats.size[3], count(1, 200_000));
        assert_eq!(stats.dates, Dates::at(7));
    }
}
