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
        let (parent, name) = self.split();
        if name.is_empty() {
            let all = Span::below(parent);
            let none = Span { from: all.from.clone(), end: Some(all.from.clone()) };
            return [all, none];
        }
        [Span::children(parent, name), Span::below(&self.text)]
    }

    /// Whether a prefix is one of its directories, or below one of them.
    #[must_use]
    pub fn has_below(&self, prefix: &[u8]) -> bool {
        prefix.len() > self.text.len() && prefix.starts_with(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
