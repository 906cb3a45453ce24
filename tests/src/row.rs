use std::collections::BTreeMap;

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
    /// Whether it is a delete marker.
    pub marker: bool,
}

impl Row {
    /// A current object of class `STANDARD`.
    pub fn new(key: impl Into<Vec<u8>>, size: u64) -> Self {
        Self { key: key.into(), size, class: "STANDARD", tier: "", latest: true, marker: false }
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

    /// What the index calls its class.
    pub fn column(&self) -> String {
        match (self.class, self.tier) {
            ("INTELLIGENT_TIERING", "") => "INTELLIGENT_TIERING_FREQUENT".to_owned(),
            ("INTELLIGENT_TIERING", "ARCHIVE_INSTANT_ACCESS") => {
                "INTELLIGENT_TIERING_ARCHIVE_INSTANT".to_owned()
            }
            ("INTELLIGENT_TIERING", tier) => format!("INTELLIGENT_TIERING_{tier}"),
            (class, _) => class.to_owned(),
        }
    }
}

/// Objects and bytes by prefix and class.
pub type Sums = BTreeMap<Vec<u8>, BTreeMap<String, (u64, u64)>>;

/// What an index has to say: the plain definition.
pub fn rolled_up(rows: &[Row]) -> Sums {
    let mut sums = Sums::new();
    sums.entry(Vec::new()).or_default();
    for row in rows.iter().filter(|row| row.latest && !row.marker) {
        let slashes = row.key.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in std::iter::once(0).chain(slashes.map(|(at, _)| at + 1)) {
            let classes = sums.entry(row.key[..end].to_vec()).or_default();
            let (objects, bytes) = classes.entry(row.column()).or_default();
            (*objects, *bytes) = (*objects + 1, *bytes + row.size);
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
