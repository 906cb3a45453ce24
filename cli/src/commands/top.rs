use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;

use s3inv::{By, Index, Large, Scope, Top, prefix};
use serde::Serialize;

use super::{note_of, open, print};
use crate::amount::{Units, percent, share, title};
use crate::args::{Output, TopArgs};
use crate::columns::{self, Columns, Tone};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::row::Key;

pub(crate) fn top(args: &TopArgs) -> Result<(), Failure> {
    let index = open(&args.index.index)?;
    let scope = Scope::new(args.prefix.as_bytes());
    let (by, limit) = (By::from(args.by), args.limit.get());
    let top = if args.all { index.largest(&scope, by, limit) } else { index.top(&scope, by, limit) }?;
    let answer = Answer { index: &index, scope: &scope, by, all: args.all, top: &top };
    print(|out| match args.output {
        Output::Text => answer.text(Units { human: args.human }, out),
        Output::Json => writeln!(out, "{}", serde_json::to_string(&answer.json())?),
    })
}

struct Answer<'a> {
    index: &'a Index,
    scope: &'a Scope,
    by: By,
    all: bool,
    top: &'a Top,
}

#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    heading: Heading<'a>,
    #[serde(flatten)]
    key: Key<'a>,
    /// Whether the prefix is a part of names.
    partial: bool,
    by: &'static str,
    all: bool,
    total: u64,
    /// What is in none of the prefixes; null where these count for the same things.
    rest: Option<u64>,
    prefixes: Vec<LargeJson<'a>>,
}

#[derive(Serialize)]
struct LargeJson<'a> {
    #[serde(flatten)]
    key: Key<'a>,
    depth: usize,
    counts_for: u64,
    share: Option<f64>,
    objects: u64,
    bytes: Option<u64>,
    noncurrent_bytes: Option<u64>,
}

impl<'a> Answer<'a> {
    fn total(&self) -> u64 {
        self.top.total.by(self.by)
    }

    /// What is in none of the prefixes that are shown.
    fn rest(&self) -> Option<u64> {
        (!self.all).then(|| self.top.rest(self.by))
    }

    fn json(&self) -> Json<'a> {
        let large = |large: &'a Large| {
            let known = |by: By| by.is_known(&self.index.info().schema.measures).then(|| large.amount.by(by));
            LargeJson {
                key: Key::new(&large.prefix),
                depth: prefix::depth(&large.prefix),
                counts_for: large.share,
                share: share(large.share, self.total()),
                objects: large.amount.by(By::Objects),
                bytes: known(By::Bytes),
                noncurrent_bytes: known(By::Noncurrent),
            }
        };
        Json {
            heading: Heading::new(self.index.name(), self.index.info()),
            key: Key::new(self.scope.text()),
            partial: self.scope.exact().is_none(),
            by: self.by.name(),
            all: self.all,
            total: self.total(),
            rest: self.rest(),
            prefixes: self.top.prefixes.iter().map(large).collect(),
        }
    }

    fn text(&self, units: Units, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", Heading::new(self.index.name(), self.index.info()))?;
        note_of(self.scope).iter().try_for_each(|note| writeln!(out, "{note}"))?;
        let mut titles = vec![title(self.by), "SHARE"];
        titles.extend((!self.all).then_some("WITH BELOW"));
        let mut columns = Columns::new(titles);
        let mut line = |amount: u64, with_below: Option<u64>, name: String, tone: Tone| {
            let share = share(amount, self.total()).map_or_else(|| "-".to_owned(), percent);
            let below = with_below.map_or_else(String::new, |amount| units.show(self.by, amount));
            let mut numbers = vec![units.show(self.by, amount), share];
            numbers.extend((!self.all).then_some(below));
            columns.push(numbers.into_iter().map(|number| (number, Tone::Plain)).collect(), name, tone);
        };
        for large in &self.top.prefixes {
            line(large.share, Some(large.amount.by(self.by)), columns::name(&large.prefix), Tone::Plain);
        }
        if let Some(rest) = self.rest().filter(|rest| *rest > 0) {
            line(rest, None, "(in none of these)".to_owned(), Tone::Rest);
        }
        line(self.total(), None, "(total)".to_owned(), Tone::Total);
        columns.write(out)
    }
}
