//! Storage classes: an open dictionary, because new ones come without notice.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The most classes of one index. S3 has some twenty, access tiers included; more than this says that
/// the wrong field was read as one.
pub const MAX_CLASSES: usize = 64;

/// The longest name of a class, in bytes.
const MAX_NAME: usize = 64;

const INTELLIGENT_TIERING: &str = "INTELLIGENT_TIERING";

/// Classes whose objects are billed by their size alone, however small they are. All others, those that
/// are not known yet included, are counted apart below 128 KiB.
const NO_MINIMUM: [&str; 9] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "SNOW",
    "EXPRESS_ONEZONE",
    "FSX_OPENZFS",
    "FSX_ONTAP",
];

/// A class's place in its [`Classes`].
pub type ClassId = u8;

/// Why a class can't be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassError {
    /// Not a name that S3 would give a class.
    #[error("storage class {0:?} is not 1 to 64 letters, digits, `_` or `-`")]
    Name(String),
    /// More than [`MAX_CLASSES`].
    #[error("more than {MAX_CLASSES} storage classes: is it the right column?")]
    TooMany,
}

/// Names of storage classes. The empty name stands for what is not told, where an inventory has no
/// `StorageClass`; it is then the only one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Classes {
    names: Vec<String>,
    /// A bit for each that has a minimum: it is asked for every object.
    minimum: u64,
}

const _: () = assert!(MAX_CLASSES <= u64::BITS as usize);

impl From<Vec<String>> for Classes {
    fn from(names: Vec<String>) -> Self {
        let bits = names.iter().take(MAX_CLASSES).enumerate();
        let minimum = bits.fold(0, |bits, (at, name)| bits | u64::from(has_minimum(name)) << at);
        Self { names, minimum }
    }
}

impl From<Classes> for Vec<String> {
    fn from(classes: Classes) -> Self {
        classes.names
    }
}

fn has_minimum(name: &str) -> bool {
    !name.is_empty() && !NO_MINIMUM.contains(&name)
}

impl Classes {
    /// The class of objects of which the inventory doesn't tell it.
    #[must_use]
    pub fn untold() -> Self {
        vec![String::new()].into()
    }

    /// The class and, for Intelligent-Tiering, the access tier: together they are one.
    ///
    /// An object of Intelligent-Tiering without a tier yet, or of an inventory without tiers, is in the
    /// frequent one: that is where objects begin, and what others than archive tiers cost alike.
    pub fn add(&mut self, class: &[u8], tier: &[u8]) -> Result<ClassId, ClassError> {
        let name = class_name(printable(class)?, tier)?;
        if let Some(at) = self.names.iter().position(|known| *known == name) {
            return Ok(at as ClassId);
        }
        printable(name.as_bytes())?;
        if self.names.len() >= MAX_CLASSES {
            return Err(ClassError::TooMany);
        }
        let at = self.names.len();
        self.minimum |= u64::from(has_minimum(&name)) << at;
        self.names.push(name.into_owned());
        Ok(at as ClassId)
    }

    /// The name of a class.
    #[must_use]
    pub fn name(&self, class: ClassId) -> Option<&str> {
        self.names.get(usize::from(class)).map(String::as_str)
    }

