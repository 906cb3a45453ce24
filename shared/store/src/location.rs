use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_config::SdkConfig;

use crate::{Bucket, LocalStore, S3Store, Store, StoreError, percent};

/// Where an object, or a folder of objects, is: `s3://bucket/key`, `file:///path` or a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location(Place);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Local(PathBuf),
    S3 { bucket: String, key: String },
}

impl Location {
    /// Reads what a user wrote.
    ///
    /// A key of S3 is taken as it stands; the path of a `file://` URI is percent-decoded. Other
    /// schemes, and what is no name at all, are refused as invalid.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let place = match scheme(text) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("s3") => s3(text, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => file(text, rest),
            Some((scheme, _)) => Err(StoreError::invalid(
                text,
                &format!("{scheme}:// is not supported: use s3://bucket/key, file:///path or a path"),
            )),
            None => local(text, text.to_owned()),
        };
        place.map(Self)
    }

    /// Whether it needs AWS.
    #[must_use]
    pub fn is_s3(&self) -> bool {
        self.as_s3().is_some()
    }

    /// Bucket and key, for a location in S3. The key of a whole bucket is empty.
    #[must_use]
    pub fn as_s3(&self) -> Option<(&str, &str)> {
        match &self.0 {
            Place::S3 { bucket, key } => Some((bucket, key)),
            Place::Local(_) => None,
        }
    }

    /// The path, for a local one.
    #[must_use]
    pub fn as_local(&self) -> Option<&Path> {
        match &self.0 {
            Place::Local(path) => Some(path),
            Place::S3 { .. } => None,
        }
    }

    /// What has this name in a folder, which may be written with its last `/` or without.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        Self(match &self.0 {
            Place::Local(path) => Place::Local(path.join(name)),
            Place::S3 { bucket, key } => {
                let slash = if key.is_empty() || key.ends_with('/') { "" } else { "/" };
                Place::S3 { bucket: bucket.clone(), key: format!("{key}{slash}{name}") }
            }
        })
    }

    /// The store that the object is in, and its key there. Nothing is asked of the store yet.
    ///
    /// Fails for the name of a folder, and for S3 without a configuration (see
    /// [`sdk_config`](crate::sdk_config)) or with one that can't work.
    pub fn open(&self, config: Option<&SdkConfig>) -> Result<(Arc<dyn Store>, String), StoreError> {
        match &self.0 {
            Place::Local(path) => self.open_local(path),
            Place::S3 { key, .. } if key.is_empty() => Err(self.invalid("names a bucket, not an object")),
            Place::S3 { bucket, key } => {
                let config = config.ok_or_else(|| self.invalid("needs a configuration for AWS"))?;
                Ok((Arc::new(S3Store::new(config, bucket)?), key.clone()))
            }
        }
    }

    /// The bucket of a location in S3, and the key there, which is empty for the whole bucket and
    /// may end in `/`. Nothing is asked of the bucket yet.
    ///
    /// Fails for a local path, and with a configuration that can't work.
    pub fn open_bucket(&self, config: &SdkConfig) -> Result<(Arc<dyn Bucket>, String), StoreError> {
        match &self.0 {
            Place::Local(_) => Err(self.invalid("not in S3: write s3://bucket/key")),
            Place::S3 { bucket, key } => Ok((Arc::new(S3Store::new(config, bucket)?), key.clone())),
        }
    }

    fn open_local(&self, path: &Path) -> Result<(Arc<dyn Store>, String), StoreError> {
        let named = !path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let key = path.file_name().and_then(|name| name.to_str()).filter(|_| named);
        let key = key.ok_or_else(|| self.invalid("names a directory, not a file"))?;
        let root = path.parent().unwrap_or(Path::new(""));
        Ok((Arc::new(LocalStore::new(root)), key.to_owned()))
    }

    fn invalid(&self, text: &str) -> StoreError {
        StoreError::invalid(&self.to_string(), text)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Local(path) => path.display().fmt(f),
            Place::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

/// Splits `scheme://rest`; a path may hold `://` further on.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let first = scheme.bytes().next()?;
    (first.is_ascii_alphabetic() && scheme.bytes().all(letter)).then_some((scheme, rest))
}

fn s3(text: &str, rest: &str) -> Result<Place, StoreError> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    // Buckets made before 2018 may have 255 characters, upper case and `_`.
    if !(3..=255).contains(&bucket.len()) || !bucket.bytes().all(good) {
        return Err(StoreError::invalid(text, "not the name of a bucket after s3://"));
    }
    if key.len() > s3inv_model::prefix::MAX_KEY {
        return Err(StoreError::invalid(text, "the key is longer than S3 allows (1,024 bytes)"));
    }
    Ok(Place::S3 { bucket: bucket.to_owned(), key: key.to_owned() })
}

