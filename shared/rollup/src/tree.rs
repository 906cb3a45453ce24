//! Directories with their ancestors, and sums over all that lies below each.
//!
//! Directories come in bytewise order, so that all below a prefix come together: a stack of open
//! prefixes is enough to find the ancestors, and a prefix's sums go to its parent when it is closed.

use s3inv_model::{Cell, ColumnId, prefix};

use crate::cells::{CellPool, NONE, Refused};
use crate::table::Table;

/// A prefix: its name in the table's names, where the nodes below it end, and its first cell.
#[derive(Clone, Copy)]
struct Node {
    key: u32,
    len: u16,
    column: ColumnId,
    objects: u64,
    bytes: u64,
    end: u32,
    more: u32,
}

/// The bytes of a node.
pub(crate) const NODE: usize = size_of::<Node>();
/// The column of a node without cells.
const NO_COLUMN: ColumnId = ColumnId::MAX;

/// Nodes in bytewise order, each before those below it; the root first.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    limit: usize,
    more: CellPool,
    /// The open prefixes, from the root on.
    open: Vec<u32>,
    /// Objects that were added.
    objects: u64,
}

impl Tree {
    pub(crate) fn new(nodes: usize, cells: usize) -> Self {
        let limit = nodes.max(1);
        Self {
            nodes: Vec::with_capacity(limit),
            limit,
            more: CellPool::new(cells),
            open: Vec::new(),
            objects: 0,
        }
    }

    /// Forgets everything but the root.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.more.clear();
        self.objects = 0;
        self.open.clear();
        self.push(0, 0);
    }

    /// Objects in the tree.
    pub(crate) fn objects(&self) -> u64 {
        self.objects
    }

    /// Adds a directory of a table, which comes after all before it. Full, it takes nothing; a tree
    /// with nothing but the root takes any.
    pub(crate) fn add(&mut self, table: &Table, row: usize, columns: usize) -> Result<(), Refused> {
        let name = table.name(row);
        let keys = table.keys();
        let shared = self.shared_with_open(keys, name);
        // At worst each prefix that is open then gets a cell of every column.
        let depth = prefix::depth(name) + 1;
        let nodes = self.nodes.len() + depth;
        let cells = (depth + self.open.len()) * columns;
        if self.nodes.len() > 1 && (nodes > self.limit || cells > self.more.room()) {
            return Err(Refused::Full);
        }
        self.close_to(shared)?;
        self.open_all(table, row, shared);
        let top = self.open.last().map_or(0, |&top| top as usize);
        for cell in table.cells(row) {
            self.objects += cell.objects;
            self.add_cell(top, cell)?;
        }
        Ok(())
    }

    /// The length of the longest open prefix that `name` begins with.
    fn shared_with_open(&self, keys: &[u8], name: &[u8]) -> usize {
        let Some(&top) = self.open.last() else { return 0 };
        let top = &self.nodes[top as usize];
        let last = &keys[top.key as usize..][..usize::from(top.len)];
        let equal = last.iter().zip(name).take_while(|(a, b)| a == b).count();
        prefix::own_directory(&name[..equal]).len()
    }

    fn open_all(&mut self, table: &Table, row: usize, shared: usize) {
        let key = table.place_of_name(row);
        let name = table.name(row);
        for (at, _) in name.iter().enumerate().skip(shared).filter(|&(_, &b)| b == b'/') {
            self.push(key, (at + 1) as u16);
        }
    }

    fn push(&mut self, key: u32, len: u16) {
        self.open.push(self.nodes.len() as u32);
        let (column, objects, bytes) = (NO_COLUMN, 0, 0);
        self.nodes.push(Node { key, len, column, objects, bytes, end: 0, more: NONE });
    }

    /// Closes the open prefixes that are longer than `len`.
    fn close_to(&mut self, len: usize) -> Result<(), Refused> {
        while let Some(&top) = self.open.last() {
            if usize::from(self.nodes[top as usize].len) <= len {
                break;
            }
            self.open.pop();
            self.close(top as usize)?;
        }
        Ok(())
    }

    /// Closes all, the root too: the sums are complete.
    pub(crate) fn finish(&mut self) -> Result<(), Refused> {
        while let Some(top) = self.open.pop() {
            self.close(top as usize)?;
        }
        Ok(())
    }

    fn close(&mut self, at: usize) -> Result<(), Refused> {
        self.nodes[at].end = self.nodes.len() as u32;
        let Some(&parent) = self.open.last() else { return Ok(()) };
        let Node { column, objects, bytes, mut more, .. } = self.nodes[at];
        if column != NO_COLUMN {
            self.add_cell(parent as usize, Cell { column, objects, bytes })?;
        }
        while let Some((cell, next)) = self.more.get(more) {
            self.add_cell(parent as usize, cell)?;
            more = next;
        }
        Ok(())
    }

    fn add_cell(&mut self, at: usize, cell: Cell) -> Result<(), Refused> {
        let node = &mut self.nodes[at];
        if node.column == NO_COLUMN {
            (node.column, node.objects, node.bytes) = (cell.column, cell.objects, cell.bytes);
            return Ok(());
        }
        if node.column == cell.column {
            node.objects = node.objects.checked_add(cell.objects).ok_or(Refused::Overflow)?;
            node.bytes = node.bytes.checked_add(cell.bytes).ok_or(Refused::Overflow)?;
            return Ok(());
        }
        self.more.add(&mut node.more, cell, true)
    }

    /// Gives all nodes out by (parent, name): the root, then for each node in turn its children,
    /// which are found by skipping what lies below each. Every node is seen twice.
    pub(crate) fn each<E>(
        &self,
        keys: &[u8],
        mut visit: impl FnMut(&[u8], &[Cell]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut cells = Vec::new();
        let mut give = |at: usize| {
            let node = &self.nodes[at];
            self.gather(node, &mut cells);
            visit(&keys[node.key as usize..][..usize::from(node.len)], &cells)
        };
        give(0)?;
        for parent in 0..self.nodes.len() {
            let end = self.nodes[parent].end as usize;
            let mut child = parent + 1;
            while child < end {
                give(child)?;
                child = self.nodes[child].end as usize;
            }
        }
        Ok(())
    }

    fn gather(&self, node: &Node, cells: &mut Vec<Cell>) {
        cells.clear();
        if node.column == NO_COLUMN {
            return;
        }
        cells.push(Cell { column: node.column, objects: node.objects, bytes: node.bytes });
        if node.more != NONE {
            cells.extend(self.more.list(node.more));
            cells.sort_unstable_by_key(|cell| cell.column);
        }
    }
}
