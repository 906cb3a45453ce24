//! One page about a prefix: what other commands answer, together.

mod counts;
mod growth;
mod places;
mod spending;

use s3inv::{By, Count, Counted, Index, Measure, Scope, Stats};
use s3inv_model::{AGE_BANDS, SIZE_BANDS};
use s3inv_pricing::{Estimate, Missing, estimate};

use super::{failed, note_of};
use crate::amount::usual;
use crate::args::ReportArgs;
use crate::export::Output;
use crate::failure::Failure;
use crate::heading::Heading;
use crate::page::{Page, Part};
use crate::part::Whole;
use crate::priced::{CostNote, Prices, classes_of};
use crate::table;
use crate::text;

pub(crate) fn report(args: &ReportArgs) -> Result<(), Failure> {
    let output = Output::new(args.out.as_deref())?;
    let prices = Prices::new(&args.prices)?;
    let index = prices.open(&args.scope.index.index, false)?;
    let older = args.older.as_deref().map(|older| prices.open(older, false)).transpose()?;
    older.iter().chain([&index]).try_for_each(|index| output.spares(index))?;
    let scope = args.scope.prefix.scope();
    index.will_list(&scope).map_err(failed(&index))?;
    let sums = index.sums(&scope).map_err(failed(&index))?;
    let sums = sums.ok_or_else(|| super::not_found(&index, &scope))?;
    let stats = index.stats_of(&sums);
    let report = Report {
        index: &index,
        scope: &scope,
        stats: &stats,
        whole: Whole::new(&index, Counted::All, usual(&[&index]), index.held(Counted::All, &sums.cells)),
        estimate: estimate(&stats, prices.table()),
        limit: args.limit.get(),
    };
    let growth = older.as_ref().map(|older| report.growth(older, &prices)).transpose()?;
    let (growth, of_both) = growth.unzip();
    let costs = of_both.flatten().or_else(|| prices.note_of_classes(&index, &classes_of(&stats)));
    costs.iter().for_each(CostNote::warn);
    let html = report.page(growth)?.html();
    output.take("report", move |out, _| Ok(out.write_all(html.as_bytes())?)).map(|_| ())
}

/// What a page is made of.
struct Report<'a> {
    index: &'a Index,
    scope: &'a Scope,
    stats: &'a Stats<'a>,
    whole: Whole,
    estimate: Result<Estimate<'a>, Missing>,
    limit: usize,
}

impl Report<'_> {
    fn page(&self, growth: Option<Part>) -> Result<Page, Failure> {
        let mut parts = self.classes();
        parts.push(self.spending());
        parts.push(self.directories().map_err(failed(self.index))?);
        parts.push(self.largest()?);
        parts.extend(growth);
        parts.push(self.bands(Measure::Age, &AGE_BANDS, &self.stats.age));
        parts.push(self.bands(Measure::Size, &SIZE_BANDS, &self.stats.size));
        let end = format!(
            "Made by s3inv-index {} of {}. Ages of snapshots are those of when it was made.",
            env!("CARGO_PKG_VERSION"),
            text::printable(self.index.name())
        );
        Ok(Page { title: self.title(), facts: self.facts(), parts, end })
    }

    fn heading(&self) -> Heading<'_> {
        Heading::new(self.index)
    }

    /// What bars are of: bytes, where they are known.
    fn by(&self) -> By {
        usual(&[self.index])
    }

    fn title(&self) -> String {
        match self.scope.text() {
            b"" => self.heading().name(),
            prefix => format!("{}: {}", self.heading().name(), text::name(prefix)),
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let stats = self.stats;
        let prefix = note_of(self.scope).unwrap_or_else(|| table::name(self.scope.text()));
        let mut facts = vec![
            ("Bucket", self.heading().name()),
            ("Snapshot", self.heading().snapshot()),
            ("Prefix", prefix),
            ("Objects", text::count(stats.current.objects)),
            ("Bytes", self.known(Measure::Bytes, || exact(stats.current.bytes))),
            ("Noncurrent", self.known(Measure::Noncurrent, || self.told(stats.noncurrent))),
            ("Delete markers", self.known(Measure::Noncurrent, || self.markers())),
        ];
        let date = |ms: u64| if stats.dates.is_none() { "-".to_owned() } else { text::moment(ms) };
        facts.push(("Newest", self.known(Measure::Dates, || date(stats.dates.newest))));
        facts.push(("Oldest", self.known(Measure::Dates, || date(stats.dates.oldest))));
        if let Ok(estimate) = &self.estimate {
            facts.push(("Cost a month", estimate.total.to_string()));
        }
        facts
    }

    fn told(&self, count: Count) -> String {
        let objects = format!("{} objects", text::count(count.objects));
        if self.whole.bytes { format!("{objects}, {}", exact(count.bytes)) } else { objects }
    }

    fn markers(&self) -> String {
        let [all, latest] = [self.stats.delete_markers, self.stats.latest_delete_markers].map(text::count);
        if self.stats.delete_markers == 0 { all } else { format!("{all}, {latest} of them latest") }
    }

    fn known(&self, measure: Measure, value: impl FnOnce() -> String) -> String {
        self.why_unknown(measure).unwrap_or_else(value)
    }

    /// Why a measure isn't known, if it isn't.
    fn why_unknown(&self, measure: Measure) -> Option<String> {
        let info = self.index.info();
        if info.schema.measures.has(measure) {
            return None;
        }
        Some(match (info.unknown.has(measure), measure) {
            (true, Measure::Noncurrent) => "unknown: the inventory is of current versions".to_owned(),
            (true, measure) => format!("unknown: the inventory lacks the field {}", field(measure)),
            (false, measure) => {
                format!("unknown: the index was built without the measure {}", measure.name())
            }
        })
    }
}

/// The inventory's field that a measure needs.
fn field(measure: Measure) -> &'static str {
    match measure {
        Measure::Bytes | Measure::Size => "Size",
        Measure::Classes | Measure::Cost => "StorageClass",
        Measure::Dates | Measure::Age => "LastModifiedDate",
        Measure::Noncurrent => "IsLatest",
    }
}

fn exact(bytes: u64) -> String {
    match bytes {
        0..1024 => text::bytes(bytes),
        _ => format!("{} ({} bytes)", text::bytes(bytes), text::count(bytes)),
    }
}
