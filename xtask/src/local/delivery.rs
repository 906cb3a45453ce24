//! The inventory of cli/demo, delivered as S3 delivers one.

use std::fs;

use serde_json::Value;

use super::client::Client;
use super::names::INVENTORIES;
use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::inventory::md5_hex;
use crate::workspace::Workspace;

/// Bucket and configuration of the inventory, as the manifest's key has them.
const SOURCE: &str = "debian-pool/daily";
/// The snapshot's folder: the manifest's `creationTimestamp`, which cli/demo/README.md says.
const SNAPSHOT: &str = "2026-07-11T10-16Z";

/// An inventory in the local AWS.
pub(crate) struct Delivered;

impl Delivered {
    /// Puts it there: data, then the manifest, and last the checksum, whose event starts the build.
    pub(crate) fn put(client: &Client, workspace: &Workspace) -> Result<(), Failure> {
        let from = workspace.root.join("cli/demo");
        let read = |name: &str| fs::read(from.join(name)).advise(from.join(name).display(), CHECK_DISK);
        let folder = folder();
        let manifest = read("manifest.json")?;
        for name in data_files(&manifest)? {
            client.put(INVENTORIES, &format!("{folder}/{name}"), &read(&name)?)?;
        }
        let manifest = moved(&manifest, &folder)?;
        let snapshot = format!("{folder}/{SNAPSHOT}");
        client.put(INVENTORIES, &format!("{snapshot}/manifest.json"), &manifest)?;
        let checksum = format!("{}\n", md5_hex(&manifest));
        client.put(INVENTORIES, &format!("{snapshot}/manifest.checksum"), checksum.as_bytes())
    }

    /// The manifest's URI.
    pub(crate) fn manifest() -> String {
        format!("s3://{INVENTORIES}/{}/{SNAPSHOT}/manifest.json", folder())
    }

    /// The key of its index in the bucket of indexes.
    pub(crate) fn index_key() -> String {
        format!("{SOURCE}/{SNAPSHOT}.s3inv")
    }

    /// The key of the folder of its index, where `latest.json` is, too.
    pub(crate) fn index_folder() -> String {
        format!("{SOURCE}/")
    }
}

fn folder() -> String {
    format!("demo/{SOURCE}")
}

fn parse(manifest: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(manifest).advise("cli/demo/manifest.json", "make it with `cargo xtask demo-data`")
}

fn data_files(manifest: &[u8]) -> Result<Vec<String>, Failure> {
    let manifest = parse(manifest)?;
    let files = manifest["files"].as_array().into_iter().flatten();
    Ok(files.filter_map(|file| file["key"].as_str().map(str::to_owned)).collect())
}

/// The manifest of data files that lie in the bucket of inventories, below a folder.
fn moved(manifest: &[u8], folder: &str) -> Result<Vec<u8>, Failure> {
    let mut manifest = parse(manifest)?;
    manifest["destinationBucket"] = format!("arn:aws:s3:::{INVENTORIES}").into();
    for file in manifest["files"].as_array_mut().into_iter().flatten() {
        file["key"] = format!("{folder}/{}", file["key"].as_str().unwrap_or_default()).into();
    }
    serde_json::to_vec_pretty(&manifest).advise("manifest.json", "report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &[u8] = include_bytes!("../../../cli/demo/manifest.json");

    #[test]
    fn its_place_is_what_the_manifest_says() {
        let manifest = parse(MANIFEST).unwrap();
        assert_eq!(SOURCE.split('/').next(), manifest["sourceBucket"].as_str());
        let created: u64 = manifest["creationTimestamp"].as_str().unwrap().parse().unwrap();
        // 20,645 days after 1970 it is 11 July 2026.
        assert_eq!((SNAPSHOT, created / 60_000), ("2026-07-11T10-16Z", (20_645 * 24 + 10) * 60 + 16));
    }

    #[test]
    fn a_delivery_names_its_files_from_the_bucket_on() {
        let moved = parse(&moved(MANIFEST, "demo/x").unwrap()).unwrap();
        assert_eq!(moved["destinationBucket"], "arn:aws:s3:::s3inv-inventories");
        let names = data_files(MANIFEST).unwrap();
        assert_eq!(names.len(), 3);
        for (name, file) in names.iter().zip(moved["files"].as_array().unwrap()) {
            assert_eq!(file["key"], format!("demo/x/{name}"));
        }
        assert_eq!(moved["files"][0]["MD5checksum"], parse(MANIFEST).unwrap()["files"][0]["MD5checksum"]);
    }
}
