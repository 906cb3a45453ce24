//! Tables for people: columns of numbers, aligned, and names behind them. Colours are all that a terminal adds.

use std::fmt;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::text;

/// What a number or a name is to who looks for what matters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// A prefix.
    Prefix,
    /// What is left over.
    Rest,
    /// What stands above all others.
    Total,
    More,
    Less,
}

impl Tone {
    fn style(self) -> Style {
        let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Prefix => coloured(AnsiColor::Blue),
            Self::Rest => Style::new().dimmed(),
            Self::Total => Style::new().bold(),
            Self::More => coloured(AnsiColor::Red),
            Self::Less => coloured(AnsiColor::Green),
        }
    }
}

/// A line of a table.
pub(crate) struct Line {
    /// As many as the table has columns.
    pub(crate) numbers: Vec<(String, Tone)>,
    /// What comes before the name, such as the branches of a tree.
    pub(crate) before: String,
    pub(crate) name: String,
    pub(crate) tone: Tone,
}

impl Line {
    /// One of numbers that are as good as any.
    pub(crate) fn plain(numbers: Vec<String>, name: String, tone: Tone) -> Self {
        let numbers = numbers.into_iter().map(|number| (number, Tone::Plain)).collect();
        Self { numbers, before: String::new(), name, tone }
    }
}

/// The columns of a table, whose lines can be written while the next ones are sought.
pub(crate) struct Table {
    columns: Vec<Column>,
    colours: bool,
}

/// A column of numbers.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// No number is wider.
    pub(crate) width: usize,
}

impl Table {
    /// In colours, where somebody looks at a terminal that shows them, and hasn't said `NO_COLOR`.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        let colours = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        let wide = |column: Column| Column { width: column.width.max(column.title.len()), ..column };
        Self { columns: columns.into_iter().map(wide).collect(), colours }
    }

    /// One for lines that are known.
    pub(crate) fn of(titles: Vec<&'static str>, lines: &[Line]) -> Self {
        let width = |at: usize| {
            let numbers = lines.iter().filter_map(|line| line.numbers.get(at));
            numbers.map(|(number, _)| number.chars().count()).max().unwrap_or(0)
        };
        let column = |(at, title): (usize, &'static str)| Column { title, width: width(at) };
        Self::new(titles.into_iter().enumerate().map(column).collect())
    }

    /// A line above the table.
    pub(crate) fn heading(&self, out: &mut dyn Write, heading: &dyn fmt::Display) -> io::Result<()> {
        writeln!(out, "{}", self.styled(heading, Tone::Total))
    }

    pub(crate) fn titles(&self, out: &mut dyn Write) -> io::Result<()> {
        let title = |Column { title, width }: &Column| format!("{title:>width$}  ");
        let titles: String = self.columns.iter().map(title).collect();
        writeln!(out, "{}", self.styled(&(titles + "PREFIX"), Tone::Rest))
    }

    pub(crate) fn line(&self, out: &mut dyn Write, line: &Line) -> io::Result<()> {
        for ((number, tone), Column { width, .. }) in line.numbers.iter().zip(&self.columns) {
            let blank = width.saturating_sub(number.chars().count());
            write!(out, "{:blank$}{}  ", "", self.styled(number, *tone))?;
        }
        write!(out, "{}", self.styled(&line.before, Tone::Rest))?;
        writeln!(out, "{}", self.styled(&line.name, line.tone))
    }

    /// Titles and lines.
    pub(crate) fn all(&self, out: &mut dyn Write, lines: &[Line]) -> io::Result<()> {
        self.titles(out)?;
        lines.iter().try_for_each(|line| self.line(out, line))
    }

    fn styled(&self, text: &dyn fmt::Display, tone: Tone) -> String {
        let style = if self.colours { tone.style() } else { Style::new() };
        let text = text.to_string();
        if text.is_empty() { text } else { format!("{style}{text}{style:#}") }
    }
}

/// A prefix as a line's name.
pub(crate) fn name(prefix: &[u8]) -> String {
    if prefix.is_empty() { "(root)".to_owned() } else { text::name(prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(colours: bool) -> String {
        let numbers = |numbers: [&str; 2]| numbers.map(str::to_owned).to_vec();
        let below = Line::plain(numbers(["1234567", "99.0%"]), "a/".to_owned(), Tone::Prefix);
        let rest = Line::plain(numbers(["8", ""]), "(in none of these)".to_owned(), Tone::Rest);
        let grown = ("+7".to_owned(), Tone::More);
        let lines = [
            Line { before: "└── ".to_owned(), ..below },
            Line { numbers: vec![grown, ("$0".to_owned(), Tone::Plain)], ..rest },
        ];
        let table = Table { colours, ..Table::of(vec!["BYTES", "%"], &lines) };
        let mut out = Vec::new();
        table.heading(&mut out, &"a heading").unwrap();
        table.all(&mut out, &lines).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_end_where_others_do_and_colours_are_all_that_they_change() {
        let plain = written(false);
        let expected = "a heading\n  BYTES      %  PREFIX\n1234567  99.0%  └── a/\n     \
                        +7     $0  (in none of these)\n";
        assert_eq!(plain, expected);
        let coloured = written(true);
        assert!(coloured.contains("\x1b[34ma/\x1b[0m") && coloured.contains("\x1b[31m+7\x1b[0m"));
        assert!(coloured.starts_with("\x1b[1ma heading\x1b[0m\n"));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }
}
