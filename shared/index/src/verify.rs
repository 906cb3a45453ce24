//! Checks everything that a file promises: checksums (I4), order, sums (I2), and what the directory
//! and the info say of the rows.

use s3inv_model::{Cell, prefix};

use crate::error::shown;
use crate::trailer::MAGIC;
use crate::{Cursor, Entry, FormatError, Info, ReadAt, Reader};

/// Reads all of an index. `between` is asked at least every 1,000 rows, with the rows so far, and can
/// stop it.
pub fn verify<R: ReadAt, E: From<FormatError>>(
    reader: &Reader<R>,
    between: &mut impl FnMut(u64) -> Result<(), E>,
) -> Result<(), E> {
    check_head(reader)?;
    let mut rows = reader.rows()?;
    if !rows.advance()? || !rows.key().is_empty() {
        return Err(FormatError::Sums("the root is missing".to_owned()).into());
    }
    check_root(reader, rows.cells())?;
    check_cells(&[], rows.cells())?;
    let mut page = Page::default();
    page.add(&rows)?;
    let mut groups = Groups { open: vec![Group::of_root(rows.clone())] };
    let mut last = Vec::new();
    let (mut count, mut depth) = (1, 0);
    while rows.advance()? {
        if prefix::compare(&last, rows.key()).is_ge() {
            let (previous, got) = (shown(&last), shown(rows.key()));
            return Err(FormatError::OutOfOrder { previous, got }.into());
        }
        check_cells(rows.key(), rows.cells())?;
        page.add(&rows)?;
        groups.add(&rows)?;
        last.clear();
        last.extend_from_slice(rows.key());
        depth = depth.max(prefix::depth(&last));
        count += 1;
        if count % 1000 == 0 {
            between(count)?;
        }
    }
    page.close()?;
    groups.close_to(0)?;
    Ok(check_info(reader.info(), count, depth as u64)?)
}

fn check_info(info: &Info, prefixes: u64, depth: u64) -> Result<(), FormatError> {
    if (prefixes, depth) != (info.prefixes, info.depth) {
        let Info { prefixes: claimed, depth: to, .. } = info;
        let text = format!("{prefixes} prefixes to depth {depth}, but {claimed} to {to} are claimed");
        return Err(FormatError::Sums(text));
    }
    match info.max_depth {
        Some(most) if depth > most => {
            Err(FormatError::Sums(format!("depth {depth}, though prefixes are cut at {most}")))
        }
        _ => Ok(()),
    }
}

/// What is absent takes no cell, and no prefix is there without objects but the root.
fn check_cells(key: &[u8], cells: &[Cell]) -> Result<(), FormatError> {
    if cells.iter().any(|cell| cell.objects == 0) || (cells.is_empty() && !key.is_empty()) {
        return Err(FormatError::Sums(format!("{:?} is there without an object", shown(key))));
    }
    Ok(())
}

/// What the rows of one page come to, to be compared with what the directory says of them.
#[derive(Default)]
struct Page {
    at: u64,
    claimed: Entry,
    seen: Entry,
}

impl Page {
    /// Takes a row, which may be the first of the next page.
    fn add<R: ReadAt>(&mut self, row: &Cursor<'_, R>) -> Result<(), FormatError> {
        if let Some((at, entry)) = row.page().filter(|(at, _)| *at != self.at) {
            self.close()?;
            let seen = Entry { first: row.key().to_vec(), max_objects: 0, max_bytes: 0, ..entry.clone() };
            (self.at, self.claimed, self.seen) = (*at, entry.clone(), seen);
        }
        self.seen.widen(row.cells()).ok_or_else(|| FormatError::Overflow(shown(row.key())))
    }

    fn close(&self) -> Result<(), FormatError> {
        if self.seen == self.claimed {
            return Ok(());
        }
        Err(FormatError::damaged("page", self.at, "its rows are not what the directory says"))
    }
}

fn check_head<R: ReadAt>(reader: &Reader<R>) -> Result<(), FormatError> {
    let head = reader.head()?;
    if &head == MAGIC { Ok(()) } else { Err(FormatError::NotAnIndex("it does not begin with S3INVIDX")) }
}

