//! Groups: rows of one parent, which stand together.

/// How a group says what its parent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A row of the page, to whose cells those of the group are added.
    Added = 0,
    /// A row of the page, which has the cells of the group and no others.
    Sum = 1,
    /// A row of the page.
    Row = 2,
    /// It is told.
    Told = 3,
    /// It has none: the group is the root.
    Root = 4,
}

/// A kind is told with a number, which is multiplied by this.
pub(super) const KINDS: u64 = 8;

impl Kind {
    pub(super) fn of(code: u64) -> Option<Self> {
        [Self::Added, Self::Sum, Self::Row, Self::Told, Self::Root].get((code % KINDS) as usize).copied()
    }
}

/// A row of a page, and the group that it is in.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) row: u32,
    pub(super) group: u32,
}

/// The rows of a page that may be parents of groups to come, the next one first. Parents ascend as strings of
/// bytes, and so do these: the rows of a group stand before what was left when it came.
#[derive(Clone, Default)]
pub(super) struct Candidates {
    /// For groups, the last one first, the next row and where rows end.
    left: Vec<(Candidate, u32)>,
}

impl Candidates {
    pub(super) fn clear(&mut self) {
        self.left.clear();
    }

    /// The next one.
    pub(super) fn first(&mut self) -> Option<Candidate> {
        while let Some(&(candidate, end)) = self.left.last() {
            if candidate.row < end {
                return Some(candidate);
            }
            self.left.pop();
        }
        None
    }

    /// Leaves out the next one.
    pub(super) fn pass(&mut self) {
        if let Some((candidate, _)) = self.left.last_mut() {
            candidate.row += 1;
        }
    }

    /// Takes in the rows of a group, from `row` to `end`.
    pub(super) fn push(&mut self, group: u32, row: u32, end: u32) {
        self.left.push((Candidate { row, group }, end));
    }
}
