//! The names of a group: each by what it does not share with the one before it, or, where they are long and
//! all of one length, by position. So what is alike in all of them comes down to nothing, and what is drawn
//! by lot takes no more than it has to: a hexadecimal digit half a byte.

use s3inv_model::prefix::shared_len;

use super::streams::Streams;
use crate::varint;

/// Names that are stored by position have as many bytes before their `/`, and are as many.
const FIXED_LEN: usize = 16;
const FIXED_COUNT: usize = 8;
/// Names of a page together: more than the rule by which pages end leaves room for.
const MAX_NAMES: usize = 512 << 10;

/// The names of rows, one after the other.
#[derive(Clone, Default)]
pub(super) struct Names {
    pub(super) bytes: Vec<u8>,
    /// Where each one ends.
    pub(super) ends: Vec<u32>,
}

impl Names {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.end();
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len() as u32);
    }

    /// The name of a row.
    #[inline]
    pub(super) fn get(&self, row: u32) -> Option<&[u8]> {
        let row = row as usize;
        let from = row.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(from as usize..*self.ends.get(row)? as usize)
    }

    /// Writes the names of a group.
    pub(super) fn put(&self, rows: (u32, u32), streams: &mut Streams<Vec<u8>>) -> Option<()> {
        let count = (rows.1 - rows.0) as usize;
        let fixed = self.fixed_len(rows);
        varint::put(&mut streams.counts, (count as u64 - 1) << 1 | u64::from(fixed.is_some()));
        let Some(len) = fixed else { return self.put_shared(rows, streams) };
        varint::put(&mut streams.counts, len as u64);
        let end = *self.ends.get(rows.1 as usize - 1)? as usize;
        let bytes = self.bytes.get(end - count * (len + 1)..end)?;
        for at in 0..len {
            streams.fixed.extend(bytes.iter().skip(at).step_by(len + 1));
        }
        Some(())
    }

    /// How many bytes each name of a group has before its `/`, if they are to be stored by position.
    fn fixed_len(&self, (from, end): (u32, u32)) -> Option<usize> {
        let len = self.get(from)?.len().checked_sub(1)?;
        if len < FIXED_LEN || ((end - from) as usize) < FIXED_COUNT {
            return None;
        }
        (from..end).all(|row| self.get(row).is_some_and(|name| name.len() == len + 1)).then_some(len)
    }

    fn put_shared(&self, (from, end): (u32, u32), streams: &mut Streams<Vec<u8>>) -> Option<()> {
        let mut last: &[u8] = &[];
        for row in from..end {
            let name = self.get(row)?;
            let shared = shared_len(last, name);
            varint::put(&mut streams.shares, shared as u64);
            streams.names.extend_from_slice(name.get(shared..)?);
            last = name;
        }
        Some(())
    }

    /// Reads the names of a group, and appends them.
    pub(super) fn take(&mut self, streams: &mut Streams<&[u8]>) -> Option<()> {
        let code = varint::take(&mut streams.counts)?;
        let count = usize::try_from(code >> 1).ok()?.checked_add(1)?;
        if code & 1 == 0 {
            self.take_shared(count, streams)?;
        } else {
            self.take_fixed(count, streams)?;
        }
        (self.bytes.len() <= MAX_NAMES).then_some(())
    }

    fn take_shared(&mut self, count: usize, streams: &mut Streams<&[u8]>) -> Option<()> {
        let mut last = self.bytes.len();
        for nth in 0..count {
            let at = self.bytes.len();
            let shared = varint::take_usize(&mut streams.shares)?;
            let end = last.checked_add(shared).filter(|&end| end <= at)?;
            if self.bytes.get(last..end)?.ends_with(b"/") || (nth == 0 && shared > 0) || at > MAX_NAMES {
                return None;
            }
            self.bytes.extend_from_within(last..end);
            let len = memchr::memchr(b'/', streams.names)? + 1;
            self.bytes.extend_from_slice(varint::take_bytes(&mut streams.names, len)?);
            self.end();
            last = at;
        }
        Some(())
    }

    fn take_fixed(&mut self, count: usize, streams: &mut Streams<&[u8]>) -> Option<()> {
        let len = varint::take_usize(&mut streams.counts)?;
        let bytes = varint::take_bytes(&mut streams.fixed, len.checked_mul(count)?)?;
        if memchr::memchr(b'/', bytes).is_some() || len == 0 {
            return None;
        }
        for nth in 0..count {
            self.bytes.extend(bytes.iter().skip(nth).step_by(count));
            self.bytes.push(b'/');
            self.end();
        }
        Some(())
    }
}
