//! What a page consists of.

use crate::varint;

/// Streams of a page.
const STREAMS: usize = 13;

/// What there is of each stream of a page.
#[derive(Clone, Default)]
pub(super) struct Streams<T> {
    pub(super) groups: T,
    pub(super) counts: T,
    pub(super) shares: T,
    pub(super) names: T,
    pub(super) fixed: T,
    pub(super) bins: T,
    pub(super) sets: T,
    pub(super) rows: T,
    pub(super) objects: T,
    pub(super) bytes: T,
    pub(super) bits: T,
    pub(super) oldest: T,
    pub(super) spans: T,
}

impl<T> Streams<T> {
    /// In their order.
    fn all_mut(&mut self) -> [&mut T; STREAMS] {
        let Self { groups, counts, shares, names, fixed, .. } = self;
        let Self { bins, sets, rows, objects, bytes, bits, oldest, spans, .. } = self;
        [groups, counts, shares, names, fixed, bins, sets, rows, objects, bytes, bits, oldest, spans]
    }
}

impl Streams<Vec<u8>> {
    /// Moves them behind their lengths into `raw`; `ends` are where each of them ends.
    pub(super) fn put(&mut self, raw: &mut Vec<u8>, ends: &mut Vec<usize>) {
        for stream in self.all_mut() {
            varint::put(raw, stream.len() as u64);
        }
        for stream in self.all_mut() {
            raw.append(stream);
            ends.push(raw.len());
        }
    }
}

impl<'r> Streams<&'r [u8]> {
    /// The streams of a page, which are all of it.
    pub(super) fn take(raw: &'r [u8]) -> Option<Self> {
        let mut rest = raw;
        let mut lens = [0; STREAMS];
        for len in &mut lens {
            *len = varint::take_usize(&mut rest)?;
        }
        let mut streams = Self::default();
        for (stream, len) in streams.all_mut().into_iter().zip(lens) {
            *stream = varint::take_bytes(&mut rest, len)?;
        }
        rest.is_empty().then_some(streams)
    }
}
