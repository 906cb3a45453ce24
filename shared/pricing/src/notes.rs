use s3inv_model::{Measure, Measures, Schema};

const TIERS: &str = "INTELLIGENT_TIERING_";
const FREQUENT: &str = "INTELLIGENT_TIERING_FREQUENT";
const ONE_TIER: &str = "all of Intelligent-Tiering is priced as frequent: where there are other tiers, the inventory \
                        lacks the field IntelligentTieringAccessTier";

/// What an index doesn't tell, so that costs may be others than those of the bucket: a sentence each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Why noncurrent versions are left out, if they are.
    pub versions: Option<&'static str>,
    /// Why tiers of Intelligent-Tiering may be priced as others than they are.
    pub tiers: Option<&'static str>,
}

impl Notes {
    /// Of an index. `unknown` are the measures that its inventory had no fields for; `has` tells whether what is asked
    /// about has objects of a class.
    #[must_use]
    pub fn new(schema: &Schema, unknown: &Measures, has: impl Fn(&str) -> bool) -> Self {
        let versions = if unknown.has(Measure::Noncurrent) {
            Some("noncurrent versions are not counted: the inventory is of current versions")
        } else if schema.measures.has(Measure::Noncurrent) {
            None
        } else {
            Some("noncurrent versions are not counted: the index was built without the measure noncurrent")
        };
        let mut tiers = schema.classes.iter().filter(|class| class.starts_with(TIERS));
        let one = has(FREQUENT) && tiers.all(|class| class == FREQUENT);
        Self { versions, tiers: one.then_some(ONE_TIER) }
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        self.versions.into_iter().chain(self.tiers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is noted of objects of the first of these classes.
    fn told(measures: Measures, unknown: &[Measure], classes: &[&str]) -> Vec<&'static str> {
        let first = classes[0];
        let classes = classes.iter().map(|&class| class.to_owned()).collect::<Vec<_>>().into();
        let unknown = unknown.iter().copied().collect();
        Notes::new(&Schema { measures, classes }, &unknown, |class| class == first).iter().collect()
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
