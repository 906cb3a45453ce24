//! Checks everything that a file promises: checksums (I4), order, sums (I2), and what the directory
//! and the info say of the rows.

use s3inv_model::{Bin, BinId, Cell, Dates, Excluded, Measure, Schema, SizeBin, Sums, prefix};

use crate::check_tables::Tables;
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
    check_cells(&reader.info().schema, &rows)?;
    let mut page = Page::default();
    page.add(&rows)?;
    let mut tables = Tables::new(reader);
    tables.add(rows.key(), rows.cells(), rows.dates())?;
    let mut groups = Groups { open: vec![Group::of_root(rows.clone())] };
    let mut last = Vec::new();
    let (mut count, mut depth) = (1, 0);
    while rows.advance()? {
        if prefix::compare(&last, rows.key()).is_ge() {
            let (previous, got) = (shown(&last), shown(rows.key()));
            return Err(FormatError::OutOfOrder { previous, got }.into());
        }
        check_cells(&reader.info().schema, &rows)?;
        page.add(&rows)?;
        tables.add(rows.key(), rows.cells(), rows.dates())?;
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
    tables.close()?;
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

fn wrong<T>(key: &[u8], what: &str) -> Result<T, FormatError> {
    Err(FormatError::Sums(format!("{:?} {what}", shown(key))))
}

/// What is absent takes no cell, no prefix is there without objects but the root, bins tell what is
/// measured, objects of a size band have the bytes for it, and no object has two dates.
fn check_cells<R: ReadAt>(schema: &Schema, row: &Cursor<'_, R>) -> Result<(), FormatError> {
    let (key, cells) = (row.key(), row.cells());
    if cells.iter().any(|cell| cell.objects == 0) || (cells.is_empty() && !key.is_empty()) {
        return wrong(key, "is there without an object");
    }
    if !cells.iter().all(|cell| tells(schema, cell.bin)) {
        return wrong(key, "has bins that are not of the measures");
    }
    if schema.measures.has(Measure::Bytes) && !cells.iter().all(fits_band) {
        return wrong(key, "has bytes that its size bands can't hold");
    }
    if current(cells) < dated(row.dates(), Dates::NONE) {
        return wrong(key, "has dates of no object");
    }
    Ok(())
}

/// Whether a bin tells what is measured, and nothing else. Which classes have a minimum is not asked:
/// there may be others by now.
fn tells(Schema { measures, classes }: &Schema, bin: BinId) -> bool {
    let Bin::Objects { class, current, size, age } = Bin::of(bin) else {
        return measures.has(Measure::Noncurrent);
    };
    let banded = current && measures.has(Measure::Size);
    let sized = match size {
        SizeBin::Band(_) => banded,
        SizeBin::Untold => !banded,
        SizeBin::Small | SizeBin::Large => !banded && measures.has(Measure::Cost),
    };
    let named = classes.name(class).is_some_and(|name| !name.is_empty());
    sized
        && (current || measures.has(Measure::Noncurrent))
        && age.is_some() == (current && measures.has(Measure::Age))
        && named == measures.has(Measure::Classes)
}

fn fits_band(cell: &Cell) -> bool {
    let Bin::Objects { size, .. } = Bin::of(cell.bin) else { return cell.bytes == 0 };
    let (least, most) = size.range();
    let [objects, bytes, least, most] = [cell.objects, cell.bytes, least, most].map(u128::from);
    (objects * least..=objects * most).contains(&bytes)
}

/// Current objects; all cells of a row fit 64 bits together.
fn current(cells: &[Cell]) -> u64 {
    cells.iter().filter(|cell| Bin::is_current(cell.bin)).map(|cell| cell.objects).sum()
}

/// How many objects it takes to have these dates, beside those that have been `seen`.
fn dated(dates: Dates, seen: Dates) -> u64 {
    let (oldest, newest) = (seen.oldest != dates.oldest, seen.newest != dates.newest);
    if dates.oldest == dates.newest {
        (oldest || newest).into()
    } else {
        u64::from(oldest) + u64::from(newest)
    }
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
            let first = row.key().to_vec();
            let seen = Entry { first, max_objects: 0, max_bytes: 0, max_noncurrent: 0, ..entry.clone() };
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
    if &head != MAGIC {
        return Err(FormatError::NotAnIndex("it does not begin with S3INVIDX"));
    }
    let padding = reader.pages().start - head.len() as u64;
    if reader.is_zero(head.len() as u64, padding)? {
        return Ok(());
    }
    Err(FormatError::damaged("file", head.len() as u64, "what is before its pages is not zeros"))
}

fn check_root<R: ReadAt>(reader: &Reader<R>, cells: &[Cell]) -> Result<(), FormatError> {
    let Info { counts, schema, .. } = reader.info();
    let sum = |of: fn(BinId) -> bool| cells.iter().filter(|c| of(c.bin)).map(|c| c.objects).sum::<u64>();
    if counts.current() != Some(current(cells)) {
        let text = format!("{} rows less the excluded ones are not the root's objects", counts.rows);
        return Err(FormatError::Sums(text));
    }
    let known = schema.measures.has(Measure::Noncurrent);
    let of = |reason| if known { counts.of(reason) } else { 0 };
    let others = (of(Excluded::Noncurrent), of(Excluded::DeleteMarker));
    if others != (sum(Bin::is_noncurrent), sum(Bin::is_marker)) {
        let text =
            "the root's noncurrent objects and delete markers are not the rows that were so".to_owned();
        return Err(FormatError::Sums(text));
    }
    Ok(())
}

/// The children of one prefix: what they may add up to, and where its own children are looked for.
struct Group<'a, R> {
    /// Whose children these are.
    parent: Vec<u8>,
    /// What its parent has and its children have not used up.
    left: Vec<Cell>,
    /// The parent's, which its children's lie in, and the children's.
    dates: Dates,
    seen: Dates,
    /// Whether bytes are measured.
    sized: bool,
    /// Goes through these children again, to find each one's cells when its own group comes.
    children: Cursor<'a, R>,
}

