use std::io::Write;

use s3inv::{Filter, FormatError, Held, Index, List, Scope};
use serde::Serialize;

use super::filter::{Selection, counted_of, filter, needs_cost, note_of_class, order, share_of};
use super::{Answering, answer, failed};
use crate::args::{LsArgs, Output};
use crate::failure::Failure;
use crate::heading::{Beginning, Heading};
use crate::part::{More, Part, Whole};
use crate::priced::{CostNote, Prices, classes_of};
use crate::row::Key;
use crate::sheet::Sheet;
use crate::table::Tone;
use crate::text;

pub(crate) fn ls(args: &LsArgs) -> Result<(), Failure> {
    let prices = Prices::new(&args.table.prices)?;
    let index = prices.open(&args.scope.index.index, needs_cost(&args.which))?;
    let scope = args.scope.prefix.scope();
    let filter = Filter { pattern: args.pattern.clone(), ..filter(&args.which, &index)? };
    let order = order(&args.which, &index)?;
    let list = List { filter, order, limit: args.limit.unwrap_or(usize::MAX), levels: args.depth };
    index.will_list(&scope).map_err(failed(&index))?;
    let sums = index.sums(&scope).map_err(failed(&index))?;
    let sums = sums.ok_or_else(|| super::not_found(&index, &scope))?;
    let (counted, by) = (list.filter.counted, share_of(order, &index));
    let whole = Whole::new(&index, counted, by, index.held(counted, &sums.cells));
    let newest = (!sums.dates.is_none()).then_some(sums.dates.newest);
    let (index, scope, list) = (&index, &scope, &list);
    let costs = prices.note_of_classes(index, &counted_of(&args.which, classes_of(&index.stats_of(&sums))));
    let asked = Asked { args, index, costs, scope, list, whole, newest };
    asked.costs.iter().for_each(CostNote::warn_beside_answer);
    answer(index, |out| match args.table.answer.output {
        Output::Text => asked.text(out),
        Output::Json => asked.json(out),
    })
}

/// A question, and what is known of its scope.
struct Asked<'a> {
    args: &'a LsArgs,
    index: &'a Index,
    costs: Option<CostNote<'a>>,
    scope: &'a Scope,
    list: &'a List,
    whole: Whole,
    newest: Option<u64>,
}

impl Asked<'_> {
    fn heading(&self) -> Heading<'_> {
        Heading::new(self.index)
    }

    /// What lies in the prefix itself. Of all that begin with some text, nothing does.
    fn directly(&self, listed: &s3inv::Rest) -> Result<Option<Held>, FormatError> {
        self.scope.exact().map(|prefix| listed.directly_in(prefix, self.whole.held)).transpose()
    }

    fn text(&self, out: &mut dyn Write) -> Result<(), Answering> {
        let sheet = Sheet::new(self.whole, self.args.table.human);
        sheet.heading(out, &self.heading())?;
        self.costs.iter().try_for_each(|costs| writeln!(out, "{costs}"))?;
        let notes = [super::note_of(self.scope), note_of_class(&self.args.which)];
        notes.iter().flatten().try_for_each(|note| writeln!(out, "Note: {note}"))?;
        sheet.titles(out)?;
        let listed = self.index.list(self.scope, self.list, |listed| {
            sheet.line(
                out,
                Tone::Prefix,
                (listed.held(), listed.newest),
                ("", &text::name(&listed.prefix)),
            )?;
            Ok::<_, Answering>(())
        })?;
        if listed.more > 0 && self.list.levels == 1 {
            let more = format!("({} more)", text::count(listed.more));
            sheet.line(out, Tone::Rest, (listed.more_held, None), ("", &more))?;
        }
        if let Some(directly) = self.directly(&listed)? {
            sheet.line(
                out,
                Tone::Rest,
                (directly, None),
                ("", super::directly(self.index, self.scope.text())),
            )?;
        }
        sheet.line(out, Tone::Total, (self.whole.held, self.newest), ("", "(total)"))?;
        if listed.more > 0 && self.list.levels > 1 {
            // What is deeper is in what is above it: there is no sum of them.
            writeln!(out, "{} more are not listed, for --limit or a filter", text::count(listed.more))?;
        }
        Ok(())
    }

    fn json(&self, out: &mut dyn Write) -> Result<(), Answering> {
        let beginning = Beginning::new(self.index, self.scope, self.costs.as_ref());
        let selection = Selection::new(&self.args.which, self.list);
        let first = serde_json::to_string(&Head { beginning, selection })?;
        // The rest of the object is written as it is read.
        write!(out, "{},\"prefixes\":[", first.strip_suffix('}').unwrap_or(&first))?;
        let mut between = "";
        let listed = self.index.list(self.scope, self.list, |listed| {
            let sums = self.whole.part(listed.held(), listed.newest);
            write!(
                out,
                "{between}{}",
                serde_json::to_string(&Entry { key: Key::new(&listed.prefix), sums })?
            )?;
            between = ",";
            Ok::<_, Answering>(())
        })?;
        let end = End {
            more: More::new(&listed, &self.whole),
            directly: self.directly(&listed)?.map(|held| self.whole.part(held, None)),
            total: self.whole.part(self.whole.held, self.newest),
        };
        let end = serde_json::to_string(&end)?;
        Ok(writeln!(out, "],{}", end.strip_prefix('{').unwrap_or(&end))?)
    }
}

/// What the object begins with.
#[derive(Serialize)]
struct Head<'a> {
    #[serde(flatten)]
    beginning: Beginning<'a>,
    #[serde(flatten)]
    selection: Selection<'a>,
}

/// What is listed.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    key: Key<'a>,
    #[serde(flatten)]
    sums: Part,
}

/// What it ends with.
#[derive(Serialize)]
struct End {
    more: More,
    directly: Option<Part>,
    total: Part,
}
