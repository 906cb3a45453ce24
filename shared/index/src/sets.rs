//! Sets of bins: a page has each set that occurs in it once, and rows name sets by their place.

use s3inv_model::{Bin, BinId, Cell};

use crate::varint;

/// Where a set ends among the bins, and whether it has a bin of current objects.
#[derive(Clone, Copy)]
struct End {
    at: u32,
    current: bool,
}

/// The sets of a page, in the order of their first rows.
#[derive(Clone, Default)]
pub(crate) struct Sets {
    bins: Vec<BinId>,
    ends: Vec<End>,
}

impl Sets {
    fn clear(&mut self) {
        self.bins.clear();
        self.ends.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bins of a set, and whether one of them is of current objects.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<(&[BinId], bool)> {
        let from = place.checked_sub(1).map_or(Some(0), |before| Some(self.ends.get(before)?.at))?;
        let end = self.ends.get(place)?;
        Some((self.bins.get(from as usize..end.at as usize)?, end.current))
    }

    /// Ends the set of the bins from `from` on. Bins are fewer than a page has bytes.
    fn end(&mut self, from: usize) {
        let current = self.bins.iter().skip(from).any(|&bin| Bin::is_current(bin));
        self.ends.push(End { at: self.bins.len() as u32, current });
    }

    /// Reads a page's stream, to its end. Each set takes a byte of it, and each bin.
    pub(crate) fn read(&mut self, mut stream: &[u8], classes: usize) -> Option<()> {
        self.clear();
        while !stream.is_empty() {
            let from = self.bins.len();
            let mut next = 0u64;
            for _ in 0..varint::take(&mut stream)? {
                let bin = next.checked_add(varint::take(&mut stream)?)?;
                let bin = BinId::try_from(bin).ok().filter(|&bin| Bin::exists(bin, classes))?;
                self.bins.push(bin);
                next = u64::from(bin) + 1;
            }
            self.end(from);
        }
        Some(())
    }
}

/// Finds the place of a set: there are up to thousands in a page, and each row asks.
pub(crate) struct Places {
    sets: Sets,
    /// An open hash table, at most half full: the place of a set and 1, or 0.
    slots: Vec<u32>,
}

impl Default for Places {
    fn default() -> Self {
        Self { sets: Sets::default(), slots: vec![0; 64] }
    }
}

impl Places {
    pub(crate) fn clear(&mut self) {
        self.sets.clear();
        self.slots.fill(0);
    }

    /// The place of the set that these cells have, and whether it is new.
    pub(crate) fn place(&mut self, cells: &[Cell]) -> (usize, bool) {
        let slot = self.slot(&cells.iter().map(|cell| cell.bin));
        let place = self.sets.len();
        match self.slots.get_mut(slot) {
            Some(taken @ 0) => *taken = place as u32 + 1,
            Some(taken) => return (*taken as usize - 1, false),
            None => {}
        }
        let from = self.sets.bins.len();
        self.sets.bins.extend(cells.iter().map(|cell| cell.bin));
        self.sets.end(from);
        if 2 * self.sets.len() > self.slots.len() {
            self.grow();
        }
        (place, true)
    }

    pub(crate) fn len(&self) -> usize {
        self.sets.len()
    }

    /// The sets, by their places.
    pub(crate) fn sets(&self) -> impl Iterator<Item = &[BinId]> {
        (0..self.sets.len()).filter_map(|place| self.sets.get(place)).map(|(bins, _)| bins)
    }

    /// The slot that has the place of this set, or where it belongs.
    #[inline]
    fn slot(&self, bins: &(impl Iterator<Item = BinId> + Clone)) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = (hash(bins.clone()) >> 32) as usize & mask;
        let is_other = |taken: &u32| {
            let known = taken.checked_sub(1).and_then(|place| self.sets.get(place as usize));
            known.is_some_and(|(set, _)| !set.iter().copied().eq(bins.clone()))
        };
        while self.slots.get(slot).is_some_and(is_other) {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        for place in 0..self.sets.len() {
            let slot = self.sets.get(place).map(|(set, _)| self.slot(&set.iter().copied()));
            if let Some(slot) = slot.and_then(|slot| self.slots.get_mut(slot)) {
                *slot = place as u32 + 1;
            }
        }
    }
}

/// Appends the set that these cells have to a stream.
pub(crate) fn put(cells: &[Cell], stream: &mut Vec<u8>) {
    varint::put(stream, cells.len() as u64);
    let mut next = 0;
    for cell in cells {
        varint::put(stream, u64::from(cell.bin - next));
        next = cell.bin + 1;
    }
}

/// Tells most sets apart at one glance.
#[inline]
fn hash(bins: impl Iterator<Item = BinId>) -> u64 {
    bins.fold(0, |hash: u64, bin| {
        (hash.rotate_left(5) ^ u64::from(bin) ^ 1 << 20).wrapping_mul(0x517c_c1b7_2722_0a95)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(bins: &[BinId]) -> Vec<Cell> {
        bins.iter().map(|&bin| Cell { bin, objects: 1, bytes: 0 }).collect()
    }

    #[test]
    fn each_set_has_one_place() {
        let mut places = Places::default();
        for page in 0..2 {
            let mut stream = Vec::new();
            let all: Vec<Vec<BinId>> =
                (0..60u16).flat_map(|a| (a + 1..60).map(move |b| vec![a, b])).chain([vec![]]).collect();
            for round in 0..2 {
                for (place, bins) in all.iter().enumerate() {
                    assert_eq!(places.place(&cells(bins)), (place, round == 0), "{page} {round}");
                    if round == 0 {
                        put(&cells(bins), &mut stream);
                    }
                }
            }
            let mut read = Sets::default();
            read.read(&stream, 1).unwrap();
            assert_eq!(read.len(), all.len());
            for (place, bins) in all.iter().enumerate() {
                let current = bins.iter().any(|&bin| Bin::is_current(bin));
                assert_eq!(read.get(place), Some((bins.as_slice(), current)));
            }
            assert_eq!(read.get(all.len()), None);
            places.clear();
        }
    }

    #[test]
    fn sets_that_make_no_sense_are_refused() {
        let read = |stream: &[u8]| {
            let mut sets = Sets::default();
            sets.read(stream, 1)?;
            Some(sets.len())
        };
        assert_eq!(read(&[]), Some(0));
        assert_eq!(read(&[0, 0, 2, 0, 0]), Some(3));
        assert_eq!(read(&[1, 0xa9, 1]), Some(1), "169 is the last bin of one class");
        assert_eq!(read(&[1, 0xaa, 1]), None);
        assert_eq!(read(&[2, 0xa9, 1, 0]), None);
        assert_eq!(read(&[2, 0]), None, "it ends early");
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(read(&huge), None);
        assert_eq!(read(&[&[1][..], &huge].concat()), None);
        assert_eq!(read(&[&[2, 1][..], &huge].concat()), None);
    }
}
