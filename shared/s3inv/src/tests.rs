//! What an index answers is what a plain map does.

mod diff;
mod filter;
mod remote;
mod top;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use proptest::prelude::*;
use s3inv_index_format::{FileKind, Form, Reader, Writer};
use s3inv_model::{Bin, Binning, Cell, Classes, Count, Dates, Measures, RowCounts, Schema, Sums, prefix};
use s3inv_pricing::{Cost, PriceTable};

use crate::{Counted, Filter, Held, Index, List, Listed, Order, Row, Scope};

/// Objects, each with its class, size and date.
type Objects = Vec<(Vec<u8>, u8, u64, u64)>;
/// The plain definition of an index.
type Plain = BTreeMap<Vec<u8>, Sums>;

const SNAPSHOT: u64 = 1_700_000_000_000;

fn schema() -> Schema {
    let mut classes = Classes::default();
    for class in ["GLACIER", "STANDARD"] {
        classes.add(class.as_bytes(), b"").unwrap();
    }
    Schema { measures: Measures::all(), classes }
}

fn roll_up(objects: &Objects) -> Plain {
    let schema = schema();
    let binning = Binning::new(&schema.measures, SNAPSHOT);
    let mut plain = Plain::from([(Vec::new(), Sums::default())]);
    for (key, class, size, modified) in objects {
        let cell = Cell {
            bin: binning.current(&schema.classes, *class, *size, *modified),
            objects: 1,
            bytes: *size,
        };
        for end in (0..=key.len()).filter(|&end| end == 0 || key[end - 1] == b'/') {
            let sums = plain.entry(key[..end].to_vec()).or_default();
            sums.add([cell].into_iter(), Dates::at(*modified)).unwrap();
        }
    }
    plain
}

fn index_of(plain: &Plain, lookup: bool) -> Index<Vec<u8>> {
    let form = Form { kind: FileKind::Index, ..Form::segment(lookup) };
    let mut writer = Writer::new(Vec::new(), form, &schema()).unwrap();
    let mut rows: Vec<_> = plain.iter().collect();
    rows.sort_by(|a, b| prefix::compare(a.0, b.0));
    for (key, Sums { cells, dates }) in rows {
        writer.push(key, cells, *dates).unwrap();
    }
    let file = writer.finish(RowCounts::default()).unwrap().0;
    Index::new("test".to_owned(), Reader::open(file).unwrap())
}

/// Names that sort around `/`, that begin each other, that are no text.
fn a_key() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        &b""[..],
        b"a",
        b"a-b",
        b"ab",
        b"b",
        b"2024-01",
        b"2024-02",
        b"\xff",
        b"\0",
    ]);
    prop::collection::vec(name, 1..6).prop_map(|names| names.join(&b'/'))
}

fn objects() -> impl Strategy<Value = Objects> {
    let object = (a_key(), 0u8..2, 0u64..300_000, SNAPSHOT - 10_000_000_000..SNAPSHOT);
    prop::collection::vec(object, 0..60)
}

/// Whether a prefix is below a scope, and how many levels.
fn level(scope: &[u8], key: &[u8]) -> Option<usize> {
    let base = prefix::depth(prefix::own_directory(scope));
    (key.len() > scope.len() && key.starts_with(scope)).then(|| prefix::depth(key) - base)
}

fn in_order(plain: &Plain, is: impl Fn(&[u8]) -> bool) -> Vec<Row> {
    let wanted = plain.iter().filter(|(key, _)| is(key));
    let mut rows: Vec<_> =
        wanted.map(|(prefix, sums)| Row { prefix: prefix.clone(), sums: sums.clone() }).collect();
    rows.sort_by(|a, b| prefix::compare(&a.prefix, &b.prefix));
    rows
}

fn total(rows: &[Row]) -> Option<Sums> {
    let mut total = Sums::default();
    for Row { sums, .. } in rows {
        total.add(sums.cells.iter().copied(), sums.dates).unwrap();
    }
    (!rows.is_empty()).then_some(total)
}

