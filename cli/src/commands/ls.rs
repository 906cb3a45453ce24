use std::io::Write;

use s3inv::{Count, FormatError, Index, List, Listed, Measure, Order, Scope, Sums};
use serde::Serialize;

use super::{Answering, answer, open, scope};
use crate::args::{LsArgs, Output};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::part::{More, Part, Whole};
use crate::row::Key;
use crate::sheet::{Line, Sheet};
use crate::text;

pub(crate) fn ls(args: &LsArgs) -> Result<(), Failure> {
    let index = open(&args.scope.index)?;
    let scope = scope(&args.scope);
    let list = list(args, &index)?;
    let failed = |error| Failure::Index { index: index.name().to_owned(), error };
    index.will_list(std::slice::from_ref(&scope)).map_err(failed)?;
    let sums = index.sums(&scope).map_err(failed)?;
    let sums = sums.ok_or_else(|| super::not_found(&index, scope.text()))?;
    let asked = Asked::new(&index, &scope, &list, &sums);
    answer(&index, |out| match args.output {
        Output::Text => asked.text(out, args.human),
        Output::Json => asked.json(out),
    })
}

/// What the arguments mean for this index.
fn list(args: &LsArgs, index: &Index) -> Result<List, Failure> {
    let measures = &index.info().schema.measures;
    let default = if measures.has(Measure::Bytes) { Order::Bytes } else { Order::Objects };
    let order = args.sort.map_or(default, Order::from);
    let lacks = |measure| Failure::Other(format!("{}: this index has no {measure}", index.name()));
    if !measures.has(Measure::Bytes) && (order == Order::Bytes || args.min_bytes > 0) {
        return Err(lacks("sizes: leave out --min-bytes, and sort by objects"));
    }
    if order == Order::Newest && (!measures.has(Measure::Dates) || args.class.is_some()) {
        return Err(lacks("dates to sort by, or none of a class alone: sort by bytes, objects or name"));
    }
    let counted = args.class.as_deref().map(|class| super::class(index, class)).transpose()?;
    let filter = s3inv::Filter {
        counted: counted.unwrap_or_default(),
        min_objects: args.min_objects,
        min_bytes: args.min_bytes,
        pattern: args.pattern.clone(),
    };
    Ok(List { filter, order, limit: args.limit.unwrap_or(usize::MAX), levels: args.depth })
}

/// A question, and what is known of its scope.
struct Asked<'a> {
    index: &'a Index,
    scope: &'a Scope,
    list: &'a List,
    whole: Whole,
    newest: Option<u64>,
}

impl<'a> Asked<'a> {
    fn new(index: &'a Index, scope: &'a Scope, list: &'a List, sums: &Sums) -> Self {
        let counted = list.filter.counted;
        let whole = Whole::new(index.info(), counted, counted.of(&sums.cells));
        Self { index, scope, list, whole, newest: (!sums.dates.is_none()).then_some(sums.dates.newest) }
    }

    fn heading(&self) -> Heading<'_> {
        Heading::new(self.index.name(), self.index.info())
    }

    /// What lies in the prefix itself. Of all that begin with some text, nothing does.
    fn directly(&self, listed: &s3inv::Rest) -> Result<Option<Count>, FormatError> {
        self.scope.exact().map(|prefix| listed.directly_in(prefix, self.whole.count)).transpose()
    }

    fn text(&self, out: &mut dyn Write, human: bool) -> Result<(), Answering> {
        let sheet = Sheet::new(self.whole, human);
        sheet.heading(out, &self.heading())?;
        if self.scope.exact().is_none() {
            writeln!(out, "{}", super::sums_directories(self.scope))?;
        }
        sheet.titles(out)?;
        let listed = self.index.list(self.scope, self.list, |Listed { prefix, count, newest }| {
            sheet.line(out, Line::Prefix, (count, newest), ("", &text::name(&prefix)))?;
            Ok::<_, Answering>(())
        })?;
        if listed.more > 0 && self.list.levels == 1 {
            let more = format!("({} more)", text::count(listed.more));
            sheet.line(out, Line::Other, (listed.more_count, None), ("", &more))?;
        }
        if let Some(directly) = self.directly(&listed)? {
            sheet.line(out, Line::Other, (directly, None), ("", "(directly here)"))?;
        }
        Ok(sheet.line(out, Line::Total, (self.whole.count, self.newest), ("", "(total)"))?)
    }

    fn json(&self, out: &mut dyn Write) -> Result<(), Answering> {
        let (key, partial) = (Key::new(self.scope.text()), self.scope.exact().is_none());
        let first = serde_json::to_string(&Beginning { heading: self.heading(), key, partial })?;
        // The rest of the object is written as it is read.
        write!(out, "{},\"prefixes\":[", first.strip_suffix('}').unwrap_or(&first))?;
        let mut between = "";
        let listed = self.index.list(self.scope, self.list, |Listed { prefix, count, newest }| {
            let sums = self.whole.part(count, newest);
            write!(out, "{between}{}", serde_json::to_string(&Entry { key: Key::new(&prefix), sums })?)?;
            between = ",";
            Ok::<_, Answering>(())
        })?;
        let end = End {
            more: More::new(&listed, &self.whole),
            directly: self.directly(&listed)?.map(|count| self.whole.part(count, None)),
            total: self.whole.part(self.whole.count, self.newest),
        };
        let end = serde_json::to_string(&end)?;
        Ok(writeln!(out, "],{}", end.strip_prefix('{').unwrap_or(&end))?)
    }
}

/// What the JSON object begins with.
#[derive(Serialize)]
struct Beginning<'a> {
    #[serde(flatten)]
    heading: Heading<'a>,
    #[serde(flatten)]
    key: Key<'a>,
    partial: bool,
}

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
