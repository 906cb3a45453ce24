use s3inv_model::{Measure, Measures, Schema};

const TIERS: &str = "INTELLIGENT_TIERING_";
const FREQUENT: &str = "INTELLIGENT_TIERING_FREQUENT";

/// What an index doesn't tell, so that costs may be others than those of the bucket: a sentence each. `unknown` are the
/// measures that the inventory had no fields for; `has` tells whether what is asked about has objects of a class.
#[must_use]
pub fn notes(schema: &Schema, unknown: &Measures, has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if unknown.has(Measure::Noncurrent) {
        notes.push("noncurrent versions are not counted: the inventory is of current versions");
    } else if !schema.measures.has(Measure::Noncurrent) {
        notes.push("noncurrent versions are not counted: the index was built without the measure noncurrent");
    }
    let mut tiers = schema.classes.iter().filter(|class| class.starts_with(TIERS));
    if has(FREQUENT) && tiers.all(|class| class == FREQUENT) {
        notes.push(
            "all of Intelligent-Tiering is priced as frequent: where there are other tiers, the inventory lacks \
             the field IntelligentTieringAccessTier",
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is noted of objects of the first of these classes.
    fn told(measures: Measures, unknown: &[Measure], classes: &[&str]) -> Vec<&'static str> {
        let first = classes[0];
        let classes = classes.iter().map(|&class| class.to_owned()).collect::<Vec<_>>().into();
        notes(&Schema { measures, classes }, &unknown.iter().copied().collect(), |class| class == first)
    }

    #[test]
    fn what_is_not_told_is_noted() {
        let told = |classes: &[&str]| told(Measures::all(), &[], classes).len();
        assert_eq!(told(&["STANDARD"]), 0);
        assert_eq!(told(&[FREQUENT, "STANDARD"]), 1);
        assert_eq!(told(&["STANDARD", FREQUENT]), 0);
        assert_eq!(told(&[FREQUENT, "INTELLIGENT_TIERING_INFREQUENT"]), 0);
        assert_eq!(told(&["INTELLIGENT_TIERING_INFREQUENT"]), 0);
    }

    #[test]
    fn why_noncurrent_versions_are_not_counted_is_noted() {
        let current = Measures::all().without(Measure::Noncurrent);
        let ends = |unknown: &[Measure], end: &str| {
            let told = told(current.clone(), unknown, &["STANDARD"]);
            assert!(told.len() == 1 && told[0].ends_with(end), "{told:?}");
        };
        ends(&[], "the index was built without the measure noncurrent");
        ends(&[Measure::Dates], "the index was built without the measure noncurrent");
        ends(&[Measure::Noncurrent], "the inventory is of current versions");
    }
}
