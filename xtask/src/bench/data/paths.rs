use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::apt;
use super::keys::Keys;
use crate::failure::Failure;

/// Real paths: the files of Debian's packages, below `folder` as apt lists them.
pub(super) fn keys(rows: usize, folder: &Path) -> Result<Keys, Failure> {
    let mut all = Keys::default();
    apt::each_path(folder, |path| {
        if !path.is_empty() {
            all.push(path);
        }
    })?;
    let mut order = all.sorted();
    if order.len() < rows {
        let what = format!("Debian lists {} paths, not {rows}", order.len());
        return Err(Failure::new(
            what,
            "ask for fewer --rows, or leave the data set out: --sets logs,single",
        ));
    }
    take_directories(&all, &mut order, rows);
    let mut keys = Keys::default();
    for &at in &order {
        keys.push(all.get(at));
    }
    Ok(keys)
}

/// Keeps `rows` of the paths, whole directories drawn by hash: every nth path would thin them out.
fn take_directories(all: &Keys, order: &mut Vec<u32>, rows: usize) {
    order.sort_by_cached_key(|&at| xxh3_64(directory(all.get(at))));
    order.truncate(rows);
}

fn directory(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte == b'/').unwrap_or_default();
    path.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn directories_are_taken_whole() {
        let mut all = Keys::default();
        (0..1000).for_each(|n| all.push(format!("{}/{n}", n % 100).as_bytes()));
        let mut order = all.sorted();
        take_directories(&all, &mut order, 95);
        let mut files = BTreeMap::new();
        for &at in &order {
            *files.entry(directory(all.get(at))).or_insert(0) += 1;
        }
        let mut files: Vec<i32> = files.into_values().collect();
        files.sort_unstable();
        assert_eq!(files, [5, 10, 10, 10, 10, 10, 10, 10, 10, 10]);
    }
}
