//! `cargo xtask demo-data`: the inventory in `cli/demo`, from one of Debian's package indexes.

mod class;
mod packages;

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::inventory::{Delivery, form_encode, push_row};
use crate::workspace::Workspace;
use class::class;
use packages::Package;

const BUCKET: &str = "debian-pool";
const SCHEMA: &str = "Bucket, Key, Size, StorageClass, IntelligentTieringAccessTier";
const FILES: usize = 3;
/// The slowest and smallest: it is made once and kept in the repository.
const GZIP_LEVEL: i32 = 12;
const READ: &str = "pipe a Packages index of Debian's into it, see cli/demo/README.md";

/// What to make it of: standard input, a `Packages` index.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The release's date in milliseconds since 1970: the snapshot's time.
    #[arg(long)]
    created_ms: u64,
    /// Where to write it [default: cli/demo]
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut packages = packages::read(io::stdin().lock()).advise("standard input", READ)?;
    if packages.is_empty() {
        return Err(Failure::new("standard input lists no package", READ));
    }
    packages.sort_unstable();
    packages.dedup();
    let out = match &args.out {
        Some(out) => out.clone(),
        None => Workspace::load()?.root.join("cli/demo"),
    };
    let data = out.join("data");
    if data.exists() {
        fs::remove_dir_all(&data).advise(data.display(), CHECK_DISK)?;
    }
    write(&Delivery::new(&out), &packages, args.created_ms)?;
    println!("{} objects in {}", packages.len(), out.display());
    Ok(())
}

fn write(delivery: &Delivery, packages: &[Package], created_ms: u64) -> Result<(), Failure> {
    let parts = packages.chunks(packages.len().div_ceil(FILES).max(1)).enumerate();
    let file =
        |(at, part): (usize, &[Package])| delivery.write_data(&format!("part-{at}"), &csv(part), GZIP_LEVEL);
    let files = parts.map(file).collect::<Result<_, _>>()?;
    delivery.finish(BUCKET, SCHEMA, created_ms, files)
}

fn csv(packages: &[Package]) -> Vec<u8> {
    let mut csv = Vec::new();
    let mut key = Vec::new();
    for package in packages {
        form_encode(package.filename.as_bytes(), &mut key);
        let (class, tier) = class(package);
        let size = package.size.to_string();
        push_row(&mut csv, &[BUCKET.as_bytes(), &key, size.as_bytes(), class.as_bytes(), tier.as_bytes()]);
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_files_are_those_of_the_manifest() {
        let delivery = Delivery::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/demo"));
        assert!(delivery.is_complete());
        let files = delivery.files().unwrap();
        assert_eq!(files.len(), FILES);
        for file in files {
            let gzip = fs::read(delivery.path_of(&file)).unwrap();
            assert!(file.is_of(&gzip), "{}", file.key);
        }
    }

    #[test]
    fn rows_have_key_size_and_class() {
        let filename = "pool/main/g/g++/g++-doc_1+2_all.deb".to_owned();
        let rows = csv(&[Package { filename, size: 7 }]);
        let expected =
            "\"debian-pool\",\"pool/main/g/g%2B%2B/g%2B%2B-doc_1%2B2_all.deb\",\"7\",\"STANDARD_IA\",\"\"\n";
        assert_eq!(String::from_utf8(rows).unwrap(), expected);
    }
}
