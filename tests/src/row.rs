use std::collections::BTreeMap;

use crate::Column;

/// When inventories are taken, unless a test says otherwise: the manifest's `creationTimestamp`.
pub const SNAPSHOT: u64 = 1_747_098_000_000;

/// When objects were modified, unless a test says otherwise: 2024-05-06T22:37:48Z.
pub const MODIFIED: u64 = 1_715_035_068_000;

/// A day in milliseconds.
pub const DAY: u64 = 24 * 60 * 60 * 1000;

/// An object as an inventory lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its key, raw.
    pub key: Vec<u8>,
    /// Its length in bytes.
    pub size: u64,
    /// Its storage class.
    pub class: &'static str,
    /// Its access tier, or nothing.
    pub tier: &'static str,
    /// Whether it is the current version.
    pub latest: bool,
    /// Whether it is a delete marker: then size, class and tier are not told.
    pub marker: bool,
    /// When it was modified: milliseconds since 1970.
    pub modified: u64,
    /// A column that says nothing of it, which only a bad row has.
    pub missing: Option<Column>,
}

impl Row {
    /// A current object of class `STANDARD`.
    pub fn new(key: impl Into<Vec<u8>>, size: u64) -> Self {
        let (class, tier, modified) = ("STANDARD", "", MODIFIED);
        Self { key: key.into(), size, class, tier, latest: true, marker: false, modified, missing: None }
    }

    /// The same, of another class.
    #[must_use]
    pub fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }

    /// The same, of Intelligent-Tiering, in this tier or in none yet.
    #[must_use]
    pub fn tier(self, tier: &'static str) -> Self {
        Self { class: "INTELLIGENT_TIERING", tier, ..self }
    }

    /// The same, as a version that is no longer the latest.
    #[must_use]
    pub fn noncurrent(self) -> Self {
        Self { latest: false, ..self }
    }

    /// The same, as a delete marker.
    #[must_use]
    pub fn marker(self) -> Self {
        Self { marker: true, ..self }
    }

    /// The same, modified at another time.
    #[must_use]
    pub fn modified(self, ms: u64) -> Self {
        Self { modified: ms, ..self }
    }

    /// The same, but a column says nothing of it.
    #[must_use]
    pub fn missing(self, column: Column) -> Self {
        Self { missing: Some(column), ..self }
    }

    /// Whether its cell of a column is empty, or null.
    pub(crate) fn lacks(&self, column: Column) -> bool {
        let of_objects = [Column::Size, Column::ETag, Column::StorageClass, Column::Tier];
        self.missing == Some(column) || (self.marker && of_objects.contains(&column))
    }

    /// What the index calls its class.
    pub fn class_name(&self) -> String {
        match (self.class, self.tier) {
            ("INTELLIGENT_TIERING", "") => "INTELLIGENT_TIERING_FREQUENT".to_owned(),
            ("INTELLIGENT_TIERING", tier) => {
                format!("INTELLIGENT_TIERING_{}", tier.strip_suffix("_ACCESS").unwrap_or(tier))
            }
            (class, _) => class.to_owned(),
        }
    }

    /// The row as an inventory with only these columns tells it.
    fn told_by(&self, columns: &[Column]) -> Self {
        let has = |column| columns.contains(&column);
        let mut row = self.clone();
        row.latest |= !has(Column::IsLatest);
        row.marker &= has(Column::IsDeleteMarker);
        row.size *= u64::from(has(Column::Size) && !row.marker);
        if !has(Column::Tier) {
            row.tier = "";
        }
        row
    }

    /// All that it is counted as where it is told by these columns.
    fn labels(&self, columns: &[Column]) -> Vec<String> {
        let has = |column| columns.contains(&column);
        match (self.marker, self.latest) {
            (true, true) => return vec!["delete markers".to_owned(), "latest delete markers".to_owned()],
            (true, false) => return vec!["delete markers".to_owned()],
            _ => {}
        }
        let whose = if self.latest { "current" } else { "noncurrent" };
        let mut labels = vec![whose.to_owned()];
        if has(Column::StorageClass) {
            labels.push(format!("{whose} {}", self.class_name()));
        }
        if has(Column::LastModifiedDate) && self.latest {
            labels.push(format!("age {}", self.age()));
        }
        if has(Column::Size) && self.latest {
            labels.push(format!("size {}", self.size_band()));
        }
        labels
    }

    fn age(&self) -> &'static str {
        // What is modified after the snapshot is new.
        let days = SNAPSHOT.saturating_sub(self.modified) / DAY;
        match days {
            0..30 => "<30d",
            30..90 => "<90d",
            90..180 => "<180d",
            180..365 => "<365d",
            365..730 => "<730d",
            _ => ">=730d",
        }
    }

    fn size_band(&self) -> &'static str {
        match self.size {
            0 => "0",
            1..1_024 => "<1KiB",
            1_024..131_072 => "<128KiB",
            131_072..1_048_576 => "<1MiB",
            1_048_576..16_777_216 => "<16MiB",
            16_777_216..134_217_728 => "<128MiB",
            134_217_728..1_073_741_824 => "<1GiB",
            1_073_741_824..5_368_709_120 => "<5GiB",
            _ => ">=5GiB",
        }
    }
}

/// What is said of a prefix: objects and bytes of `current`, `current CLASS`, `noncurrent`,
/// `noncurrent CLASS`, `age BAND` and `size BAND`; the numbers of `delete markers` and of `latest delete
/// markers`; and `dates`, the newest and the oldest. What there is nothing of isn't there.
pub type Counts = BTreeMap<String, (u64, u64)>;

/// What is said of all prefixes.
pub type Sums = BTreeMap<Vec<u8>, Counts>;

/// What an index has to say of an inventory with these columns: the plain definition.
pub fn rolled_up(rows: &[Row], columns: &[Column]) -> Sums {
    let mut sums = Sums::new();
    sums.entry(Vec::new()).or_default();
    // What is of current versions doesn't count delete markers, even if it tells them.
    let counts = |row: &Row| !row.marker || columns.contains(&Column::IsLatest);
    for row in rows.iter().map(|row| row.told_by(columns)).filter(counts) {
        let labels = row.labels(columns);
        let dated = row.latest && !row.marker && columns.contains(&Column::LastModifiedDate);
        let slashes = row.key.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in std::iter::once(0).chain(slashes.map(|(at, _)| at + 1)) {
            let counts = sums.entry(row.key[..end].to_vec()).or_default();
            for label in &labels {
                let (objects, bytes) = counts.entry(label.clone()).or_default();
                (*objects, *bytes) = (*objects + 1, *bytes + row.size);
            }
            if dated {
                let (newest, oldest) =
                    counts.entry("dates".to_owned()).or_insert((row.modified, row.modified));
                (*newest, *oldest) = (row.modified.max(*newest), row.modified.min(*oldest));
            }
        }
    }
    sums
}

/// `count` objects, each alone in a directory whose name compresses badly, in no order.
pub fn single_objects(count: u64) -> impl Iterator<Item = Row> {
    (0..count).map(|nth| {
        // The first step of splitmix64: no two numbers become the same.
        let mixed = (nth + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Row::new(format!("{:016x}/object", mixed ^ (mixed >> 27)), nth % 1000)
    })
}
