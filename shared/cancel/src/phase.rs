/// The parts of a build, in their order, with the words that errors and logs use for them.
///
/// `docs/cancellation.md` has the same words in a table, and a test compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Reading the manifest and making the plan.
    Manifest,
    /// Reading data files into sorted runs.
    Ingest,
    /// Merging runs into the pages of the index.
    Merge,
    /// Joining the pages into one file beside the destination.
    Finalize,
    /// Making that file the index.
    Publish,
}

impl Phase {
    /// All phases, in their order.
    pub const ALL: [Self; 5] = [Self::Manifest, Self::Ingest, Self::Merge, Self::Finalize, Self::Publish];

    /// What an error is wrapped with: `ingest phase: process chunk`.
    #[must_use]
    pub fn wrap(self) -> &'static str {
        match self {
            Self::Manifest => "manifest phase: read manifest",
            Self::Ingest => "ingest phase: process chunk",
            Self::Merge => "merge/build phase: build index",
            Self::Finalize => "finalize phase: join segments",
            Self::Publish => "publish phase: publish index",
        }
    }

    /// What is logged when the phase was cut short.
    #[must_use]
    pub fn cancelled(self) -> &'static str {
        match self {
            Self::Manifest => "pipeline cancelled during manifest phase",
            Self::Ingest => "pipeline cancelled during ingest phase",
            Self::Merge => "pipeline cancelled during merge phase",
            Self::Finalize => "pipeline cancelled during finalize phase",
            Self::Publish => "pipeline cancelled during publish phase",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stop;

    #[test]
    fn the_documentation_has_the_same_words() {
        let table = include_str!("../../../docs/cancellation.md");
        let rows: Vec<_> = table.lines().filter(|line| line.contains("` | `pipeline cancelled")).collect();
        assert_eq!(rows.len(), Phase::ALL.len());
        for (phase, row) in Phase::ALL.into_iter().zip(rows) {
            let error = format!("`{}: {}`", phase.wrap(), Stop::Cancelled);
            let log = format!("`{}`", phase.cancelled());
            assert!(row.ends_with(&format!("| {error} | {log} |")), "{row}");
        }
        assert!(table.contains(&format!("`{}`", Stop::DeadlineExceeded)));
    }
}
