use super::{DataFile, Fields, ManifestError};
use crate::error::excerpt;

/// The format of an inventory's data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV, gzipped or not: see [`csv`](crate::csv).
    Csv,
    /// Apache ORC: see [`orc`](crate::orc).
    Orc,
    /// Apache Parquet: see [`parquet`](crate::parquet).
    Parquet,
}

impl Format {
    /// As manifests spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Orc => "ORC",
            Self::Parquet => "Parquet",
        }
    }

    /// The format of this name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Csv, Self::Orc, Self::Parquet]
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(name))
    }

    /// The format that a data file's extension stands for.
    fn of_key(key: &str) -> Option<Self> {
        let (_, extension) = key.rsplit_once('.')?;
        if extension.eq_ignore_ascii_case("gz") { Some(Self::Csv) } else { Self::named(extension) }
    }
}

/// The format that a manifest names, or that its files tell.
pub(super) fn find(root: &Fields<'_>, files: &[DataFile]) -> Result<Format, ManifestError> {
    let Some(text) = root.optional("fileFormat")? else { return format_of(root, files) };
    Format::named(text).ok_or_else(|| {
        root.wrong("fileFormat", format!("{:?} is none of CSV, ORC and Parquet", excerpt(text.as_bytes())))
    })
}

/// The format that all files' extensions stand for; CSV where there are none.
fn format_of(root: &Fields<'_>, files: &[DataFile]) -> Result<Format, ManifestError> {
    let first = files.first().and_then(|file| Format::of_key(&file.key));
    let odd = files.iter().position(|file| first.is_none() || Format::of_key(&file.key) != first);
    let Some((nth, file)) = odd.and_then(|nth| Some((nth, files.get(nth)?))) else {
        return Ok(first.unwrap_or(Format::Csv));
    };
    let file = format!("files[{nth}].key {:?}", excerpt(file.key.as_bytes()));
    let why = match first {
        Some(first) => format!("{file} doesn't end as those before, which are {}", first.name()),
        None => format!("{file} doesn't tell it"),
    };
    Err(root.wrong("fileFormat", format!("is missing, and {why}: set it to CSV, ORC or Parquet")))
}
