//! Where an index is, as people say it: a file, or the directory that it is in.

use s3inv_pipeline::ALONE;
use s3inv_store::{Location, StoreError};

/// Where people say an index is.
pub(crate) enum Place {
    /// There.
    File(Location),
    /// In this directory: an existing one, or one whose name ends in `/`.
    Directory(Location),
}

impl Place {
    /// Reads a path or URI.
    pub(crate) fn parse(text: &str) -> Result<Self, StoreError> {
        let location = Location::parse(text)?;
        let directory = match (location.as_local(), location.as_s3()) {
            (Some(path), _) => path.is_dir() || text.ends_with('/'),
            (_, Some((_, key))) => key.is_empty() || key.ends_with('/'),
            _ => false,
        };
        Ok(if directory { Self::Directory(location) } else { Self::File(location) })
    }

    /// Where to write an index.
    pub(crate) fn new_index(self) -> Location {
        match self {
            Self::File(location) => location,
            Self::Directory(folder) => folder.join(ALONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_hold_an_index() {
        let shown = |text: &str| Place::parse(text).unwrap().new_index().to_string();
        assert_eq!(shown("s3://bucket"), "s3://bucket/index.s3inv");
        assert_eq!(shown("s3://bucket/a/"), "s3://bucket/a/index.s3inv");
        assert_eq!(shown("s3://bucket/a"), "s3://bucket/a");
        assert_eq!(shown("/"), "/index.s3inv");
        assert_eq!(shown("not-there/"), "not-there/index.s3inv");
        assert_eq!(shown("not-there"), "not-there");
    }
}