impl<'a, R: ReadAt> Group<'a, R> {
    /// The group that holds nothing but the root.
    fn of_root(mut at_root: Cursor<'a, R>) -> Self {
        at_root.stay();
        Self::new(&[], Sums { cells: Vec::new(), dates: Dates::NONE }, at_root)
    }

    fn new(parent: &[u8], Sums { cells: left, dates }: Sums, children: Cursor<'a, R>) -> Self {
        let sized = children.info().schema.measures.has(Measure::Bytes);
        Self { parent: parent.to_vec(), left, dates, seen: Dates::NONE, sized, children }
    }

    /// What is said of the child named `key`; children are asked for in their order.
    fn find(&mut self, key: &[u8]) -> Result<Sums, FormatError> {
        while self.children.advance()? {
            if self.children.key() == key {
                return Ok(Sums { cells: self.children.cells().to_vec(), dates: self.children.dates() });
            }
            if prefix::compare(self.children.key(), key).is_gt() {
                break;
            }
        }
        Err(FormatError::Sums(format!("{:?} has children, but is missing", shown(key))))
    }

    fn subtract(&mut self, key: &[u8], cells: &[Cell], dates: Dates) -> Result<(), FormatError> {
        if self.dates.merge(dates) != self.dates {
            return wrong(key, "has objects older or newer than its parent has");
        }
        self.seen = self.seen.merge(dates);
        let mut left = self.left.iter_mut();
        for cell in cells {
            // Both are by ascending bin.
            let rest = left.find(|left| left.bin == cell.bin).and_then(|left| {
                left.objects = left.objects.checked_sub(cell.objects)?;
                left.bytes = left.bytes.checked_sub(cell.bytes)?;
                Some(())
            });
            if rest.is_none() {
                return wrong(key, "and its siblings hold more than their parent");
            }
        }
        Ok(())
    }

    /// What is left belongs to objects that lie in the parent itself: they have the bytes for their
    /// bands, and the dates that the children don't have.
    fn close(self) -> Result<(), FormatError> {
        if current(&self.left) < dated(self.dates, self.seen) {
            return wrong(&self.parent, "has dates of no object");
        }
        if self.left.iter().any(|left| left.objects == 0 && left.bytes > 0) {
            return wrong(&self.parent, "has bytes of no object");
        }
        if self.sized && !self.left.iter().all(fits_band) {
            return wrong(&self.parent, "has bytes, beside its children's, that its size bands can't hold");
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
            Some(group) => group.subtract(row.key(), row.cells(), row.dates()),
            None => Err(FormatError::Sums(format!("{:?} has no parent", shown(row.key())))),
        }
    }

    fn open_group(&mut self, parent: &[u8], row: &Cursor<'a, R>) -> Result<(), FormatError> {
        let Some(above) = self.open.last_mut() else { return Ok(()) };
        let sums = above.find(parent)?;
        let mut children = row.clone();
        children.stay();
        self.open.push(Group::new(parent, sums, children));
        Ok(())
    }

    /// Ends all groups below a level.
    fn close_to(&mut self, level: usize) -> Result<(), FormatError> {
        self.open.drain(level.min(self.open.len())..).rev().try_for_each(Group::close)
    }
}
