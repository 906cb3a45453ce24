//! Where most is: directories, and prefixes at any depth.

use s3inv::{By, FormatError, Held, List, Order};

use super::Report;
use crate::amount::{Units, percent, share};
use crate::failure::Failure;
use crate::page::{Line, Part};
use crate::table::{self, Tone};
use crate::text;

impl Report<'_> {
    /// The directories, and what is not among them: all lines but the last one add up to that.
    pub(super) fn directories(&self) -> Result<Part, FormatError> {
        let order = if self.by() == By::Bytes { Order::Bytes } else { Order::Objects };
        let list = List { order, limit: self.limit, ..List::default() };
        let mut lines = Vec::new();
        let mut add = |name: String, tone: Tone, held: Held, newest: Option<u64>| {
            let mut line = self.line(name, tone, held.count, self.whole.held.count);
            line.cells.extend(self.whole.has_costs().then(|| held.cost.to_string()));
            let day = || newest.map_or_else(|| "-".to_owned(), text::day);
            line.cells.extend(self.whole.dates.then(day));
            lines.push(line);
        };
        let rest = self.index.list(self.scope, &list, |listed| {
            add(text::name(&listed.prefix), Tone::Plain, listed.held(), listed.newest);
            Ok::<_, FormatError>(())
        })?;
        if rest.more > 0 {
            add(format!("({} more)", text::count(rest.more)), Tone::Rest, rest.more_held, None);
        }
        if let Some(prefix) = self.scope.exact() {
            let here = crate::commands::directly(self.index, prefix);
            let directly = rest.directly_in(prefix, self.whole.held)?;
            add(here.to_owned(), Tone::Rest, directly, None);
        }
        let newest = Some(self.stats.dates.newest).filter(|_| !self.stats.dates.is_none());
        add("(total)".to_owned(), Tone::Total, self.whole.held, newest);
        let mut columns = self.columns();
        columns.extend(self.whole.has_costs().then_some("cost"));
        columns.extend(self.whole.dates.then_some("newest"));
        Ok(Part { heading: "Largest directories", notes: Vec::new(), is_whole: false, columns, lines })
    }

    pub(super) fn largest(&self) -> Result<Part, Failure> {
        let by = self.by();
        let top = self.index.top(self.scope, by, self.limit)?;
        let (total, units) = (top.total.by(by), Units { human: true });
        let line = |name: String, tone: Tone, amount: u128, with_below: Option<u128>| {
            let share = share(amount, total);
            let below = with_below.map_or_else(String::new, |amount| units.show(by, amount));
            let percent = share.map_or_else(|| "-".to_owned(), percent);
            let cells = vec![units.show(by, amount), percent, below];
            Line { name, tone, share: share.filter(|_| tone != Tone::Total), cells }
        };
        let mut lines: Vec<_> = top
            .prefixes
            .iter()
            .map(|large| {
                line(table::name(&large.prefix), Tone::Plain, large.share, Some(large.amount.by(by)))
            })
            .collect();
        let rest = Some(top.rest(by)).filter(|rest| *rest > 0);
        lines.extend(rest.map(|rest| line("(in none of these)".to_owned(), Tone::Rest, rest, None)));
        lines.push(line("(total)".to_owned(), Tone::Total, total, None));
        let note = "At any depth. A prefix counts for what is in it, but in none of the prefixes below it that are \
                    shown, so that nothing is counted twice.";
        let columns = vec![by.name(), "share", "with below"];
        Ok(Part { heading: "Where most is", notes: vec![note.to_owned()], is_whole: false, columns, lines })
    }
}
