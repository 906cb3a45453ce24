//! A file as memory: bytes that were read before are there without a system call.
#![expect(unsafe_code, reason = "mapping a file is unsafe whoever does it: see `Mapped::open`")]

use std::fs::File;
use std::io;

use memmap2::{Advice, Mmap};

use crate::{ReadAt, Tail};

/// A local file, mapped. Threads share it, and look prefixes up in it without asking the system.
///
/// The file has to stay as it is for as long as this lives. Files that are replaced by renaming another one
/// over them, as `build` does, stay so: this goes on to show the old one. Where somebody cuts a file short in
/// its place, what reads behind its new end is ended by SIGBUS; where somebody writes into it, checksums tell.
/// Use a [`File`] where that may happen: then the same is an error.
pub struct Mapped(Mmap);

impl Mapped {
    /// Maps all of a file.
    pub fn open(file: &File) -> io::Result<Self> {
        // SAFETY: what is mapped is only ever copied or checked as bytes that may be anything, and the
        // caller answers for nobody changing the file in its place.
        let map = unsafe { Mmap::map(file)? };
        // What is looked up lies anywhere: the system would read around it in vain.
        map.advise(Advice::Random)?;
        Ok(Self(map))
    }
}

impl ReadAt for Mapped {
    fn tail(&self, len: usize) -> io::Result<Tail> {
        self.0.as_ref().tail(len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.as_ref().read_at(offset, out)
    }

    #[inline]
    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        self.0.as_ref().slice(offset, len)
    }
}
