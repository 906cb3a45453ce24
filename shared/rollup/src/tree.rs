//! Directories with their ancestors, and sums over all that lies below each.
//!
//! Directories come in bytewise order, so that all below a prefix come together: a stack of open
//! prefixes is enough to find the ancestors, and a prefix's sums go to its parent when it is closed.

use std::ops::Range;

use s3inv_model::{Bin, BinId, Cell, Dates, prefix};

use crate::bins::Bins;
use crate::table::{Refused, Table, peek_name};

/// A prefix: its name in the table's names, where the nodes below it end, and where its cells are.
#[derive(Clone, Copy)]
struct Node {
    key: u32,
    len: u16,
    cells_len: u16,
    cells_at: u32,
    end: u32,
    dates: Dates,
}

/// The bytes of a node.
pub(crate) const NODE: usize = size_of::<Node>();
/// The bytes of one of its cells.
pub(crate) const CELL: usize = size_of::<Cell>();

/// A prefix that is open: its sums so far, by bin.
#[derive(Default)]
struct Level {
    node: usize,
    cells: Vec<Cell>,
    dates: Dates,
}

/// Nodes that are given out together.
const GROUP: usize = 64;
/// Cells that a level keeps room for when it is closed.
const KEPT: usize = 64;

impl Level {
    fn add(&mut self, cell: Cell) -> Result<(), Refused> {
        match self.cells.binary_search_by_key(&cell.bin, |sum| sum.bin) {
            Ok(at) => self.cells[at] = self.cells[at].plus(cell).ok_or(Refused::Overflow)?,
            Err(at) => self.cells.insert(at, cell),
        }
        Ok(())
    }
}

/// Rows of an inventory, by what they are.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) current: u64,
    pub(crate) noncurrent: u64,
    pub(crate) markers: u64,
}

impl Added {
    fn add(&mut self, bin: BinId, objects: u64) {
        let count = match bin {
            bin if Bin::is_current(bin) => &mut self.current,
            bin if Bin::is_marker(bin) => &mut self.markers,
            _ => &mut self.noncurrent,
        };
        *count += objects;
    }
}

/// Nodes in bytewise order, each before those below it; the root first.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    most_nodes: usize,
    /// Cells of the nodes that are closed, those of each together.
    cells: Vec<Cell>,
    most_cells: usize,
    /// The open prefixes, from the root on; what is behind them is kept to be used again.
    levels: Vec<Level>,
    open: usize,
    bins: Bins,
    added: Added,
}

impl Tree {
    pub(crate) fn new(nodes: usize, cells: usize) -> Self {
        let most_nodes = nodes.max(1);
        Self {
            nodes: Vec::with_capacity(most_nodes),
            most_nodes,
            cells: Vec::with_capacity(cells),
            most_cells: cells,
            levels: Vec::new(),
            open: 0,
            bins: Bins::default(),
            added: Added::default(),
        }
    }

    /// Forgets everything but the root, and goes on with these bins.
    pub(crate) fn begin(&mut self, bins: Bins) {
        self.bins = bins;
        self.clear();
    }

