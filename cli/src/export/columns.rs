//! The columns of a table of prefixes.

use s3inv::{Measure, Schema, Stats, prefix};

/// The first column: the prefix; nothing, where it is not UTF-8.
pub(super) const PREFIX: &str = "prefix";
/// The last column: a prefix that is not UTF-8, in base64.
pub(super) const PREFIX_B64: &str = "prefix_b64";

/// The columns between those, all of numbers: depth, objects, bytes, and then objects and bytes of each class.
/// What the index doesn't measure has no column.
pub(super) struct Columns<'a> {
    bytes: bool,
    /// Classes, each with its name in the names of columns.
    classes: Vec<(&'a str, String)>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        let has = |measure| schema.measures.has(measure);
        let mut columns = Self { bytes: has(Measure::Bytes), classes: Vec::new() };
        for class in schema.classes.iter().filter(|_| has(Measure::Classes)) {
            let name = columns.free(&plain(class));
            columns.classes.push((class, name));
        }
        columns
    }

    /// This name, or with a number behind it where another class has it: SQL doesn't tell case apart.
    fn free(&self, name: &str) -> String {
        let taken = |name: &String| self.classes.iter().any(|(_, other)| other.eq_ignore_ascii_case(name));
        let numbered = (2..).map(|nth| format!("{name}_{nth}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<String> {
        let bytes = |name: String| self.bytes.then_some(name);
        let mut names = vec!["depth".to_owned(), "objects".to_owned()];
        names.extend(bytes("bytes".to_owned()));
        for (_, class) in &self.classes {
            names.push(format!("objects_{class}"));
            names.extend(bytes(format!("bytes_{class}")));
        }
        names
    }

    /// The numbers of a row, in their order, in the place of what `out` holds.
    pub(super) fn numbers(&self, key: &[u8], stats: &Stats<'_>, out: &mut Vec<u64>) {
        out.clear();
        out.extend([prefix::depth(key) as u64, stats.current.objects]);
        out.extend(self.bytes.then_some(stats.current.bytes));
        for (class, _) in &self.classes {
            let all = stats.classes.get(class).map(|count| count.all).unwrap_or_default();
            out.push(all.objects);
            out.extend(self.bytes.then_some(all.bytes));
        }
    }
}

/// A class as a part of a name that SQL needs no quotes for.
fn plain(class: &str) -> String {
    class.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use s3inv::Measures;

    use super::*;

    fn names(measures: &[Measure], classes: &[&str]) -> String {
        let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
        let schema =
            Schema { measures: measures.iter().copied().collect::<Measures>(), classes: classes.into() };
        Columns::new(&schema).names().join(" ")
    }

    #[test]
    fn columns_are_what_is_measured() {
        let classes = ["GLACIER", "STANDARD"];
        assert_eq!(
            names(&[Measure::Bytes, Measure::Classes], &classes),
            "depth objects bytes objects_GLACIER bytes_GLACIER objects_STANDARD bytes_STANDARD"
        );
        assert_eq!(names(&[Measure::Classes], &classes), "depth objects objects_GLACIER objects_STANDARD");
        assert_eq!(names(&[Measure::Bytes], &[""]), "depth objects bytes");
        assert_eq!(names(&[], &[""]), "depth objects");
    }

    #[test]
    fn no_two_columns_have_one_name() {
        assert_eq!(
            names(&[Measure::Classes], &["A-B", "A_B", "a_b", "a_b_2"]),
            "depth objects objects_A_B objects_A_B_2 objects_a_b_3 objects_a_b_2_2"
        );
    }
}
