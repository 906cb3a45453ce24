//! An index as the ranges of segments that it is made of.

use std::ops::Range;

use bytes::Bytes;
use s3inv_index_format::{FileKind, Joiner, TRAILER};
use s3inv_model::RowCounts;

use super::record::{PlanRecord, StoredFile};
use super::remote::Opened;
use super::work::Work;
use crate::Cause;
use crate::finalize::check_sums;

/// Directories are all that is read of segments.
const WINDOW: usize = 1 << 20;

/// The next bytes of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// What is in no segment.
    Bytes(Bytes),
    /// A range of the segment of this URI.
    Range(String, Range<u64>),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Range(_, range) => range.end - range.start,
        }
    }

    /// Without its first bytes.
    fn behind(self, skipped: u64) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.slice(skipped as usize..)),
            Self::Range(uri, range) => Self::Range(uri, range.start + skipped..range.end),
        }
    }
}

/// What the last stage committed.
pub(super) struct Segments {
    pub(super) files: Vec<StoredFile>,
    /// The rows that were read.
    pub(super) read: RowCounts,
    /// Those of the segments.
    pub(super) merged: RowCounts,
}

/// An index that is all there, but in pieces.
pub(super) struct Joined {
    pieces: Vec<Piece>,
    /// How long it is.
    pub(super) bytes: u64,
    /// The end of it, which has checksums of all of it.
    pub(super) trailer: Bytes,
}

impl Joined {
    /// Of segments that follow each other, once their sums are those of the rows that were read. It blocks.
    pub(super) fn of_segments(
        work: &Work<'_>,
        plan: &PlanRecord,
        segments: &Segments,
    ) -> Result<Self, Cause> {
        let Segments { files, read, merged } = segments;
        let opened = Opened::new(work, files, FileKind::Segment, |_| WINDOW)?;
        opened.explain(check_sums(opened.readers.first(), read, Some(merged)))?;
        let mut joiner = Joiner::new(Vec::new())?;
        for segment in &opened.readers {
            let appended = joiner.append_elsewhere(segment, || Ok::<(), Cause>(work.cancellation.check()?));
            opened.explain(appended)?;
        }
        let max_depth = plan.max_depth.map(|depth| depth as u64);
        let (head, _) = joiner.finish(max_depth, plan.unknown.clone(), plan.origin.clone())?;
        let mut head = Bytes::from(head);
        let pages_at = opened.readers.first().map_or(0, |segment| segment.pages().start);
        let tail = head.split_off(pages_at as usize);
        let pages = files.iter().zip(&opened.readers);
        let pages =
            pages.map(|(segment, reader)| Piece::Range(work.bucket.uri(&segment.key), reader.pages()));
        Ok(Self::new([Piece::Bytes(head)].into_iter().chain(pages).collect(), tail))
    }

    /// Of pieces, and the rest of it, which ends in its trailer.
    pub(super) fn new(mut pieces: Vec<Piece>, tail: Bytes) -> Self {
        let trailer = tail.slice(tail.len().saturating_sub(TRAILER)..);
        pieces.push(Piece::Bytes(tail));
        let bytes = pieces.iter().map(Piece::len).sum();
        Self { pieces, bytes, trailer }
    }

    /// What comes behind so many of its bytes.
    pub(super) fn behind(&self, bytes: u64) -> impl Iterator<Item = Piece> {
        let mut skip = bytes;
        self.pieces.iter().filter_map(move |piece| {
            let skipped = skip.min(piece.len());
            skip -= skipped;
            (skipped < piece.len()).then(|| piece.clone().behind(skipped))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_gone_on_with_behind_any_byte() {
        let from: Bytes = (0..100).collect::<Vec<u8>>().into();
        let range = |range: Range<u64>| Piece::Range("memory:x".to_owned(), range);
        let tail: Bytes = (200..220).collect::<Vec<u8>>().into();
        let pieces = vec![Piece::Bytes(vec![1, 2, 3].into()), range(5..30), range(7..7), range(40..90)];
        let joined = Joined::new(pieces, tail);
        let read = |piece| match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Range(_, range) => from.slice(range.start as usize..range.end as usize),
        };
        let whole: Vec<u8> = joined.behind(0).flat_map(read).collect();
        assert_eq!(whole.len() as u64, joined.bytes);
        for skipped in 0..=whole.len() {
            let rest: Vec<u8> = joined.behind(skipped as u64).flat_map(read).collect();
            assert_eq!(rest, whole[skipped..], "{skipped}");
        }
    }
}
