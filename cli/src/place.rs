//! Where an index is, as people say it: a file, or the directory that it is in.

use s3inv_store::{Location, StoreError};

const NAME: &str = "index.s3inv";

/// Reads a path or URI. One that is a directory, or ends in `/`, means the file in it.
pub(crate) fn index(text: &str) -> Result<Location, StoreError> {
    let location = Location::parse(text)?;
    let directory = match (location.as_local(), location.as_s3()) {
        (Some(path), _) => path.is_dir() || text.ends_with('/'),
        (_, Some((_, key))) => key.is_empty() || key.ends_with('/'),
        _ => false,
    };
    if directory {
        return Location::parse(&format!("{}/{NAME}", text.strip_suffix('/').unwrap_or(text)));
    }
    Ok(location)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_hold_an_index() {
        let shown = |text: &str| index(text).unwrap().to_string();
        assert_eq!(shown("s3://bucket"), "s3://bucket/index.s3inv");
        assert_eq!(shown("s3://bucket/a/"), "s3://bucket/a/index.s3inv");
        assert_eq!(shown("s3://bucket/a"), "s3://bucket/a");
        assert_eq!(shown("/"), "/index.s3inv");
        assert_eq!(shown("not-there/"), "not-there/index.s3inv");
        assert_eq!(shown("not-there"), "not-there");
    }
}
