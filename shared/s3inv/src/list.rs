//! The directories of a scope in the order that people want, and what is not among those that are shown.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use s3inv_index_format::{FormatError, ReadAt, Span};
use s3inv_model::{Count, prefix};

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
    /// When one of its current objects was modified last, of whatever class: milliseconds since 1970, UTC.
    pub newest: Option<u64>,
}

/// What a list is a part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Prefixes that were not listed: for the filter, or for the limit.
    pub more: u64,
    /// What those of them have that are one level below the scope.
    pub more_count: Count,
    /// What all that are one level below the scope have.
    pub directories: Count,
}

impl Rest {
    /// What lies directly in a prefix with these objects, whose directories were listed.
    pub fn directly_in(&self, prefix: &[u8], all: Count) -> Result<Count, FormatError> {
        minus(all, self.directories).ok_or_else(|| more_in_children(prefix))
    }
}

impl<R: ReadAt> Index<R> {
    /// Has what [`sums`](Self::sums) and [`list`](Self::list) need of a scope fetched at once, if it is remote. They
    /// do without it, one after the other.
    pub fn will_list(&self, scopes: &[Scope]) -> Result<(), FormatError> {
        let row = |scope: &Scope| scope.exact().map(Span::row);
        let children = |scope: &Scope| {
            let (parent, name) = scope.split();
            Span::children(parent, name)
        };
        let spans: Vec<_> = scopes.iter().map(children).chain(scopes.iter().filter_map(row)).collect();
        self.reader().will_read(&spans)
    }

    /// Lists a scope: `each` is given what is listed, in its order. In the order of names that is while
    /// it is read.
    pub fn list<E: From<FormatError>>(
        &self,
        scope: &Scope,
        list: &List,
        mut each: impl FnMut(Listed) -> Result<(), E>,
    ) -> Result<Rest, E> {
        let mut pass = Pass { list, base: prefix::depth(scope.parent()), rest: Rest::default() };
        let mut rows = self.down_to(scope, list.levels)?;
        if list.order == Order::Name {
            let mut left = list.limit;
            while let Some(count) = pass.advance(&mut rows)? {
                if left > 0 {
                    left -= 1;
                    each(listed(&rows, count))?;
                } else {
                    pass.leave(rows.key(), count);
                }
            }
        } else {
            pass.first(&mut rows)?.into_iter().try_for_each(each)?;
        }
        Ok(pass.rest)
    }
}

/// Goes through rows for a list.
struct Pass<'a> {
    list: &'a List,
    base: usize,
    rest: Rest,
}

impl Pass<'_> {
    /// Goes to the next row that passes the filter; what it has.
    fn advance<R: ReadAt>(&mut self, rows: &mut Rows<'_, R>) -> Result<Option<Count>, FormatError> {
        while rows.advance()? {
            let count = self.list.filter.counted.of(rows.cells());
            if count.objects == 0 && self.list.filter.counted != Counted::All {
                // It has nothing of that class.
                continue;
            }
            if self.is_directory(rows.key()) {
                plus(&mut self.rest.directories, count);
            }
            if self.list.filter.passes_count(rows.key(), count) {
                return Ok(Some(count));
            }
            self.leave(rows.key(), count);
        }
        Ok(None)
    }

    fn is_directory(&self, key: &[u8]) -> bool {
        self.list.levels == 1 || prefix::depth(key) == self.base + 1
    }

    fn leave(&mut self, key: &[u8], count: Count) {
        self.rest.more += 1;
        if self.is_directory(key) {
            plus(&mut self.rest.more_count, count);
        }
    }

    /// Those that come first, in their order.
    fn first<R: ReadAt>(&mut self, rows: &mut Rows<'_, R>) -> Result<Vec<Listed>, FormatError> {
        let mut first = BinaryHeap::new();
        while let Some(count) = self.advance(rows)? {
            let rank = match self.list.order {
                Order::Bytes => count.bytes,
                Order::Objects => count.objects,
                Order::Newest | Order::Name => newest(rows).unwrap_or(0),
            };
            if first.len() >= self.list.limit {
                let is_last = |Reverse(Ranked { rank: last, prefix: Reverse(key), .. }): &Reverse<Ranked>| {
                    (rank, Reverse(rows.key())) < (*last, Reverse(key.as_slice()))
                };
                if first.peek().is_none_or(is_last) {
                    self.leave(rows.key(), count);
                    continue;
                }
                if let Some(Reverse(Ranked { prefix: Reverse(key), count, .. })) = first.pop() {
                    self.leave(&key, Count { objects: count.0, bytes: count.1 });
                }
            }
            let (prefix, count) = (Reverse(rows.key().to_vec()), (count.objects, count.bytes));
            first.push(Reverse(Ranked { rank, prefix, count, newest: newest(rows) }));
        }
        Ok(first.into_sorted_vec().into_iter().map(|Reverse(ranked)| ranked.into()).collect())
    }
}

/// What is greater comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ranked {
    rank: u64,
    prefix: Reverse<Vec<u8>>,
    count: (u64, u64),
    newest: Option<u64>,
}

impl From<Ranked> for Listed {
    fn from(Ranked { prefix: Reverse(prefix), count: (objects, bytes), newest, .. }: Ranked) -> Self {
        Self { prefix, count: Count { objects, bytes }, newest }
    }
}

fn listed<R: ReadAt>(rows: &Rows<'_, R>, count: Count) -> Listed {
    Listed { prefix: rows.key().to_vec(), count, newest: newest(rows) }
}

fn newest<R: ReadAt>(rows: &Rows<'_, R>) -> Option<u64> {
    (!rows.dates().is_none()).then_some(rows.dates().newest)
}

/// Sums of a prefix's children; what is more than 64 bits is more than the prefix has.
fn plus(sum: &mut Count, count: Count) {
    sum.objects = sum.objects.saturating_add(count.objects);
    sum.bytes = sum.bytes.saturating_add(count.bytes);
}

fn minus(all: Count, part: Count) -> Option<Count> {
    let objects = all.objects.checked_sub(part.objects)?;
    Some(Count { objects, bytes: all.bytes.checked_sub(part.bytes)? })
}
