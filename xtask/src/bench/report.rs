use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Advise, CHECK_DISK, Failure};

const END: &str = "<!-- /bench -->";

/// Where results go: they are printed and, where there is a document, kept there.
pub(super) struct Report {
    pub(super) document: Option<PathBuf>,
}

impl Report {
    /// Prints a section, in Markdown, and puts it between its marks in the document; what is around those
    /// stays. At once: what has been measured isn't lost when what comes after it fails.
    pub(super) fn add(&self, name: &str, text: &str) -> Result<(), Failure> {
        println!("## {name}\n\n{text}");
        self.document.as_deref().map_or(Ok(()), |document| keep(document, name, text))
    }
}

fn keep(document: &Path, name: &str, section: &str) -> Result<(), Failure> {
    let text = fs::read_to_string(document).advise(document.display(), CHECK_DISK)?;
    let text = replaced(&text, name, section).ok_or_else(|| {
        let what = format!("{}: no `{}` with a `{END}` behind it", document.display(), mark(name));
        Failure::new(what, "restore the marks")
    })?;
    fs::write(document, text).advise(document.display(), CHECK_DISK)
}

fn mark(name: &str) -> String {
    format!("<!-- bench: {name} -->")
}

/// The document with another text between a section's marks.
fn replaced(document: &str, name: &str, section: &str) -> Option<String> {
    let (before, rest) = document.split_once(&mark(name))?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{}\n{}\n{END}{after}", mark(name), section.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let document =
            "# A\n<!-- bench: a -->\nold\n<!-- /bench -->\nprose\n<!-- bench: b -->\n<!-- /bench -->\n";
        let expected = "# A\n<!-- bench: a -->\n| 1 |\n<!-- /bench -->\nprose\n<!-- bench: b -->\n| 2 |\n<!-- /bench -->\n";
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), document).unwrap();
        let report = Report { document: Some(file.path().to_owned()) };
        for _ in 0..2 {
            report.add("a", "| 1 |\n").unwrap();
            report.add("b", "| 2 |\n").unwrap();
            assert_eq!(fs::read_to_string(file.path()).unwrap(), expected);
        }
        let error = report.add("c", "").unwrap_err().to_string();
        assert!(error.contains("no `<!-- bench: c -->`"), "{error}");
    }

    #[test]
    fn a_lost_mark_is_an_error() {
        assert_eq!(replaced("# A\n", "a", ""), None);
        assert_eq!(replaced("<!-- bench: a -->\n", "a", ""), None);
    }
}
