//! Sorting directories bytewise. Their names share long beginnings, so comparing whole names costs
//! most; here eight bytes at a time are fetched, sorted as integers, and only ties look further.

use crate::table::Table;

/// Eight bytes of a name as an integer, how many of them are real (9: and more follow), and the row.
type Item = (u64, u8, u32);
/// Ties that are looked ahead for.
const GROUP: usize = 64;
/// The bytes of an [`Item`].
pub(crate) const ITEM: usize = size_of::<Item>();

/// The rows of a table, by name; a name that is there twice, one behind the other. `between` is asked every
/// few parts, and can stop it.
pub(crate) fn sorted<E>(
    table: &Table,
    items: &mut Vec<Item>,
    between: &impl Fn() -> Result<(), E>,
) -> Result<(), E> {
    items.clear();
    items.extend((0..table.len() as u32).map(|row| (0, 0, row)));
    // Ranges of names that are equal up to a place, and that place.
    let mut ties = vec![(0, items.len(), 0)];
    while let Some((from, to, place)) = ties.pop() {
        if ties.len().is_multiple_of(GROUP) {
            between()?;
            peek(table, items, &ties);
        }
        let part = &mut items[from..to];
        let place = sort_at(table, part, place);
        let mut start = 0;
        while start < part.len() {
            let (head, real, _) = part[start];
            let same = part[start..].partition_point(|&(h, r, _)| (h, r) == (head, real));
            if same > 1 && real > 8 {
                ties.push((from + start, from + start + same, place + 8));
            }
            start += same;
        }
    }
    Ok(())
}

/// Has the processor fetch the names of the next ties, all at once: most ties are of two names or three,
/// which lie anywhere.
fn peek(table: &Table, items: &[Item], ties: &[(usize, usize, usize)]) {
    let next = ties.iter().rev().take(GROUP).flat_map(|&(from, to, _)| items[from..to].iter().take(4));
    std::hint::black_box(next.fold(0, |all, item| all ^ table.peek_at(item.2 as usize)));
}

/// Sorts by the eight bytes at the first place, not before `place`, where names differ; returns it.
fn sort_at(table: &Table, items: &mut [Item], place: usize) -> usize {
    let place = place + shared_beyond(table, items, place);
    for item in items.iter_mut() {
        let rest = &table.name(item.2 as usize)[place..];
        let mut head = [0; 8];
        let real = rest.len().min(8);
        head[..real].copy_from_slice(&rest[..real]);
        (item.0, item.1) = (u64::from_be_bytes(head), rest.len().min(9) as u8);
    }
    items.sort_unstable_by_key(|&(head, real, _)| (head, real));
    place
}

/// How many bytes all names share from `place` on.
fn shared_beyond(table: &Table, items: &[Item], place: usize) -> usize {
    let name = |item: &Item| &table.name(item.2 as usize)[place..];
    let Some((first, others)) = items.split_first() else { return 0 };
    let mut shared = name(first);
    for other in others {
        let equal = shared.iter().zip(name(other)).take_while(|(a, b)| a == b).count();
        shared = &shared[..equal];
        if equal == 0 {
            break;
        }
    }
    shared.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::table::{One, TableBudget};

    proptest! {
        #[test]
        fn names_come_in_bytewise_order(
            names in prop::collection::vec("(/|a|ab|long-shared-beginning|\\x00|\u{ff}){0,6}", 0..200)
        ) {
            let mut table = Table::new(TableBudget::new(1 << 20, &s3inv_model::Measures::default()));
            for name in &names {
                let one = One { bin: 0, size: 1, dates: s3inv_model::Dates::NONE };
                table.add(name.as_bytes(), Table::hash(name.as_bytes()), one).unwrap();
            }
            let mut items = Vec::new();
            sorted(&table, &mut items, &|| Ok::<(), ()>(())).unwrap();
            let mut got: Vec<_> = items.iter().map(|item| table.name(item.2 as usize)).collect();
            // Few of them come in order: some are there twice.
            got.dedup();
            let expected: BTreeSet<_> = names.iter().map(String::as_bytes).collect();
            prop_assert_eq!(got, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
