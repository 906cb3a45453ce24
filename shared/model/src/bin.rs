//! Bins: what rows of an inventory are told apart by.
//!
//! Each row that is counted falls into exactly one bin, so that all sums of a prefix are sums over some
//! of its bins: by class, by age, by size band, of all versions.

use crate::{ClassId, Classes, Measure, Measures};

/// A day in milliseconds.
const DAY: u64 = 86_400_000;
/// Objects below this are billed as if they had it, or are not monitored, in some classes.
const MINIMUM: u64 = 128 << 10;

/// Size bands: each holds the objects smaller than its limit, in bytes, that no band before it holds.
pub const SIZE_BANDS: [(&str, u64); 9] = [
    ("0", 1),
    ("<1KiB", 1 << 10),
    ("<128KiB", 128 << 10),
    ("<1MiB", 1 << 20),
    ("<16MiB", 16 << 20),
    ("<128MiB", 128 << 20),
    ("<1GiB", 1 << 30),
    ("<5GiB", 5 << 30),
    (">=5GiB", u64::MAX),
];

/// Ages: each holds the objects that are younger at the snapshot than its limit, in days, and that no
/// band before it holds.
pub const AGE_BANDS: [(&str, u64); 6] =
    [("<30d", 30), ("<90d", 90), ("<180d", 180), ("<365d", 365), ("<730d", 730), (">=730d", u64::MAX)];

/// What is told of an object's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeBin {
    /// Nothing.
    Untold,
    /// Its place in [`SIZE_BANDS`].
    Band(u8),
    /// It is below 128 KiB.
    Small,
    /// It has 128 KiB or more.
    Large,
}

impl SizeBin {
    /// The least and the most bytes that one of its objects can have.
    #[must_use]
    pub fn range(self) -> (u64, u64) {
        let limit = |band: u8| SIZE_BANDS.get(usize::from(band)).map_or(u64::MAX, |&(_, limit)| limit);
        match self {
            Self::Untold => (0, u64::MAX),
            Self::Band(band) => {
                let most = limit(band);
                (band.checked_sub(1).map_or(0, limit), if most == u64::MAX { most } else { most - 1 })
            }
            Self::Small => (0, MINIMUM - 1),
            Self::Large => (MINIMUM, u64::MAX),
        }
    }
}

/// The number of different [`SizeBin`]s.
const SIZE_BINS: u16 = 12;
/// Untold, and the bands.
const AGE_BINS: u16 = 7;
/// The bins of a class's current objects, or of its noncurrent ones.
const HALF: u16 = SIZE_BINS * AGE_BINS;
/// The first bin of the first class: delete markers have none.
const FIRST: u16 = 2;

/// A bin's number. It is made of the numbers of what it tells: `SPEC.md` of the index has the formula.
pub type BinId = u16;

/// What the rows of a bin have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bin {
    /// Delete markers.
    Marker {
        /// Whether they hide their key.
        latest: bool,
    },
    /// Objects.
    Objects {
        /// Their class.
        class: ClassId,
        /// Whether they are the current version of their key.
        current: bool,
        /// What is told of their size.
        size: SizeBin,
        /// Their place in [`AGE_BANDS`], if it is told.
        age: Option<u8>,
    },
}

impl Bin {
    /// Its number.
    #[must_use]
    pub fn id(self) -> BinId {
        match self {
            Self::Marker { latest } => u16::from(latest),
            Self::Objects { class, current, size, age } => {
                let size = match size {
                    SizeBin::Untold => 0,
                    SizeBin::Band(band) => 1 + u16::from(band),
                    SizeBin::Small => 10,
                    SizeBin::Large => 11,
                };
                let half = u16::from(class) * 2 + u16::from(!current);
                FIRST + half * HALF + size * AGE_BINS + age.map_or(0, |age| 1 + u16::from(age))
            }
        }
    }

    /// The bin of a number.
    #[must_use]
    pub fn of(id: BinId) -> Self {
        let Some(place) = id.checked_sub(FIRST) else { return Self::Marker { latest: id == 1 } };
        let (half, rest) = (place / HALF, place % HALF);
        let size = match rest / AGE_BINS {
            0 => SizeBin::Untold,
            10 => SizeBin::Small,
            11 => SizeBin::Large,
            band => SizeBin::Band(band as u8 - 1),
        };
        let age = (rest % AGE_BINS).checked_sub(1).map(|age| age as u8);
        Self::Objects { class: (half / 2) as ClassId, current: half % 2 == 0, size, age }
    }

