use std::fs;

use libdeflater::Decompressor;

use super::clock::Stopwatch;
use crate::failure::{Advise, Failure};
use crate::inventory::Delivery;

const MAKE_AGAIN: &str = "remove the data set, it is made again";

/// Seconds that one core needs to decompress all files and do nothing else: no reader is faster.
/// The fastest of `runs` counts, as it does for builds.
///
/// It leaves the files in the page cache, so that no build after it waits for the disk.
pub(super) fn seconds(delivery: &Delivery, runs: u32) -> Result<f64, Failure> {
    (0..runs).try_fold(f64::INFINITY, |fastest, _| Ok(fastest.min(once(delivery)?)))
}

fn once(delivery: &Delivery) -> Result<f64, Failure> {
    let mut total = 0.0;
    for file in delivery.files()? {
        let path = delivery.path_of(&file);
        let gzip = fs::read(&path).advise(path.display(), MAKE_AGAIN)?;
        total += decompress(&gzip).advise(path.display(), MAKE_AGAIN)?;
    }
    Ok(total)
}

fn decompress(gzip: &[u8]) -> Result<f64, libdeflater::DecompressionError> {
    // Touched before the clock starts: fresh pages would be counted otherwise.
    let mut csv = vec![1; uncompressed_length(gzip)];
    let watch = Stopwatch::start();
    Decompressor::new().gzip_decompress(gzip, &mut csv)?;
    Ok(watch.seconds())
}

/// The last four bytes of a gzip member; our files have one member of less than 4 GiB.
fn uncompressed_length(gzip: &[u8]) -> usize {
    gzip.last_chunk().map_or(0, |&length| u32::from_le_bytes(length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_decompressed() {
        let folder = tempfile::tempdir().unwrap();
        let delivery = Delivery::new(folder.path());
        let file = delivery.write_data("part", b"\"b\",\"k\"\n", 6).unwrap();
        delivery.finish("b", "Bucket, Key", 0, vec![file.clone()]).unwrap();
        assert!(seconds(&delivery, 2).unwrap() < 1.0);
        fs::write(delivery.path_of(&file), b"no gzip").unwrap();
        assert!(seconds(&delivery, 1).is_err());
    }
}
