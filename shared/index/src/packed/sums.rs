//! Adding up the cells of rows that have some bins in common.

use s3inv_model::Cell;

/// Sums over the bins of a page, by their places.
#[derive(Clone, Default)]
pub(super) struct Adder {
    sums: Vec<(u64, u64)>,
    /// A bit for each bin that has a sum.
    used: Vec<u64>,
}

impl Adder {
    /// Makes room for so many bins.
    pub(super) fn start(&mut self, bins: usize) {
        self.sums.clear();
        self.sums.resize(bins, (0, 0));
        self.used.clear();
        self.used.resize(bins.div_ceil(64), 0);
    }

    /// Adds cells; `None` if a sum does not fit.
    #[inline]
    pub(super) fn add(&mut self, places: &[u16], cells: &[Cell]) -> Option<()> {
        for (&place, cell) in places.iter().zip(cells) {
            let (objects, bytes) = self.sums.get_mut(usize::from(place))?;
            *objects = objects.checked_add(cell.objects)?;
            *bytes = bytes.checked_add(cell.bytes)?;
            *self.used.get_mut(usize::from(place) / 64)? |= 1 << (place % 64);
        }
        Some(())
    }

    /// The places that have sums, ascending, each with its sum; they have none afterwards.
    #[inline]
    pub(super) fn drain(&mut self, mut each: impl FnMut(u16, u64, u64)) {
        for (at, word) in self.used.iter_mut().enumerate() {
            while *word != 0 {
                let place = 64 * at + word.trailing_zeros() as usize;
                *word &= *word - 1;
                if let Some((objects, bytes)) = self.sums.get_mut(place).map(std::mem::take) {
                    each(place as u16, objects, bytes);
                }
            }
        }
    }

    fn of(&self, place: u16) -> Option<(u64, u64)> {
        let used = self.used.get(usize::from(place) / 64)? >> (place % 64) & 1 == 1;
        self.sums.get(usize::from(place)).copied().filter(|_| used)
    }

    /// Whether all sums are of bins of these cells, and no larger than they.
    fn is_within(&self, places: &[u16], cells: &[Cell]) -> bool {
        let sums: u32 = self.used.iter().map(|word| word.count_ones()).sum();
        let mut met = 0;
        let fits = places.iter().zip(cells).all(|(&place, cell)| match self.of(place) {
            None => true,
            Some((objects, bytes)) => {
                met += 1;
                objects <= cell.objects && bytes <= cell.bytes
            }
        });
        fits && met == sums
    }

    /// Takes the sums off a row's cells, and leaves out cells of which nothing is left. The result is how many
    /// there still are, at the front; it is `None`, and nothing is changed, where the row has less than the
    /// sums. There are no sums afterwards.
    pub(super) fn take_off(&mut self, places: &mut [u16], cells: &mut [Cell]) -> Option<usize> {
        let fits = self.is_within(places, cells);
        let mut left = 0;
        for at in 0..if fits { cells.len() } else { 0 } {
            let (place, mut cell) = (*places.get(at)?, *cells.get(at)?);
            let sum = self.of(place);
            let (objects, bytes) = sum.unwrap_or_default();
            (cell.objects, cell.bytes) = (cell.objects - objects, cell.bytes - bytes);
            if sum.is_none() || (cell.objects, cell.bytes) != (0, 0) {
                (*places.get_mut(left)?, *cells.get_mut(left)?) = (place, cell);
                left += 1;
            }
        }
        self.clear();
        fits.then_some(left)
    }

    /// Forgets all sums.
    pub(super) fn clear(&mut self) {
        self.drain(|_, _, _| ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(of: &[(u16, u64, u64)]) -> (Vec<u16>, Vec<Cell>) {
        of.iter().map(|&(place, objects, bytes)| (place, Cell { bin: place, objects, bytes })).unzip()
    }

    fn taken_off(sums: &[(u16, u64, u64)], from: &[(u16, u64, u64)]) -> Option<Vec<(u16, u64, u64)>> {
        let mut adder = Adder::default();
        adder.start(100);
        let (places, sums) = cells(sums);
        adder.add(&places, &sums).unwrap();
        let (mut places, mut cells) = cells(from);
        let left = adder.take_off(&mut places, &mut cells)?;
        let mut none = true;
        adder.drain(|_, _, _| none = false);
        assert!(none && adder.sums.iter().all(|sum| *sum == (0, 0)));
        Some((0..left).map(|at| (places[at], cells[at].objects, cells[at].bytes)).collect())
    }

    #[test]
    fn what_is_left_is_what_the_children_lack() {
        let row = [(3, 5, 10), (70, 2, 2), (99, 0, 0)];
        assert_eq!(taken_off(&[], &row), Some(row.to_vec()));
        assert_eq!(taken_off(&[(3, 5, 10), (70, 1, 2)], &row), Some(vec![(70, 1, 0), (99, 0, 0)]));
        assert_eq!(taken_off(&row, &row), Some(vec![]), "a cell of nothing is there again when it is added");
        assert_eq!(taken_off(&[(3, 6, 10)], &row), None);
        assert_eq!(taken_off(&[(3, 5, 11)], &row), None);
        assert_eq!(taken_off(&[(4, 0, 0)], &row), None);
    }

    #[test]
    fn sums_fit_64_bits() {
        let mut adder = Adder::default();
        adder.start(2);
        let (places, cells) = cells(&[(1, u64::MAX, 1)]);
        adder.add(&places, &cells).unwrap();
        assert_eq!(adder.add(&places, &cells), None);
    }
}