    /// Whether there is such a bin where there are so many classes.
    #[must_use]
    pub fn exists(id: BinId, classes: usize) -> bool {
        usize::from(id) < usize::from(FIRST) + classes * 2 * usize::from(HALF)
    }

    /// Whether the rows of a bin are current objects.
    #[must_use]
    pub fn is_current(id: BinId) -> bool {
        id.checked_sub(FIRST).is_some_and(|place| (place / HALF).is_multiple_of(2))
    }

    /// Whether the rows of a bin are noncurrent objects.
    #[must_use]
    pub fn is_noncurrent(id: BinId) -> bool {
        id.checked_sub(FIRST).is_some_and(|place| !(place / HALF).is_multiple_of(2))
    }

    /// Whether the rows of a bin are delete markers, which have no bytes.
    #[must_use]
    pub fn is_marker(id: BinId) -> bool {
        id < FIRST
    }

    /// The same bin of the class that `places` has for its class; `None` if that is none.
    #[must_use]
    pub fn moved(id: BinId, places: &[ClassId]) -> Option<BinId> {
        let Some(place) = id.checked_sub(FIRST) else { return Some(id) };
        let (class, rest) = (place / (2 * HALF), place % (2 * HALF));
        let class = places.get(usize::from(class))?;
        Some(FIRST + u16::from(*class) * 2 * HALF + rest)
    }
}

/// Tells which bin a row falls into: as fine as the measures need, and no finer.
#[derive(Clone, Debug)]
pub struct Binning {
    measures: Measures,
    ages: bool,
    sizes: bool,
    cost: bool,
    /// Objects are in an age band if they were modified after its moment, and in the last one otherwise.
    since: [u64; AGE_BANDS.len() - 1],
}

impl Binning {
    /// For these measures of an inventory that was taken at `snapshot_ms` after 1970.
    #[must_use]
    pub fn new(measures: &Measures, snapshot_ms: u64) -> Self {
        let mut since = [0; AGE_BANDS.len() - 1];
        for (moment, (_, days)) in since.iter_mut().zip(AGE_BANDS) {
            // Younger than n days: modified later than n days before the snapshot.
            *moment = snapshot_ms.saturating_add(1).saturating_sub(days.saturating_mul(DAY));
        }
        Self {
            ages: measures.has(Measure::Age),
            sizes: measures.has(Measure::Size),
            cost: measures.has(Measure::Cost),
            measures: measures.clone(),
            since,
        }
    }

    /// What is measured.
    #[must_use]
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// The bin of a current object. `modified_ms` is not looked at without [`Measure::Age`].
    #[inline]
    #[must_use]
    pub fn current(&self, classes: &Classes, class: ClassId, size: u64, modified_ms: u64) -> BinId {
        let size = if self.sizes { SizeBin::Band(size_band(size)) } else { self.small(classes, class, size) };
        let age = self.ages.then(|| self.since.iter().filter(|&&moment| modified_ms < moment).count() as u8);
        Bin::Objects { class, current: true, size, age }.id()
    }

    /// The bin of a noncurrent object.
    #[must_use]
    pub fn noncurrent(&self, classes: &Classes, class: ClassId, size: u64) -> BinId {
        let size = self.small(classes, class, size);
        Bin::Objects { class, current: false, size, age: None }.id()
    }

    fn small(&self, classes: &Classes, class: ClassId, size: u64) -> SizeBin {
        match self.cost && classes.has_minimum(class) {
            true if size < MINIMUM => SizeBin::Small,
            true => SizeBin::Large,
            false => SizeBin::Untold,
        }
    }
}

