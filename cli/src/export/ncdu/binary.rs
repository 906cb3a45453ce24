//! The format that ncdu opens from 2.6 on, for large trees: <https://dev.yorhel.nl/ncdu/binfmt>.
//!
//! A directory names the last item in it, and each item the one before it in its directory. So all that is in a
//! directory is written before the directory itself, and only those that have not been left are kept. Sums
//! are told of each directory, and ncdu reads only the blocks of what it shows.

use super::blocks::{Blocks, Item, Place};
use super::{Left, Tree};
use crate::export::{Exporting, Sink};

/// Types of items.
const DIRECTORY: u8 = 0;
const FILE: u8 = 1;

/// Keys of numbers. Sizes are told twice: as apparent ones, and as disk usage.
const ASIZE: u8 = 3;
const DSIZE: u8 = 4;
const DEV: u8 = 5;
const CUMULATIVE_ASIZE: u8 = 7;
const CUMULATIVE_DSIZE: u8 = 8;
const ITEMS: u8 = 11;

pub(super) struct Binary<'o> {
    blocks: Blocks<'o>,
    /// The directories that have been entered and not been left, each in the one before it.
    open: Vec<Directory>,
    /// The directory that was left last.
    root: Place,
}

struct Directory {
    name: Box<[u8]>,
    /// The last item in it.
    last: Option<Place>,
    /// Items in it, at any depth.
    items: u64,
}

impl<'o> Binary<'o> {
    pub(super) fn start(out: Sink<'o>) -> Result<Self, Exporting> {
        Ok(Self { blocks: Blocks::start(out)?, open: Vec::new(), root: Place::default() })
    }
}

impl Tree for Binary<'_> {
    fn enter(&mut self, name: &[u8]) -> Result<(), Exporting> {
        self.open.push(Directory { name: name.into(), last: None, items: 0 });
        Ok(())
    }

    fn leave(&mut self, left: &Left<'_>) -> Result<(), Exporting> {
        let Some(mut directory) = self.open.pop() else { return Ok(()) };
        if let Some(file) = &left.file {
            let numbers = [(ASIZE, file.bytes), (DSIZE, file.bytes)];
            let (name, prev) = (file.name.as_bytes(), directory.last);
            let item = Item { kind: FILE, name, prev, numbers: &numbers, sub: None };
            directory.last = Some(self.blocks.put(&item)?);
            directory.items += 1;
        }
        let parent = self.open.last_mut();
        let sums = [(CUMULATIVE_ASIZE, left.bytes), (CUMULATIVE_DSIZE, left.bytes), (ITEMS, directory.items)];
        // The device is told where it is another one than that of the parent.
        let numbers = if parent.is_none() { &[&[(DEV, 0)], &sums[..]].concat() } else { &sums[..] };
        let prev = parent.as_ref().and_then(|parent| parent.last);
        let item = Item { kind: DIRECTORY, name: &directory.name, prev, numbers, sub: directory.last };
        self.root = self.blocks.put(&item)?;
        if let Some(parent) = parent {
            parent.last = Some(self.root);
            parent.items += directory.items + 1;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Exporting> {
        self.blocks.finish(self.root)
    }
}
