//! Lines of numbers and names for people: numbers are aligned, names come last.

use std::fmt;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use s3inv::Held;

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
    fn new(wanted: bool) -> Self {
        if !wanted {
            return Self { dim: Style::new(), bold: Style::new(), name: Style::new() };
        }
        let name = Style::new().fg_color(Some(AnsiColor::Blue.into()));
        Self { dim: Style::new().dimmed(), bold: Style::new().bold(), name }
    }
}

/// Whether somebody looks at a terminal that shows colours, and hasn't refused them.
pub(crate) fn wants_colours() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
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
    cost: usize,
    colours: Colours,
}

/// The width of a moment to the second.
const DATE: usize = 20;

impl Sheet {
    /// A table of parts of a whole: no number is wider than that.
    pub(crate) fn new(whole: Whole, human: bool) -> Self {
        let Held { count: total, cost } = whole.held;
        let width = |title: &str, total: String| title.len().max(total.len());
        let widths = if human {
            // 1023.9 KiB
            [width("OBJECTS", text::count(total.objects)), 10]
        } else {
            [width("OBJECTS", total.objects.to_string()), width("BYTES", total.bytes.to_string())]
        };
        // $0.000123
        let cost = cost.to_string().len().max(9);
        Self { whole, human, widths, cost, colours: Colours::new(wants_colours()) }
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
        if self.whole.cost {
            write!(out, "  {:>width$}", "COST", width = self.cost)?;
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
        (Held { count, cost }, newest): (Held, Option<u64>),
        (before, name): (&str, &str),
    ) -> io::Result<()> {
        let [objects, bytes] = self.widths;
        let Colours { dim, bold, name: blue } = self.colours;
        write!(out, "{:>objects$}", self.number(count.objects))?;
        if self.whole.bytes {
            write!(out, "  {:>bytes$}  {:>6}", self.size(count.bytes), self.share(count.bytes))?;
        }
        if self.whole.cost {
            write!(out, "  {:>width$}", cost.to_string(), width = self.cost)?;
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

#[cfg(test)]
mod tests {
    use s3inv::{Cost, Count};

    use super::*;

    fn written(colours: bool) -> String {
        let held = |objects, bytes, nano_dollars: i128| {
            let cost = Cost::of_units(nano_dollars * (125 << 30));
            Held { count: Count { objects, bytes }, cost }
        };
        let all = held(12, 3456, 20_000_000_000);
        let whole = Whole { held: all, bytes: true, cost: true, dates: true };
        let sheet = Sheet { colours: Colours::new(colours), ..Sheet::new(whole, false) };
        let mut out = Vec::new();
        sheet.heading(&mut out, &"a heading").unwrap();
        sheet.titles(&mut out).unwrap();
        sheet.line(&mut out, Line::Prefix, (held(1, 864, 123_000), Some(1500)), ("└── ", "a/")).unwrap();
        sheet.line(&mut out, Line::Total, (all, None), ("", "(total)")).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_aligned_and_colours_are_all_that_they_change() {
        let plain = written(false);
        assert_eq!(
            plain,
            "a heading\nOBJECTS  BYTES   SHARE       COST  NEWEST                PREFIX\n      \
                   1    864   25.0%  $0.000123  1970-01-01T00:00:01Z  └── a/\n     \
                  12   3456  100.0%     $20.00  -                     (total)\n"
        );
        let coloured = written(true);
        assert!(coloured.contains("\x1b[34ma/\x1b[0m") && coloured.starts_with("\x1b[1ma heading\x1b[0m\n"));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }
}
