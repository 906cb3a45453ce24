use std::collections::BTreeSet;
use std::ops::Add;

use s3inv_model::{Bin, BinId, Cell, ClassCount, Count, Schema, SizeBin};

use crate::table::{MINIMUM, PriceTable, STANDARD};
use crate::{Cost, Missing, Parts};

/// What an object and a byte cost, in units of [`Cost`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) object: i64,
    pub(crate) byte: i64,
}

impl Rate {
    fn of(self, count: Count) -> Cost {
        Cost::of(count.objects, self.object) + Cost::of(count.bytes, self.byte)
    }
}

impl Add for Rate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { object: self.object + other.object, byte: self.byte + other.byte }
    }
}

/// What the objects of a class cost, by part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassRates {
    /// Of all objects.
    storage: Rate,
    /// Of those below 128 KiB, beside their storage.
    minimum: Rate,
    /// Of those of 128 KiB and more.
    monitoring: Rate,
    /// Of all.
    overhead: Rate,
}

impl ClassRates {
    /// `None` if the table has no price of the class.
    pub(crate) fn new(table: &PriceTable, class: &str) -> Option<Self> {
        let byte = table.price(class)?.per_byte();
        let among = |classes: &BTreeSet<String>, rate: Rate| {
            if classes.contains(class) { rate } else { Rate::default() }
        };
        let standard = table.price(STANDARD).unwrap_or_default().per_byte();
        let overhead = &table.overhead;
        let archived = overhead.bytes.cast_signed() * byte + overhead.standard_bytes.cast_signed() * standard;
        let monitored = table.monitoring.per_1000_objects.per_object();
        Some(Self {
            storage: Rate { object: 0, byte },
            // Billed as the minimum, less what their storage has already.
            minimum: among(
                &table.minimum.classes,
                Rate { object: MINIMUM.cast_signed() * byte, byte: -byte },
            ),
            monitoring: among(&table.monitoring.classes, Rate { object: monitored, byte: 0 }),
            overhead: among(&overhead.classes, Rate { object: archived, byte: 0 }),
        })
    }

    pub(crate) fn parts(self, count: &ClassCount) -> Parts {
        let large = Count {
            objects: count.all.objects.saturating_sub(count.small.objects),
            bytes: count.all.bytes.saturating_sub(count.small.bytes),
        };
        Parts {
            storage: self.storage.of(count.all),
            minimum: self.minimum.of(count.small),
            monitoring: self.monitoring.of(large),
            overhead: self.overhead.of(count.all),
        }
    }

    /// All parts, of objects of this size.
    fn sized(self, size: SizeBin) -> Rate {
        let by_size = if size.range().1 < MINIMUM { self.minimum } else { self.monitoring };
        self.storage + by_size + self.overhead
    }
}

/// What the objects of each bin of an index cost: for the totals of many prefixes, without allocating for each.
///
/// Sums and differences of totals are exact, and equal those of [`crate::estimate`].
#[derive(Clone, Debug)]
pub struct Rates {
    by_bin: Vec<Rate>,
    unpriced: Vec<String>,
}

impl Rates {
    /// For the indexes of a schema. An error names what they lack.
    pub fn new(table: &PriceTable, schema: &Schema) -> Result<Self, Missing> {
        Missing::check(&schema.measures)?;
        let classes: Vec<_> = schema.classes.iter().map(|class| ClassRates::new(table, class)).collect();
        let bins = (0..BinId::MAX).take_while(|&bin| Bin::exists(bin, classes.len()));
        let rate = |bin| match Bin::of(bin) {
            Bin::Marker { .. } => None,
            Bin::Objects { class, size, .. } => Some((*classes.get(usize::from(class))?)?.sized(size)),
        };
        let by_bin = bins.map(|bin| rate(bin).unwrap_or_default()).collect();
        let unpriced = schema.classes.iter().filter(|class| table.price(class).is_none());
        Ok(Self { by_bin, unpriced: unpriced.map(str::to_owned).collect() })
    }

    /// What the objects of these cells cost together, but for those of [`Rates::unpriced`] classes.
    #[must_use]
    pub fn total(&self, cells: &[Cell]) -> Cost {
        cells.iter().map(|cell| self.cell(cell)).sum()
    }

    /// What so many objects with so many bytes cost at most, whatever they are.
    #[must_use]
    pub fn most(&self, objects: u128, bytes: u128) -> Cost {
        let dearest = |rate: fn(&Rate) -> i64| self.by_bin.iter().map(rate).max().unwrap_or_default().max(0);
        Cost::of_bytes(objects, dearest(|rate| rate.object))
            + Cost::of_bytes(bytes, dearest(|rate| rate.byte))
    }

    fn cell(&self, &Cell { bin, objects, bytes }: &Cell) -> Cost {
        let rate = self.by_bin.get(usize::from(bin)).copied().unwrap_or_default();
        rate.of(Count { objects, bytes })
    }

    /// The classes of the index that have no price: totals leave them out, and whoever shows totals names them.
    #[must_use]
    pub fn unpriced(&self) -> &[String] {
        &self.unpriced
    }
}
