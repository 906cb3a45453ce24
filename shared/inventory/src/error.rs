use s3inv_model::prefix::MAX_KEY;
use s3inv_model::{ClassError, Excluded};

use crate::fields::Field;

/// The longest piece of input that an error quotes, in bytes.
const MAX_EXCERPT: usize = 64;

/// Why reading a data file ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// What the sink returned, unchanged.
    #[error(transparent)]
    Sink(E),
    /// What is wrong with the input.
    #[error(transparent)]
    Input(#[from] InputError),
}

/// Why a data file can't be read. The caller knows its name and puts it in front.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// One row can't be understood.
    #[error("row {row}: {cause}")]
    Row {
        /// Its number in the file, from 1.
        row: u64,
        /// What is wrong with it.
        cause: RowError,
    },
    /// The source failed, or its gzip is damaged: that has the kind
    /// [`InvalidData`](std::io::ErrorKind::InvalidData) and an inner [`GzipError`](crate::gzip::GzipError).
    #[error("{0}")]
    Io(#[source] std::io::Error),
    /// A column is missing, twice there, or of another type than an inventory's.
    #[error("column {name}: {problem}")]
    Column {
        /// The column, as the format spells it.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The bytes are no Parquet file, or a damaged one.
    #[error("damaged parquet file: {0}")]
    Parquet(String),
    /// The bytes are no ORC file, or a damaged one. Stripes are counted from 1.
    #[error("damaged orc file: {0}")]
    Orc(String),
    /// A sound Parquet or ORC file, as far as it was read, with something in it that isn't understood or takes
    /// too much memory.
    #[error("{0}")]
    Unsupported(String),
}

impl InputError {
    pub(crate) fn column(name: &'static str, problem: impl Into<String>) -> Self {
        Self::Column { name, problem: problem.into() }
    }

    /// There is no column of keys.
    pub(crate) fn no_key() -> Self {
        Self::column("key", "is missing: is it a file of an inventory?")
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Not the number of fields that the manifest's schema has.
    #[error("{got} field{}, expected {expected}", if *got == 1 { "" } else { "s" })]
    Fields {
        /// Fields of this row.
        got: usize,
        /// Fields of the schema.
        expected: usize,
    },
    /// A quote opened and never closed.
    #[error("a quoted field that doesn't end")]
    Unterminated,
    /// The file's last byte is the first of the two that end its rows.
    #[error("ends in \\r without \\n")]
    HalfNewline,
    /// A quote where none may be: within an unquoted field, or text after a closing one.
    #[error("field {field} is quoted only in part")]
    Quote {
        /// The field's number, from 1.
        field: usize,
    },
    /// Longer than [`MAX_ROW`](crate::csv::MAX_ROW).
    #[error("longer than {} bytes", crate::csv::MAX_ROW)]
    TooLong,
    /// `%` without two hexadecimal digits behind it.
    #[error("key {0:?} has a malformed % escape")]
    Escape(String),
    /// An empty key, or one longer than S3 allows.
    #[error("a key of {0} bytes: 1 to {MAX_KEY} are possible")]
    KeyLength(usize),
    /// Not a decimal number below 2⁶⁴.
    #[error("size {0:?} isn't a whole number")]
    Size(String),
    /// Below zero.
    #[error("size {0} is negative")]
    NegativeSize(i64),
    /// Neither `true` nor `false`.
    #[error("{field} {text:?} is neither true nor false")]
    Flag {
        /// The field.
        field: Field,
        /// What it says.
        text: String,
    },
    /// Empty or null where this row needs it.
    #[error("{0} is missing")]
    Missing(Field),
    /// A storage class that can't be one.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// Not a date and time of 1970 or later.
    #[error("date {0:?} isn't one since 1970, as in 2024-05-06T22:37:48.000Z")]
    Date(String),
    /// Before 1970: a date in milliseconds.
    #[error("date {0} is negative")]
    NegativeDate(i64),
    /// Later than any date that can be shown: a date in milliseconds.
    #[error("date {0} isn't before 9999-12-30T22:00:00Z")]
    LateDate(u64),
}

impl RowError {
    /// As what a row is counted that is skipped for it.
    #[must_use]
    pub fn excluded(&self) -> Excluded {
        match self {
            Self::Fields { .. }
            | Self::Unterminated
            | Self::HalfNewline
            | Self::Quote { .. }
            | Self::TooLong => Excluded::BadFields,
            Self::Escape(_) | Self::KeyLength(_) => Excluded::BadKey,
            Self::Size(_) | Self::NegativeSize(_) => Excluded::BadSize,
            Self::Class(_) => Excluded::BadClass,
            Self::Date(_) | Self::NegativeDate(_) | Self::LateDate(_) => Excluded::BadDate,
            Self::Flag { .. } => Excluded::BadFlag,
            Self::Missing(field) => match field {
                Field::Size => Excluded::BadSize,
                Field::StorageClass | Field::IntelligentTieringAccessTier => Excluded::BadClass,
                Field::IsLatest | Field::IsDeleteMarker => Excluded::BadFlag,
                Field::LastModifiedDate => Excluded::BadDate,
            },
        }
    }
}

/// Input as errors quote it: cut where it is long.
pub(crate) fn excerpt(text: &[u8]) -> String {
    match text.get(..MAX_EXCERPT) {
        Some(start) if text.len() > MAX_EXCERPT => format!("{}…", String::from_utf8_lossy(start)),
        _ => String::from_utf8_lossy(text).into_owned(),
    }
}
