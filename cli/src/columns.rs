//! Tables for people: columns of numbers, aligned, and names behind them.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::sheet::wants_colours;
use crate::text;

/// What a line, or a number, is to who looks for what matters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// What is left over.
    Rest,
    /// What stands above all others.
    Total,
    More,
    Less,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Rest => Style::new().dimmed(),
            Self::Total => Style::new().bold(),
            Self::More => Style::new().fg_color(Some(AnsiColor::Red.into())),
            Self::Less => Style::new().fg_color(Some(AnsiColor::Green.into())),
        }
    }
}

/// A table that is written when all of it is known.
pub(crate) struct Columns {
    titles: Vec<&'static str>,
    lines: Vec<Line>,
}

struct Line {
    numbers: Vec<(String, Tone)>,
    name: String,
    tone: Tone,
}

impl Columns {
    /// With these titles of numbers.
    pub(crate) fn new(titles: Vec<&'static str>) -> Self {
        Self { titles, lines: Vec::new() }
    }

    /// Adds a line of as many numbers as there are titles.
    pub(crate) fn push(&mut self, numbers: Vec<(String, Tone)>, name: String, tone: Tone) {
        self.lines.push(Line { numbers, name, tone });
    }

    /// Writes all lines, in colours if somebody looks at a terminal.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let colours = wants_colours();
        let style = |tone: Tone| if colours { tone.style() } else { Style::new() };
        let widths: Vec<_> =
            self.titles.iter().enumerate().map(|(at, title)| self.width(at, title)).collect();
        let dim = style(Tone::Rest);
        write!(out, "{dim}")?;
        for (title, width) in self.titles.iter().zip(&widths) {
            write!(out, "{title:>width$}  ")?;
        }
        writeln!(out, "PREFIX{dim:#}")?;
        for line in &self.lines {
            for ((number, tone), width) in line.numbers.iter().zip(&widths) {
                let style = style(*tone);
                write!(out, "{style}{number:>width$}{style:#}  ")?;
            }
            let style = style(line.tone);
            writeln!(out, "{style}{}{style:#}", line.name)?;
        }
        Ok(())
    }

    fn width(&self, at: usize, title: &str) -> usize {
        let numbers = self.lines.iter().filter_map(|line| line.numbers.get(at));
        numbers.map(|(number, _)| number.chars().count()).fold(title.len(), usize::max)
    }
}

/// A prefix as a line's name.
pub(crate) fn name(prefix: &[u8]) -> String {
    if prefix.is_empty() { "(root)".to_owned() } else { text::name(prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_others_do() {
        let mut columns = Columns::new(vec!["BYTES", "%"]);
        let plain = |text: &str| (text.to_owned(), Tone::Plain);
        columns.push(vec![plain("1234567"), plain("99.0%")], "a/".to_owned(), Tone::Plain);
        columns.push(vec![plain("8"), plain("")], "(in none of these)".to_owned(), Tone::Rest);
        let mut out = Vec::new();
        columns.write(&mut out).unwrap();
        let expected = "  BYTES      %  PREFIX\n1234567  99.0%  a/\n      8         (in none of these)\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
