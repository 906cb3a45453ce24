//! Sorted prefixes that one is looked up among. Comparing whole prefixes, as a binary search does, would take
//! longer than what is found by it: so there is a tree of nodes, each of which knows what its prefixes have
//! in common, and of each the eight bytes that follow.

use s3inv_model::prefix;

/// Children of a node.
const WIDTH: usize = 32;
/// What stands between parent and name. No other byte is so small: see [`ordered`].
const BETWEEN: u8 = 0;
const ESCAPE: u8 = 1;

/// Longer prefixes are ordered in memory of their own.
const SHORT: usize = 256;

/// Works with a prefix as bytes whose order is that of prefixes: its parent, a zero, and its name. Zeros and
/// ones in it become two bytes.
#[inline]
fn ordered<T>(key: &[u8], work: impl FnOnce(&[u8]) -> T) -> T {
    let (parent, name) = prefix::split(key);
    let mut room = [BETWEEN; SHORT];
    if let Some((short, _)) = room.split_at_mut_checked(key.len() + 1)
        && memchr::memchr2(BETWEEN, ESCAPE, key).is_none()
    {
        let (to, rest) = short.split_at_mut(parent.len());
        to.copy_from_slice(parent);
        if let Some((_, to)) = rest.split_first_mut() {
            to.copy_from_slice(name);
        }
        return work(short);
    }
    work(&[&escaped(parent), [BETWEEN].as_slice(), &escaped(name)].concat())
}

fn escaped(bytes: &[u8]) -> Vec<u8> {
    let escape = |&byte: &u8| if byte <= ESCAPE { vec![ESCAPE, byte + 1] } else { vec![byte] };
    bytes.iter().flat_map(escape).collect()
}

/// Some prefixes that follow each other.
#[derive(Debug)]
struct Node {
    /// What all begin with.
    common: Vec<u8>,
    /// What follows that.
    heads: Vec<u64>,
}

impl Node {
    fn new<'k>(keys: impl Iterator<Item = &'k [u8]> + Clone) -> Self {
        let first = keys.clone().next().unwrap_or_default();
        let last = keys.clone().last().unwrap_or_default();
        let (common, _) = first.split_at(prefix::shared_len(first, last));
        let heads = keys.map(|key| head(key.get(common.len()..).unwrap_or_default())).collect();
        Self { common: common.to_vec(), heads }
    }

    /// How many of its prefixes don't come after `key`. `nth` says them.
    #[inline]
    fn count<'k>(&self, key: &[u8], nth: impl Fn(usize) -> &'k [u8]) -> usize {
        let (start, rest) = key.split_at(self.common.len().min(key.len()));
        match start.cmp(&self.common) {
            std::cmp::Ordering::Less => return 0,
            std::cmp::Ordering::Greater => return self.heads.len(),
            std::cmp::Ordering::Equal => {}
        }
        let head = head(rest);
        let before = self.heads.partition_point(|&other| other < head);
        let alike = self.heads.iter().skip(before).take_while(|&&other| other == head);
        before + alike.zip(before..).take_while(|&(_, at)| nth(at) <= key).count()
    }
}

/// The first bytes, as a number; zeros for those that aren't there.
#[inline]
fn head(bytes: &[u8]) -> u64 {
    if let Some(head) = bytes.first_chunk() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; 8];
    head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(head)
}

/// Sorted prefixes.
#[derive(Debug, Default)]
pub(crate) struct Firsts {
    keys: Vec<Vec<u8>>,
    /// The nodes of all prefixes, those of the first prefix of each of these, and so on, up to one node.
    levels: Vec<Vec<Node>>,
}

impl Firsts {
    pub(crate) fn new<'k>(firsts: impl Iterator<Item = &'k [u8]>) -> Self {
        let keys: Vec<_> = firsts.map(|first| ordered(first, <[u8]>::to_vec)).collect();
        let mut levels = Vec::new();
        let mut step = 1;
        while levels.last().is_none_or(|level: &Vec<Node>| level.len() > 1) && !keys.is_empty() {
            let of = |keys: &[Vec<u8>]| Node::new(keys.iter().step_by(step).map(Vec::as_slice));
            levels.push(keys.chunks(WIDTH * step).map(of).collect());
            step *= WIDTH;
        }
        Self { keys, levels }
    }

    /// The place of the last prefix that doesn't come after `key`.
    pub(crate) fn last_up_to(&self, key: &[u8]) -> Option<usize> {
        ordered(key, |key| self.last_up_to_ordered(key))
    }

    fn last_up_to_ordered(&self, key: &[u8]) -> Option<usize> {
        let mut at = 0;
        for (height, level) in self.levels.iter().enumerate().rev() {
            let step = WIDTH.pow(height as u32);
            let nth = |nth: usize| self.keys.get((at * WIDTH + nth) * step).map_or(&[][..], Vec::as_slice);
            at = at * WIDTH + level.get(at)?.count(key, nth).checked_sub(1)?;
        }
        (!self.keys.is_empty()).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_prefix() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop::sample::select(vec![0, 1, 2, b'-', b'/', b'0', b'a', 0xff]);
        let short = prop::collection::vec(byte, 0..12);
        let long = (0..30u8).prop_map(|n| format!("one/way/or/the/other/{n}").into_bytes());
        prop_oneof![short, long]
            .prop_map(|name| if name.is_empty() { name } else { [name, b"/".to_vec()].concat() })
    }

    proptest! {
        #[test]
        fn it_finds_what_a_search_finds(
            mut firsts in prop::collection::vec(a_prefix(), 0..200),
            keys in prop::collection::vec(a_prefix(), 0..50),
            cut in 1usize..200,
        ) {
            firsts.sort_by(|a, b| prefix::compare(a, b));
            firsts.dedup();
            firsts.truncate(cut);
            let tree = Firsts::new(firsts.iter().map(Vec::as_slice));
            for key in keys.iter().chain(&firsts) {
                let after = firsts.partition_point(|first| prefix::compare(first, key).is_le());
                prop_assert_eq!(tree.last_up_to(key), after.checked_sub(1), "{:?}", key);
            }
        }
    }

    #[test]
    fn a_tree_may_be_high() {
        let firsts: Vec<_> =
            (0..40_000).map(|n| format!("{}/{n:05}/", n / 1000 + 100).into_bytes()).collect();
        let tree = Firsts::new(firsts.iter().map(Vec::as_slice));
        assert_eq!(tree.levels.len(), 4);
        for (at, first) in firsts.iter().enumerate() {
            assert_eq!(tree.last_up_to(first), Some(at));
            let child = [first, &b"x/"[..]].concat();
            let after = firsts.partition_point(|first| prefix::compare(first, &child).is_le());
            assert_eq!(tree.last_up_to(&child), Some(after - 1));
        }
    }
}
