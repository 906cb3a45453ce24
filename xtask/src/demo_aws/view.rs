use std::io::{self, IsTerminal as _, Write};

/// A step as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    /// Of a Map: how many items are done, of how many.
    pub(super) items: Option<(u64, u64)>,
    pub(super) seconds: f64,
    pub(super) has_ended: bool,
}

impl Row {
    fn line(&self) -> String {
        let items = self.items.map_or_else(String::new, |(done, total)| format!("{done} of {total} items"));
        let goes_on = if self.has_ended { "" } else { " …" };
        format!("  {:<20}{items:<18}{:>6.2} s{goes_on}", self.name, self.seconds)
    }
}

/// Shows steps while they go on: on a terminal all of them, over and over; elsewhere each when it has
/// ended.
pub(super) struct View<W> {
    out: W,
    redraws: bool,
    shown: usize,
}

impl View<io::Stdout> {
    pub(super) fn new() -> Self {
        Self { redraws: io::stdout().is_terminal(), out: io::stdout(), shown: 0 }
    }
}

impl<W: Write> View<W> {
    pub(super) fn show(&mut self, rows: &[Row]) -> io::Result<()> {
        if self.redraws {
            if self.shown > 0 {
                // Up by so many lines.
                write!(self.out, "\x1b[{}A", self.shown)?;
            }
            for row in rows {
                // Over what was there, to the end of the line.
                writeln!(self.out, "{}\x1b[K", row.line())?;
            }
            self.shown = rows.len();
        } else {
            for row in rows.iter().skip(self.shown).take_while(|row| row.has_ended) {
                writeln!(self.out, "{}", row.line())?;
                self.shown += 1;
            }
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, items: Option<(u64, u64)>, has_ended: bool) -> Row {
        Row { name: name.to_owned(), items, seconds: 1.0, has_ended }
    }

    fn shown(redraws: bool) -> String {
        let mut view = View { out: Vec::new(), redraws, shown: 0 };
        view.show(&[row("Plan", None, true), row("Ingest", Some((1, 3)), false)]).unwrap();
        view.show(&[row("Plan", None, true), row("Ingest", Some((3, 3)), true)]).unwrap();
        String::from_utf8(view.out).unwrap()
    }

    const PLAN: &str = "  Plan                                    1.00 s";

    #[test]
    fn a_terminal_shows_all_again_and_again() {
        let expected = format!(
            "{PLAN}\x1b[K\n  Ingest              1 of 3 items        1.00 s …\x1b[K\n\x1b[2A\
             {PLAN}\x1b[K\n  Ingest              3 of 3 items        1.00 s\x1b[K\n"
        );
        assert_eq!(shown(true), expected);
    }

    #[test]
    fn a_file_gets_each_step_once() {
        assert_eq!(shown(false), format!("{PLAN}\n  Ingest              3 of 3 items        1.00 s\n"));
    }
}
