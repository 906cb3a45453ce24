use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use s3inv_index_format::Least;
use s3inv_model::{Bin, Cell, ClassId, Count, prefix};

/// What is counted of a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counted {
    /// Its current objects.
    #[default]
    All,
    /// Those of one storage class: [`Index::class`](crate::Index::class) finds it by its name.
    Class(ClassId),
}

impl Counted {
    /// Adds up cells.
    #[must_use]
    pub fn of(self, cells: &[Cell]) -> Count {
        let mut count = Count::default();
        for cell in cells.iter().filter(|cell| self.counts(cell)) {
            // Readers have checked that a row's cells add up within 64 bits.
            count.objects = count.objects.saturating_add(cell.objects);
            count.bytes = count.bytes.saturating_add(cell.bytes);
        }
        count
    }

    /// Whether what a cell costs is shown: that of noncurrent versions, too.
    pub(crate) fn bills(self, cell: &Cell) -> bool {
        match self {
            Self::All => true,
            Self::Class(wanted) => matches!(Bin::of(cell.bin), Bin::Objects { class, .. } if class == wanted),
        }
    }

    fn counts(self, cell: &Cell) -> bool {
        match self {
            Self::All => Bin::is_current(cell.bin),
            Self::Class(wanted) => {
                matches!(Bin::of(cell.bin), Bin::Objects { class, current: true, .. } if class == wanted)
            }
        }
    }
}

/// Which prefixes are wanted: all, unless something is set.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What the following two count.
    pub counted: Counted,
    /// The least number of objects.
    pub min_objects: u64,
    /// The least sum of their bytes.
    pub min_bytes: u64,
    /// What the prefix looks like.
    pub pattern: Option<Pattern>,
}

impl Filter {
    /// Whether a prefix with these cells is wanted.
    #[must_use]
    pub fn passes(&self, key: &[u8], cells: &[Cell]) -> bool {
        self.passes_with(key, || self.counted.of(cells))
    }

    /// The same of what has been counted already.
    #[must_use]
    pub fn passes_count(&self, key: &[u8], count: Count) -> bool {
        self.passes_with(key, || count)
    }

    /// What a page has at least in which a prefix passes: one of a class has no more of it than of all.
    pub(crate) fn least(&self) -> Least {
        Least { objects: self.min_objects, bytes: self.min_bytes }
    }

    fn passes_with(&self, key: &[u8], count: impl FnOnce() -> Count) -> bool {
        let enough = |Count { objects, bytes }| objects >= self.min_objects && bytes >= self.min_bytes;
        let any = self.min_objects == 0 && self.min_bytes == 0;
        (any || enough(count())) && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(key))
    }
}

/// A pattern of prefixes as shells have it: `*` and `?` stand for what has no `/`, `**` for anything, `[ab]` for
/// one of these, `{x,y}` for one of these. Without a `/` it is about names (`2024-*`), with one about whole prefixes
/// (`logs/*/errors/`); a `/` at its end may be left out.
#[derive(Clone, Debug)]
pub struct Pattern {
    matcher: GlobMatcher,
    whole: bool,
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let pattern = text.strip_suffix('/').unwrap_or(text);
        let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
        let matcher = glob.map_err(|error| PatternError(error.to_string()))?.compile_matcher();
        Ok(Self { matcher, whole: pattern.contains('/') })
    }
}

impl Pattern {
    /// As it was said, without a `/` at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.matcher.glob().glob()
    }

    /// Whether a prefix looks so.
    #[must_use]
    pub fn matches(&self, key: &[u8]) -> bool {
        let text = if self.whole { key } else { prefix::split(key).1 };
        let text = text.strip_suffix(b"/").unwrap_or(text);
        self.matcher.is_match(Path::new(OsStr::from_bytes(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_about_names_or_about_whole_prefixes() {
        let matches = |pattern: &str, key: &str| pattern.parse::<Pattern>().unwrap().matches(key.as_bytes());
        for (pattern, key) in [
            ("2024-*", "logs/2024-01/"),
            ("2024-*/", "logs/2024-01/"),
            ("?", "a/b/"),
            ("{errors,warnings}", "a/errors/"),
            ("*", "any/"),
            ("*", "a//"),
            ("logs/*/errors", "logs/x/errors/"),
            ("logs/**/errors/", "logs/x/y/errors/"),
            ("**/errors", "errors/"),
            ("**/errors", "x/y/errors/"),
            ("[!a]*", "b/"),
        ] {
            assert!(matches(pattern, key), "{pattern} {key}");
        }
        for (pattern, key) in [
            ("2024-*", "2024-01/x/"),
            ("logs/*/errors", "logs/x/y/errors/"),
            ("logs/*", "logs/"),
            ("?", "ab/"),
            ("A", "a/"),
        ] {
            assert!(!matches(pattern, key), "{pattern} {key}");
        }
        assert!("?".parse::<Pattern>().unwrap().matches(b"\xff/"), "a byte that is no text");
        assert!("[a".parse::<Pattern>().is_err());
    }
}