fn check(index: &Index<Vec<u8>>, plain: &Plain, text: &[u8]) -> Result<(), TestCaseError> {
    let scope = Scope::new(text);
    let below = in_order(plain, |key| level(text, key).is_some());
    let children = in_order(plain, |key| level(text, key) == Some(1));
    let rows = |rows: crate::Rows<'_, Vec<u8>>| rows.map(Result::unwrap).collect::<Vec<_>>();
    prop_assert_eq!(&rows(index.children(&scope).unwrap()), &children);
    prop_assert_eq!(&rows(index.below(&scope).unwrap()), &below);
    prop_assert_eq!(index.count_below(&scope).unwrap(), below.len() as u64);
    let deepest = below.iter().filter_map(|row| level(text, &row.prefix)).max().unwrap_or(0);
    prop_assert_eq!(index.levels_below(&scope).unwrap(), deepest);
    for levels in 1..5 {
        let down = in_order(plain, |key| level(text, key).is_some_and(|level| level <= levels));
        prop_assert_eq!(rows(index.down_to(&scope, levels).unwrap()), down);
        let at = in_order(plain, |key| level(text, key) == Some(levels));
        prop_assert_eq!(rows(index.at_level(&scope, levels).unwrap()), at);
    }
    let sums = if scope.exact().is_some() { plain.get(text).cloned() } else { total(&children) };
    prop_assert_eq!(index.sums(&scope).unwrap(), sums);
    check_directly(index, plain, text, &children)
}

