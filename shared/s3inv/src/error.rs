use s3inv_index_format::{FormatError, ReadAt};
use s3inv_model::{ErrorKind, Measure, prefix};

use crate::{By, Index, Scope};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The index can't be read.
    #[error("{index}: {error}")]
    Index {
        /// Where it is.
        index: String,
        /// What is wrong.
        error: FormatError,
    },
    /// It doesn't know what was asked for.
    #[error("{index}: {by} can't be told: the index has no measure {}: {}", .measure.name(), remedy(*.measure))]
    Unknown {
        /// Where it is.
        index: String,
        /// What was asked for.
        by: By,
        /// What it lacks.
        measure: Measure,
    },
    /// It isn't [`priced`](Index::priced).
    #[error("{index}: cost can't be told: the index was opened without prices")]
    Unpriced {
        /// Where it is.
        index: String,
    },
    /// It isn't comparable, though both indexes know it.
    #[error(
        "{index}: cost can't be compared: it is without noncurrent versions, and that of the other index is with \
         them: compare bytes or objects"
    )]
    Incomparable {
        /// The one that leaves something out.
        index: String,
    },
    /// There is nothing of it.
    #[error("prefix not found: {}{}", shown(.prefix), instead(.prefix, .above.as_deref(), *.cut))]
    NotFound {
        /// What was asked about.
        prefix: Vec<u8>,
        /// The nearest prefix above it that is there, if that could be read.
        above: Option<Vec<u8>>,
        /// The depth at which prefixes are cut, if it lies deeper.
        cut: Option<u64>,
    },
    /// Of two indexes one goes deeper than the other, and is asked about what is there.
    #[error(
        "{index}: prefixes are cut at depth {cut}, but those of the other index are not: \
         compare down to depth {cut} of the bucket only"
    )]
    Cut {
        /// The one that doesn't go so deep.
        index: String,
        /// How deep it goes.
        cut: u64,
    },
}

/// As text, in which bytes that are none are escaped.
fn shown(prefix: &[u8]) -> String {
    let chunk =
        |chunk: std::str::Utf8Chunk<'_>| format!("{}{}", chunk.valid(), chunk.invalid().escape_ascii());
    prefix.utf8_chunks().map(chunk).collect()
}

/// What to ask for instead, if that can be told.
fn instead(prefix: &[u8], above: Option<&[u8]>, cut: Option<u64>) -> String {
    match (cut, above, prefix) {
        (Some(cut), ..) => format!(": prefixes are cut at depth {cut}: ask for one above it"),
        (None, Some([]), [b'/', ..]) => ": no key begins with /".to_owned(),
        (None, Some([]) | None, _) => String::new(),
        (None, Some(above), _) => format!(": the nearest above it is {}", shown(above)),
    }
}

fn remedy(measure: Measure) -> &'static str {
    match measure {
        Measure::Bytes => "the inventory needs the field Size",
        Measure::Classes => "the inventory needs the field StorageClass",
        Measure::Noncurrent => {
            "it needs an inventory of all versions, and not to be left out of `build --measures`"
        }
        _ => "leave it in `build --measures`",
    }
}

impl AskError {
    /// What the one who sees it should do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Index { error, .. } => error.kind(),
            _ => ErrorKind::BadInput,
        }
    }

    /// There is nothing of a scope in some indexes. They are asked what there is above it.
    #[must_use]
    pub fn not_found<const N: usize, R: ReadAt>(indexes: [&Index<R>; N], scope: &Scope) -> Self {
        let cuts = indexes.into_iter().filter_map(|index| index.info().max_depth);
        let depth = prefix::depth(scope.parent()) as u64 + u64::from(scope.exact().is_none());
        let cut = cuts.filter(|&cut| cut < depth).min();
        let above = if cut.is_none() { nearest(indexes, scope.text()) } else { None };
        Self::NotFound { prefix: scope.text().to_vec(), above, cut }
    }

    /// What an error in reading an index is to who asks.
    pub(crate) fn of<R: ReadAt>(index: &Index<R>) -> impl Fn(FormatError) -> Self {
        |error| Self::Index { index: index.name().to_owned(), error }
    }

    /// Sums of an index that don't agree.
    pub(crate) fn sums<R: ReadAt>(index: &Index<R>, prefix: &[u8]) -> Self {
        let prefix = String::from_utf8_lossy(prefix);
        Self::of(index)(FormatError::Sums(format!("{prefix:?} has less than what is below it")))
    }
}

/// The nearest prefix above a text that is in one of some indexes, if these can be read.
fn nearest<const N: usize, R: ReadAt>(indexes: [&Index<R>; N], text: &[u8]) -> Option<Vec<u8>> {
    let ends = (0..text.len()).filter(|&end| end == 0 || text.get(end - 1) == Some(&b'/'));
    let above: Vec<_> = ends.filter_map(|end| text.get(..end)).collect();
    let mut last = 0;
    for index in indexes {
        let found = index.get_many(&above).ok()?;
        last = last.max(found.iter().rposition(Option::is_some)?);
    }
    above.get(last).map(|nearest| nearest.to_vec())
}

/// Fails if an index doesn't know what is asked for.
pub(crate) fn require<R: ReadAt>(index: &Index<R>, by: By) -> Result<(), AskError> {
    let measures = &index.info().schema.measures;
    let missing = by.needs().iter().find(|measure| !measures.has(**measure));
    if let Some(&measure) = missing {
        return Err(AskError::Unknown { index: index.name().to_owned(), by, measure });
    }
    let unpriced = by == By::Cost && index.rates().is_none();
    if unpriced { Err(AskError::Unpriced { index: index.name().to_owned() }) } else { Ok(()) }
}
