use s3inv_index_format::Span;
use s3inv_model::prefix;

/// What is asked about: a prefix with all below it, or, where it doesn't end in `/`, the directories that
/// begin so, with all below them.
///
/// Objects are counted by their directories. So `logs/2024-` has what lies in `logs/2024-01/`, and not the
/// object `logs/2024-01.txt`, which lies in `logs/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    text: Vec<u8>,
}

impl Scope {
    /// What begins with `text`; all, if it is empty.
    pub fn new(text: impl Into<Vec<u8>>) -> Self {
        Self { text: text.into() }
    }

    /// As it was said.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The prefix, if it is one.
    #[must_use]
    pub fn exact(&self) -> Option<&[u8]> {
        self.name().is_empty().then_some(&self.text)
    }

    /// The prefix in which the directories are that belong to it, and what their names begin with: nothing,
    /// if it is a prefix itself, to which all directories in it belong.
    #[must_use]
    pub fn split(&self) -> (&[u8], &[u8]) {
        self.text.split_at(prefix::own_directory(&self.text).len())
    }

    /// The prefix in which its directories are.
    #[must_use]
    pub fn parent(&self) -> &[u8] {
        self.split().0
    }

    /// What the names of its directories begin with.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.split().1
    }

    /// Where they are in an index: of a prefix all below it, and nothing more; else the directories, and all
    /// below these.
    #[must_use]
    pub fn spans(&self) -> [Span; 2] {
        let below = Span::below(&self.text);
        if self.exact().is_none() {
            return [self.directories(), below];
        }
        let none = Span { from: below.from.clone(), end: Some(below.from.clone()) };
        [below, none]
    }

    /// Where its directories are.
    pub(crate) fn directories(&self) -> Span {
        let (parent, name) = self.split();
        Span::children(parent, name)
    }

    /// Where the directories are that are so many levels below it, from 1 on; others are there too, from 2 on.
    pub(crate) fn level(&self, level: usize) -> Span {
        if level == 1 { self.directories() } else { Span::below(&self.text) }
    }

    /// Where all of it is: the prefix itself, if it is one, or else its directories; and all below.
    pub(crate) fn whole(&self) -> [Span; 2] {
        let top = self.exact().map_or_else(|| self.directories(), Span::row);
        [top, Span::below(&self.text)]
    }

    /// Whether a prefix is one of its directories, or below one of them.
    #[must_use]
    pub fn has_below(&self, prefix: &[u8]) -> bool {
        prefix.len() > self.text.len() && prefix.starts_with(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::a_prefix;

    /// What is asked about, to all of which some prefixes belong.
    fn a_text() -> impl Strategy<Value = Vec<u8>> {
        (a_prefix(), 0..12usize).prop_map(|(mut prefix, len)| {
            prefix.truncate(len);
            prefix
        })
    }

    proptest! {
        #[test]
        fn a_scope_has_what_begins_with_it(text in a_text(), key in a_prefix()) {
            let scope = Scope::new(text);
            let has = |spans: &[Span]| spans.iter().filter(|span| span.has(&key)).count();
            let is_below = usize::from(scope.has_below(&key));
            prop_assert_eq!(has(&scope.spans()), is_below);
            prop_assert_eq!(has(&scope.whole()), is_below + usize::from(scope.exact() == Some(&key)));
            let depth = prefix::depth(scope.parent());
            let child = scope.has_below(&key) && prefix::depth(&key) == depth + 1;
            prop_assert_eq!(scope.level(1).has(&key), child);
            let deeper = scope.has_below(&key) && prefix::depth(&key) == depth + 2;
            prop_assert!(!deeper || scope.level(2).has(&key));
        }
    }

    #[test]
    fn names_may_end_in_the_last_byte() {
        let [named, below] = Scope::new(&b"a/\xff\xff"[..]).whole();
        assert!(named.has(b"a/\xff\xff/") && named.has(b"a/\xff\xffb/") && !named.has(b"a/\xff/"));
        assert!(below.has(b"a/\xff\xff/b/") && !below.has(b"b/c/"));
    }

    #[test]
    fn a_prefix_ends_in_a_slash_and_all_else_begins_names() {
        for (text, exact, parent, name) in [
            ("", true, "", ""),
            ("logs/", true, "logs/", ""),
            ("logs/2024-", false, "logs/", "2024-"),
            ("lo", false, "", "lo"),
            ("/", true, "/", ""),
        ] {
            let scope = Scope::new(text);
            assert_eq!(scope.exact().is_some(), exact, "{text}");
            assert_eq!(scope.split(), (parent.as_bytes(), name.as_bytes()), "{text}");
        }
        assert!(Scope::new("logs/2024-").has_below(b"logs/2024-01/"));
        assert!(!Scope::new("logs/2024-").has_below(b"logs/2023-01/"));
        assert!(!Scope::new("logs/").has_below(b"logs/"));
    }
}
