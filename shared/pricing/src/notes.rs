use s3inv_model::{Measure, Schema};

const TIERS: &str = "INTELLIGENT_TIERING_";

/// What an index doesn't tell, so that costs may be others than those of the bucket: a sentence each.
#[must_use]
pub fn notes(schema: &Schema) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if !schema.measures.has(Measure::Noncurrent) {
        notes.push("noncurrent versions are not counted: the index was built without the measure noncurrent");
    }
    let tiers: Vec<_> = schema.classes.iter().filter_map(|class| class.strip_prefix(TIERS)).collect();
    if tiers == ["FREQUENT"] {
        notes.push(
            "all of Intelligent-Tiering is priced as frequent: where there are other tiers, the inventory lacks \
             the field IntelligentTieringAccessTier",
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use s3inv_model::Measures;

    use super::*;

    fn told(measures: Measures, classes: &[&str]) -> usize {
        let classes = classes.iter().map(|&class| class.to_owned()).collect::<Vec<_>>().into();
        notes(&Schema { measures, classes }).len()
    }

    #[test]
    fn what_is_not_told_is_noted() {
        let all = Measures::all;
        assert_eq!(told(all(), &["STANDARD"]), 0);
        assert_eq!(told(all().without(Measure::Noncurrent), &["STANDARD"]), 1);
        assert_eq!(told(all(), &["INTELLIGENT_TIERING_FREQUENT", "STANDARD"]), 1);
        assert_eq!(told(all(), &["INTELLIGENT_TIERING_FREQUENT", "INTELLIGENT_TIERING_INFREQUENT"]), 0);
        assert_eq!(told(all(), &["INTELLIGENT_TIERING_INFREQUENT"]), 0);
    }
}
