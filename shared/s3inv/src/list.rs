//! The directories of a scope in the order that people want, and what is not among those that are shown.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use s3inv_index_format::{FormatError, ReadAt, Span};
use s3inv_model::{Cell, Count, prefix};
use s3inv_pricing::Cost;

use crate::rows::Rows;
use crate::sums::more_in_children;
use crate::{Counted, Filter, Index, Scope};

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The most bytes.
    #[default]
    Bytes,
    /// The most objects.
    Objects,
    /// The highest cost, if the index is [`priced`](Index::priced).
    Cost,
    /// What was modified last.
    Newest,
    /// The least parent, then the least name: the order of the index.
    Name,
}

/// What to list.
#[derive(Clone, Debug)]
pub struct List {
    /// Which prefixes, and what is counted of them.
    pub filter: Filter,
    /// What comes first. Equal ones are in the order of their bytes.
    pub order: Order,
    /// How many at most: no more are kept in memory.
    pub limit: usize,
    /// How many levels below the scope.
    pub levels: usize,
}

impl Default for List {
    fn default() -> Self {
        Self { filter: Filter::default(), order: Order::default(), limit: usize::MAX, levels: 1 }
    }
}

/// A prefix of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The prefix.
    pub prefix: Vec<u8>,
    /// Its current objects, or those of the class that is listed.
    pub count: Count,
    /// What all its versions cost a month, or those of the class that is listed: nothing, where the index isn't
    /// [`priced`](Index::priced).
    pub cost: Cost,
    /// When one of its current objects was modified last, of whatever class: milliseconds since 1970, UTC.
    pub newest: Option<u64>,
}

/// What a list is a part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Prefixes that were not listed: for the filter, or for the limit.
    pub more: u64,
    /// What those of them have that are one level below the scope.
    pub more_held: Held,
    /// What all that are one level below the scope have.
    pub directories: Held,
}

impl Rest {
    /// What lies directly in a prefix that holds so much, whose directories were listed.
    pub fn directly_in(&self, prefix: &[u8], all: Held) -> Result<Held, FormatError> {
        let count = minus(all.count, self.directories.count).ok_or_else(|| more_in_children(prefix))?;
        Ok(Held { count, cost: all.cost - self.directories.cost })
    }
}

/// What a prefix has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// As [`Listed::count`].
    pub count: Count,
    /// As [`Listed::cost`].
    pub cost: Cost,
}

impl Listed {
    /// What it has.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { count: self.count, cost: self.cost }
    }
}

impl<R: ReadAt> Index<R> {
    /// Has what [`sums`](Self::sums) and [`list`](Self::list) need of a scope fetched at once, if the index is remote.
    /// They do without it, one after the other.
    pub fn will_list(&self, scope: &Scope) -> Result<(), FormatError> {
        // Of a file with tables, a row is found without its page.
        let row = scope.exact().filter(|_| !self.reader().has_tables()).map(Span::row);
        let spans: Vec<_> = row.into_iter().chain([scope.directories()]).collect();
        self.reader().will_read(&spans)
    }

    /// Has the directories of some scopes fetched at once.
    pub(crate) fn will_list_children<'s>(
        &self,
        scopes: impl Iterator<Item = &'s Scope>,
    ) -> Result<(), FormatError> {
        self.reader().will_read(&scopes.map(Scope::directories).collect::<Vec<_>>())
    }

    /// Lists a scope: `each` is given what is listed, in its order. In the order of names that is while
    /// it is read.
    ///
    /// All prefixes of these levels are read, whatever the filter is: of those that are left out, the [`Rest`] tells how
    /// many they are and what they have. [`Rows::only`] reads less.
    pub fn list<E: From<FormatError>>(
        &self,
        scope: &Scope,
        list: &List,
        each: impl FnMut(Listed) -> Result<(), E>,
    ) -> Result<Rest, E> {
        let mut rows = self.down_to(scope, list.levels)?;
        self.list_rows(&mut rows, scope, list, each)
    }

    /// The same of the rows that this is about.
    pub(crate) fn list_rows<E: From<FormatError>>(
        &self,
        rows: &mut Rows<'_, R>,
        scope: &Scope,
        list: &List,
        mut each: impl FnMut(Listed) -> Result<(), E>,
    ) -> Result<Rest, E> {
        let base = prefix::depth(scope.parent());
        let mut pass = Pass { index: self, list, base, rest: Rest::default() };
        if list.order == Order::Name {
            let mut left = list.limit;
            while let Some(held) = pass.advance(rows)? {
                if left > 0 {
                    left -= 1;
                    each(listed(rows, held))?;
                } else {
                    pass.leave(rows.key(), held);
                }
            }
        } else {
            pass.first(rows)?.into_iter().try_for_each(each)?;
        }
        Ok(pass.rest)
    }

    /// What is counted of cells, and what it costs.
    #[must_use]
    pub fn held(&self, counted: Counted, cells: &[Cell]) -> Held {
        let cost = self.rates().map_or(Cost::ZERO, |rates| match counted {
            Counted::All => rates.total(cells),
            Counted::Class(_) => {
                let billed = cells.iter().filter(|cell| counted.bills(cell));
                billed.map(|cell| rates.total(std::slice::from_ref(cell))).sum()
            }
        });
        Held { count: counted.of(cells), cost }
    }
}

