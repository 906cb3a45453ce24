//! What it costs, by what is paid for.

use s3inv_pricing::{Cost, Estimate, Parts};

use super::Report;
use crate::amount::percent;
use crate::cost;
use crate::page::{Line, Part};
use crate::priced::{classes_of, notes_of};
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
        let mut lines: Vec<_> = paid(estimate.parts).into_iter().map(line).collect();
        lines.push(self::line("(total)", Tone::Total, estimate.total, estimate.total));
        let columns = vec!["cost", "share"];
        Part { heading, notes: self.notes_of(estimate), is_whole: true, columns, lines }
    }

    /// What has to be known of an estimate.
    fn notes_of(&self, estimate: &Estimate<'_>) -> Vec<String> {
        let mut told = vec![
            format!("Prices: {}.", cost::prices_of(estimate.region, estimate.date, estimate.currency)),
            format!("Left out: {}.", estimate.left_out.join(", ")),
        ];
        let unpriced = estimate.unpriced.iter().map(|(class, left)| {
            let [objects, bytes] = [text::count(left.objects), text::bytes(left.bytes)];
            format!("{}: no price, left out: {objects} objects, {bytes}.", text::printable(class))
        });
        told.extend(unpriced);
        told.extend(
            notes_of(&classes_of(self.stats), self.index.info()).iter().map(|note| format!("Note: {note}.")),
        );
        told
    }
}

/// What is paid for.
fn paid(Parts { storage, minimum, monitoring, overhead }: Parts) -> [(&'static str, Cost); 4] {
    [
        ("Storage", storage),
        ("Minimum of 128 KB", minimum),
        ("Monitoring", monitoring),
        ("Archive overhead", overhead),
    ]
}

fn line(name: &str, tone: Tone, cost: Cost, total: Cost) -> Line {
    let [part, whole] = [cost, total].map(|cost| cost.micro_dollars().count());
    let share = (whole > 0).then(|| part as f64 / whole as f64);
    let cells = vec![cost.to_string(), share.map_or_else(|| "-".to_owned(), percent)];
    Line { name: name.to_owned(), tone, share: share.filter(|_| tone != Tone::Total), cells }
}
