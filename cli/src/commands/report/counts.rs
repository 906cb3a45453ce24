//! Objects and bytes by class, age and size.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use s3inv::{By, ClassCount, Count, Measure};
use s3inv_pricing::Parts;

use super::Report;
use crate::amount::{percent, share};
use crate::page::{Line, Part};
use crate::table::Tone;
use crate::text;

impl Report<'_> {
    /// The columns of lines of counts.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        if self.whole.bytes { vec!["objects", "bytes", "share"] } else { vec!["objects", "share"] }
    }

    /// A line of a part of some whole.
    pub(super) fn line(&self, name: String, tone: Tone, count: Count, all: Count) -> Line {
        let by =
            |count: Count| if self.by() == By::Bytes { count.bytes.into() } else { count.objects.into() };
        let share = share(by(count), by(all));
        let mut cells = vec![text::count(count.objects)];
        cells.extend(self.whole.bytes.then(|| text::bytes(count.bytes)));
        cells.push(share.map_or_else(|| "-".to_owned(), percent));
        Line { name, tone, share: share.filter(|_| tone != Tone::Total), cells }
    }

    pub(super) fn classes(&self) -> Vec<Part> {
        let heading = "Storage classes";
        if let Some(why) = self.why_unknown(Measure::Classes) {
            return vec![Part::without(heading, why)];
        }
        let estimate = self.estimate.as_ref().ok();
        let current = estimate.map(|estimate| &estimate.current);
        let mut parts = vec![self.by_class(heading, self.stats.current, &self.stats.classes, current)];
        if self.stats.noncurrent.objects > 0 {
            let costs = estimate.and_then(|estimate| estimate.noncurrent.as_ref());
            let (all, classes) = (self.stats.noncurrent, &self.stats.noncurrent_classes);
            parts.push(self.by_class("Storage classes of noncurrent versions", all, classes, costs));
        }
        parts
    }

    fn by_class(
        &self,
        heading: &'static str,
        all: Count,
        classes: &BTreeMap<&str, ClassCount>,
        costs: Option<&BTreeMap<&str, Parts>>,
    ) -> Part {
        let mut classes: Vec<_> = classes.iter().collect();
        classes.sort_by_key(|(_, count)| Reverse((count.all.bytes, count.all.objects)));
        let line = |(class, count): (&&str, &ClassCount)| {
            let mut line = self.line(text::printable(class), Tone::Plain, count.all, all);
            let cost = |parts: &Parts| parts.total().to_string();
            let cost = costs.map(|costs| costs.get(*class).map_or_else(|| "no price".to_owned(), cost));
            line.cells.extend(cost);
            line
        };
        let mut columns = self.columns();
        columns.extend(costs.map(|_| "cost"));
        let lines = classes.into_iter().map(line).collect();
        Part { heading, notes: Vec::new(), is_whole: true, columns, lines }
    }

    /// Current objects by age or size.
    pub(super) fn bands(&self, measure: Measure, labels: &[(&'static str, u64)], counts: &[Count]) -> Part {
        let (heading, note) = match measure {
            Measure::Age => ("Ages", "Current objects, by how long before the snapshot they were modified."),
            _ => ("Sizes", "Current objects, by their own size."),
        };
        if let Some(why) = self.why_unknown(measure) {
            return Part::without(heading, why);
        }
        let line = |(at, count): (usize, &Count)| {
            self.line(text::band(labels, at), Tone::Plain, *count, self.stats.current)
        };
        let lines = counts.iter().enumerate().map(line).collect();
        Part { heading, notes: vec![note.to_owned()], is_whole: false, columns: self.columns(), lines }
    }
}