fn file(text: &str, rest: &str) -> Result<Place, StoreError> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(StoreError::invalid(text, "not a local absolute path: write file:///path"));
    }
    let decoded = percent::decoded(path).and_then(|bytes| String::from_utf8(bytes).ok());
    local(text, decoded.ok_or_else(|| StoreError::invalid(text, "%XX in it does not decode to UTF-8"))?)
}

fn local(text: &str, path: String) -> Result<Place, StoreError> {
    if path.is_empty() || path.contains('\0') {
        return Err(StoreError::invalid(text, "empty, or holds a zero byte: not a path"));
    }
    Ok(Place::Local(path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreErrorKind;

    fn parsed(text: &str) -> String {
        match Location::parse(text) {
            Ok(location) => match location.as_s3() {
                Some((bucket, key)) => format!("{bucket}|{key}"),
                None => format!("path {location}"),
            },
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Invalid);
                error.to_string()
            }
        }
    }

    #[test]
    fn what_users_write() {
        assert_eq!(parsed("s3://bucket/a b%20c/d"), "bucket|a b%20c/d");
        assert_eq!(parsed("S3://bucket//k?v#f"), "bucket|/k?v#f");
        assert_eq!(parsed("s3://bucket"), "bucket|");
        assert_eq!(parsed("file:///a%20b/%C3%A9"), "path /a b/é");
        assert_eq!(parsed("FILE://localhost/a"), "path /a");
        assert_eq!(parsed("../a/b%20c"), "path ../a/b%20c");
        assert_eq!(parsed("./odd://name"), "path ./odd://name");
    }

    #[test]
    fn what_is_refused() {
        for (text, says) in [
            ("gs://b/k", "gs://b/k: gs:// is not supported: use s3://bucket/key, file:///path or a path"),
            ("s3:///k", "s3:///k: not the name of a bucket after s3://"),
            ("s3://a b/k", "s3://a b/k: not the name of a bucket after s3://"),
            ("file://host/k", "file://host/k: not a local absolute path: write file:///path"),
            ("file:///%ff", "file:///%ff: %XX in it does not decode to UTF-8"),
            ("file:///%4", "file:///%4: %XX in it does not decode to UTF-8"),
            ("", ": empty, or holds a zero byte: not a path"),
            ("file:///%00", "file:///%00: empty, or holds a zero byte: not a path"),
        ] {
            assert_eq!(parsed(text), says);
        }
    }

    #[test]
    fn folders_and_missing_configurations_are_refused() {
        for (text, says) in [
            ("s3://bucket/", "s3://bucket/: names a bucket, not an object"),
            ("s3://bucket/k", "s3://bucket/k: needs a configuration for AWS"),
            ("a/", "a/: names a directory, not a file"),
            ("..", "..: names a directory, not a file"),
            ("/", "/: names a directory, not a file"),
        ] {
            let error = Location::parse(text).unwrap().open(None).err().unwrap();
            assert_eq!(error.to_string(), says);
        }
    }

    #[test]
    fn a_bucket_is_opened_with_a_key_or_a_folder_or_none() {
        let config = SdkConfig::builder().endpoint_url("http://127.0.0.1:9").build();
        for (text, key) in [("s3://bucket", ""), ("s3://bucket/", ""), ("s3://bucket/a/", "a/")] {
            let (bucket, opened) = Location::parse(text).unwrap().open_bucket(&config).unwrap();
            assert_eq!((opened.as_str(), bucket.uri(&opened)), (key, format!("s3://bucket/{key}")));
        }
        let error = Location::parse("a/").unwrap().open_bucket(&config).err().unwrap();
        assert_eq!(error.to_string(), "a/: not in S3: write s3://bucket/key");
    }

    #[test]
    fn names_in_folders() {
        for (folder, joined) in [
            ("s3://bucket", "s3://bucket/name"),
            ("s3://bucket/a/", "s3://bucket/a/name"),
            ("s3://bucket/a", "s3://bucket/a/name"),
            ("a/", "a/name"),
            ("/a", "/a/name"),
        ] {
            assert_eq!(Location::parse(folder).unwrap().join("name").to_string(), joined);
        }
    }

    #[test]
    fn a_local_file_keeps_its_name_in_messages() {
        for text in ["index", "a/index", "/a/index", "./index"] {
            let (store, key) = Location::parse(text).unwrap().open(None).unwrap();
            assert_eq!((key.as_str(), store.uri(&key).as_str()), ("index", text));
        }
    }
}
