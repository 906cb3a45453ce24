//! Lines of numbers and names for people: numbers are aligned, names come last.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use s3inv::Count;

use crate::part::Whole;
use crate::text;

/// Colours where somebody looks at a terminal, who hasn't said `NO_COLOR`.
#[derive(Clone, Copy)]
pub(crate) struct Colours {
    dim: Style,
    bold: Style,
    name: Style,
}

impl Colours {
    pub(crate) fn of_stdout() -> Self {
        if !wants_colours() {
            return Self { dim: Style::new(), bold: Style::new(), name: Style::new() };
        }
        let name = Style::new().fg_color(Some(AnsiColor::Blue.into()));
        Self { dim: Style::new().dimmed(), bold: Style::new().bold(), name }
    }
}

fn wants_colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !refused && !dumb
}

/// What a line is about.
#[derive(Clone, Copy)]
pub(crate) enum Line {
    /// A prefix.
    Prefix,
    /// What is left, or the like.
    Other,
    /// All of them together.
    Total,
}

/// The columns of a table.
pub(crate) struct Sheet {
    whole: Whole,
    human: bool,
    widths: [usize; 2],
    colours: Colours,
}

/// The width of a moment to the second.
const DATE: usize = 20;

impl Sheet {
    /// A table of parts of a whole: no number is wider than that.
    pub(crate) fn new(whole: Whole, human: bool) -> Self {
        let total = whole.count;
        let width = |title: &str, total: String| title.len().max(total.len());
        let widths = if human {
            // 1023.9 KiB
            [width("OBJECTS", text::count(total.objects)), 10]
        } else {
            [width("OBJECTS", total.objects.to_string()), width("BYTES", total.bytes.to_string())]
        };
        Self { whole, human, widths, colours: Colours::of_stdout() }
    }

    pub(crate) fn heading(&self, out: &mut dyn Write, heading: &dyn fmt::Display) -> io::Result<()> {
        let Colours { bold, .. } = self.colours;
        writeln!(out, "{bold}{heading}{bold:#}")
    }

    pub(crate) fn titles(&self, out: &mut dyn Write) -> io::Result<()> {
        let ([objects, bytes], Colours { dim, .. }) = (self.widths, self.colours);
        write!(out, "{dim}{:>objects$}", "OBJECTS")?;
        if self.whole.bytes {
            write!(out, "  {:>bytes$}   SHARE", "BYTES")?;
        }
        if self.whole.dates {
            write!(out, "  {:<DATE$}", "NEWEST")?;
        }
        writeln!(out, "  PREFIX{dim:#}")
    }

    /// A line. `before` is what comes before the name, such as the branches of a tree.
    pub(crate) fn line(
        &self,
        out: &mut dyn Write,
        line: Line,
        (count, newest): (Count, Option<u64>),
        (before, name): (&str, &str),
    ) -> io::Result<()> {
        let [objects, bytes] = self.widths;
        let Colours { dim, bold, name: blue } = self.colours;
        write!(out, "{:>objects$}", self.number(count.objects))?;
        if self.whole.bytes {
            write!(out, "  {:>bytes$}  {:>6}", self.size(count.bytes), self.share(count.bytes))?;
        }
        if self.whole.dates {
            write!(
                out,
                "  {:<DATE$}",
                newest.map_or_else(|| "-".to_owned(), |ms| text::moment(ms / 1000 * 1000))
            )?;
        }
        let style = match line {
            Line::Prefix => blue,
            Line::Other => dim,
            Line::Total => bold,
        };
        writeln!(out, "  {dim}{before}{dim:#}{style}{name}{style:#}")
    }

    fn number(&self, n: u64) -> String {
        if self.human { text::count(n) } else { n.to_string() }
    }

    fn size(&self, bytes: u64) -> String {
        if self.human { text::bytes(bytes) } else { bytes.to_string() }
    }

    /// Of the bytes of the whole, in percent.
    fn share(&self, bytes: u64) -> String {
        self.whole.share(bytes).map_or_else(|| "-".to_owned(), |share| format!("{:.1}%", share * 100.0))
    }
}