#[inline]
fn size_band(size: u64) -> u8 {
    SIZE_BANDS.iter().filter(|&&(_, limit)| size >= limit && limit < u64::MAX).count() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_bin() {
        let all = FIRST + 64 * 2 * HALF;
        for id in 0..all {
            assert_eq!(Bin::of(id).id(), id);
            let (current, noncurrent, marker) = match Bin::of(id) {
                Bin::Marker { .. } => (false, false, true),
                Bin::Objects { current, .. } => (current, !current, false),
            };
            let told = (Bin::is_current(id), Bin::is_noncurrent(id), Bin::is_marker(id));
            assert_eq!(told, (current, noncurrent, marker), "{id}");
            assert!(Bin::exists(id, 64));
        }
        assert!(!Bin::exists(all, 64));
        assert!(!Bin::exists(FIRST, 0));
        assert!(Bin::exists(1, 0));
    }

    #[test]
    fn a_bin_moves_with_its_class() {
        let bin = Bin::Objects { class: 1, current: false, size: SizeBin::Small, age: Some(3) };
        let moved = Bin::Objects { class: 5, current: false, size: SizeBin::Small, age: Some(3) };
        assert_eq!(Bin::moved(bin.id(), &[0, 5]), Some(moved.id()));
        assert_eq!(Bin::moved(bin.id(), &[0]), None);
        assert_eq!(Bin::moved(1, &[]), Some(1));
    }

    fn age(days: i64, ms: i64) -> u8 {
        let snapshot = 1_700_000_000_000_i64;
        let modified = snapshot - days * DAY.cast_signed() - ms;
        let binning = Binning::new(&Measures::all(), snapshot.cast_unsigned());
        let classes = Classes::untold();
        match Bin::of(binning.current(&classes, 0, 0, modified.cast_unsigned())) {
            Bin::Objects { age: Some(age), .. } => age,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ages_are_counted_from_the_snapshot() {
        assert_eq!(age(-400, 0), 0, "after the snapshot");
        assert_eq!(age(0, 0), 0);
        for (band, days) in [30, 90, 180, 365, 730].into_iter().enumerate() {
            assert_eq!(age(days, -1), band as u8, "a millisecond less than {days} days");
            assert_eq!(age(days, 0), band as u8 + 1, "{days} days");
        }
        assert_eq!(age(9000, 0), 5);
    }

    #[test]
    fn an_early_snapshot_has_no_old_objects() {
        let binning = Binning::new(&Measures::all(), 5);
        assert_eq!(binning.since, [0; 5]);
    }

    #[test]
    fn size_bands() {
        for (size, label) in [
            (0, "0"),
            (1, "<1KiB"),
            (1023, "<1KiB"),
            (1024, "<128KiB"),
            (131_071, "<128KiB"),
            (131_072, "<1MiB"),
            (1 << 20, "<16MiB"),
            (16 << 20, "<128MiB"),
            (128 << 20, "<1GiB"),
            (1 << 30, "<5GiB"),
            ((5 << 30) - 1, "<5GiB"),
            (5 << 30, ">=5GiB"),
            (u64::MAX, ">=5GiB"),
        ] {
            assert_eq!(SIZE_BANDS[usize::from(size_band(size))].0, label, "{size}");
        }
    }

    #[test]
    fn bands_have_no_gaps() {
        let mut next = 0;
        for band in 0..SIZE_BANDS.len() as u8 {
            let (least, most) = SizeBin::Band(band).range();
            assert_eq!(least, next);
            assert_eq!((size_band(least), size_band(most)), (band, band));
            next = most.wrapping_add(1);
        }
        assert_eq!(next, 0);
        assert_eq!(SizeBin::Large.range().0, SizeBin::Small.range().1 + 1);
    }

    #[test]
    fn bins_are_as_fine_as_the_measures_need() {
        let mut classes = Classes::default();
        let standard = classes.add(b"STANDARD", b"").unwrap();
        let ia = classes.add(b"STANDARD_IA", b"").unwrap();
        let cost = Measures::default().with(Measure::Cost);
        let bin = |measures: &Measures, class, size| {
            let Bin::Objects { size, age, .. } =
                Bin::of(Binning::new(measures, 0).current(&classes, class, size, 0))
            else {
                panic!("a marker")
            };
            (size, age)
        };
        assert_eq!(bin(&Measures::default(), ia, 5), (SizeBin::Untold, None));
        assert_eq!(bin(&cost, standard, 5), (SizeBin::Untold, None));
        assert_eq!(bin(&cost, ia, MINIMUM - 1), (SizeBin::Small, None));
        assert_eq!(bin(&cost, ia, MINIMUM), (SizeBin::Large, None));
        assert_eq!(bin(&Measures::all(), standard, 5), (SizeBin::Band(1), Some(0)));
        let noncurrent = Binning::new(&Measures::all(), 0).noncurrent(&classes, ia, 5);
        let expected = Bin::Objects { class: ia, current: false, size: SizeBin::Small, age: None };
        assert_eq!(Bin::of(noncurrent), expected);
    }
}
