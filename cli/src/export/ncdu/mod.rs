//! What `ncdu -f` opens: a walk through all directories, which is written in one of its two formats.
//!
//! A directory is entered in its parent, and left when all its own directories have been. Rows come in just the
//! order in which that asks for groups of siblings: each group when its parent is entered. So one pass over
//! the rows is enough, and what is kept are the siblings that are still to be entered, 64 KiB of them a level.
//! A group that has more is looked for again where they end.

mod binary;
mod blocks;
mod json;

use std::borrow::Cow;
use std::collections::VecDeque;

use s3inv::{Cell, Count, Measure, ReadAt, prefix};
use s3inv_model::Bin;

use super::{Exporting, Rows, Sink, unfit};
use crate::text;

/// What a walk writes.
trait Tree {
    /// A directory in the one that was entered last and has not been left.
    fn enter(&mut self, name: &[u8]) -> Result<(), Exporting>;

    /// All of the directory that was entered last has been seen.
    fn leave(&mut self, left: &Left<'_>) -> Result<(), Exporting>;

    /// The directory that was entered first has been left.
    fn finish(self) -> Result<(), Exporting>;
}

/// A directory that is left.
struct Left<'a> {
    prefix: &'a [u8],
    /// All bytes in it, at any depth.
    bytes: u64,
    /// What lies directly in it, if anything does.
    file: Option<File>,
}

/// Objects that are shown as one file.
struct File {
    name: String,
    bytes: u64,
}

/// The most bytes of siblings that are kept of a level.
const ROOM: usize = 64 << 10;

/// Writes JSON; how many prefixes there were.
pub(super) fn json<R: ReadAt>(rows: &mut Rows<'_, R>, out: Sink<'_>) -> Result<u64, Exporting> {
    has_sizes(rows)?;
    let tree = json::Json::start(rows.info(), out)?;
    walk(rows, tree)
}

/// Writes the binary format; how many prefixes there were.
pub(super) fn binary<R: ReadAt>(rows: &mut Rows<'_, R>, out: Sink<'_>) -> Result<u64, Exporting> {
    has_sizes(rows)?;
    walk(rows, binary::Binary::start(out)?)
}

fn has_sizes<R: ReadAt>(rows: &Rows<'_, R>) -> Result<(), Exporting> {
    if rows.info().schema.measures.has(Measure::Bytes) {
        return Ok(());
    }
    let text = "ncdu shows sizes, and the inventory of this index has no Size: take another format";
    Err(unfit(text.to_owned()))
}

fn walk<R: ReadAt>(rows: &mut Rows<'_, R>, tree: impl Tree) -> Result<u64, Exporting> {
    let mut walk = Walk { rows, tree, levels: Vec::new(), count: 0 };
    walk.enter_scope()?;
    while let Some(level) = walk.levels.last_mut() {
        match level.children.pop_front() {
            Some(child) => walk.enter(&child)?,
            None if level.more.is_some() => walk.look_for_more()?,
            None => walk.leave()?,
        }
    }
    walk.tree.finish()?;
    Ok(walk.count)
}

/// A walk through all directories, each before those in it.
struct Walk<'r, 'a, R, T> {
    /// At the group of siblings below the directory that is entered next.
    rows: &'r mut Rows<'a, R>,
    tree: T,
    /// The directories that have been entered and not been left, each in the one before it.
    levels: Vec<Level>,
    count: u64,
}

/// A directory that has been entered.
struct Level {
    prefix: Vec<u8>,
    /// Its sums; unknown for what only begins like a prefix.
    own: Option<Count>,
    /// The sums of its children up to now.
    below: Count,
    /// Children that are still to be entered.
    children: VecDeque<Child>,
    /// The name of the last of them that there was room for, if there are more.
    more: Option<Box<[u8]>>,
    room: usize,
}

struct Child {
    name: Box<[u8]>,
    sums: Count,
}

impl<R: ReadAt, T: Tree> Walk<'_, '_, R, T> {
    /// Enters what is exported, by its full name.
    fn enter_scope(&mut self) -> Result<(), Exporting> {
        let scope = self.rows.scope().clone();
        let bucket = self.rows.info().origin.as_ref().map_or("", |origin| &origin.source_bucket);
        let mut name = format!("s3://{bucket}/").into_bytes();
        name.extend_from_slice(scope.text());
        let Some(prefix) = scope.exact() else {
            name.push(b'*');
            return self.open(scope.parent().to_vec(), &name, None);
        };
        self.rows.advance()?;
        self.count += 1;
        let own = current(self.rows.cells());
        name.pop();
        self.open(prefix.to_vec(), &name, Some(own))
    }