fn check_root<R: ReadAt>(reader: &Reader<R>, cells: &[Cell]) -> Result<(), FormatError> {
    let objects = cells.iter().try_fold(0u64, |sum, c| sum.checked_add(c.objects));
    let counts = &reader.info().counts;
    if objects.is_some() && counts.counted() == objects {
        return Ok(());
    }
    let text = format!("{} rows less the excluded ones are not the root's objects", counts.rows);
    Err(FormatError::Sums(text))
}

/// The children of one prefix: what they may add up to, and where its own children are looked for.
struct Group<'a, R> {
    /// Whose children these are.
    parent: Vec<u8>,
    /// What its parent has and its children have not used up.
    left: Vec<Cell>,
    /// Goes through these children again, to find each one's cells when its own group comes.
    children: Cursor<'a, R>,
}

impl<'a, R: ReadAt> Group<'a, R> {
    /// The group that holds nothing but the root.
    fn of_root(mut at_root: Cursor<'a, R>) -> Self {
        at_root.stay();
        Self { parent: Vec::new(), left: Vec::new(), children: at_root }
    }

    /// The cells of the child named `key`; children are asked for in their order.
    fn find(&mut self, key: &[u8]) -> Result<Vec<Cell>, FormatError> {
        while self.children.advance()? {
            if self.children.key() == key {
                return Ok(self.children.cells().to_vec());
            }
            if prefix::compare(self.children.key(), key).is_gt() {
                break;
            }
        }
        Err(FormatError::Sums(format!("{:?} has children, but is missing", shown(key))))
    }

    fn subtract(&mut self, key: &[u8], cells: &[Cell]) -> Result<(), FormatError> {
        for cell in cells {
            let left = self.left.iter_mut().find(|l| l.column == cell.column);
            let rest = left.and_then(|left| {
                left.objects = left.objects.checked_sub(cell.objects)?;
                left.bytes = left.bytes.checked_sub(cell.bytes)?;
                Some(())
            });
            rest.ok_or_else(|| {
                FormatError::Sums(format!("{:?} and its siblings hold more than their parent", shown(key)))
            })?;
        }
        Ok(())
    }

    /// What is left belongs to objects that lie in the parent itself: without objects, no bytes.
    fn close(self) -> Result<(), FormatError> {
        if self.left.iter().any(|left| left.objects == 0 && left.bytes > 0) {
            let text = format!("{:?} has bytes of no object", shown(&self.parent));
            return Err(FormatError::Sums(text));
        }
        Ok(())
    }
}

/// The groups from the root down to the one that is being read.
struct Groups<'a, R> {
    open: Vec<Group<'a, R>>,
}

impl<'a, R: ReadAt> Groups<'a, R> {
    /// Takes a row into its group, which is opened if the row is the first of it.
    fn add(&mut self, row: &Cursor<'a, R>) -> Result<(), FormatError> {
        let (parent, _) = prefix::split(row.key());
        let level = prefix::depth(row.key());
        let same = self.open.get(level).is_some_and(|group| group.parent == parent);
        if !same {
            self.close_to(level)?;
            self.open_group(parent, row)?;
        }
        match self.open.get_mut(level) {
            Some(group) => group.subtract(row.key(), row.cells()),
            None => Err(FormatError::Sums(format!("{:?} has no parent", shown(row.key())))),
        }
    }

    fn open_group(&mut self, parent: &[u8], row: &Cursor<'a, R>) -> Result<(), FormatError> {
        let Some(above) = self.open.last_mut() else { return Ok(()) };
        let left = above.find(parent)?;
        let mut children = row.clone();
        children.stay();
        self.open.push(Group { parent: parent.to_vec(), left, children });
        Ok(())
    }

    /// Ends all groups below a level.
    fn close_to(&mut self, level: usize) -> Result<(), FormatError> {
        self.open.drain(level.min(self.open.len())..).rev().try_for_each(Group::close)
    }
}
