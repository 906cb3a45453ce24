use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;

use s3inv::{By, Change, Diff, DiffOptions, Index, Info, Scope};
use serde::Serialize;

use super::{note_of, open, print};
use crate::amount::{Units, percent, title};
use crate::args::{DiffArgs, Output};
use crate::columns::{self, Columns, Tone};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::row::Key;
use crate::text;

pub(crate) fn diff(args: &DiffArgs) -> Result<(), Failure> {
    let (old, new) = (open(&args.old)?, open(&args.new)?);
    let scope = Scope::new(args.prefix.as_bytes());
    let (by, depth, limit) = (By::from(args.by), args.depth.get(), args.limit.get());
    let diff = s3inv::diff(&old, &new, DiffOptions { scope: &scope, by, depth, limit })?;
    let doubts = doubts(&old, &new, &diff.known);
    doubts.iter().for_each(|doubt| tracing::warn!("{doubt}"));
    let notes = doubts.into_iter().chain(note_of(&scope)).collect();
    let answer = Answer { old: &old, new: &new, by, depth, notes, diff: &diff };
    print(|out| match args.output {
        Output::Text => answer.text(Units { human: args.human }, out),
        Output::Json => writeln!(out, "{}", serde_json::to_string(&answer.json())?),
    })
}

/// Why differences may not be what they seem.
pub(super) fn doubts(old: &Index, new: &Index, known: &[By]) -> Vec<String> {
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
    let unknown = By::ALL.into_iter().filter(|by| !known.contains(by));
    doubts
        .extend(unknown.map(|by| format!("{by} can't be compared: {}", lacking(by, old.info(), new.info()))));
    doubts
}

fn lacking(by: By, old: &Info, new: &Info) -> &'static str {
    match [old, new].map(|info| by.is_known(&info.schema.measures)) {
        [false, true] => "OLD doesn't know it",
        [true, false] => "NEW doesn't know it",
        _ => "neither index knows it",
    }
}

struct Answer<'a> {
    old: &'a Index,
    new: &'a Index,
    by: By,
    depth: usize,
    notes: Vec<String>,
    diff: &'a Diff,
}

#[derive(Serialize)]
struct Json<'a> {
    old: Heading<'a>,
    new: Heading<'a>,
    notes: &'a [String],
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
}

#[derive(Serialize)]
struct Measured {
    old: u64,
    new: u64,
    difference: i128,
    percent: Option<f64>,
}

impl Measured {
    fn new(change: &Change, by: By) -> Self {
        let amount = |amount: Option<s3inv::Amount>| amount.unwrap_or_default().by(by);
        let (old, new, difference) = (amount(change.old), amount(change.new), change.difference().by(by));
        let percent = relative(old, difference).map(|part| (part * 1000.0).round() / 10.0);
        Self { old, new, difference, percent }
    }
}

/// A difference as a part of what there was, if there was something.
fn relative(old: u64, difference: i128) -> Option<f64> {
    (old > 0).then(|| difference as f64 / old as f64)
}

/// The same for people: `came`, `went`, `+12.3%`, or `-`.
pub(super) fn told(change: &Change, by: By) -> String {
    let Measured { old, difference, .. } = Measured::new(change, by);
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
            }
        };
        Json {
            old: Heading::new(self.old.name(), self.old.info()),
            new: Heading::new(self.new.name(), self.new.info()),
            notes: &self.notes,
            by: self.by.name(),
            depth: self.depth,
            total: change(&self.diff.total),
            changes: self.diff.changes.iter().map(change).collect(),
            more: self.diff.more,
        }
    }

    fn text(&self, units: Units, out: &mut dyn Write) -> io::Result<()> {
        for (which, index) in [("Old", self.old), ("New", self.new)] {
            writeln!(out, "{which}: {}", Heading::new(index.name(), index.info()))?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "Note: {note}"))?;
        // Beside what is compared, what else people ask for.
        let others =
            [By::Bytes, By::Objects].into_iter().filter(|by| *by != self.by && self.diff.known.contains(by));
        let others: Vec<_> = others.collect();
        let mut titles = vec!["OLD", "NEW", "DIFFERENCE", "CHANGE"];
        titles.extend(others.iter().map(|by| title(*by)));
        titles.push("PREFIX");
        let mut columns = Columns::new(titles);
        let total = &self.diff.total;
        columns.push(self.numbers(total, units, &others), "(total)".to_owned(), Tone::Total);
        for change in &self.diff.changes {
            columns.push(self.numbers(change, units, &others), name(change), Tone::Plain);
        }
        columns.write(out)?;
        if self.diff.more > 0 {
            writeln!(out, "{} more changed: --limit shows them", text::count(self.diff.more))?;
        }
        Ok(())
    }

    fn numbers(&self, change: &Change, units: Units, others: &[By]) -> Vec<(String, Tone)> {
        let Measured { old, new, .. } = Measured::new(change, self.by);
        let shown = |by: By| {
            let difference = change.difference().by(by);
            (units.show_difference(by, difference), tone(difference))
        };
        let plain = |text: String| (text, Tone::Plain);
        let mut numbers = vec![plain(units.show(self.by, old)), plain(units.show(self.by, new))];
        numbers.extend([shown(self.by), plain(told(change, self.by))]);
        numbers.extend(others.iter().map(|by| shown(*by)));
        numbers
    }
}

pub(super) fn tone(difference: i128) -> Tone {
    match difference {
        ..0 => Tone::Less,
        0 => Tone::Plain,
        _ => Tone::More,
    }
}

pub(super) fn name(change: &Change) -> String {
    let here = if change.directly { " (directly here)" } else { "" };
    columns::name(&change.prefix) + here
}
