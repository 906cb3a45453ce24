use s3inv_model::{Classes, Measure, Stats};

const TIERS: &str = "INTELLIGENT_TIERING_";
const FREQUENT: &str = "INTELLIGENT_TIERING_FREQUENT";

/// What an index with these classes doesn't tell of a prefix, so that costs may be others than those of the
/// bucket: a sentence each.
#[must_use]
pub fn notes(stats: &Stats<'_>, classes: &Classes) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if !stats.has(Measure::Noncurrent) {
        notes.push("noncurrent versions are not counted: the index was built without the measure noncurrent");
    }
    let asked = stats.classes.contains_key(FREQUENT) || stats.noncurrent_classes.contains_key(FREQUENT);
    if asked && classes.iter().filter(|class| class.starts_with(TIERS)).all(|class| class == FREQUENT) {
        notes.push(
            "all of Intelligent-Tiering is priced as frequent: where there are other tiers, the inventory lacks \
             the field IntelligentTieringAccessTier",
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use s3inv_model::{Bin, Cell, Dates, Measures, Schema, SizeBin};

    use super::*;

    /// How many notes there are on objects of the first of these classes.
    fn told(measures: Measures, classes: &[&str]) -> usize {
        let classes = classes.iter().map(|&class| class.to_owned()).collect::<Vec<_>>().into();
        let schema = Schema { measures, classes };
        let bin = Bin::Objects { class: 0, current: true, size: SizeBin::Untold, age: None }.id();
        let cells = [Cell { bin, objects: 1, bytes: 0 }];
        notes(&Stats::new(&schema, &cells, Dates::NONE), &schema.classes).len()
    }

    #[test]
    fn what_is_not_told_is_noted() {
        let all = Measures::all;
        assert_eq!(told(all(), &["STANDARD"]), 0);
        assert_eq!(told(all().without(Measure::Noncurrent), &["STANDARD"]), 1);
        assert_eq!(told(all(), &[FREQUENT, "STANDARD"]), 1);
        assert_eq!(told(all(), &["STANDARD", FREQUENT]), 0);
        assert_eq!(told(all(), &[FREQUENT, "INTELLIGENT_TIERING_INFREQUENT"]), 0);
        assert_eq!(told(all(), &["INTELLIGENT_TIERING_INFREQUENT"]), 0);
    }
}
