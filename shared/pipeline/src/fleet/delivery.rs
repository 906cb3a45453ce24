//! Where an inventory was delivered, and where its index goes.

use s3inv_store::{Location, StoreError};

/// A delivery of an inventory, by the key of its manifest:
/// `<prefix>/<source bucket>/<configuration>/<snapshot>/manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The bucket that it was delivered to.
    pub bucket: String,
    /// The key of the configuration's folder, with its `/`.
    pub folder: String,
    /// The bucket that was listed.
    pub source: String,
    /// The inventory configuration's name.
    pub config: String,
    /// The snapshot's folder: `2025-05-13T01-00Z`.
    pub snapshot: String,
}

const MANIFEST: &str = "manifest.json";
/// S3 writes it last.
const CHECKSUM: &str = "manifest.checksum";

impl Delivery {
    /// Reads a manifest's location.
    pub fn of_manifest(manifest: &Location) -> Result<Self, StoreError> {
        let (bucket, key) = manifest.as_s3().ok_or_else(|| invalid(manifest))?;
        Self::of(bucket, key, MANIFEST).ok_or_else(|| invalid(manifest))
    }

    /// The delivery that is complete with this object; nothing, if the object is another one.
    #[must_use]
    pub fn completed_by(bucket: &str, key: &str) -> Option<Self> {
        Self::of(bucket, key, CHECKSUM)
    }

    fn of(bucket: &str, key: &str, name: &str) -> Option<Self> {
        let snapshot_folder = key.strip_suffix(name)?.strip_suffix('/')?;
        let (config_folder, snapshot) = snapshot_folder.rsplit_once('/')?;
        let (source_folder, config) = config_folder.rsplit_once('/')?;
        let source = source_folder.rsplit_once('/').map_or(source_folder, |(_, source)| source);
        let good = is_snapshot(snapshot) && is_name(config) && is_name(source);
        good.then(|| Self {
            bucket: bucket.to_owned(),
            folder: format!("{config_folder}/"),
            source: source.to_owned(),
            config: config.to_owned(),
            snapshot: snapshot.to_owned(),
        })
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.manifest_key())
    }

    /// Its key.
    #[must_use]
    pub fn manifest_key(&self) -> String {
        format!("{}{}/{MANIFEST}", self.folder, self.snapshot)
    }

    /// The key of the checksum, with which a delivery is complete.
    #[must_use]
    pub fn checksum_key(&self) -> String {
        format!("{}{}/{CHECKSUM}", self.folder, self.snapshot)
    }

    /// The key of the folder of this configuration's indexes, below the key of an output.
    #[must_use]
    pub fn index_folder(&self, output_key: &str) -> String {
        format!("{output_key}{}/{}/", self.source, self.config)
    }

    /// Whether a key of a bucket lies where S3 delivers this inventory: what is written there would be
    /// taken for a part of it.
    #[must_use]
    pub fn holds(&self, bucket: &str, key: &str) -> bool {
        bucket == self.bucket && key.starts_with(&self.folder)
    }
}

/// The name of a snapshot's index in its folder.
pub(super) fn index_name(snapshot: &str) -> String {
    format!("{snapshot}.s3inv")
}

/// Whether a folder's name is that of a snapshot.
#[must_use]
pub fn is_snapshot(name: &str) -> bool {
    const PATTERN: &[u8] = b"dddd-dd-ddTdd-ddZ";
    let fits =
        |(byte, pattern): (u8, u8)| if pattern == b'd' { byte.is_ascii_digit() } else { byte == pattern };
    name.len() == PATTERN.len() && name.bytes().zip(PATTERN.iter().copied()).all(fits)
}

/// Whether it can be the name of a bucket or of a configuration: it becomes part of a key.
fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    !name.is_empty() && name.bytes().all(good) && !name.bytes().all(|b| b == b'.')
}

fn invalid(manifest: &Location) -> StoreError {
    let text = "not where S3 delivers a manifest: s3://BUCKET/…/SOURCE-BUCKET/CONFIGURATION/2025-05-13T01-00Z/manifest.json";
    StoreError::new(&manifest.to_string(), s3inv_store::StoreErrorKind::Invalid, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(String, String)> {
        let delivery = Delivery::of_manifest(&Location::parse(text).unwrap()).ok()?;
        assert_eq!(delivery.manifest(), text);
        Some((delivery.folder.clone(), format!("{}{}", delivery.index_folder("out/"), delivery.snapshot)))
    }

    #[test]
    fn manifests_where_s3_delivers_them() {
        let some = |folder: &str, index: &str| Some((folder.to_owned(), index.to_owned()));
        assert_eq!(
            of("s3://reports/a/b/my-bucket/daily/2025-05-13T01-00Z/manifest.json"),
            some("a/b/my-bucket/daily/", "out/my-bucket/daily/2025-05-13T01-00Z")
        );
        assert_eq!(
            of("s3://reports/my.bucket/daily_1/2025-05-13T01-00Z/manifest.json"),
            some("my.bucket/daily_1/", "out/my.bucket/daily_1/2025-05-13T01-00Z")
        );
        for odd in [
            "s3://reports/manifest.json",
            "s3://reports/daily/2025-05-13T01-00Z/manifest.json",
            "s3://reports/my-bucket/daily/2025-05-13/manifest.json",
            "s3://reports/my-bucket/../2025-05-13T01-00Z/manifest.json",
            "s3://reports/my bucket/daily/2025-05-13T01-00Z/manifest.json",
            "s3://reports//daily/2025-05-13T01-00Z/manifest.json",
            "s3://reports/my-bucket/daily/2025-05-13T01-00Z/manifest.checksum",
            "/my-bucket/daily/2025-05-13T01-00Z/manifest.json",
        ] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_delivery_is_complete_with_its_checksum() {
        let complete = |key: &str| Delivery::completed_by("reports", key).map(|found| found.manifest());
        let folder = "inventories/my-bucket/daily/2025-05-13T01-00Z";
        assert_eq!(
            complete(&format!("{folder}/manifest.checksum")),
            Some(format!("s3://reports/{folder}/manifest.json"))
        );
        for other in ["manifest.json", "symlink.txt", "data/x.csv.gz", "manifest.checksum/"] {
            assert_eq!(complete(&format!("{folder}/{other}")), None, "{other}");
        }
    }

    #[test]
    fn an_index_does_not_lie_among_deliveries() {
        let delivery =
            Delivery::completed_by("reports", "a/my/daily/2025-05-13T01-00Z/manifest.checksum").unwrap();
        assert!(delivery.holds("reports", &delivery.index_folder("a/")));
        assert!(delivery.holds("reports", "a/my/daily/scratch/"));
        assert!(!delivery.holds("reports", &delivery.index_folder("indexes/")));
        assert!(!delivery.holds("reports", "a/my/daily-2/"));
        assert!(!delivery.holds("other", &delivery.index_folder("a/")));
    }
}
