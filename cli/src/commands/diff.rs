use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;

use s3inv::{By, Change, Diff, DiffOptions, Index, Scope};
use serde::Serialize;

use super::{note_of, print};
use crate::amount::{Units, Value, percent, seen, title};
use crate::args::{ByArg, DiffArgs, Output};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::priced::{CostNote, Prices, differ_in_what_they_cost};
use crate::row::Key;
use crate::table::{self, Line, Table, Tone};
use crate::text;

pub(crate) fn diff(args: &DiffArgs) -> Result<(), Failure> {
    let prices = Prices::new(&args.table.prices)?;
    let needed = args.by == ByArg::Cost;
    let (old, new) = (prices.open(&args.old, needed)?, prices.open(&args.new, needed)?);
    let scope = Scope::new(args.prefix.as_bytes());
    let (by, depth, limit) = (By::from(args.by), args.depth.get(), args.limit.get());
    let diff = s3inv::diff(&old, &new, DiffOptions { scope: &scope, by, depth, limit })?;
    let doubts = doubts(&old, &new);
    for doubt in &doubts {
        tracing::warn!("{doubt}");
    }
    let notes = doubts.into_iter().chain(note_of(&scope)).collect();
    let costs = prices.note_of_both(&old, &new).filter(|_| diff.known.contains(&By::Cost));
    costs.iter().for_each(CostNote::warn);
    let partial = scope.exact().is_none();
    let answer = Answer { old: &old, new: &new, by, depth, partial, costs, notes, diff: &diff };
    print(|out| match args.table.answer.output {
        Output::Text => answer.text(Units { human: args.table.human }, out),
        Output::Json => writeln!(out, "{}", serde_json::to_string(&answer.json())?),
    })
}

/// Why differences may not be what they seem.
pub(super) fn doubts(old: &Index, new: &Index) -> Vec<String> {
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
    if differ_in_what_they_cost(old, new) {
        doubts.push("costs can't be compared where one leaves out what the other one has".to_owned());
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
    /// Parts that changed, and are not among these.
    more: u64,
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

#[derive(Serialize)]
struct Measured {
    old: Value,
    new: Value,
    difference: Value,
    percent: Option<f64>,
}

impl Measured {
    fn new(change: &Change, by: By) -> Self {
        let (old, new) = amounts(change, by);
        let difference = change.difference().by(by);
        let percent = relative(old, difference).map(|part| (part * 1000.0).round() / 10.0);
        let value = |amount: u128| Value::new(by, amount.cast_signed());
        Self { old: value(old), new: value(new), difference: Value::new(by, difference), percent }
    }
}

/// How much there was, and is.
fn amounts(change: &Change, by: By) -> (u128, u128) {
    let amount = |amount: Option<s3inv::Amount>| amount.unwrap_or_default().by(by);
    (amount(change.old), amount(change.new))
}

/// A difference as a part of what there was, if there was something.
fn relative(old: u128, difference: i128) -> Option<f64> {
    (old > 0).then(|| difference as f64 / old as f64)
}

/// The same for people: `came`, `went`, `+12.3%`, or `-`.
pub(super) fn told(change: &Change, by: By) -> String {
    let ((old, _), difference) = (amounts(change, by), change.difference().by(by));
    match (kind(change, by), relative(old, difference)) {
        (kind @ ("came" | "went"), _) => kind.to_owned(),
        (_, Some(part)) => {
            let sign = if part > 0.0 { "+" } else { "" };
            sign.to_owned() + &percent(part)
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
            more: self.diff.more,
        }
    }

    fn text(&self, units: Units, out: &mut dyn Write) -> io::Result<()> {
        let others = self.others();
        let mut titles = vec!["OLD", "NEW", "DIFFERENCE", "CHANGE"];
        titles.extend(others.iter().map(|by| title(*by)));
        let line = |change: &Change, name: String, tone: Tone| {
            let numbers = self.numbers(change, units, &others);
            Line { numbers, before: String::new(), name, tone }
        };
        let mut lines = vec![line(&self.diff.total, "(total)".to_owned(), Tone::Total)];
        lines.extend(self.diff.changes.iter().map(|change| line(change, name(change), Tone::Prefix)));
        let table = Table::of(titles, &lines);
        for (which, index) in [("Old", self.old), ("New", self.new)] {
            table.heading(out, &format_args!("{which}: {}", Heading::new(index)))?;
        }
        self.costs.iter().try_for_each(|costs| writeln!(out, "{costs}"))?;
        self.notes.iter().try_for_each(|note| writeln!(out, "Note: {note}"))?;
        table.all(out, &lines)?;
        match self.diff.more {
            0 if self.diff.changes.is_empty() => writeln!(out, "nothing changed"),
            0 => Ok(()),
            more => writeln!(out, "{} more changed: --limit shows them", text::count(more)),
        }
    }

    /// What is shown beside what is compared: what else both know, but of noncurrent objects only changes.
    fn others(&self) -> Vec<By> {
        let mut shown = self.diff.changes.iter().chain([&self.diff.total]);
        let old = shown.any(|change| change.difference().by(By::Noncurrent) != 0);
        let known = self.diff.known.iter().copied().filter(|by| *by != self.by);
        known.filter(|by| *by != By::Noncurrent || old).collect()
    }

    fn numbers(&self, change: &Change, units: Units, others: &[By]) -> Vec<(String, Tone)> {
        let (old, new) = amounts(change, self.by);
        let shown = |by: By| {
            let difference = change.difference().by(by);
            (units.show_difference(by, difference), tone(by, difference))
        };
        let plain = |text: String| (text, Tone::Plain);
        let mut numbers = vec![plain(units.show(self.by, old)), plain(units.show(self.by, new))];
        numbers.extend([shown(self.by), plain(told(change, self.by))]);
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
