//! A row without its prefix, as short as it can be told by itself: what a lookup finds.

use s3inv_model::{Bin, BinId, Cell, Dates, Sums};

use crate::moment::{put_change, take_change};
use crate::page::Shape;
use crate::varint;

/// Says that a row has no dates: a change to before 1970, which no date has.
const NO_DATES: u8 = 1;
/// The bins of delete markers, and with them the first place of a bin of objects.
const MARKERS: BinId = 2;
/// Bins of objects that differ in age alone.
const AGES: BinId = 7;

/// Where bins stand among those that the measures have, so that most take a byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    step: BinId,
}

impl Places {
    pub(crate) fn new(ages: bool) -> Self {
        Self { step: if ages { 1 } else { AGES } }
    }

    /// `None` for a bin that the measures don't have.
    fn place(self, bin: BinId) -> Option<BinId> {
        let Some(objects) = bin.checked_sub(MARKERS) else { return Some(bin) };
        objects.is_multiple_of(self.step).then_some(MARKERS + objects / self.step)
    }

    fn bin(self, place: u64) -> Option<BinId> {
        let place = BinId::try_from(place).ok()?;
        let Some(objects) = place.checked_sub(MARKERS) else { return Some(place) };
        objects.checked_mul(self.step)?.checked_add(MARKERS)
    }
}

/// Appends a row's dates and cells; `None`, with a part of them, for a row that can't be told so.
pub(crate) fn put(shape: Shape, cells: &[Cell], dates: Dates, out: &mut Vec<u8>) -> Option<()> {
    if shape.dates && dates.is_none() {
        out.push(NO_DATES);
    } else if shape.dates {
        put_change(out, 0, dates.oldest);
        put_change(out, dates.oldest, dates.newest);
    }
    let mut next = 0;
    for cell in cells {
        let place = shape.places.place(cell.bin)?;
        let several = cell.objects != 1;
        varint::put(out, u64::from(place - next) << 1 | u64::from(several));
        if several {
            varint::put(out, cell.objects);
        }
        if shape.has_bytes(cell.bin) {
            varint::put(out, cell.bytes);
        }
        next = place + 1;
    }
    Some(())
}

/// Reads a row that takes all of `bytes`; `None` if it makes no sense.
pub(crate) fn take(shape: Shape, mut bytes: &[u8]) -> Option<Sums> {
    let dates = if shape.dates { take_dates(&mut bytes)? } else { Dates::NONE };
    let mut cells = Vec::with_capacity(bytes.len() / 2);
    let (mut next, mut sums) = (0u64, (0u64, 0u64));
    while !bytes.is_empty() {
        let code = varint::take(&mut bytes)?;
        let place = next.checked_add(code >> 1)?;
        let bin = shape.places.bin(place).filter(|&bin| Bin::exists(bin, shape.classes))?;
        let objects = if code & 1 == 0 { 1 } else { varint::take(&mut bytes)? };
        let size = if shape.has_bytes(bin) { varint::take(&mut bytes)? } else { 0 };
        sums = (sums.0.checked_add(objects)?, sums.1.checked_add(size)?);
        cells.push(Cell { bin, objects, bytes: size });
        next = place + 1;
    }
    (dates.is_none() != shape.has_dates(&cells)).then_some(Sums { cells, dates })
}

fn take_dates(bytes: &mut &[u8]) -> Option<Dates> {
    if let Some((&NO_DATES, rest)) = bytes.split_first() {
        *bytes = rest;
        return Some(Dates::NONE);
    }
    let oldest = take_change(bytes, 0)?;
    let newest = take_change(bytes, oldest)?;
    (oldest <= newest).then_some(Dates { oldest, newest })
}