/// Goes through rows for a list.
struct Pass<'a, R> {
    index: &'a Index<R>,
    list: &'a List,
    base: usize,
    rest: Rest,
}

impl<R: ReadAt> Pass<'_, R> {
    /// Goes to the next row that passes the filter; what it has.
    fn advance(&mut self, rows: &mut Rows<'_, R>) -> Result<Option<Held>, FormatError> {
        let counted = self.list.filter.counted;
        while rows.advance()? {
            let held = self.index.held(counted, rows.cells());
            if counted != Counted::All && held == Held::default() {
                // It has nothing of that class.
                continue;
            }
            if self.is_directory(rows.key()) {
                plus(&mut self.rest.directories, held);
            }
            if self.list.filter.passes_count(rows.key(), held.count) {
                return Ok(Some(held));
            }
            self.leave(rows.key(), held);
        }
        Ok(None)
    }

    fn is_directory(&self, key: &[u8]) -> bool {
        self.list.levels == 1 || prefix::depth(key) == self.base + 1
    }

    fn leave(&mut self, key: &[u8], held: Held) {
        self.rest.more += 1;
        if self.is_directory(key) {
            plus(&mut self.rest.more_held, held);
        }
    }

    /// Those that come first, in their order.
    fn first(&mut self, rows: &mut Rows<'_, R>) -> Result<Vec<Listed>, FormatError> {
        let mut first = BinaryHeap::new();
        while let Some(held) = self.advance(rows)? {
            let rank = self.rank(held, rows);
            if first.len() >= self.list.limit {
                let is_last = |Reverse(Ranked { rank: last, prefix: Reverse(key), .. }): &Reverse<Ranked>| {
                    (rank, Reverse(rows.key())) < (*last, Reverse(key.as_slice()))
                };
                if first.peek().is_none_or(is_last) {
                    self.leave(rows.key(), held);
                    continue;
                }
                if let Some(Reverse(Ranked { listed, prefix: Reverse(key), .. })) = first.pop() {
                    self.leave(&key, listed.held);
                }
            }
            let listed = Known { held, newest: newest(rows) };
            first.push(Reverse(Ranked { rank, prefix: Reverse(rows.key().to_vec()), listed }));
        }
        Ok(first.into_sorted_vec().into_iter().map(|Reverse(ranked)| ranked.into()).collect())
    }

    /// What is greater comes first.
    fn rank(&self, held: Held, rows: &Rows<'_, R>) -> i128 {
        match self.list.order {
            Order::Bytes => held.count.bytes.into(),
            Order::Objects => held.count.objects.into(),
            Order::Cost => held.cost.units(),
            Order::Newest | Order::Name => newest(rows).unwrap_or(0).into(),
        }
    }
}

/// What is greater comes first. No two have the same prefix.
struct Ranked {
    rank: i128,
    prefix: Reverse<Vec<u8>>,
    listed: Known,
}

/// What is known of a prefix.
struct Known {
    held: Held,
    newest: Option<u64>,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.rank, &self.prefix).cmp(&(other.rank, &other.prefix))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl From<Ranked> for Listed {
    fn from(Ranked { prefix: Reverse(prefix), listed: Known { held, newest }, .. }: Ranked) -> Self {
        Self { prefix, count: held.count, cost: held.cost, newest }
    }
}

fn listed<R: ReadAt>(rows: &Rows<'_, R>, Held { count, cost }: Held) -> Listed {
    Listed { prefix: rows.key().to_vec(), count, cost, newest: newest(rows) }
}

fn newest<R: ReadAt>(rows: &Rows<'_, R>) -> Option<u64> {
    (!rows.dates().is_none()).then_some(rows.dates().newest)
}

/// Sums of a prefix's children; what is more than 64 bits is more than the prefix has.
fn plus(sum: &mut Held, held: Held) {
    sum.count.objects = sum.count.objects.saturating_add(held.count.objects);
    sum.count.bytes = sum.count.bytes.saturating_add(held.count.bytes);
    sum.cost = sum.cost + held.cost;
}

fn minus(all: Count, part: Count) -> Option<Count> {
    let objects = all.objects.checked_sub(part.objects)?;
    Some(Count { objects, bytes: all.bytes.checked_sub(part.bytes)? })
}
