use std::io::{self, Write};

use s3inv::{By, Cost, Index, Large, Scope, Top, prefix};
use serde::Serialize;

use super::{note_of, print};
use crate::amount::{Units, Value, cost, percent, share, title, usual};
use crate::args::{ByArg, Output, TopArgs};
use crate::failure::Failure;
use crate::heading::{Beginning, Heading};
use crate::priced::{CostNote, Prices};
use crate::row::Key;
use crate::table::{self, Line, Table, Tone};

pub(crate) fn top(args: &TopArgs) -> Result<(), Failure> {
    let prices = Prices::new(&args.table.prices)?;
    let index = prices.open(&args.scope.index.index, args.by == Some(ByArg::Cost))?;
    let scope = args.scope.prefix.scope();
    let by = args.by.map_or_else(|| usual(&[&index]), By::from);
    let limit = args.limit.get();
    let top = if args.all { index.largest(&scope, by, limit) } else { index.top(&scope, by, limit) }?;
    // People see costs where they asked for them, programs everywhere.
    let shown = by == By::Cost || args.table.answer.output == Output::Json;
    let costs = if shown { prices.note(&index, &scope)? } else { None };
    costs.iter().for_each(CostNote::warn_beside_answer);
    let answer = Answer { index: &index, costs: costs.as_ref(), scope: &scope, by, all: args.all, top: &top };
    print(|out| match args.table.answer.output {
        Output::Text => answer.text(Units { human: args.table.human }, out),
        Output::Json => writeln!(out, "{}", serde_json::to_string(&answer.json())?),
    })
}

struct Answer<'a> {
    index: &'a Index,
    costs: Option<&'a CostNote<'a>>,
    scope: &'a Scope,
    by: By,
    all: bool,
    top: &'a Top,
}

#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    beginning: Beginning<'a>,
    by: &'static str,
    all: bool,
    total: Value,
    /// What is in none of the prefixes; null where these count for the same things.
    rest: Option<Value>,
    prefixes: Vec<LargeJson<'a>>,
}

#[derive(Serialize)]
struct LargeJson<'a> {
    #[serde(flatten)]
    key: Key<'a>,
    depth: usize,
    counts_for: Value,
    share: Option<f64>,
    objects: u128,
    bytes: Option<u128>,
    noncurrent_bytes: Option<u128>,
    cost: Option<Cost>,
}

impl<'a> Answer<'a> {
    fn total(&self) -> u128 {
        self.top.total.by(self.by)
    }

    fn value(&self, amount: u128) -> Value {
        Value::new(self.by, amount.cast_signed())
    }

    /// What is in none of the prefixes that are shown.
    fn rest(&self) -> Option<u128> {
        (!self.all).then(|| self.top.rest(self.by))
    }

    fn json(&self) -> Json<'a> {
        let large = |large: &'a Large| {
            let known = |by: By| self.index.knows(by).then(|| large.amount.by(by));
            LargeJson {
                key: Key::new(&large.prefix),
                depth: prefix::depth(&large.prefix),
                counts_for: self.value(large.share),
                share: share(large.share, self.total()),
                objects: large.amount.by(By::Objects),
                bytes: known(By::Bytes),
                noncurrent_bytes: known(By::Noncurrent),
                cost: known(By::Cost).map(cost),
            }
        };
        Json {
            beginning: Beginning::new(self.index, self.scope, self.costs),
            by: self.by.name(),
            all: self.all,
            total: self.value(self.total()),
            rest: self.rest().map(|rest| self.value(rest)),
            prefixes: self.top.prefixes.iter().map(large).collect(),
        }
    }

    fn text(&self, units: Units, out: &mut dyn Write) -> io::Result<()> {
        let mut titles = vec![title(self.by), "SHARE"];
        titles.extend((!self.all).then_some("WITH BELOW"));
        let lines = self.lines(units);
        let table = Table::of(titles, &lines);
        table.heading(out, &Heading::new(self.index))?;
        self.costs.iter().try_for_each(|costs| writeln!(out, "{costs}"))?;
        note_of(self.scope).iter().try_for_each(|note| writeln!(out, "Note: {note}"))?;
        table.all(out, &lines)
    }

    fn lines(&self, units: Units) -> Vec<Line> {
        let line = |amount: u128, with_below: Option<u128>, name: String, tone: Tone| {
            let share = share(amount, self.total()).map_or_else(|| "-".to_owned(), percent);
            let below = with_below.map_or_else(String::new, |amount| units.show(self.by, amount));
            let mut numbers = vec![units.show(self.by, amount), share];
            numbers.extend((!self.all).then_some(below));
            Line::plain(numbers, name, tone)
        };
        let large = |large: &Large| {
            let with_below = Some(large.amount.by(self.by));
            line(large.share, with_below, table::name(&large.prefix), Tone::Prefix)
        };
        let mut lines: Vec<_> = self.top.prefixes.iter().map(large).collect();
        let rest = self.rest().filter(|rest| *rest > 0);
        lines.extend(rest.map(|rest| line(rest, None, "(in none of these)".to_owned(), Tone::Rest)));
        lines.push(line(self.total(), None, "(total)".to_owned(), Tone::Total));
        lines
    }
}