    /// Whether a class bills, or monitors, objects below 128 KiB in another way.
    #[inline]
    #[must_use]
    pub fn has_minimum(&self, class: ClassId) -> bool {
        self.minimum.unbounded_shr(u32::from(class)) & 1 != 0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All names, by place.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The classes of all of `parts`, sorted: the same whatever order they were met in.
    pub fn union<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Result<Self, ClassError> {
        let all: BTreeSet<&String> = parts.into_iter().flat_map(|part| &part.names).collect();
        if all.len() > MAX_CLASSES {
            return Err(ClassError::TooMany);
        }
        Ok(all.into_iter().cloned().collect::<Vec<_>>().into())
    }

    /// For each of these classes, its place in `other`; `None` if one is missing there.
    #[must_use]
    pub fn places_in(&self, other: &Self) -> Option<Vec<ClassId>> {
        let place = |name| other.names.iter().position(|known| known == name).map(|at| at as ClassId);
        self.names.iter().map(place).collect()
    }

    /// Checks classes that a file lists: few, sorted, each there once, and named as S3 names them.
    pub fn check(&self) -> Result<(), String> {
        if self.names.len() > MAX_CLASSES {
            return Err(ClassError::TooMany.to_string());
        }
        if *self == Self::untold() {
            return Ok(());
        }
        let pairs = self.names.iter().zip(self.names.iter().skip(1));
        if let Some((before, after)) = pairs.into_iter().find(|(before, after)| before >= after) {
            return Err(format!("class {after:?} does not come after {before:?}"));
        }
        let printable = |name: &String| printable(name.as_bytes()).map(|_| ());
        self.names.iter().try_for_each(printable).map_err(|error| error.to_string())
    }
}

fn printable(name: &[u8]) -> Result<&str, ClassError> {
    let good = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-';
    match std::str::from_utf8(name) {
        Ok(text) if (1..=MAX_NAME).contains(&name.len()) && name.iter().all(good) => Ok(text),
        _ => {
            Err(ClassError::Name(String::from_utf8_lossy(name.get(..MAX_NAME).unwrap_or(name)).into_owned()))
        }
    }
}

fn class_name<'a>(class: &'a str, tier: &[u8]) -> Result<Cow<'a, str>, ClassError> {
    if class != INTELLIGENT_TIERING {
        return Ok(Cow::Borrowed(class));
    }
    let tier = if tier.is_empty() { "FREQUENT" } else { printable(tier)? };
    // Inventories say ARCHIVE_INSTANT_ACCESS; other interfaces of S3 end the archive tiers so, too.
    let tier = tier.strip_suffix("_ACCESS").unwrap_or(tier);
    Ok(Cow::Owned(format!("{INTELLIGENT_TIERING}_{tier}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(class: &str, tier: &str) -> Result<String, ClassError> {
        let mut classes = Classes::default();
        let id = classes.add(class.as_bytes(), tier.as_bytes())?;
        Ok(classes.name(id).unwrap_or_default().to_owned())
    }

    #[test]
    fn tiers_are_named() {
        assert_eq!(name("STANDARD", "").unwrap(), "STANDARD");
        assert_eq!(name("BRAND_NEW", "").unwrap(), "BRAND_NEW");
        for (tier, short) in [
            ("", "FREQUENT"),
            ("FREQUENT", "FREQUENT"),
            ("INFREQUENT", "INFREQUENT"),
            ("ARCHIVE_INSTANT_ACCESS", "ARCHIVE_INSTANT"),
            ("ARCHIVE", "ARCHIVE"),
            ("ARCHIVE_ACCESS", "ARCHIVE"),
            ("DEEP_ARCHIVE", "DEEP_ARCHIVE"),
            ("DEEP_ARCHIVE_ACCESS", "DEEP_ARCHIVE"),
        ] {
            assert_eq!(name("INTELLIGENT_TIERING", tier).unwrap(), format!("INTELLIGENT_TIERING_{short}"));
        }
    }

    #[test]
    fn an_empty_or_unprintable_class_is_refused() {
        assert!(matches!(name("", ""), Err(ClassError::Name(_))));
        assert!(matches!(name("A B", ""), Err(ClassError::Name(_))));
        assert!(matches!(name(&"A".repeat(65), ""), Err(ClassError::Name(_))));
        assert!(matches!(name("INTELLIGENT_TIERING", &"A".repeat(64)), Err(ClassError::Name(_))));
    }

    #[test]
    fn too_many_are_refused() {
        let mut classes = Classes::default();
        let added = |classes: &mut Classes, n: usize| classes.add(format!("C{n}").as_bytes(), b"");
        for n in 0..MAX_CLASSES {
            assert_eq!(added(&mut classes, n), Ok(n as ClassId));
        }
        assert_eq!(added(&mut classes, 5), Ok(5));
        assert_eq!(added(&mut classes, MAX_CLASSES), Err(ClassError::TooMany));
    }

    #[test]
    fn union_does_not_depend_on_order() {
        let mut a = Classes::default();
        let mut b = Classes::default();
        for class in ["Z", "A", "M"] {
            a.add(class.as_bytes(), b"").unwrap();
        }
        for class in ["M", "B", "Z"] {
            b.add(class.as_bytes(), b"").unwrap();
        }
        let union = Classes::union([&a, &b]).unwrap();
        assert_eq!(union, Classes::union([&b, &a]).unwrap());
        assert_eq!(a.places_in(&union), Some(vec![3, 0, 2]));
        assert_eq!(union.places_in(&a), None);
        assert_eq!(union.check(), Ok(()));
        assert!(a.check().is_err());
        assert_eq!(Classes::untold().check(), Ok(()));
    }

    #[test]
    fn classes_with_a_minimum() {
        let mut classes = Classes::untold();
        assert!(!classes.has_minimum(0));
        for (class, minimum) in [
            ("STANDARD", false),
            ("STANDARD_IA", true),
            ("GLACIER_IR", true),
            ("GLACIER", false),
            ("NEW", true),
        ] {
            let id = classes.add(class.as_bytes(), b"").unwrap();
            assert_eq!(classes.has_minimum(id), minimum, "{class}");
        }
    }
}
