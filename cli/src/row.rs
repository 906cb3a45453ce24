//! A prefix with its sums, as JSON and as text.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3inv_model::{AGE_BANDS, ClassCount, Count, Measure, SIZE_BANDS, Stats, prefix};
use serde::{Serialize, Serializer};

use crate::text;

/// Objects and their bytes; no bytes where sizes are not known.
#[derive(Clone, Copy, Serialize)]
struct Sums {
    objects: u64,
    bytes: Option<u64>,
}

/// Noncurrent objects.
#[derive(Serialize)]
struct Noncurrent<'a> {
    #[serde(flatten)]
    sums: Sums,
    classes: Option<BTreeMap<&'a str, Sums>>,
}

/// Bands in their order.
struct Bands {
    labels: &'static [(&'static str, u64)],
    sums: Vec<Sums>,
}

/// Each by its label, which is where it ends.
impl Serialize for Bands {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.labels.iter().map(|(label, _)| label).zip(&self.sums))
    }
}

/// A prefix: as text, or as base64 where it is none.
#[derive(Serialize)]
pub(crate) struct Key<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prefix_b64: Option<String>,
}

impl<'a> Key<'a> {
    pub(crate) fn new(key: &'a [u8]) -> Self {
        let text = std::str::from_utf8(key).ok();
        Self { prefix: text, prefix_b64: text.is_none().then(|| STANDARD.encode(key)) }
    }
}

/// What is known of a prefix. What the index doesn't know is null.
#[derive(Serialize)]
pub(crate) struct Row<'a> {
    #[serde(flatten, serialize_with = "as_key")]
    prefix: &'a [u8],
    depth: usize,
    #[serde(flatten)]
    sums: Sums,
    classes: Option<BTreeMap<&'a str, Sums>>,
    noncurrent: Option<Noncurrent<'a>>,
    delete_markers: Option<u64>,
    latest_delete_markers: Option<u64>,
    newest: Option<String>,
    oldest: Option<String>,
    age: Option<Bands>,
    size: Option<Bands>,
    /// Whether the index has dates: objects may be what is missing.
    #[serde(skip)]
    dated: bool,
}

fn as_key<S: Serializer>(prefix: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    Key::new(prefix).serialize(serializer)
}

/// How much of a row is shown to people.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    /// A line for each class.
    pub(crate) tiers: bool,
    /// All that is known.
    pub(crate) details: bool,
    /// In units.
    pub(crate) human: bool,
}

