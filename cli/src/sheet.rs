//! Tables of parts of a whole.

use std::fmt;
use std::io::{self, Write};

use s3inv::Held;

use crate::amount::{percent, title};
use crate::part::Whole;
use crate::table::{Column, Line, Table, Tone};
use crate::text;

/// The columns of a table of parts: objects, bytes, the part that they are, cost, the newest.
pub(crate) struct Sheet {
    whole: Whole,
    human: bool,
    /// The place of the column of shares.
    share_at: usize,
    table: Table,
}

/// The widest numbers: `$0.000123`, `1023.9 KiB`, a part of all, a moment to the second.
const COST: usize = 9;
const BYTES: usize = 10;
const SHARE: usize = 6;
const DATE: usize = 20;

impl Sheet {
    /// No number is wider than that of the whole, but for those with units.
    pub(crate) fn new(whole: Whole, human: bool) -> Self {
        let Held { count, cost } = whole.held;
        let objects = if human { text::count(count.objects) } else { count.objects.to_string() };
        let bytes = if human { BYTES } else { count.bytes.to_string().len() };
        let column = |title, width| Column { title, width };
        let mut columns = vec![column("OBJECTS", objects.len())];
        if whole.bytes {
            columns.push(column("BYTES", bytes));
        }
        if whole.has_costs() {
            columns.push(column("COST", cost.to_string().len().max(COST)));
        }
        // Behind what it is a part of.
        let of = title(whole.by);
        let at = columns.iter().position(|column| column.title == of).unwrap_or(0) + 1;
        columns.insert(at, column("SHARE", SHARE));
        if whole.dates {
            columns.push(column("NEWEST", DATE));
        }
        Self { whole, human, share_at: at, table: Table::new(columns) }
    }

    pub(crate) fn heading(&self, out: &mut dyn Write, heading: &dyn fmt::Display) -> io::Result<()> {
        self.table.heading(out, heading)
    }

    pub(crate) fn titles(&self, out: &mut dyn Write) -> io::Result<()> {
        self.table.titles(out)
    }

    /// A line. `before` is what comes before the name, such as the branches of a tree.
    pub(crate) fn line(
        &self,
        out: &mut dyn Write,
        tone: Tone,
        (held, newest): (Held, Option<u64>),
        (before, name): (&str, &str),
    ) -> io::Result<()> {
        let line = Line::plain(self.numbers(held, newest), name.to_owned(), tone);
        self.table.line(out, &Line { before: before.to_owned(), ..line })
    }

    fn numbers(&self, held: Held, newest: Option<u64>) -> Vec<String> {
        let Held { count, cost } = held;
        let mut numbers = vec![self.number(count.objects)];
        numbers.extend(self.whole.bytes.then(|| self.size(count.bytes)));
        let cost = || self.whole.cost_of(cost).map_or_else(|| "-".to_owned(), |cost| cost.to_string());
        numbers.extend(self.whole.has_costs().then(cost));
        let share = self.whole.share(held);
        numbers.insert(self.share_at, share.map_or_else(|| "-".to_owned(), percent));
        let moment = || newest.map_or_else(|| "-".to_owned(), |ms| text::moment(ms / 1000 * 1000));
        numbers.extend(self.whole.dates.then(moment));
        numbers
    }

    fn number(&self, n: u64) -> String {
        if self.human { text::count(n) } else { n.to_string() }
    }

    fn size(&self, bytes: u64) -> String {
        if self.human { text::bytes(bytes) } else { bytes.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use s3inv::{By, Cost, Count};

    use super::*;
    use crate::part::Costs;

    #[test]
    fn numbers_are_aligned() {
        let held = |objects, bytes, nano_dollars: i128| {
            let cost = Cost::of_units(nano_dollars * (125 << 30));
            Held { count: Count { objects, bytes }, cost }
        };
        let all = held(12, 3456, 20_000_000_000);
        let whole = Whole { held: all, by: By::Bytes, bytes: true, costs: Costs::Known, dates: true };
        let sheet = Sheet::new(whole, false);
        let mut out = Vec::new();
        sheet.titles(&mut out).unwrap();
        sheet.line(&mut out, Tone::Prefix, (held(1, 864, 123_000), Some(1500)), ("└── ", "a/")).unwrap();
        sheet.line(&mut out, Tone::Total, (all, None), ("", "(total)")).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "OBJECTS  BYTES   SHARE       COST                NEWEST  PREFIX\n      \
                   1    864   25.0%  $0.000123  1970-01-01T00:00:01Z  └── a/\n     \
                  12   3456  100.0%     $20.00                     -  (total)\n"
        );
    }
}
