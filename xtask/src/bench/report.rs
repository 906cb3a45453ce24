use std::fs;
use std::path::Path;

use crate::failure::{Advise, CHECK_DISK, Failure};

const END: &str = "<!-- /bench -->";

/// What was measured: sections by name, each in Markdown.
#[derive(Default)]
pub(super) struct Report(Vec<(&'static str, String)>);

impl Report {
    /// Prints a section, and keeps it.
    pub(super) fn add(&mut self, name: &'static str, text: String) {
        println!("## {name}\n\n{text}");
        self.0.push((name, text));
    }

    /// Puts all sections between their marks in a document; what is around those stays.
    pub(super) fn write(&self, document: &Path) -> Result<(), Failure> {
        let text = fs::read_to_string(document).advise(document.display(), CHECK_DISK)?;
        let text = self.0.iter().try_fold(text, |text, (name, section)| {
            replaced(&text, name, section).ok_or_else(|| {
                let what = format!("{}: no `{}` with a `{END}` behind it", document.display(), mark(name));
                Failure::new(what, "restore the marks")
            })
        })?;
        fs::write(document, text).advise(document.display(), CHECK_DISK)
    }
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
        let mut report = Report::default();
        report.add("a", "| 1 |\n".to_owned());
        report.add("b", "| 2 |\n".to_owned());
        report.write(file.path()).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), expected);
        report.write(file.path()).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), expected);
    }

    #[test]
    fn a_lost_mark_is_an_error() {
        assert_eq!(replaced("# A\n", "a", ""), None);
        assert_eq!(replaced("<!-- bench: a -->\n", "a", ""), None);
    }
}
