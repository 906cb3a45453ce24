//! Streams of yes and no: bits, eight in a byte, of which runs are shortened.

use super::error::{Result, damaged};
use super::stream::Stream;

/// The bytes of a run-length encoding.
struct ByteRuns<'a> {
    stream: Stream<'a>,
    left: usize,
    /// The byte of a repeating run.
    repeated: Option<u8>,
}

impl ByteRuns<'_> {
    fn next(&mut self) -> Result<u8> {
        if self.left == 0 {
            let control = usize::from(self.stream.byte()?);
            (self.left, self.repeated) =
                if control < 128 { (control + 3, Some(self.stream.byte()?)) } else { (256 - control, None) };
        }
        self.left -= 1;
        match self.repeated {
            Some(byte) => Ok(byte),
            None => self.stream.byte(),
        }
    }
}

/// The flags of a stream.
pub(super) struct Booleans<'a> {
    runs: ByteRuns<'a>,
    /// The byte at hand, whose highest bit comes next, and how many bits it has left.
    byte: u8,
    bits: u32,
}

impl<'a> Booleans<'a> {
    pub(super) fn new(stream: Stream<'a>) -> Self {
        Self { runs: ByteRuns { stream, left: 0, repeated: None }, byte: 0, bits: 0 }
    }

    /// Replaces what `to` holds by the next `count` flags.
    pub(super) fn fill(&mut self, count: usize, to: &mut Vec<bool>) -> Result<()> {
        to.clear();
        while to.len() < count {
            if self.bits == 0 {
                (self.byte, self.bits) = (self.runs.next()?, 8);
            }
            let taken = (count - to.len()).min(self.bits as usize) as u32;
            to.extend((0..taken).map(|bit| self.byte << bit & 128 != 0));
            self.byte = self.byte.checked_shl(taken).unwrap_or(0);
            self.bits -= taken;
        }
        Ok(())
    }

    /// Checks that no flag is left but those that fill the last byte.
    pub(super) fn ended(&mut self) -> Result<()> {
        let ended = self.runs.left == 0 && self.runs.stream.at_end()?;
        if ended { Ok(()) } else { Err(damaged("has more values than its stripe has rows")) }
    }
}