    /// Forgets everything but the root.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.cells.clear();
        self.added = Added::default();
        self.open = 0;
        self.push(0, 0);
    }

    /// Whether nothing was added: the root is there in any case.
    pub(crate) fn is_empty(&self) -> bool {
        self.added == Added::default()
    }

    /// What is in the tree.
    pub(crate) fn added(&self) -> Added {
        self.added
    }

    /// How many cells of a directory an empty tree takes: one at least.
    pub(crate) fn most_at_once(&self, table: &Table, row: usize) -> usize {
        (self.most_cells / (prefix::depth(table.name(row)) + 1)).max(1)
    }

    /// Adds some of the cells of a directory of a table, which comes after all before it. Full, it takes
    /// nothing; an empty tree takes [`Tree::most_at_once`].
    pub(crate) fn add(&mut self, table: &Table, row: usize, cells: &Range<usize>) -> Result<(), Refused> {
        let name = table.name(row);
        let depth = prefix::depth(name) + 1;
        let alone = self.is_empty() && cells.len() <= self.most_at_once(table, row);
        if !alone && !self.has_room(depth, cells.len()) {
            return Err(Refused::Full);
        }
        let shared = self.shared_with_open(table.keys(), name);
        self.close_to(shared)?;
        let key = table.place_of_name(row);
        for (at, _) in name.iter().enumerate().skip(shared).filter(|&(_, &b)| b == b'/') {
            self.push(key, (at + 1) as u16);
        }
        let Some(top) = self.levels[..self.open].last_mut() else { return Ok(()) };
        let mut current = false;
        for cell in table.cells(row).skip(cells.start).take(cells.len()) {
            self.added.add(cell.bin, cell.objects);
            current |= Bin::is_current(cell.bin);
            top.add(Cell { bin: self.bins.name(cell.bin), ..cell })?;
        }
        if current {
            top.dates = top.dates.merge(table.dates(row));
        }
        Ok(())
    }

    /// Whether a directory of such a depth and so many cells fits, and all that is then open can be
    /// closed: at worst, what one prefix has is new to all above it.
    fn has_room(&self, depth: usize, cells: usize) -> bool {
        let bins = self.bins.len();
        let open = self.levels[..self.open].iter().zip(1..).map(|(level, above)| above * level.cells.len());
        let to_come = (open.sum::<usize>() + depth * cells).min((self.open + depth) * bins);
        self.nodes.len() + depth <= self.most_nodes && self.cells.len() + to_come <= self.most_cells
    }

    /// The length of the longest open prefix that `name` begins with.
    fn shared_with_open(&self, keys: &[u8], name: &[u8]) -> usize {
        let Some(top) = self.levels[..self.open].last() else { return 0 };
        let top = &self.nodes[top.node];
        let last = &keys[top.key as usize..][..usize::from(top.len)];
        let equal = prefix::shared_len(last, name);
        prefix::own_directory(&name[..equal]).len()
    }

    fn push(&mut self, key: u32, len: u16) {
        if self.open == self.levels.len() {
            self.levels.push(Level::default());
        }
        self.levels[self.open].node = self.nodes.len();
        self.levels[self.open].dates = Dates::NONE;
        self.open += 1;
        self.nodes.push(Node { key, len, cells_len: 0, cells_at: 0, end: 0, dates: Dates::NONE });
    }

    /// Closes the open prefixes that are longer than `len`.
    fn close_to(&mut self, len: usize) -> Result<(), Refused> {
        while let Some(top) = self.levels[..self.open].last() {
            if usize::from(self.nodes[top.node].len) <= len {
                break;
            }
            self.close()?;
        }
        Ok(())
    }

    /// Closes all, the root too: the sums are complete.
    pub(crate) fn finish(&mut self) -> Result<(), Refused> {
        while self.open > 0 {
            self.close()?;
        }
        Ok(())
    }

    /// Closes the last open prefix: its sums are complete, and part of its parent's.
    fn close(&mut self) -> Result<(), Refused> {
        let (above, top) = self.levels[..self.open].split_at_mut(self.open - 1);
        let (top, mut parent) = (&mut top[0], above.last_mut());
        let end = self.nodes.len() as u32;
        let node = &mut self.nodes[top.node];
        (node.end, node.dates) = (end, top.dates);
        (node.cells_at, node.cells_len) = (self.cells.len() as u32, top.cells.len() as u16);
        self.cells.extend_from_slice(&top.cells);
        if let Some(parent) = &mut parent {
            top.cells.iter().try_for_each(|&cell| parent.add(cell))?;
        }
        top.cells.clear();
        top.cells.shrink_to(KEPT);
        if let Some(parent) = parent {
            parent.dates = parent.dates.merge(top.dates);
        }
        self.open -= 1;
        Ok(())
    }

    /// Gives all nodes out by (parent, name): the root, then for each node in turn its children.
    pub(crate) fn each<E>(
        &self,
        keys: &[u8],
        mut visit: impl FnMut(&[u8], &[Cell], Dates) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut order = self.by_parent();
        let mut group: Vec<&Node> = Vec::with_capacity(GROUP);
        loop {
            group.clear();
            group.extend(order.by_ref().take(GROUP));
            if group.is_empty() {
                return Ok(());
            }
            // Names lie as they came: the processor waits for all of them at once.
            let peeked = group.iter().fold(0, |all, node| all ^ peek_name(keys, node.key, node.len));
            std::hint::black_box(peeked);
            for node in &group {
                let key = &keys[node.key as usize..][..usize::from(node.len)];
                visit(key, &self.cells[node.cells_at as usize..][..usize::from(node.cells_len)], node.dates)?;
            }
        }
    }

    /// All nodes by (parent, name). The children of one are found by skipping what lies below each, so
    /// that every node is seen twice.
    fn by_parent(&self) -> impl Iterator<Item = &Node> {
        let children = move |parent: usize| {
            let end = self.nodes[parent].end as usize;
            let mut next = parent + 1;
            std::iter::from_fn(move || {
                let child = self.nodes.get(next).filter(|_| next < end)?;
                next = child.end as usize;
                Some(child)
            })
        };
        self.nodes.first().into_iter().chain((0..self.nodes.len()).flat_map(children))
    }
}
