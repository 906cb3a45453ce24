//! Ranges of rows in the order of an index.

use std::cmp::Ordering;

use s3inv_model::prefix;

use crate::Scope;

/// The least byte: all names that there are come behind it, and all parents that begin with another one
/// come behind that one with it.
const LEAST: u8 = 0;

/// A point in the order of rows: before the row of this name in this parent, be it there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    parent: Vec<u8>,
    name: Vec<u8>,
}

impl Place {
    /// Before the children of `parent` whose names begin with `name`. The root, which is in itself, is none.
    fn children(parent: &[u8], name: &[u8]) -> Self {
        let name = if name.is_empty() { &[LEAST] } else { name };
        Self { parent: parent.to_vec(), name: name.to_vec() }
    }

    /// Behind all children of `parent`.
    pub(crate) fn behind_children(parent: &[u8]) -> Self {
        Self { parent: [parent, &[LEAST]].concat(), name: Vec::new() }
    }

    /// Behind all rows whose parent begins with `text`; `None` if that is the end.
    pub(crate) fn behind_below(text: &[u8]) -> Option<Self> {
        behind(text).map(|parent| Self { parent, name: Vec::new() })
    }

    fn of(key: &[u8]) -> Self {
        let (parent, name) = prefix::split(key);
        Self { parent: parent.to_vec(), name: name.to_vec() }
    }

    /// Where a row is, seen from here.
    fn compare(&self, key: &[u8]) -> Ordering {
        prefix::split(key).cmp(&(&self.parent, &self.name))
    }

    /// Whether this is behind a row.
    pub(crate) fn is_behind(&self, key: &[u8]) -> bool {
        self.compare(key).is_lt()
    }

    /// Whether rows before the one of `key` are all before this.
    pub(crate) fn is_behind_all_before(&self, key: &[u8]) -> bool {
        self.compare(key).is_le()
    }
}

/// The first text behind all that begin with `text`.
fn behind(text: &[u8]) -> Option<Vec<u8>> {
    let last = text.iter().rposition(|&byte| byte < u8::MAX)?;
    let mut behind = text[..=last].to_vec();
    behind[last] += 1;
    Some(behind)
}

/// Rows from a place to another one, or to the end.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) from: Place,
    pub(crate) to: Option<Place>,
}

impl Span {
    /// One prefix.
    fn row(prefix: &[u8]) -> Self {
        let from = Place::of(prefix);
        let to = Place { name: [from.name.as_slice(), &[LEAST]].concat(), ..from.clone() };
        Self { from, to: Some(to) }
    }

    /// The children of `parent` whose names begin with `name`.
    fn children(parent: &[u8], name: &[u8]) -> Self {
        let to = behind(name)
            .map_or_else(|| Place::behind_children(parent), |name| Place { parent: parent.to_vec(), name });
        Self { from: Place::children(parent, name), to: Some(to) }
    }

    /// All whose parent begins with `text`.
    fn below(text: &[u8]) -> Self {
        Self { from: Place::children(text, b""), to: Place::behind_below(text) }
    }

    /// Where all of a scope is: the prefix or the directories that it has, and what is below.
    pub(crate) fn of(scope: &Scope) -> [Self; 2] {
        let (parent, name) = scope.split();
        let top = scope.exact().map_or_else(|| Self::children(parent, name), Self::row);
        [top, Self::below(scope.text())]
    }

    /// Where the directories of a scope are that are so many levels below it, from 1 on.
    pub(crate) fn level(scope: &Scope, level: usize) -> Self {
        let (parent, name) = scope.split();
        if level == 1 { Self::children(parent, name) } else { Self::below(scope.text()) }
    }

    pub(crate) fn has(&self, key: &[u8]) -> bool {
        !self.from.is_behind(key) && self.to.as_ref().is_none_or(|to| to.is_behind(key))
    }

    /// Whether there may be rows of this from `first` on, before `next`.
    pub(crate) fn meets(&self, first: &[u8], next: Option<&[u8]>) -> bool {
        self.to.as_ref().is_none_or(|to| to.is_behind(first))
            && !next.is_some_and(|next| self.from.is_behind_all_before(next))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::a_prefix;

    /// What is asked about, to all of which some prefixes belong.
    fn a_scope() -> impl Strategy<Value = Vec<u8>> {
        (a_prefix(), 0..12usize).prop_map(|(mut prefix, len)| {
            prefix.truncate(len);
            prefix
        })
    }

    proptest! {
        #[test]
        fn a_scope_has_what_begins_with_it(text in a_scope(), key in a_prefix()) {
            let scope = Scope::new(text.clone());
            let is_in = scope.exact() == Some(&key) || scope.has_below(&key);
            let spans = Span::of(&scope);
            prop_assert_eq!(spans.iter().filter(|span| span.has(&key)).count(), usize::from(is_in));
            let depth = prefix::depth(scope.parent());
            let child = scope.has_below(&key) && prefix::depth(&key) == depth + 1;
            prop_assert_eq!(Span::level(&scope, 1).has(&key), child);
            let deeper = scope.has_below(&key) && prefix::depth(&key) == depth + 2;
            prop_assert!(!deeper || Span::level(&scope, 2).has(&key));
        }

        #[test]
        fn pages_are_left_out_only_if_they_have_nothing(
            text in a_scope(),
            mut keys in prop::collection::vec(a_prefix(), 2..20),
        ) {
            keys.sort_by(|a, b| prefix::compare(a, b));
            keys.dedup();
            let (next, page) = keys.split_last().unwrap();
            for span in Span::of(&Scope::new(text)) {
                let has = page.iter().any(|key| span.has(key));
                prop_assert!(!has || span.meets(&keys[0], Some(next)) && span.meets(&keys[0], None));
                let over = span.to.as_ref().is_some_and(|to| !to.is_behind(&keys[0]));
                let before = span.from.is_behind(next) || span.from == Place::of(next);
                prop_assert_eq!(span.meets(&keys[0], Some(next)), !over && !before);
            }
        }
    }

    #[test]
    fn names_may_end_in_the_last_byte() {
        let scope = Scope::new(&b"a/\xff\xff"[..]);
        let [named, below] = Span::of(&scope);
        assert!(named.has(b"a/\xff\xff/") && named.has(b"a/\xff\xffb/") && !named.has(b"a/\xff/"));
        assert!(below.has(b"a/\xff\xff/b/") && !below.has(b"b/c/"));
        assert!(Place::behind_below(b"\xff").is_none());
    }
}
