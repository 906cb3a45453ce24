use std::io::{self, Write};

use s3inv::{By, Change, Diff, DiffOptions, Difference, Index};
use serde::Serialize;

use super::{note_of, print};
use crate::amount::{self, Units, Value, percent, seen, title, usual};
use crate::args::{ByArg, DiffArgs, Output};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::priced::{CostNote, Prices};
use crate::row::Key;
use crate::table::{self, Line, Table, Tone};
use crate::text;

pub(crate) fn diff(args: &DiffArgs) -> Result<(), Failure> {
    let prices = Prices::new(&args.table.prices)?;
    let needed = args.by == Some(ByArg::Cost);
    let (old, new) = (prices.open(&args.old, needed)?, prices.open(&args.new, needed)?);
    let scope = args.prefix.scope();
    let by = args.by.map_or_else(|| usual(&[&old, &new]), By::from);
    let (depth, limit) = (args.depth, args.limit);
    let diff = s3inv::diff(&old, &new, DiffOptions { scope: &scope, by, depth, limit })?;
    let doubts = doubts([&old, &new], &diff.known);
    let notes = doubts.into_iter().chain(note_of(&scope)).collect();
    let shown = diff.known.contains(&By::Cost);
    let costs = if shown { prices.note_of_both([&old, &new], &scope)? } else { None };
    costs.iter().for_each(CostNote::warn_beside_answer);
    let partial = scope.exact().is_none();
    let answer = Answer { old: &old, new: &new, by, depth, partial, costs, notes, diff: &diff };
    print(|out| match args.table.answer.output {
        Output::Text => answer.text(Units { human: args.table.human }, out),
        Output::Json => writeln!(out, "{}", serde_json::to_string(&answer.json())?),
    })
}

/// Why differences may not be what they seem.
pub(super) fn doubts([old, new]: [&Index; 2], known: &[By]) -> Vec<String> {
    let mut doubts = Vec::new();
    if let (Some(a), Some(b)) = (&old.info().origin, &new.info().origin) {
        let [old, new] = [a, b].map(|origin| text::printable(&origin.source_bucket));
        if old != new {
            doubts.push(format!("these are different buckets: {old} and {new}"));
        } else if a.snapshot_ms == b.snapshot_ms {
            doubts.push("both indexes are of the same snapshot".to_owned());
        } else if a.snapshot_ms > b.snapshot_ms {
            doubts.push("OLD is newer than NEW".to_owned());
        }
    }
    for by in By::ALL {
        match [old, new].map(|index| by.is_known(&index.info().schema.measures)) {
            [false, true] => doubts.push(format!("{by} can't be compared: OLD doesn't know it")),
            [true, false] => doubts.push(format!("{by} can't be compared: NEW doesn't know it")),
            _ => {}
        }
    }
    if !known.contains(&By::Cost) && [old, new].iter().all(|index| index.knows(By::Cost)) {
        doubts.push("cost can't be compared: only one of them has that of noncurrent versions".to_owned());
    }
    doubts
}

struct Answer<'a> {
    old: &'a Index,
    new: &'a Index,
    by: By,
    depth: usize,
    partial: bool,
    costs: Option<CostNote<'a>>,
    notes: Vec<String>,
    diff: &'a Diff,
}

#[derive(Serialize)]
struct Json<'a> {
    old: Heading<'a>,
    new: Heading<'a>,
    notes: &'a [String],
    prices: Option<&'a CostNote<'a>>,
    /// Whether the prefix is a part of names.
    partial: bool,
    by: &'static str,
    depth: usize,
    total: ChangeJson<'a>,
    changes: Vec<ChangeJson<'a>>,
    /// Those that are not among these.
    more: More,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    #[serde(flatten)]
    key: Key<'a>,
    directly: bool,
    change: &'static str,
    objects: Option<Measured>,
    bytes: Option<Measured>,
    noncurrent_bytes: Option<Measured>,
    cost: Option<Measured>,
}

/// How many parts more changed, and by how much together.
#[derive(Serialize)]
struct More {
    parts: u64,
    objects: Option<Value>,
    bytes: Option<Value>,
    noncurrent_bytes: Option<Value>,
    cost: Option<Value>,
}

#[derive(Serialize)]
struct Measured {
    old: Value,
    new: Value,
    difference: Value,
    /// As a part of what there was.
    change: Option<f64>,
}

impl Measured {
    fn new(change: &Change, by: By) -> Self {
        let (old, new) = amounts(change, by);
        let difference = change.difference().by(by);
        let change = amount::change(old, difference);
        let value = |amount: u128| Value::new(by, amount.cast_signed());
        Self { old: value(old), new: value(new), difference: Value::new(by, difference), change }
    }
}

/// How much there was, and is.
fn amounts(change: &Change, by: By) -> (u128, u128) {
    let amount = |amount: Option<s3inv::Amount>| amount.unwrap_or_default().by(by);
    (amount(change.old), amount(change.new))
}

/// The same for people: `came`, `went`, `+12.3%`, or `-`.
pub(super) fn told(change: &Change, by: By) -> String {
    let ((old, _), difference) = (amounts(change, by), change.difference().by(by));
    match (kind(change, by), amount::change(old, difference)) {
        (kind @ ("came" | "went"), _) => kind.to_owned(),
        (_, Some(part)) => {
            let percent = percent(part);
            let sign = if part > 0.0 && percent != "0.0%" { "+" } else { "" };
            sign.to_owned() + &percent
        }
        _ => "-".to_owned(),
    }
}

