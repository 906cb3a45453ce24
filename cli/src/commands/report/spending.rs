//! What it costs, by what is paid for.

use std::collections::BTreeMap;

use s3inv_pricing::{Cost, Estimate, Parts};

use super::Report;
use crate::amount::percent;
use crate::cost;
use crate::page::{Line, Part};
use crate::table::Tone;
use crate::text;

impl Report<'_> {
    pub(super) fn spending(&self) -> Part {
        let heading = "Cost a month";
        let estimate = match &self.estimate {
            Ok(estimate) => estimate,
            Err(missing) => return Part::without(heading, missing.to_string()),
        };
        let line = |(name, cost): (&str, Cost)| line(name, Tone::Plain, cost, estimate.total);
        let mut lines: Vec<_> = paid(estimate).into_iter().map(line).collect();
        lines.push(self::line("(total)", Tone::Total, estimate.total, estimate.total));
        let columns = vec!["cost", "share"];
        Part { heading, notes: self.notes_of(estimate), is_whole: true, columns, lines }
    }

    /// What has to be known of an estimate.
    fn notes_of(&self, estimate: &Estimate<'_>) -> Vec<String> {
        let mut told = vec![
            format!("Prices: {}.", cost::prices_of(estimate)),
            format!("Left out: {}.", estimate.left_out.join(", ")),
        ];
        let unpriced = estimate.unpriced.iter().map(|(class, left)| {
            let [objects, bytes] = [text::count(left.objects), text::bytes(left.bytes)];
            format!("{} has no price and is left out: {objects} objects, {bytes}.", text::printable(class))
        });
        told.extend(unpriced);
        told.extend(
            cost::notes_of(self.stats, self.index.info()).into_iter().map(|note| format!("Note: {note}.")),
        );
        told
    }
}

/// What is paid for, of all versions and classes.
fn paid(estimate: &Estimate<'_>) -> Vec<(&'static str, Cost)> {
    let versions = estimate.current.values().chain(estimate.noncurrent.iter().flat_map(BTreeMap::values));
    let sum = |part: fn(&Parts) -> Cost| versions.clone().map(part).sum();
    vec![
        ("Storage", sum(|parts| parts.storage)),
        ("Minimum of 128 KB", sum(|parts| parts.minimum)),
        ("Monitoring", sum(|parts| parts.monitoring)),
        ("Archive overhead", sum(|parts| parts.overhead)),
    ]
}

fn line(name: &str, tone: Tone, cost: Cost, total: Cost) -> Line {
    let [part, whole] = [cost, total].map(|cost| cost.micro_dollars().count());
    let share = (whole > 0).then(|| part as f64 / whole as f64);
    let cells = vec![shown(cost), share.map_or_else(|| "-".to_owned(), percent)];
    Line { name: name.to_owned(), tone, share: share.filter(|_| tone != Tone::Total), cells }
}

fn shown(cost: Cost) -> String {
    if cost == Cost::ZERO { "$0".to_owned() } else { cost.to_string() }
}