/// What lies in a prefix is what is neither in its children nor elsewhere.
fn check_directly(
    index: &Index<Vec<u8>>,
    plain: &Plain,
    text: &[u8],
    children: &[Row],
) -> Result<(), TestCaseError> {
    let cells = index.directly_in(text).unwrap();
    prop_assert_eq!(cells.is_some(), plain.contains_key(text));
    if let Some(cells) = cells {
        let mut sums = total(children).unwrap_or_default();
        sums.add(cells.into_iter(), Dates::NONE).unwrap();
        prop_assert_eq!(&sums.cells, &plain[text].cells);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn an_index_answers_as_a_map(objects in objects(), texts in prop::collection::vec(a_key(), 5), lookup in any::<bool>()) {
        let plain = roll_up(&objects);
        let index = index_of(&plain, lookup);
        prop_assert_eq!(index.prefixes(), plain.len() as u64);
        for text in plain.keys().chain(&texts) {
            check(&index, &plain, text)?;
            check(&index, &plain, &text[..text.len().saturating_sub(2)])?;
        }
        let keys: Vec<&[u8]> = plain.keys().chain(&texts).map(Vec::as_slice).collect();
        let many = index.get_many(&keys).unwrap();
        prop_assert_eq!(many, keys.iter().map(|key| plain.get(*key).cloned()).collect::<Vec<_>>());
    }

    #[test]
    fn lists_are_what_sorting_all_gives(
        objects in objects(),
        text in a_key(),
        levels in 1usize..4,
        limit in prop_oneof![Just(usize::MAX), 0usize..6],
        order in prop::sample::select(vec![Order::Bytes, Order::Objects, Order::Cost, Order::Newest, Order::Name]),
        (min_objects, min_bytes) in (0u64..3, prop_oneof![Just(0), 0u64..200_000]),
        class in prop::option::of(0u8..2),
    ) {
        let plain = roll_up(&objects);
        let index = index_of(&plain, false).priced(&PriceTable::default()).unwrap();
        let counted = class.map_or(Counted::All, Counted::Class);
        let list = List { filter: Filter { counted, min_objects, min_bytes, pattern: None }, order, limit, levels };
        for text in [&b""[..], &text, prefix::own_directory(&text)] {
            let mut listed = Vec::new();
            let rest = index.list(&Scope::new(text), &list, |one| { listed.push(one); Ok::<_, crate::FormatError>(()) }).unwrap();
            let down = in_order(&plain, |key| level(text, key).is_some_and(|level| level <= levels));
            let all: Vec<_> = down.iter().map(|row| plain_listed(&index, row, counted)).filter(|one| class.is_none() || one.held() != Held::default()).collect();
            let mut first: Vec<_> = all.iter().filter(|one| one.count.objects >= min_objects && one.count.bytes >= min_bytes).cloned().collect();
            let rank = |one: &Listed| match order {
                Order::Bytes => one.count.bytes.into(),
                Order::Objects => one.count.objects.into(),
                Order::Cost => one.cost.units(),
                Order::Newest => one.newest.unwrap_or(0).into(),
                Order::Name => 0,
            };
            if order != Order::Name {
                first.sort_by(|a, b| rank(b).cmp(&rank(a)).then(a.prefix.cmp(&b.prefix)));
            }
            first.truncate(limit);
            prop_assert_eq!(&listed, &first);
            prop_assert_eq!(rest.more, (all.len() - first.len()) as u64);
            let level_1 = |ones: &[Listed]| sum(ones.iter().filter(|one| level(text, &one.prefix) == Some(1)));
            prop_assert_eq!(rest.directories, level_1(&all));
            prop_assert_eq!(sum([level_1(&first), rest.more_held].map(|Held { count, cost }| Listed { prefix: vec![], count, cost, newest: None }).iter()), rest.directories);
            if let Some(sums) = plain.get(text) {
                let directly = index.directly_in(text).unwrap().unwrap();
                prop_assert_eq!(rest.directly_in(text, index.held(counted, &sums.cells)).unwrap(), index.held(counted, &directly));
            }
        }
    }

    #[test]
    fn a_tree_is_made_of_lists(objects in objects(), text in a_key(), levels in 1usize..4, limit in 0usize..4) {
        let plain = roll_up(&objects);
        let index = index_of(&plain, false);
        let index = index.priced(&PriceTable::default()).unwrap();
        let list = List { limit, levels, ..List::default() };
        for text in [&b""[..], &text, prefix::own_directory(&text)] {
            let scope = Scope::new(text);
            let Some(root) = index.tree(&scope, &list).unwrap() else {
                prop_assert_eq!(index.sums(&scope).unwrap(), None);
                continue;
            };
            check_node(&index, &root, levels, limit)?;
        }
    }
}

fn plain_listed(index: &Index<Vec<u8>>, row: &Row, counted: Counted) -> Listed {
    let newest = (!row.sums.dates.is_none()).then_some(row.sums.dates.newest);
    let is_of = |cell: &&Cell| match (counted, Bin::of(cell.bin)) {
        (Counted::All, _) => true,
        (Counted::Class(wanted), Bin::Objects { class, .. }) => class == wanted,
        _ => false,
    };
    let cells: Vec<_> = row.sums.cells.iter().filter(is_of).copied().collect();
    let cost = index.cost(&cells);
    Listed { prefix: row.prefix.clone(), count: counted.of(&row.sums.cells), cost, newest }
}

fn sum<'a>(ones: impl Iterator<Item = &'a Listed>) -> Held {
    ones.fold(Held::default(), |sum, one| Held {
        count: Count {
            objects: sum.count.objects + one.count.objects,
            bytes: sum.count.bytes + one.count.bytes,
        },
        cost: sum.cost + one.cost,
    })
}