/// What became of a part.
fn kind(change: &Change, by: By) -> &'static str {
    match (change.old, change.new, change.difference().by(by)) {
        (None, ..) => "came",
        (_, None, _) => "went",
        (.., 0) => "same",
        (.., difference) if difference > 0 => "grew",
        _ => "shrank",
    }
}

impl<'a> Answer<'a> {
    fn json(&'a self) -> Json<'a> {
        let change = |change: &'a Change| {
            let known = |by: By| self.diff.known.contains(&by).then(|| Measured::new(change, by));
            ChangeJson {
                key: Key::new(&change.prefix),
                directly: change.directly,
                change: kind(change, self.by),
                objects: known(By::Objects),
                bytes: known(By::Bytes),
                noncurrent_bytes: known(By::Noncurrent),
                cost: known(By::Cost),
            }
        };
        Json {
            old: Heading::new(self.old),
            new: Heading::new(self.new),
            notes: &self.notes,
            prices: self.costs.as_ref(),
            partial: self.partial,
            by: self.by.name(),
            depth: self.depth,
            total: change(&self.diff.total),
            changes: self.diff.changes.iter().map(change).collect(),
            more: self.more(),
        }
    }

    fn more(&self) -> More {
        let rest = self.diff.rest();
        let known = |by: By| self.diff.known.contains(&by).then(|| Value::new(by, rest.by(by)));
        More {
            parts: self.diff.more,
            objects: known(By::Objects),
            bytes: known(By::Bytes),
            noncurrent_bytes: known(By::Noncurrent),
            cost: known(By::Cost),
        }
    }

    fn text(&self, units: Units, out: &mut dyn Write) -> io::Result<()> {
        let others = self.others();
        let mut titles = match self.by {
            By::Bytes => vec!["OLD BYTES", "NEW BYTES"],
            By::Objects => vec!["OLD OBJECTS", "NEW OBJECTS"],
            By::Noncurrent => vec!["OLD NONCURRENT BYTES", "NEW NONCURRENT BYTES"],
            By::Cost => vec!["OLD COST", "NEW COST"],
        };
        titles.extend(["DIFFERENCE", "CHANGE"]);
        titles.extend(others.iter().map(|by| title(*by)));
        let line = |change: &Change, name: String, tone: Tone| self.line(change, name, tone, units, &others);
        let mut lines = vec![line(&self.diff.total, "(total)".to_owned(), Tone::Total)];
        lines.extend(self.diff.changes.iter().map(|change| line(change, name(change), Tone::Prefix)));
        if self.diff.more > 0 {
            let name = format!("({} more)", text::count(self.diff.more));
            let numbers = self.numbers(Default::default(), self.diff.rest(), units, &others);
            lines.push(Line { numbers, before: String::new(), name, tone: Tone::Rest });
        }
        let table = Table::of(titles, &lines);
        for (which, index) in [("Old", self.old), ("New", self.new)] {
            table.heading(out, &format_args!("{which}: {}", Heading::new(index)))?;
        }
        self.costs.iter().try_for_each(|costs| writeln!(out, "{costs}"))?;
        self.notes.iter().try_for_each(|note| writeln!(out, "Note: {note}"))?;
        table.all(out, &lines)?;
        if self.diff.changes.is_empty() && self.diff.more == 0 {
            writeln!(out, "nothing changed")
        } else {
            Ok(())
        }
    }

    /// What is shown beside what is compared: what else both know, but of noncurrent objects only changes.
    fn others(&self) -> Vec<By> {
        let mut shown = self.diff.changes.iter().chain([&self.diff.total]);
        let old = shown.any(|change| change.difference().by(By::Noncurrent) != 0);
        let known = self.diff.known.iter().copied().filter(|by| *by != self.by);
        known.filter(|by| *by != By::Noncurrent || old).collect()
    }

    fn line(&self, change: &Change, name: String, tone: Tone, units: Units, others: &[By]) -> Line {
        let (old, new) = amounts(change, self.by);
        let [old, new] = [old, new].map(|amount| units.show(self.by, amount));
        let numbers = self.numbers([old, new, told(change, self.by)], change.difference(), units, others);
        Line { numbers, before: String::new(), name, tone }
    }

    fn numbers(
        &self,
        [old, new, change]: [String; 3],
        difference: Difference,
        units: Units,
        others: &[By],
    ) -> Vec<(String, Tone)> {
        let shown = |by: By| {
            let difference = difference.by(by);
            (units.show_difference(by, difference), tone(by, difference))
        };
        let plain = |text: String| (text, Tone::Plain);
        let mut numbers = vec![plain(old), plain(new), shown(self.by), plain(change)];
        numbers.extend(others.iter().map(|by| shown(*by)));
        numbers
    }
}

pub(super) fn tone(by: By, difference: i128) -> Tone {
    match seen(by, difference) {
        ..0 => Tone::Less,
        0 => Tone::Plain,
        _ => Tone::More,
    }
}

pub(super) fn name(change: &Change) -> String {
    let here = if change.directly { " (directly here)" } else { "" };
    table::name(&change.prefix) + here
}