impl<'a> Row<'a> {
    /// The row of a prefix.
    pub(crate) fn new(key: &'a [u8], stats: &Stats<'a>) -> Self {
        let has = |measure| stats.has(measure);
        let sums =
            |count: Count| Sums { objects: count.objects, bytes: has(Measure::Bytes).then_some(count.bytes) };
        let by_class = |classes: &BTreeMap<&'a str, ClassCount>| {
            let all = || classes.iter().map(|(name, count)| (*name, sums(count.all))).collect();
            has(Measure::Classes).then(all)
        };
        let date = |ms: u64| (!stats.dates.is_none()).then(|| text::moment(ms));
        Self {
            prefix: key,
            depth: prefix::depth(key),
            sums: sums(stats.current),
            classes: by_class(&stats.classes),
            noncurrent: has(Measure::Noncurrent).then(|| Noncurrent {
                sums: sums(stats.noncurrent),
                classes: by_class(&stats.noncurrent_classes),
            }),
            delete_markers: has(Measure::Noncurrent).then_some(stats.delete_markers),
            latest_delete_markers: has(Measure::Noncurrent).then_some(stats.latest_delete_markers),
            newest: date(stats.dates.newest),
            oldest: date(stats.dates.oldest),
            age: has(Measure::Age).then(|| bands(&AGE_BANDS, stats.age.map(sums))),
            size: has(Measure::Size).then(|| bands(&SIZE_BANDS, stats.size.map(sums))),
            dated: has(Measure::Dates),
        }
    }

    /// The row for people.
    pub(crate) fn text(&self, shown: Shown) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| {
            writeln!(f, "Prefix: {}", text::name(self.prefix))?;
            writeln!(f, "Objects: {}", shown.number(self.sums.objects))?;
            match self.sums.bytes {
                Some(bytes) => writeln!(f, "Bytes: {}", shown.bytes(bytes))?,
                None => writeln!(f, "Bytes: unknown, the inventory has no Size")?,
            }
            self.versions(f, shown)?;
            if shown.tiers || shown.details {
                self.tiers(f, shown)?;
            }
            if shown.details { self.details(f, shown) } else { Ok(()) }
        })
    }

    /// Noncurrent objects and delete markers, where there are any.
    fn versions(&self, f: &mut fmt::Formatter<'_>, shown: Shown) -> fmt::Result {
        if let Some(Noncurrent { sums, .. }) = &self.noncurrent
            && sums.objects > 0
        {
            writeln!(f, "Noncurrent: {}", shown.sums(sums))?;
        }
        match (self.delete_markers, self.latest_delete_markers) {
            (Some(markers), Some(latest)) if markers > 0 => {
                writeln!(
                    f,
                    "Delete markers: {}, {} of them latest",
                    shown.number(markers),
                    shown.number(latest)
                )
            }
            _ => Ok(()),
        }
    }

    fn tiers(&self, f: &mut fmt::Formatter<'_>, shown: Shown) -> fmt::Result {
        let Some(classes) = &self.classes else {
            return writeln!(f, "Tier breakdown: unknown, the inventory has no StorageClass");
        };
        writeln!(f, "Tier breakdown:")?;
        classes.iter().try_for_each(|(class, sums)| writeln!(f, "  {class}: {}", shown.sums(sums)))?;
        let noncurrent =
            self.noncurrent.iter().filter_map(|noncurrent| noncurrent.classes.as_ref()).flatten();
        noncurrent
            .into_iter()
            .try_for_each(|(class, sums)| writeln!(f, "  {class}, noncurrent: {}", shown.sums(sums)))
    }

    fn details(&self, f: &mut fmt::Formatter<'_>, shown: Shown) -> fmt::Result {
        if self.noncurrent.is_none() {
            writeln!(f, "Noncurrent: not in this index")?;
        }
        for (label, date) in [("Newest", &self.newest), ("Oldest", &self.oldest)] {
            match date {
                Some(date) => writeln!(f, "{label}: {date}")?,
                None if self.dated => {}
                None => writeln!(f, "{label}: not in this index")?,
            }
        }
        for (label, bands) in [("Age", &self.age), ("Size", &self.size)] {
            let Some(Bands { labels, sums }) = bands else {
                writeln!(f, "{label}: not in this index")?;
                continue;
            };
            writeln!(f, "{label}:")?;
            for (at, sums) in sums.iter().enumerate().filter(|(_, sums)| sums.objects > 0) {
                writeln!(f, "  {}: {}", text::band(labels, at), shown.sums(sums))?;
            }
        }
        Ok(())
    }
}

impl Shown {
    fn number(self, n: u64) -> String {
        if self.human { text::count(n) } else { n.to_string() }
    }

    fn bytes(self, bytes: u64) -> String {
        if self.human { text::bytes(bytes) } else { bytes.to_string() }
    }

    fn sums(self, sums: &Sums) -> String {
        let objects = format!("{} objects", self.number(sums.objects));
        let unit = if self.human { "" } else { " bytes" };
        let bytes = sums.bytes.map(|bytes| format!(", {}{unit}", self.bytes(bytes)));
        objects + &bytes.unwrap_or_default()
    }
}

fn bands(labels: &'static [(&'static str, u64)], sums: impl Into<Vec<Sums>>) -> Bands {
    Bands { labels, sums: sums.into() }
}