/// Each node has what a list of it has, and its lines add up to it.
fn check_node(
    index: &Index<Vec<u8>>,
    node: &crate::Node,
    levels: usize,
    limit: usize,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(node.below.is_some(), levels > 0);
    let Some(below) = &node.below else { return Ok(()) };
    let mut listed = Vec::new();
    let list = List { limit, ..List::default() };
    let push = |one| {
        listed.push(one);
        Ok::<_, crate::FormatError>(())
    };
    let rest = index.list(&Scope::new(node.listed.prefix.clone()), &list, push).unwrap();
    prop_assert_eq!(&below.children.iter().map(|child| child.listed.clone()).collect::<Vec<_>>(), &listed);
    prop_assert_eq!(below.rest, rest);
    let lines = sum(listed.iter());
    let parts = [lines.count, rest.more_held.count, below.directly.count];
    let all = node.listed.count;
    prop_assert_eq!(parts.iter().map(|part| part.objects).sum::<u64>(), all.objects);
    prop_assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), all.bytes);
    prop_assert_eq!(lines.cost + rest.more_held.cost + below.directly.cost, node.listed.cost);
    below.children.iter().try_for_each(|child| check_node(index, child, levels - 1, limit))
}

/// Enough prefixes for several pages.
fn large() -> &'static Plain {
    static LARGE: OnceLock<Plain> = OnceLock::new();
    LARGE.get_or_init(|| {
        let key =
            |n: u64| format!("{}/{:04}/{:x}/object", n % 3, n % 1000, n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        roll_up(&(0..20_000).map(|n| (key(n).into_bytes(), (n % 2) as u8, n, SNAPSHOT - n)).collect())
    })
}

#[test]
fn subtrees_that_are_too_deep_are_left_out() {
    let (plain, index) = (large(), index_of(large(), true));
    for (text, levels) in [("", 1), ("", 2), ("1/", 1), ("1/0", 1), ("1/0", 2)] {
        let rows: Vec<_> = index.down_to(&Scope::new(text), levels).unwrap().map(Result::unwrap).collect();
        let expected = in_order(plain, |key| level(text.as_bytes(), key).is_some_and(|at| at <= levels));
        assert_eq!(rows, expected, "{text}");
        assert!(!rows.is_empty());
    }
}

#[test]
fn threads_ask_one_index() {
    let index = index_of(large(), true);
    let expected = index.count_below(&Scope::new("1/")).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let index = index.clone();
            scope.spawn(move || {
                for (key, sums) in large().iter().step_by(97) {
                    assert_eq!(index.get(key).unwrap().as_ref(), Some(sums));
                }
                assert_eq!(index.below(&Scope::new("1/")).unwrap().count() as u64, expected);
            });
        }
    });
}

#[tokio::test]
async fn tasks_ask_too() {
    let index = index_of(large(), false);
    let count = index.ask(|index| index.count_below(&Scope::default())).await.unwrap().unwrap();
    assert_eq!(count, large().len() as u64 - 1);
    let panicked = tokio::spawn(async move { index.ask(|_| panic!("asked too much")).await });
    assert!(panicked.await.unwrap_err().is_panic());
}

#[test]
fn children_with_more_than_their_parent_are_an_error() {
    let mut plain = roll_up(&vec![(b"a/b/c".to_vec(), 0, 7, SNAPSHOT), (b"a/d".to_vec(), 1, 8, SNAPSHOT)]);
    plain.get_mut(&b"a/b/"[..]).unwrap().cells[0].bytes += 1;
    let index = index_of(&plain, false);
    let error = index.directly_in(b"a/").unwrap_err().to_string();
    assert_eq!(error, "sums don't agree: the children of \"a/\" have more than it has: verify the index");
    let mut whole = Ok(());
    let list = List { filter: Filter { counted: Counted::Class(0), ..Filter::default() }, ..List::default() };
    let rest = index.list(&Scope::new("a/"), &list, |_| Ok::<_, crate::FormatError>(())).unwrap();
    whole = whole.and(
        rest.directly_in(b"a/", Held { count: Count { objects: 1, bytes: 7 }, cost: Cost::ZERO }).map(|_| ()),
    );
    assert_eq!(whole.unwrap_err().to_string(), error);
}
