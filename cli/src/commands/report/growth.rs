//! What grew and shrank since an older index.

use s3inv::{AskError, By, Change, DiffOptions, Index};

use super::Report;
use crate::amount::{Units, usual};
use crate::commands::diff::{doubts, name, told, tone};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::page::{Line, Part};
use crate::priced::{CostNote, Prices};
use crate::table::Tone;
use crate::text;

impl Report<'_> {
    /// With what is to be known of the costs of both, where they are shown.
    pub(super) fn growth<'a>(
        &'a self,
        older: &'a Index,
        prices: &'a Prices,
    ) -> Result<(Part, Option<CostNote<'a>>), Failure> {
        let heading = "Growth";
        let by = usual(&[older, self.index]);
        let options = DiffOptions { scope: self.scope, by, depth: 1, limit: self.limit };
        let diff = match s3inv::diff(older, self.index, options) {
            Err(error @ AskError::Cut { .. }) => {
                return Ok((Part::without(heading, error.to_string()), None));
            }
            diff => diff?,
        };
        let mut notes = vec![format!("Since {}.", Heading::new(older))];
        let doubts = doubts([older, self.index], &diff.known);
        let costs = diff.known.contains(&By::Cost);
        let of_both = if costs { prices.note_of_both([older, self.index], self.scope)? } else { None };
        let about_costs = of_both.iter().flat_map(CostNote::sentences);
        notes.extend(doubts.into_iter().chain(about_costs).map(|note| format!("Note: {note}.")));
        let most = diff.changes.iter().map(|change| change.difference().by(by).unsigned_abs()).max();
        let mut lines: Vec<_> = diff
            .changes
            .iter()
            .map(|change| {
                let difference = change.difference().by(by);
                let share = difference.unsigned_abs() as f64 / most.unwrap_or(0).max(1) as f64;
                line(change, (by, costs), name(change), tone(by, difference), Some(share))
            })
            .collect();
        lines.push(line(&diff.total, (by, costs), "(total)".to_owned(), Tone::Total, None));
        if diff.more > 0 {
            notes.push(format!("{} more changed.", text::count(diff.more)));
        }
        let mut columns = vec!["difference", "change", "old", "new"];
        columns.extend(costs.then_some("cost"));
        Ok((Part { heading, notes, is_whole: false, columns, lines }, of_both))
    }
}

fn line(change: &Change, (by, costs): (By, bool), name: String, tone: Tone, share: Option<f64>) -> Line {
    let units = Units { human: true };
    let [old, new] = [change.old, change.new].map(|amount| units.show(by, amount.unwrap_or_default().by(by)));
    let mut cells = vec![units.show_difference(by, change.difference().by(by)), told(change, by), old, new];
    let cost = || units.show_difference(By::Cost, change.difference().by(By::Cost));
    cells.extend(costs.then(cost));
    Line { name, tone, share, cells }
}
