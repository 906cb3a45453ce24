use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use super::keys::Keys;
use super::object::{Rows, SCHEMA};
use super::random::Random;
use super::set::{DataSet, Format, Kind, Order};
use super::{logs, paths, single};
use crate::bench::clock::Stopwatch;
use crate::failure::{Advise, CHECK_DISK, Failure};
use crate::inventory::{DataFile, Delivery};

/// What zlib does by default, and tools with it.
const GZIP_LEVEL: i32 = 6;

/// 2026-01-04T01:00Z: a Sunday, as weekly inventories are dated.
const CREATED_MS: u64 = 1_767_488_400_000;

/// The keys are made once for all orders, and kept in memory: 20 million rows take some 2.5 GB.
const MAX_ROWS: usize = 40_000_000;

/// Where a data set is, below the folder of all.
pub(in crate::bench) fn delivery(data: &Path, set: DataSet) -> Delivery {
    Delivery::new(data.join(set.to_string()))
}

/// Makes the inventories of this kind and number of rows that aren't there yet, in every order, as CSV.
pub(super) fn make_missing(data: &Path, kind: Kind, rows: usize) -> Result<(), Failure> {
    let sets = Order::ALL.map(|order| DataSet { kind, order, rows, format: Format::Csv });
    let missing: Vec<DataSet> = sets.into_iter().filter(|&set| !delivery(data, set).is_complete()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let watch = Stopwatch::start();
    let keys = keys(data, kind, rows)?;
    let sorted = keys.sorted();
    eprintln!("{kind}: {} keys in {:.1} s", sorted.len(), watch.seconds());
    missing.into_iter().try_for_each(|set| write(data, set, &keys, &sorted))
}

fn keys(data: &Path, kind: Kind, rows: usize) -> Result<Keys, Failure> {
    if rows > MAX_ROWS {
        return Err(Failure::new(format_args!("{rows} rows"), format_args!("ask for at most {MAX_ROWS}")));
    }
    match kind {
        Kind::Paths => paths::keys(rows, &data.join("apt")),
        Kind::Logs => Ok(logs::keys(rows)),
        Kind::Single => Ok(single::keys(rows)),
    }
}

fn write(data: &Path, set: DataSet, keys: &Keys, sorted: &[u32]) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let folder = data.join(set.to_string());
    fs::create_dir_all(&folder).advise(folder.display(), CHECK_DISK)?;
    let mut order = sorted.to_vec();
    if set.order == Order::Shuffled {
        Random::new(1).shuffle(&mut order);
    }
    let files = write_files(&delivery(data, set), set, keys, &order)?;
    let bytes: u64 = files.iter().map(|file| file.size).sum();
    delivery(data, set).finish(set.bucket(), SCHEMA, CREATED_MS, files)?;
    eprintln!("{set}: {bytes} bytes in {:.1} s", watch.seconds());
    Ok(())
}

/// Cuts the rows into files and writes those, as many at a time as there are cores.
fn write_files(
    delivery: &Delivery,
    set: DataSet,
    keys: &Keys,
    order: &[u32],
) -> Result<Vec<DataFile>, Failure> {
    let parts: Vec<&[u32]> = order.chunks(order.len().div_ceil(set.files()).max(1)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        let mut csv = Vec::new();
        while let Some((at, part)) = take(&parts, &next) {
            csv.clear();
            let mut rows = Rows::new(set.bucket());
            for &key in part {
                rows.push(keys.get(key), &mut csv);
            }
            done.push((at, delivery.write_data(&name(set, at), &csv, GZIP_LEVEL)?));
        }
        Ok(done)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut files = on_threads(workers, &work)?;
    files.sort_unstable_by_key(|&(at, _)| at);
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

fn take<'a>(parts: &[&'a [u32]], next: &AtomicUsize) -> Option<(usize, &'a [u32])> {
    let at = next.fetch_add(1, Relaxed);
    parts.get(at).map(|&part| (at, part))
}

fn on_threads<T: Send>(
    threads: usize,
    work: &(impl Fn() -> Result<Vec<T>, Failure> + Sync),
) -> Result<Vec<T>, Failure> {
    let results: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut all = Vec::new();
    for result in results {
        all.extend(result.map_err(|_| Failure::new("a thread panicked", "report it"))??);
    }
    Ok(all)
}

/// S3 names data files by a UUID.
fn name(set: DataSet, at: usize) -> String {
    Random::new((set.rows as u64) << 32 | at as u64).uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn rows_of(data: &Path, set: DataSet) -> Vec<String> {
        let delivery = delivery(data, set);
        let mut rows = Vec::new();
        for file in delivery.files().unwrap() {
            let gzip = fs::read(delivery.path_of(&file)).unwrap();
            let mut csv = vec![0; 1 << 20];
            let length = libdeflater::Decompressor::new().gzip_decompress(&gzip, &mut csv).unwrap();
            rows.extend(std::str::from_utf8(&csv[..length]).unwrap().lines().map(str::to_owned));
        }
        rows
    }

    #[test]
    fn orders_differ_in_order_alone() {
        let data = tempfile::tempdir().unwrap();
        for kind in [Kind::Logs, Kind::Single] {
            make_missing(data.path(), kind, 1_001).unwrap();
            let [sorted, shuffled] = Order::ALL
                .map(|order| rows_of(data.path(), DataSet { kind, order, rows: 1_001, format: Format::Csv }));
            assert_eq!((sorted.len(), shuffled.len()), (1_001, 1_001));
            assert_ne!(sorted, shuffled);
            assert_eq!(BTreeSet::from_iter(&sorted), BTreeSet::from_iter(&shuffled));
            assert!(sorted.is_sorted_by_key(|row| row.split(',').nth(1).unwrap().replace("%3D", "=")));
        }
    }

    #[test]
    fn what_is_there_is_not_made_again() {
        let data = tempfile::tempdir().unwrap();
        make_missing(data.path(), Kind::Single, 10).unwrap();
        let set = DataSet { kind: Kind::Single, order: Order::Sorted, rows: 10, format: Format::Csv };
        let delivery = delivery(data.path(), set);
        let file = delivery.path_of(&delivery.files().unwrap()[0]);
        fs::write(&file, "kept").unwrap();
        make_missing(data.path(), Kind::Single, 10).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }
}