    /// Enters a child of the directory that was entered last.
    fn enter(&mut self, child: &Child) -> Result<(), Exporting> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        level.below.objects = level.below.objects.saturating_add(child.sums.objects);
        level.below.bytes = level.below.bytes.saturating_add(child.sums.bytes);
        let prefix = [level.prefix.as_slice(), &child.name].concat();
        self.count += 1;
        let name = child.name.split_last().map_or(&[][..], |(_, name)| name);
        self.open(prefix, name, Some(child.sums))
    }

    fn open(&mut self, prefix: Vec<u8>, name: &[u8], own: Option<Count>) -> Result<(), Exporting> {
        self.tree.enter(&shown(name))?;
        let mut level =
            Level { prefix, own, below: Count::default(), children: VecDeque::new(), more: None, room: ROOM };
        self.read_children(&mut level)?;
        self.levels.push(level);
        Ok(())
    }

    /// Reads the rows of a directory's children, and keeps as many as there is room for.
    fn read_children(&mut self, level: &mut Level) -> Result<(), Exporting> {
        while self.rows.advance()? {
            if !level.has(self.rows.key()) {
                self.rows.stay();
                break;
            }
            if level.more.is_none() {
                level.keep(self.rows.key(), self.rows.cells());
            }
        }
        Ok(())
    }

    /// Reads further children of the directory that was entered last.
    fn look_for_more(&mut self) -> Result<(), Exporting> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        let Some(last) = level.more.take() else { return Ok(()) };
        level.room = ROOM;
        let mut cursor = self.rows.siblings(&level.prefix, &last)?;
        // That one has been entered.
        cursor.advance()?;
        while level.more.is_none() && cursor.advance()? && cursor.key().starts_with(self.rows.scope().text())
        {
            level.keep(cursor.key(), cursor.cells());
        }
        Ok(())
    }

    /// Leaves the directory that was entered last; what lies directly in it is its last entry.
    fn leave(&mut self) -> Result<(), Exporting> {
        let Some(level) = self.levels.pop() else { return Ok(()) };
        let sums = level.own.unwrap_or(level.below);
        let direct = level.direct(sums)?;
        let reach = if self.rows.is_deepest(&level.prefix) { ", here and below" } else { "" };
        let name = || format!("({} objects{reach})", text::count(direct.objects));
        let file = (direct.objects > 0).then(|| File { name: name(), bytes: direct.bytes });
        self.tree.leave(&Left { prefix: &level.prefix, bytes: sums.bytes, file })
    }
}

impl Level {
    fn has(&self, key: &[u8]) -> bool {
        let (parent, name) = prefix::split(key);
        parent == self.prefix && !name.is_empty()
    }

    /// Keeps a child, or remembers that there are more where there is no room: there is for one at least.
    fn keep(&mut self, key: &[u8], cells: &[Cell]) {
        let (_, name) = prefix::split(key);
        let takes = name.len() + 2 * size_of::<Child>();
        match self.children.back() {
            Some(last) if takes > self.room => self.more = Some(last.name.clone()),
            _ => {
                self.room = self.room.saturating_sub(takes);
                self.children.push_back(Child { name: name.into(), sums: current(cells) });
            }
        }
    }

    /// What lies directly in it.
    fn direct(&self, own: Count) -> Result<Count, Exporting> {
        let objects = own.objects.checked_sub(self.below.objects);
        let bytes = own.bytes.checked_sub(self.below.bytes);
        let error = || {
            let prefix = text::printable(&String::from_utf8_lossy(&self.prefix));
            unfit(format!("{prefix:?} has less than its children: see what `verify` says of this index"))
        };
        objects.zip(bytes).map(|(objects, bytes)| Count { objects, bytes }).ok_or_else(error)
    }
}

/// The current objects of a row.
fn current(cells: &[Cell]) -> Count {
    let current = cells.iter().filter(|cell| Bin::is_current(cell.bin));
    // Readers have checked that a row's cells add up within 64 bits.
    current.fold(Count::default(), |sum, cell| Count {
        objects: sum.objects.saturating_add(cell.objects),
        bytes: sum.bytes.saturating_add(cell.bytes),
    })
}

/// A name as ncdu can show it: a zero byte ends a name there, and going back from a name that is empty, or has a slash,
/// goes too far, and may end ncdu.
fn shown(name: &[u8]) -> Cow<'_, [u8]> {
    if name.is_empty() {
        return Cow::Borrowed("∕".as_bytes());
    }
    if !name.contains(&0) {
        return Cow::Borrowed(name);
    }
    let part = |byte: &u8| if *byte == 0 { "␀".as_bytes().to_vec() } else { vec![*byte] };
    Cow::Owned(name.iter().flat_map(part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_zero_bytes_and_are_not_empty() {
        assert_eq!(*shown(b"a\0\0b\xff"), *b"a\xe2\x90\x80\xe2\x90\x80b\xff");
        assert_eq!(*shown(b""), *"\u{2215}".as_bytes());
    }
}
