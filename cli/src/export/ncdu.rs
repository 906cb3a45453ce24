//! What `ncdu -f` opens: <https://dev.yorhel.nl/ncdu/jsonfmt>, format 1.2.
//!
//! A directory is written when its parent is entered, with its own directories in it. Rows come in just the
//! order in which that asks for groups of siblings: each group when its parent is entered. So one pass over
//! the rows is enough, and what is kept are the siblings that are still to be entered, 64 KiB of them a level.
//! A group that has more is looked for again where they end.

use std::collections::VecDeque;
use std::io::Write as _;

use s3inv::{Cell, Count, Measure, ReadAt, prefix};
use s3inv_model::Bin;

use super::{Exporting, Rows, Sink, signed, unfit};
use crate::text;

/// The most bytes of siblings that are kept of a level.
const ROOM: usize = 64 << 10;

pub(super) fn write<R: ReadAt>(rows: &mut Rows<'_, R>, out: Sink<'_>) -> Result<u64, Exporting> {
    if !rows.info().schema.measures.has(Measure::Bytes) {
        let text = "ncdu shows sizes, and the inventory of this index has no Size: take another format";
        return Err(unfit(text.to_owned()));
    }
    let mut walk = Walk { rows, out, line: Vec::new(), levels: Vec::new(), count: 0 };
    walk.head()?;
    walk.enter_scope()?;
    while let Some(level) = walk.levels.last_mut() {
        match level.children.pop_front() {
            Some(child) => walk.enter(&child)?,
            None if level.more.is_some() => walk.look_for_more()?,
            None => walk.leave()?,
        }
    }
    walk.out.write_all(b"]\n")?;
    Ok(walk.count)
}

/// A walk through all directories, each before those in it.
struct Walk<'r, 'a, 'o, R> {
    /// At the group of siblings below the directory that is entered next.
    rows: &'r mut Rows<'a, R>,
    out: Sink<'o>,
    line: Vec<u8>,
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

impl<R: ReadAt> Walk<'_, '_, '_, R> {
    fn head(&mut self) -> Result<(), Exporting> {
        let snapshot = self.rows.info().origin.as_ref().map_or(0, |origin| origin.snapshot_ms / 1000);
        let version = env!("CARGO_PKG_VERSION");
        writeln!(
            self.out,
            "[1,2,{{\"progname\":\"s3inv-index\",\"progver\":\"{version}\",\"timestamp\":{snapshot}}},"
        )?;
        Ok(())
    }

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
        self.out.write_all(b",\n")?;
        self.count += 1;
        let name = child.name.split_last().map_or(&[][..], |(_, name)| name);
        self.open(prefix, if name.is_empty() { b"/" } else { name }, Some(child.sums))
    }

    fn open(&mut self, prefix: Vec<u8>, name: &[u8], own: Option<Count>) -> Result<(), Exporting> {
        self.line.clear();
        self.line.extend_from_slice(b"[{\"name\":");
        put_name(name, &mut self.line);
        self.line.push(b'}');
        self.out.write_all(&self.line)?;
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
        let deepest = self.rows.is_deepest(&level.prefix);
        let direct = level.own.map(|own| level.direct(own)).transpose()?.unwrap_or_default();
        self.line.clear();
        if direct.objects > 0 {
            let reach = if deepest { ", here and below" } else { "" };
            let bytes = signed(direct.bytes, &level.prefix)?;
            let objects = text::count(direct.objects);
            writeln!(
                self.line,
                ",\n{{\"name\":\"({objects} objects{reach})\",\"asize\":{bytes},\"dsize\":{bytes}}}]"
            )?;
        } else {
            self.line.push(b']');
        }
        self.out.write_all(&self.line)?;
        Ok(())
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

/// A name as a string of JSON. Its bytes go as they are, UTF-8 or not, as in what ncdu writes itself; but for
/// zero bytes, which end a name there.
fn put_name(name: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in name {
        match byte {
            0 => out.extend_from_slice("␀".as_bytes()),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            1..=0x1f | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strings_of_json() {
        for (name, string) in [
            (&b"a b"[..], &b"\"a b\""[..]),
            (b"\"\\", b"\"\\\"\\\\\""),
            (b"\n\x7f", b"\"\\u000a\\u007f\""),
            (b"\0", "\"\u{2400}\"".as_bytes()),
            (b"\xff\xc3\xa9", b"\"\xff\xc3\xa9\""),
        ] {
            let mut out = Vec::new();
            put_name(name, &mut out);
            assert_eq!(out, string);
        }
    }
}
