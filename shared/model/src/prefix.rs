//! Prefixes and their order.
//!
//! A prefix is `""` (the root) or ends in `/`. Its *parent* is what comes before its last
//! component, its *name* is that component with its `/`. Prefixes are ordered by (parent, name),
//! bytewise, so the children of a prefix are one contiguous range, and so is all below it.

use std::cmp::Ordering;

/// The longest key that S3 takes, in bytes.
pub const MAX_KEY: usize = 1024;

/// The directory that a key lies in: all up to its last `/`, or the root.
///
/// A folder marker (`a/`) lies in itself.
#[must_use]
pub fn own_directory(key: &[u8]) -> &[u8] {
    let end = memchr::memrchr(b'/', key).map_or(0, |at| at + 1);
    key.get(..end).unwrap_or_default()
}

/// The ancestor of `prefix` at `max_depth`, or `prefix` itself where it isn't deeper.
#[must_use]
pub fn at_most(prefix: &[u8], max_depth: usize) -> &[u8] {
    if max_depth == 0 {
        return &[];
    }
    let end = memchr::memchr_iter(b'/', prefix).map(|at| at + 1).nth(max_depth - 1);
    end.and_then(|end| prefix.get(..end)).unwrap_or(prefix)
}

/// The number of `/` in a prefix; the root's is 0.
#[must_use]
pub fn depth(prefix: &[u8]) -> usize {
    memchr::memchr_iter(b'/', prefix).count()
}

/// The length of a prefix's parent; 0 for the root and for its children.
#[must_use]
pub fn parent_len(prefix: &[u8]) -> usize {
    let without_slash = prefix.split_last().map_or(prefix, |(_, rest)| rest);
    own_directory(without_slash).len()
}

/// A prefix's parent and name. The root is (`""`, `""`), before everything.
#[must_use]
pub fn split(prefix: &[u8]) -> (&[u8], &[u8]) {
    prefix.split_at(parent_len(prefix))
}

/// The order of runs and of the index: by parent, then by name.
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    split(a).cmp(&split(b))
}

/// How many bytes two keys have in common at their start.
#[inline]
#[must_use]
pub fn shared_len(a: &[u8], b: &[u8]) -> usize {
    // Eight at once: prefixes that stand next to each other mostly share dozens.
    let shared = |a: &[u8; 8], b: &[u8; 8]| {
        (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)).trailing_zeros() as usize / 8
    };
    let len = a.len().min(b.len());
    let (a, b) = (a.get(..len).unwrap_or_default(), b.get(..len).unwrap_or_default());
    for (at, (a, b)) in a.as_chunks().0.iter().zip(b.as_chunks().0).enumerate() {
        if a != b {
            return 8 * at + shared(a, b);
        }
    }
    match (a.last_chunk(), b.last_chunk()) {
        // Some of them have been looked at.
        (Some(a), Some(b)) => len - 8 + shared(a, b),
        _ => a.iter().zip(b).take_while(|(a, b)| a == b).count(),
    }
}

/// Whether bytes are a prefix at all: empty, or ending in `/`, and no longer than a key.
#[must_use]
pub fn is_prefix(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_KEY && bytes.last().is_none_or(|&b| b == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_odd_keys() {
        for (key, directory) in
            [("", ""), ("a", ""), ("/", "/"), ("/a", "/"), ("a/", "a/"), ("a//b", "a//"), ("a/b/c", "a/b/")]
        {
            assert_eq!(own_directory(key.as_bytes()), directory.as_bytes(), "{key}");
        }
    }

    #[test]
    fn parents_and_names() {
        for (prefix, parent, name) in
            [("", "", ""), ("a/", "", "a/"), ("/", "", "/"), ("a//", "a/", "/"), ("a/b/", "a/", "b/")]
        {
            assert_eq!(split(prefix.as_bytes()), (parent.as_bytes(), name.as_bytes()), "{prefix}");
        }
    }

    #[test]
    fn bytes_in_common_are_counted() {
        let key: Vec<u8> = (0..40).collect();
        for len in 0..40 {
            for differs in 0..len {
                let mut other = key.clone();
                other[differs] ^= 0x80;
                assert_eq!(shared_len(&key, &other[..len]), differs);
                assert_eq!(shared_len(&other[..len], &key), differs);
            }
            assert_eq!(shared_len(&key, &key[..len]), len);
            assert_eq!(shared_len(&key[..len], &key), len);
        }
    }

    #[test]
    fn depth_is_cut() {
        assert_eq!(at_most(b"a/b/c/", 0), b"");
        assert_eq!(at_most(b"a/b/c/", 2), b"a/b/");
        assert_eq!(at_most(b"a/b/c/", 3), b"a/b/c/");
        assert_eq!(at_most(b"a/b/c/", 9), b"a/b/c/");
        assert_eq!(at_most(b"//", 1), b"/");
    }

    #[test]
    fn children_follow_their_parent_in_one_range() {
        let mut prefixes = ["b/", "a/x/1/", "", "a/y/", "a-b/", "a/", "b/z/", "a/x/"];
        prefixes.sort_by(|a, b| compare(a.as_bytes(), b.as_bytes()));
        assert_eq!(prefixes, ["", "a-b/", "a/", "b/", "a/x/", "a/y/", "a/x/1/", "b/z/"]);
    }
}
