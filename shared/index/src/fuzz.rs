//! For the fuzz targets alone: bytes that no checksum stands before.

use crate::FileKind;
use crate::forge::{Part, Parts};

/// `file` with one of its parts replaced by `bytes`, and all checksums right again. `part` picks it, by
/// its remainder.
#[must_use]
pub fn forged(file: &[u8], kind: FileKind, part: u8, bytes: &[u8]) -> Vec<u8> {
    let parts = Parts::of(file, kind);
    let all = [
        Part::Page(0),
        Part::StoredPage(0),
        Part::Block(0),
        Part::StoredBlock(0),
        Part::Root,
        Part::StoredRoot,
        Part::Info,
        Part::Trailer,
        Part::Lots,
        Part::Table(0),
    ];
    let part = all.into_iter().cycle().nth(usize::from(part)).unwrap_or(Part::Root);
    parts.forge(part, &|here| {
        // The trailer has a fixed length.
        let len = if part == Part::Trailer { here.len() } else { bytes.len() };
        here.clear();
        here.extend(bytes.iter().copied().chain(std::iter::repeat(0)).take(len));
    })
}
